package disclosure

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// world is the naive side: tables as sets of units, no algebra.
type world struct {
	u    Universe
	rows [][]bool // shown figure -> unit
}

func (w *world) show(t *Table) {
	for c, on := range t.Shown {
		if !on {
			continue
		}
		row := make([]bool, w.u.Units)
		for u := range row {
			row[u] = t.Cells[u] == uint32(c)
		}
		for _, m := range t.Also {
			if int(m.Cell) == c {
				row[m.Unit] = true
			}
		}
		w.rows = append(w.rows, row)
	}
	if t.Total {
		row := make([]bool, w.u.Units)
		for u := range row {
			row[u] = t.Cells[u] != None
		}
		for _, m := range t.Also {
			row[m.Unit] = true
		}
		w.rows = append(w.rows, row)
	}
}

// atoms groups units by the shown figures they are in.
func (w *world) atoms() (size []int, in [][]bool) {
	known := make(map[string]int)
	for u := range w.u.Units {
		var sig []bool
		for _, row := range w.rows {
			sig = append(sig, row[u])
		}
		key := fmt.Sprint(sig)
		if _, ok := known[key]; !ok {
			known[key] = len(size)
			size, in = append(size, 0), append(in, sig)
		}
		size[known[key]]++
	}
	return size, in
}

// top is the largest value of an atom in the enumeration. The kernel of a 0/1
// matrix with at most 6 columns is spanned by vectors whose entries are minors
// of order at most 5, so at most 5: values from 0 to 5 show all of it.
const top = 5

// determined enumerates every database of atom totals from 0 to top and compares
// all that agree on the shown figures: which atoms, and which combinations of
// two others, never differ.
func (w *world) determined() (atoms map[int]bool, pairs bool) {
	size, in := w.atoms()
	m := len(size)
	first := make(map[string][]int)
	var deltas [][]int
	seen := make(map[string]bool)
	y := make([]int, m)
	for {
		var told []byte
		for i := range w.rows {
			sum := 0
			for a := range y {
				if in[a][i] {
					sum += y[a]
				}
			}
			told = append(told, byte(sum))
		}
		if base, ok := first[string(told)]; !ok {
			first[string(told)] = append([]int(nil), y...)
		} else {
			d := make([]int, m)
			for a := range y {
				d[a] = y[a] - base[a]
			}
			if key := fmt.Sprint(d); !seen[key] {
				seen[key] = true
				deltas = append(deltas, d)
			}
		}
		a := 0
		for ; a < m && y[a] == top; a++ {
			y[a] = 0
		}
		if a == m {
			break
		}
		y[a]++
	}
	atoms = make(map[int]bool)
	for a := range m {
		moves := false
		for _, d := range deltas {
			moves = moves || d[a] != 0
		}
		if !moves {
			atoms[a] = true
		}
	}
	for a := range m {
		for b := range a {
			if size[a]+size[b] < w.u.Least && !atoms[a] && !atoms[b] && collinear(deltas, a, b) {
				pairs = true
			}
		}
	}
	for a := range atoms {
		if size[a] >= w.u.Least {
			delete(atoms, a)
		}
	}
	return atoms, pairs
}

func collinear(deltas [][]int, a, b int) bool {
	var x, y int
	for _, d := range deltas {
		if x == 0 && y == 0 {
			x, y = d[a], d[b]
		}
		if x*d[b] != y*d[a] {
			return false
		}
	}
	return true
}

func drawTable(t *rapid.T, units int) *Table {
	k := rapid.IntRange(1, 3).Draw(t, "cells")
	table := &Table{Cells: make([]uint32, units), Shown: make([]bool, k)}
	for u := range table.Cells {
		table.Cells[u] = uint32(rapid.IntRange(0, k).Draw(t, "cell"))
		if int(table.Cells[u]) == k {
			table.Cells[u] = None
		}
	}
	for c := range table.Shown {
		table.Shown[c] = rapid.IntRange(0, 3).Draw(t, "shown") > 0
	}
	for range rapid.IntRange(0, 2).Draw(t, "also") {
		table.Also = append(table.Also, Member{
			Unit: uint32(rapid.IntRange(0, units-1).Draw(t, "unit")), Cell: uint32(rapid.IntRange(0, k-1).Draw(t, "in")),
		})
	}
	table.Total = rapid.Bool().Draw(t, "total")
	return table
}

