package disclosure

import (
	"context"
	"errors"
	"io"
	mrand "math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func city(units int) Universe { return Universe{Units: units, Least: 10, KnownTotal: true} }

// inRange shows one cell: units from lo to hi-1.
func inRange(units, lo, hi int) *Table {
	return by(units, 1, func(u int) int {
		if u >= lo && u < hi {
			return 0
		}
		return -1
	})
}

// Two lawful tables, a boundary moved by three persons.
func TestDifferenceOfOverlappingTablesIsolatesThree(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t, city(200))
	_, err := r.Add(ctx, by(200, 4, func(u int) int { return u / 50 }))
	require.NoError(t, err)
	moved := by(200, 4, func(u int) int {
		if u < 53 {
			return 0
		}
		return u / 50
	})
	report, err := r.Add(ctx, moved)
	require.ErrorIs(t, err, ErrUnsafe)
	require.Equal(t, 1, r.Tables(), "nothing of a refused table stays")
	require.Equal(t, 4, r.Atoms())
	got := rules(report)
	require.Equal(t, 2, got[RuleDifference])
	require.Equal(t, 1, got[RuleAtom])

	tr, err := r.Suppress(ctx, moved)
	require.NoError(t, err)
	require.Equal(t, []bool{false, false, true, true}, tr.Shown())
	require.NoError(t, tr.Commit())
}

// Denning's tracker: C is too small to ask, and C or T, C or not T, and all of
// them are large; the first two less the third are C.
func TestGeneralTracker(t *testing.T) {
	ctx := context.Background()
	const units, small = 300, 4
	withT := by(units, 1, func(u int) int {
		if u < small || u%2 == 0 {
			return 0
		}
		return -1
	})
	withoutT := by(units, 1, func(u int) int {
		if u < small || u%2 == 1 {
			return 0
		}
		return -1
	})
	for _, known := range []bool{true, false} {
		u := city(units)
		u.KnownTotal = known
		r := newRegistry(t, u)
		_, err := r.Add(ctx, withT)
		require.NoError(t, err)
		report, err := r.Add(ctx, withoutT)
		if !known {
			require.NoError(t, err, "without the total the tracker has no third leg")
			continue
		}
		require.ErrorIs(t, err, ErrUnsafe)
		require.Equal(t, map[Rule]int{RuleAtom: 1, RuleDifference: 1}, rules(report))
		_, err = r.Suppress(ctx, withoutT)
		require.NoError(t, err, "withholding the only cell is a pattern")
	}
}

// The tracker's target is split by a table that tells neither part: the sum of
// the two parts follows, and no atom alone does.
func TestTrackerOfASplitTarget(t *testing.T) {
	ctx := context.Background()
	const units = 300
	r := newRegistry(t, city(units))
	split := by(units, 3, func(u int) int { return u % 3 })
	_, err := r.Add(ctx, split)
	require.NoError(t, err)
	_, err = r.Add(ctx, by(units, 1, func(u int) int {
		if u < 2 || u%2 == 0 {
			return 0
		}
		return -1
	}))
	require.NoError(t, err)
	report, err := r.Add(ctx, by(units, 1, func(u int) int {
		if u < 2 || u%2 == 1 {
			return 0
		}
		return -1
	}))
	require.ErrorIs(t, err, ErrUnsafe)
	require.Equal(t, map[Rule]int{RulePair: 1, RuleDifference: 1}, rules(report))
}

// Three pairwise unions give twice each part: a denominator of two.
func TestThreeUnionsGiveEachPart(t *testing.T) {
	ctx := context.Background()
	u := Universe{Units: 100, Least: 10}
	r := newRegistry(t, u)
	part := func(skip int) *Table {
		return by(100, 1, func(u int) int {
			if u < 18 && u/6 != skip {
				return 0
			}
			return -1
		})
	}
	for skip := range 2 {
		_, err := r.Add(ctx, part(skip))
		require.NoError(t, err)
	}
	report, err := r.Add(ctx, part(2))
	require.ErrorIs(t, err, ErrUnsafe)
	require.Equal(t, map[Rule]int{RuleAtom: 3}, rules(report))
}

// A single withheld cell of a table whose total is told is no secret.
func TestSuppressFindsASecondCell(t *testing.T) {
	ctx := context.Background()
	sizes := []int{40, 25, 6, 12, 117}
	table := by(200, 5, func(u int) int {
		for c, n := range sizes {
			if u < n {
				return c
			}
			u -= n
		}
		return -1
	})
	table.Total = true
	r := newRegistry(t, city(200))
	tr, err := r.Suppress(ctx, table)
	require.NoError(t, err)
	require.Equal(t, []bool{true, true, false, false, true}, tr.Shown())
	require.NoError(t, tr.Commit())
	require.ErrorIs(t, tr.Commit(), ErrStale)

	again, err := r.Suppress(ctx, table)
	require.NoError(t, err)
	require.Equal(t, tr.Shown(), again.Shown(), "the same table has the same pattern")
}

