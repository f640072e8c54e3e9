package risk

import (
	"fmt"
	"math"
)

// Measure is what a search makes as small as it can. Left-out records count
// as generalised to nothing, except under DiscernibilityStar.
type Measure int

const (
	// Loss (Iyengar 2002): of each cell (leaves its group covers - 1) /
	// (leaves - 1), the mean over all cells: 0 as it was, 1 nothing left.
	Loss Measure = iota
	// Entropy, non-uniform (De Waal and Willenborg 1999, Gionis and Tassa
	// 2009): of each cell the bits lost, log2(records of its group / records of
	// its value), as a share of what withholding the column loses.
	Entropy
	// Height (Sweeney's precision, 2002, from the other side): of each cell
	// level / height, the mean.
	Height
	// Discernibility (Bayardo and Agrawal 2005): the sum of squares of class
	// sizes; a left-out record counts all records.
	Discernibility
	// DiscernibilityStar (El Emam et al. 2009, DM*): the sum of squares of all
	// class sizes, left out or not.
	DiscernibilityStar
	// AverageClass (after LeFevre et al. 2006): records by classes, all left-out
	// records one class.
	AverageClass
)

var measureNames = [...]string{"loss", "entropy", "height", "discernibility", "discernibility_star", "average_class"}

// String is the measure's name in reports.
func (m Measure) String() string {
	if m < 0 || int(m) >= len(measureNames) {
		return "unknown"
	}
	return measureNames[m]
}

// ParseMeasure reads a name as String writes it.
func ParseMeasure(name string) (Measure, error) {
	for i, n := range measureNames {
		if n == name {
			return Measure(i), nil
		}
	}
	return 0, fmt.Errorf("measure: want one of %q", measureNames)
}

// byCell reports whether the measure is a sum over cells, so that without
// left-out records it is known from the levels alone.
func (m Measure) byCell() bool { return m <= Height }

// cost knows what each cell of a table costs at each level. Cells cost whole
// numbers, so that sums are the same in any order.
//
// For every measure two things hold, which the search rests on. (a) bound, the
// cost were nothing left out, never exceeds value. (b) bound never falls from a
// node to its generalisations: groups only grow, and so do their leaves, their
// records, the sum of squares, and the mean class. Both survive rounding:
// whole numbers only grow, conversion, products with a positive constant and
// sums in one order are monotone.
type cost struct {
	measure Measure
	rows    int64
	weight  []float64   // by column
	kept    [][]int64   // by column and level: all cells, nothing left out
	extra   [][][]int64 // by column, level, code: what leaving one record out adds
}

// fixed is the unit of entropy: 2^20 to the bit. Its sums stay below
// 2^31 records * 31 bits * 2^20.
func fixed(count int64) int64 { return int64(math.Round(math.Log2(float64(count)) * (1 << 20))) }

func newCost(m Measure, l *lattice, rows int) *cost {
	c := &cost{measure: m, rows: int64(rows)}
	var whole float64
	for _, b := range l.cols {
		records := make([]int64, len(b.col.labels))
		for _, code := range b.col.codes {
			records[code]++
		}
		kept, extra, most := c.column(b, records)
		c.kept, c.extra = append(c.kept, kept), append(c.extra, extra)
		c.weight = append(c.weight, most)
		whole += most
	}
	for i, most := range c.weight {
		switch {
		case most == 0:
		case m == Entropy:
			c.weight[i] = 1 / whole
		default:
			c.weight[i] = 1 / most / float64(len(l.cols))
		}
	}
	return c
}

// column costs one column; most is what withholding all of it costs.
func (c *cost) column(b *bound, records []int64) (kept []int64, extra [][]int64, most float64) {
	whole := func(code int) int64 { return int64(b.leaves) - 1 }
	cell := func(level, code int) int64 { return int64(b.size[level][code]) - 1 }
	switch c.measure {
	case Height:
		whole = func(int) int64 { return int64(b.height) }
		cell = func(level, _ int) int64 { return int64(level) }
	case Entropy:
		groups := groupRecords(b, records)
		whole = func(code int) int64 { return fixed(c.rows) - fixed(records[code]) }
		cell = func(level, code int) int64 { return fixed(groups[level][b.up[level][code]]) - fixed(records[code]) }
	}
	var all int64
	for code, n := range records {
		all += n * whole(code)
	}
	for level := range b.up {
		more := make([]int64, len(records))
		var sum int64
		for code, n := range records {
			sum += n * cell(level, code)
			more[code] = whole(code) - cell(level, code)
		}
		kept, extra = append(kept, sum), append(extra, more)
	}
	return kept, extra, float64(all)
}

func groupRecords(b *bound, records []int64) []map[uint32]int64 {
	groups := make([]map[uint32]int64, len(b.up))
	for level, up := range b.up {
		groups[level] = make(map[uint32]int64)
		for code, n := range records {
			groups[level][up[code]] += n
		}
	}
	return groups
}

// static is the bound of a node of a measure by cells.
func (c *cost) static(l *lattice, node int) float64 {
	var v float64
	for col := range l.cols {
		v += c.weight[col] * float64(c.kept[col][l.level(node, col)])
	}
	return v
}
