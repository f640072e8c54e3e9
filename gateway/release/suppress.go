package release

import (
	"slices"

	"github.com/yumen-project/yumen/compute"
)

// MinimumSubjects is the least number of distinct subjects a shown cell, and the rest of the table
// without it, must hold (design: exact tables).
const MinimumSubjects = 10

// CellEvidence is what the rules see of a cell and nobody else does.
type CellEvidence struct {
	Subjects   int64
	Complement int64
	Withheld   bool
}

// suppressSmall withholds every cell that, or whose complement, has fewer than least subjects. Then
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
		ev[i] = CellEvidence{Subjects: c.Subjects, Complement: r.UniverseSubjects - c.Subjects}
		if c.Subjects < least || ev[i].Complement < least {
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
	slices.SortStableFunc(order, func(a, b int) int { return int(min(max(ev[a].Subjects-ev[b].Subjects, -1), 1)) })
	for _, i := range order {
		if cells >= 2 && hidden >= least {
			break
		}
		if !ev[i].Withheld {
			hide(i)
		}
	}
	return ev
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
		t.Cells[i] = Cell{Keys: shownKeys(c.Keys), Withheld: ev[i].Withheld}
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

func shownKeys(keys []string) []string {
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