// Two tables over crossed partitions may show all margins and no inner cell.
func TestMarginsAloneAreSafe(t *testing.T) {
	ctx := context.Background()
	const units = 400
	rowOf := func(u int) int { return u % 20 }
	colOf := func(u int) int { return u / 20 }
	r := newRegistry(t, city(units))
	_, err := r.Add(ctx, by(units, 20, rowOf))
	require.NoError(t, err)
	report, err := r.Add(ctx, by(units, 20, colOf))
	require.NoError(t, err)
	require.Equal(t, 400, report.Small)
	require.Equal(t, 39, report.Rank)
	require.Equal(t, 41, report.Rows)
}

func TestSubjectsInSeveralCells(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t, city(100))
	table := by(100, 3, func(u int) int { return min(u/30, 2) })
	table.Also = []Member{{Unit: 0, Cell: 1}, {Unit: 0, Cell: 1}, {Unit: 0, Cell: 2}, {Unit: 31, Cell: 1}}
	report, err := r.Add(ctx, table)
	require.ErrorIs(t, err, ErrUnsafe, "cells less the known total leave unit 0, three times counted")
	require.Equal(t, map[Rule]int{RuleAtom: 1}, rules(report))
	r = newRegistry(t, Universe{Units: 100, Least: 10})
	_, err = r.Add(ctx, table)
	require.NoError(t, err)
}

func TestHostileTables(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t, city(100))
	half := func() *Table { return by(100, 2, func(u int) int { return u % 2 }) }
	for name, bad := range map[string]func(*Table){
		"short":        func(x *Table) { x.Cells = x.Cells[:99] },
		"long":         func(x *Table) { x.Cells = append(x.Cells, 0) },
		"no cells":     func(x *Table) { x.Shown = nil },
		"cell unknown": func(x *Table) { x.Cells[7] = 2 },
		"almost none":  func(x *Table) { x.Cells[7] = None - 1 },
		"also unit":    func(x *Table) { x.Also = []Member{{Unit: 100}} },
		"also cell":    func(x *Table) { x.Also = []Member{{Cell: 2}} },
		"also none":    func(x *Table) { x.Also = []Member{{Cell: None}} },
	} {
		table := half()
		bad(table)
		_, err := r.Add(ctx, table)
		require.ErrorIs(t, err, ErrTable, name)
		_, err = r.Suppress(ctx, table)
		require.ErrorIs(t, err, ErrTable, name)
	}
	_, err := r.Add(ctx, nil)
	require.ErrorIs(t, err, ErrTable)
	require.Zero(t, r.Tables())

	first, err := r.Try(ctx, half())
	require.NoError(t, err)
	_, err = r.Add(ctx, by(100, 2, func(u int) int { return u / 50 }))
	require.NoError(t, err)
	require.ErrorIs(t, first.Commit(), ErrStale)

	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = r.Add(stopped, half())
	require.ErrorIs(t, err, context.Canceled)
}

func TestLimits(t *testing.T) {
	ctx := context.Background()
	halves := by(100, 2, func(u int) int { return u / 50 })
	for name, l := range map[string]Limits{"atoms": {Atoms: 1}, "rank": {Rank: 1}, "cells": {Cells: 1}} {
		u := city(100)
		u.Limits = l
		_, err := newRegistry(t, u).Add(ctx, halves)
		require.ErrorIs(t, err, ErrLimit, name)
	}
	u := city(100)
	u.Limits.Tables = 1
	r := newRegistry(t, u)
	_, err := r.Add(ctx, halves)
	require.NoError(t, err)
	_, err = r.Add(ctx, halves)
	require.ErrorIs(t, err, ErrLimit)
	for _, u := range []Universe{{Least: 1}, {Units: 1}, {Units: 1, Least: 2}, {Units: 1, Least: 1, Limits: Limits{Cells: 1 << 16}}} {
		_, err := New(u, seeded(1))
		require.ErrorIs(t, err, ErrTable)
	}
}

