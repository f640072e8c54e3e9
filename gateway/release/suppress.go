package release

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/yumen-project/yumen/compute"
)

// MinimumSubjects is the default of the setting minimum_subjects: the least number of distinct subjects
// a shown cell, and the rest of the table without it, must hold (design: exact tables).
const MinimumSubjects = 10

// CellEvidence is what the rules see of a cell and nobody else does. Subjects is the least number of
// distinct subjects behind any figure of the cell; Dominated says that one or two of them make most of
// a sum: (1,50) or (2,67) on absolute values.
type CellEvidence struct {
	Subjects   int64
	Complement int64
	Dominated  bool
	Withheld   bool
}

// evidenceOf measures one cell. The complement is taken in the whole dataset and, for a grouped
// table, among those whom the filters left, whichever is smaller.
func evidenceOf(r *compute.Result, c *compute.Cell) CellEvidence {
	ev := CellEvidence{Subjects: c.Subjects, Complement: r.UniverseSubjects - c.Subjects}
	if len(r.GroupBy) > 0 {
		ev.Complement = min(ev.Complement, r.Subjects-c.Subjects)
	}
	for i, m := range r.Measures {
		if m.Kind != compute.Sum && m.Kind != compute.Mean {
			continue
		}
		share := &c.TopShares[i]
		ev.Subjects = min(ev.Subjects, share.Subjects)
		two := new(big.Int).Add(share.Largest, share.Second)
		ev.Dominated = ev.Dominated || exceeds(share.Largest, share.Total, 50) || exceeds(two, share.Total, 67)
	}
	return ev
}

// exceeds says that part is more than percent of total.
func exceeds(part, total *big.Int, percent int64) bool {
	return new(big.Int).Mul(part, big.NewInt(100)).Cmp(new(big.Int).Mul(total, big.NewInt(percent))) > 0
}

// suppressSmall withholds every cell that, or whose complement, has fewer than least subjects, and
// every dominated one. Then
// it goes on with the smallest cells left until what is withheld holds least subjects and is at
// least two cells, so that no withheld cell can be had by subtraction from a total known elsewhere.
func suppressSmall(r *compute.Result, least int64) []CellEvidence {
	ev := make([]CellEvidence, len(r.Cells))
	var hidden, cells int64
	hide := func(i int) {
		ev[i].Withheld = true
		hidden += ev[i].Subjects
		cells++
	}
	for i, c := range r.Cells {
		ev[i] = evidenceOf(r, &c)
		if ev[i].Subjects < least || ev[i].Complement < least || ev[i].Dominated {
			hide(i)
		}
	}
	if cells == 0 {
		return ev
	}
	order := make([]int, len(ev))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ev[a].Subjects, ev[b].Subjects) })
	for _, i := range order {
		if cells >= 2 && hidden >= least && !unionDominated(r, ev) {
			break
		}
		if !ev[i].Withheld {
			hide(i)
		}
	}
	return ev
}

// ShownCells says of each cell whether this table, looked at alone, may show it: what registration starts from.
func ShownCells(r *compute.Result, least int64) []bool {
	out := make([]bool, len(r.Cells))
	for i, ev := range suppressSmall(r, least) {
		out[i] = !ev.Withheld
	}
	return out
}

// unionDominated says that one subject makes most of a sum over the withheld cells together: whoever
// knows the total would have that subject's part by subtraction.
func unionDominated(r *compute.Result, ev []CellEvidence) bool {
	for m, measure := range r.Measures {
		if measure.Kind != compute.Sum && measure.Kind != compute.Mean {
			continue
		}
		largest, total := new(big.Int), new(big.Int)
		for i := range r.Cells {
			if share := &r.Cells[i].TopShares[m]; ev[i].Withheld {
				total.Add(total, share.Total)
				if share.Largest.Cmp(largest) > 0 {
					largest = share.Largest
				}
			}
		}
		if exceeds(largest, total, 50) {
			return true
		}
	}
	return false
}

// tableBody renders the cells that may be shown. A null group key is shown as U+2400 (symbol for null).
func tableBody(r *compute.Result, ev []CellEvidence) Table {
	t := Table{GroupBy: r.GroupBy, Measures: make([]string, len(r.Measures)), Cells: make([]Cell, len(r.Cells))}
	for i, m := range r.Measures {
		t.Measures[i] = string(m.Kind)
		if m.Field != "" {
			t.Measures[i] += "(" + m.Field + ")"
		}
	}
	for i, c := range r.Cells {
		t.Cells[i] = Cell{Keys: ShownKeys(c.Keys), Withheld: ev[i].Withheld}
		if ev[i].Withheld {
			continue
		}
		t.Cells[i].Values = make([]string, len(c.Values))
		for j, v := range c.Values {
			t.Cells[i].Values[j] = v.Text
		}
	}
	return t
}

// ShownKeys renders group keys of compute as they leave: a null is U+2400, the symbol for null.
func ShownKeys(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		text, null := compute.KeyText(k)
		if null {
			text = "\u2400"
		}
		out[i] = text
	}
	return out
}
