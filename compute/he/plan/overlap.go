package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// refinement counts the cells of one column's lanes: records that no lane tells
// apart. It works section by section, as all lanes have the same sections.
type refinement struct {
	column string
	lanes  []int
	exact  bool // rows are subjects
	cells  map[string]*cell
	result Overlap
}

type cell struct {
	rows     uint64
	subjects map[uint64]struct{}
}

const (
	maxCells = 1 << 16
	// enough subjects in a cell: more are not counted.
	enough = 1024
)

func newRefinement(column string, lanes []int, rowSubjects bool) *refinement {
	return &refinement{
		column: column, lanes: lanes, exact: rowSubjects, cells: map[string]*cell{},
		result: Overlap{Column: column, Smallest: math.MaxUint64},
	}
}

// add counts a record; group has, per lane, the group it counts in or -1.
func (f *refinement) add(group []int, subject uint64, key []byte) error {
	key = key[:0]
	any := false
	for _, l := range f.lanes {
		g := group[l] + 1
		key = append(key, byte(g>>8), byte(g))
		any = any || g > 0
	}
	if !any {
		return nil
	}
	c := f.cells[string(key)]
	if c == nil {
		if len(f.cells) >= maxCells {
			return fmt.Errorf("%w: lanes of one column split a section into more than %d cells", ErrSource, maxCells)
		}
		c = &cell{}
		if !f.exact {
			c.subjects = map[uint64]struct{}{}
		}
		f.cells[string(key)] = c
	}
	c.rows++
	if !f.exact && len(c.subjects) < enough {
		c.subjects[subject] = struct{}{}
	}
	return nil
}

// end closes a section.
func (f *refinement) end() {
	for c := range maps.Values(f.cells) {
		n := c.rows
		if !f.exact {
			n = uint64(len(c.subjects))
		}
		f.result.Smallest = min(f.result.Smallest, n)
		f.result.Cells++
	}
	clear(f.cells)
}

func (f *refinement) overlap() Overlap {
	o := f.result
	if o.Cells == 0 {
		o.Smallest = 0
	}
	return o
}

// refinements finds the columns that lanes split in different ways.
func refinements(lanes []*lane, rowSubjects bool) []*refinement {
	readers := map[string][]int{}
	for i, l := range lanes {
		for _, c := range l.out.Columns {
			readers[c] = append(readers[c], i)
		}
		if len(l.out.Columns) == 0 {
			readers[""] = append(readers[""], i)
		}
	}
	var out []*refinement
	for _, column := range slices.Sorted(maps.Keys(readers)) {
		if len(readers[column]) > 1 {
			out = append(out, newRefinement(column, readers[column], rowSubjects))
		}
	}
	return out
}
