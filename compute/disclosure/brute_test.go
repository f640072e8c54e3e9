package disclosure

import (
	"context"
	"fmt"
	"slices"
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

// atoms groups units by the shown figures they are in; who are their subjects.
func (w *world) atoms() (who []map[uint32]bool, in [][]bool) {
	known := make(map[string]int)
	for u := range w.u.Units {
		var sig []bool
		for _, row := range w.rows {
			sig = append(sig, row[u])
		}
		key := fmt.Sprint(sig)
		if _, ok := known[key]; !ok {
			known[key] = len(who)
			who, in = append(who, map[uint32]bool{}), append(in, sig)
		}
		owner := uint32(u)
		if w.u.Owners != nil {
			owner = w.u.Owners[u]
		}
		who[known[key]][owner] = true
	}
	return who, in
}

// few says that the atoms together have fewer than Least subjects.
func (w *world) few(who []map[uint32]bool, atoms ...int) bool {
	all := map[uint32]bool{}
	for _, a := range atoms {
		for o := range who[a] {
			all[o] = true
		}
	}
	return len(all) < w.u.Least
}

// top is the largest value of an atom in the enumeration. The kernel of a 0/1
// matrix with at most 6 columns is spanned by vectors whose entries are minors
// of order at most 5, so at most 5: values from 0 to 5 show all of it.
const top = 5

// determined enumerates every database of atom totals from 0 to top and compares
// all that agree on the shown figures: which small atoms, and whether some
// combination of two or three others, never differ.
func (w *world) determined() (atoms map[int]bool, pairs, triples bool) {
	who, in := w.atoms()
	m := len(who)
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
	free := func(set ...int) bool { return rank(deltas, set) == len(set) }
	atoms = make(map[int]bool)
	for a := range m {
		if !free(a) && w.few(who, a) {
			atoms[a] = true
		}
	}
	for a := range m {
		for b := range a {
			if free(a) && free(b) && !free(a, b) && w.few(who, a, b) {
				pairs = true
			}
			for c := range b {
				if free(a, b) && free(a, c) && free(b, c) && !free(a, b, c) && w.few(who, a, b, c) {
					triples = true
				}
			}
		}
	}
	return atoms, pairs, triples
}

// rank eliminates the columns of set without fractions.
func rank(deltas [][]int, set []int) int {
	var basis [][]int
	for _, d := range deltas {
		v := make([]int, len(set))
		for i, a := range set {
			v[i] = d[a]
		}
		for _, b := range basis {
			lead := slices.IndexFunc(b, func(x int) bool { return x != 0 })
			k := v[lead]
			for i := range v {
				v[i] = v[i]*b[lead] - b[i]*k
			}
		}
		if slices.ContainsFunc(v, func(x int) bool { return x != 0 }) {
			basis = append(basis, v)
		}
		if len(basis) == len(set) {
			break
		}
	}
	return len(basis)
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
	var judged, withAtoms, withPairs, withTriples int
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.IntRange(2, 8).Draw(t, "units")
		u := Universe{
			Units: units, Least: rapid.IntRange(1, min(units, 6)).Draw(t, "least"),
			KnownTotal: rapid.Bool().Draw(t, "known total"),
		}
		drawOwners(t, &u)
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
			who, _ := w.atoms()
			require.Equal(t, len(who), tr.report.Atoms)
			if len(who) > 6 {
				return
			}
			// Without the rules on figures alone every history is searched in depth.
			got, err := tr.again(ctx)
			require.NoError(t, err)
			atoms, pairs, triples := w.determined()
			require.Equal(t, len(atoms), got[RuleAtom])
			require.Equal(t, pairs, got[RulePair] > 0)
			if len(atoms) == 0 && !pairs {
				require.Equal(t, triples, got[RuleTriple] > 0)
				if triples {
					withTriples++
				}
			}
			judged++
			if len(atoms) > 0 {
				withAtoms++
			}
			if pairs {
				withPairs++
			}
			tr.report.Findings = nil
			require.NoError(t, tr.Commit())
			require.Equal(t, len(who), r.Atoms())
		}
	})
	t.Logf("judged %d, with atoms %d, with pairs %d, with triples %d", judged, withAtoms, withPairs, withTriples)
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
		drawOwners(t, &u)
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
			w.requireNoSmallDifference(t)
			if who, _ := w.atoms(); len(who) > 6 {
				return
			}
			atoms, pairs, triples := w.determined()
			require.Empty(t, atoms)
			require.False(t, pairs)
			require.False(t, triples)
		}
	})
	t.Logf("cells shown %d, tables refused %d", shown, unsafe)
}

// requireNoSmallDifference compares every two shown figures, and each with none;
// with known totals also each with the complements of others.
func (w *world) requireNoSmallDifference(t *rapid.T) {
	nothing := make([]bool, w.u.Units)
	for i, a := range w.rows {
		for _, b := range append([][]bool{nothing}, w.rows[:i]...) {
			apart := map[bool]map[uint32]bool{true: {}, false: {}}
			for u := range a {
				owner := uint32(u)
				if w.u.Owners != nil {
					owner = w.u.Owners[u]
				}
				apart[a[u] != b[u]][owner] = true
			}
			require.False(t, len(apart[true]) > 0 && len(apart[true]) < w.u.Least)
			require.False(t, w.u.KnownTotal && len(apart[false]) > 0 && len(apart[false]) < w.u.Least)
		}
	}
}

// drawOwners makes units records of subjects, half of the time.
func drawOwners(t *rapid.T, u *Universe) {
	if !rapid.Bool().Draw(t, "records") {
		return
	}
	subjects := map[uint32]bool{}
	for range u.Units {
		o := uint32(rapid.IntRange(0, u.Units-1).Draw(t, "owner"))
		u.Owners = append(u.Owners, o)
		subjects[o] = true
	}
	u.Least = min(u.Least, len(subjects))
}
