package risk

import (
	"cmp"
	"slices"
)

// dimension is a column as Mondrian cuts it.
type dimension struct {
	col     *coded
	numeric bool
	rank    []uint32 // numeric, by code: 0 for null, numbers from 1
	least   uint32   // the lowest rank there is
	b       *bound   // else
}

func newDimension(t *Table, q Quasi) (*dimension, error) {
	c := t.column(q.Column)
	values := len(c.labels)
	if c.null >= 0 {
		values--
	}
	if q.Hierarchy != nil || values == 0 || len(c.order) != values {
		b, err := newBound(t, q)
		return &dimension{col: c, b: b}, err
	}
	d := &dimension{col: c, numeric: true, rank: make([]uint32, len(c.labels)), least: 1}
	for i, code := range c.order {
		d.rank[code] = uint32(i + 1)
	}
	if c.null >= 0 {
		d.least = 0
	}
	return d, nil
}

// span is the lowest and highest rank of records.
func (d *dimension) span(rows []uint32) (low, high uint32) {
	low = d.rank[d.col.codes[rows[0]]]
	high = low
	for _, row := range rows {
		r := d.rank[d.col.codes[row]]
		low, high = min(low, r), max(high, r)
	}
	return low, high
}

// join is the lowest level at which all records are one group; one above the
// height where not even the coarsest is.
func (d *dimension) join(rows []uint32) int {
	level := 0
	first := d.col.codes[rows[0]]
	for _, row := range rows {
		code := d.col.codes[row]
		for level <= d.b.height && d.b.up[level][code] != d.b.up[level][first] {
			level++
		}
		if level > d.b.height {
			break
		}
	}
	return level
}

// width is the share of the column that records span: 0 one value, 1 all.
func (d *dimension) width(rows []uint32) float64 {
	if d.numeric {
		low, high := d.span(rows)
		if low == high {
			return 0
		}
		return float64(high-low) / float64(uint32(len(d.col.order))-d.least)
	}
	level := d.join(rows)
	switch {
	case level == 0:
		return 0
	case level > d.b.height:
		return 1
	}
	return float64(d.b.size[level][d.col.codes[rows[0]]]-1) / float64(max(d.b.leaves, 2)-1)
}

// cut gives the parts; one part if it cannot be cut.
func (d *dimension) cut(rows []uint32, relaxed bool) [][]uint32 {
	if d.numeric {
		return d.median(rows, relaxed)
	}
	level := d.join(rows)
	if level == 0 {
		return nil
	}
	at := make(map[uint32]int)
	var parts [][]uint32
	for _, row := range rows {
		group := d.b.up[level-1][d.col.codes[row]]
		i, ok := at[group]
		if !ok {
			i = len(parts)
			at[group] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], row)
	}
	return parts
}

// median cuts at the median: up to its value and above, or before it where
// nothing is above; relaxed, into halves whatever their values.
func (d *dimension) median(rows []uint32, relaxed bool) [][]uint32 {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(d.rank[d.col.codes[a]], d.rank[d.col.codes[b]]), cmp.Compare(a, b))
	})
	at := len(rows) / 2
	if !relaxed {
		middle := d.rank[d.col.codes[rows[(len(rows)-1)/2]]]
		at = d.upTo(rows, middle)
		if at == len(rows) {
			at = d.upTo(rows, middle-1)
		}
	}
	if at == 0 || at == len(rows) {
		return nil
	}
	return [][]uint32{rows[:at:at], rows[at:]}
}

// upTo is the number of the sorted records whose rank is at most as given.
func (d *dimension) upTo(rows []uint32, rank uint32) int {
	n, _ := slices.BinarySearchFunc(rows, rank, func(row, rank uint32) int {
		if d.rank[d.col.codes[row]] <= rank {
			return -1
		}
		return 1
	})
	return n
}

// summary is what stands for the records' values.
func (d *dimension) summary(rows []uint32) Range {
	r := Range{width: d.width(rows)}
	if d.numeric {
		low, high := d.span(rows)
		r.Null = low == 0
		if high == 0 {
			return r
		}
		if low == 0 {
			low = high
			for _, row := range rows {
				if rank := d.rank[d.col.codes[row]]; rank > 0 {
					low = min(low, rank)
				}
			}
		}
		r.Low, r.High = d.col.labels[d.col.order[low-1]], d.col.labels[d.col.order[high-1]]
		return r
	}
	level := d.join(rows)
	code := d.col.codes[rows[0]]
	r.Low = "*"
	switch {
	case level == 0:
		r.Low, r.Null = d.col.labels[code], int(code) == d.col.null
	case level <= d.b.height && d.b.h != nil && int(d.b.up[level][code]) < len(d.b.h.labels[level]):
		r.Low = d.b.h.labels[level][d.b.up[level][code]]
	}
	r.High = r.Low
	return r
}