func TestRandomnessThatEnds(t *testing.T) {
	broken := errors.New("broken")
	_, err := New(city(100), iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	for n := range int64(64) {
		r, err := New(city(100), io.LimitReader(seeded(1), 8*n))
		if err == nil {
			_, err = r.Add(context.Background(), by(100, 10, func(u int) int { return u % 10 }))
		}
		if err != nil {
			require.ErrorContains(t, err, "draw randomness")
		}
	}
}

// The same tracker on a target of three persons in three atoms: no atom and no
// pair follows, but their sum.
func TestTrackerOfATargetInThreeParts(t *testing.T) {
	ctx := context.Background()
	const units = 300
	for _, triples := range []int{0, 1} {
		u := city(units)
		u.Limits.Triples = triples // 0 is the default
		r := newRegistry(t, u)
		_, err := r.Add(ctx, by(units, 3, func(u int) int { return u % 3 }))
		require.NoError(t, err)
		pick := func(in func(u int) bool) *Table {
			return by(units, 1, func(u int) int {
				if in(u) {
					return 0
				}
				return -1
			})
		}
		for parity := range 2 {
			_, err = r.Add(ctx, pick(func(u int) bool { return u < 3 || u < 200 && u%2 == parity }))
			require.NoError(t, err)
		}
		report, err := r.Add(ctx, pick(func(u int) bool { return u >= 200 }))
		if triples == 1 {
			require.NoError(t, err)
			require.Equal(t, 2, report.Depth, "the report says what was not examined")
			continue
		}
		require.ErrorIs(t, err, ErrUnsafe)
		require.Equal(t, map[Rule]int{RuleTriple: 1}, rules(report))
		require.Equal(t, 3, report.Depth)
	}
}

// Units are records: twenty records of two subjects are a small group.
func TestRecordsOfFewSubjects(t *testing.T) {
	ctx := context.Background()
	const units = 300
	u := city(units)
	for i := range uint32(units) {
		u.Owners = append(u.Owners, i)
		if i < 20 {
			u.Owners[i] = i % 2
		}
	}
	r := newRegistry(t, u)
	table := by(units, 3, func(u int) int { return min(u/20, 2) })
	table.Total = true
	report, err := r.Add(ctx, table)
	require.ErrorIs(t, err, ErrUnsafe)
	require.Equal(t, map[Rule]int{RuleCell: 1, RuleAtom: 1, RuleDifference: 2}, rules(report))
	tr, err := r.Suppress(ctx, table)
	require.NoError(t, err)
	require.Equal(t, []bool{false, false, true}, tr.Shown())
	require.NoError(t, tr.Commit())

	// A boundary moved by the records of two subjects, in 20 units.
	report, err = r.Add(ctx, by(units, 2, func(u int) int {
		if u < 20 {
			return 1
		}
		return min(u/40, 1)
	}))
	require.ErrorIs(t, err, ErrUnsafe)
	require.Equal(t, 2, rules(report)[RuleDifference])

	u.Owners[7] = units
	_, err = New(u, seeded(1))
	require.ErrorIs(t, err, ErrTable)
	u.Owners = u.Owners[1:]
	_, err = New(u, seeded(1))
	require.ErrorIs(t, err, ErrTable)
}

// Patterns depend on tables, never on the draw.
func TestPatternsDoNotDependOnRandomness(t *testing.T) {
	const units = 1500
	var first [][]bool
	for seed := range byte(3) {
		rng := mrand.New(seeded(42).(mrand.Source))
		w := newAttributes(rng, units)
		r, err := New(city(units), seeded(seed))
		require.NoError(t, err)
		var patterns [][]bool
		for range 8 {
			tr, err := r.Suppress(context.Background(), w.table(rng))
			if errors.Is(err, ErrUnsafe) {
				patterns = append(patterns, nil)
				continue
			}
			require.NoError(t, err)
			patterns = append(patterns, tr.Shown())
			require.NoError(t, tr.Commit())
		}
		if first == nil {
			first = patterns
		}
		require.Equal(t, first, patterns)
	}
}

// Two figures that together are all units and five more: however many atoms those five are in, their total
// is the sum of the two less the known one over all.
func TestOverlapOfTwoComplements(t *testing.T) {
	ctx := context.Background()
	const units = 300
	for _, known := range []bool{true, false} {
		u := city(units)
		u.KnownTotal = known
		r := newRegistry(t, u)
		_, err := r.Add(ctx, by(units, 5, func(u int) int { return u % 5 }))
		require.NoError(t, err)
		half := func(from, to int) *Table {
			return by(units, 1, func(u int) int {
				if u >= from && u < to {
					return 0
				}
				return -1
			})
		}
		_, err = r.Add(ctx, half(0, 155))
		require.NoError(t, err)
		report, err := r.Try(ctx, half(150, units))
		require.NoError(t, err)
		want := map[Rule]int{}
		if known {
			want[RuleDifference] = 1
		}
		require.Equal(t, want, rules(report.Report()))
	}
}

// Two cells of one table that leave five units out.
func TestTwoCellsLeaveAFewOut(t *testing.T) {
	ctx := context.Background()
	const units = 300
	r := newRegistry(t, city(units))
	_, err := r.Add(ctx, by(units, 5, func(u int) int { return u % 5 }))
	require.NoError(t, err)
	table := by(units, 2, func(u int) int {
		if u < 5 {
			return -1
		}
		return u % 2
	})
	tr, err := r.Try(ctx, table)
	require.NoError(t, err)
	require.Equal(t, map[Rule]int{RuleDifference: 1}, rules(tr.Report()))
	tr, err = r.Suppress(ctx, table)
	require.NoError(t, err)
	require.Equal(t, []bool{false, true}, tr.Shown())
}