// TestJudgementEqualsEnumeration: the modular test finds an atom or pair exactly
// when comparing all databases that agree on the shown figures does.
func TestJudgementEqualsEnumeration(t *testing.T) {
	ctx := context.Background()
	var judged, withAtoms, withPairs int
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.IntRange(2, 8).Draw(t, "units")
		u := Universe{
			Units: units, Least: rapid.IntRange(1, min(units, 5)).Draw(t, "least"),
			KnownTotal: rapid.Bool().Draw(t, "known total"),
		}
		r, err := New(u, seeded(byte(rapid.IntRange(0, 255).Draw(t, "seed"))))
		require.NoError(t, err)
		w := &world{u: u}
		if u.KnownTotal {
			w.show(&Table{Cells: make([]uint32, units), Shown: []bool{true}})
		}
		for range rapid.IntRange(1, 3).Draw(t, "tables") {
			table := drawTable(t, units)
			tr, err := r.Try(ctx, table)
			require.NoError(t, err)
			w.show(table)
			size, _ := w.atoms()
			require.Equal(t, len(size), tr.report.Atoms)
			if len(size) > 6 {
				return
			}
			atoms, pairs := w.determined()
			got := rules(tr.Report())
			require.Equal(t, len(atoms), got[RuleAtom])
			require.Equal(t, pairs, got[RulePair] > 0)
			judged++
			if len(atoms) > 0 {
				withAtoms++
			}
			if pairs {
				withPairs++
			}
			tr.report.Findings = nil
			require.NoError(t, tr.Commit())
			require.Equal(t, len(size), r.Atoms())
		}
	})
	t.Logf("judged %d, with atoms %d, with pairs %d", judged, withAtoms, withPairs)
}

// TestSuppressEqualsEnumeration: whatever is registered by suppression alone,
// no small atom or pair is determined, and no shown figure is small.
func TestSuppressEqualsEnumeration(t *testing.T) {
	ctx := context.Background()
	var shown, unsafe int
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.IntRange(4, 10).Draw(t, "units")
		u := Universe{
			Units: units, Least: rapid.IntRange(2, 3).Draw(t, "least"),
			KnownTotal: rapid.Bool().Draw(t, "known total"),
		}
		r := newRegistry(t, u)
		w := &world{u: u}
		if u.KnownTotal {
			w.show(&Table{Cells: make([]uint32, units), Shown: []bool{true}})
		}
		for range rapid.IntRange(1, 4).Draw(t, "tables") {
			table := drawTable(t, units)
			tr, err := r.Suppress(ctx, table)
			if err != nil {
				require.ErrorIs(t, err, ErrUnsafe)
				unsafe++
				continue
			}
			pattern := tr.Shown()
			for c, on := range pattern {
				require.False(t, on && !table.Shown[c], "a declared withholding stays")
				if on {
					shown++
				}
			}
			require.NoError(t, tr.Commit())
			released := *table
			released.Shown = pattern
			w.show(&released)
			if size, _ := w.atoms(); len(size) > 6 {
				return
			}
			atoms, pairs := w.determined()
			require.Empty(t, atoms)
			require.False(t, pairs)
			w.requireNoSmallDifference(t)
		}
	})
	t.Logf("cells shown %d, tables refused %d", shown, unsafe)
}

func (w *world) requireNoSmallDifference(t *rapid.T) {
	for i, a := range w.rows {
		for _, b := range w.rows[:i] {
			apart := 0
			for u := range a {
				if a[u] != b[u] {
					apart++
				}
			}
			require.False(t, apart > 0 && apart < w.u.Least)
		}
	}
}
