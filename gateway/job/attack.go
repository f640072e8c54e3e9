package job

import (
	"context"
	"log/slog"
	"slices"

	"github.com/yumen-project/yumen/compute/disclosure"
	"github.com/yumen-project/yumen/compute/plain"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// The attack by least squares runs on registers of up to maxAttacked subjects, with the first
// maxKept tables; beyond, the log says that it did not.
const (
	maxAttacked = 200_000
	maxKept     = 64
)

// The attack may not recover recoveryLimit per mille of even bits: leastGain is what that is of the bits
// that guessing leaves open.
const (
	recoveryLimit = 600
	leastGain     = 2*recoveryLimit/1000.0 - 1
)

// kept is a table as the attacker sees it.
type kept struct {
	groupBy, filtered []string
	keys              [][]string // by cell
	shown             []bool
	cell              []uint32 // by record
}

// attacked is a column and what the attack on it came to.
type attacked struct {
	dataset *governance.Dataset
	column  string
	outcome string
}

// finding names the column and no figure.
func (a *attacked) finding() spec.Registered {
	return spec.Registered{Dataset: a.dataset.ID, Version: a.dataset.Version, Templates: []string{a.column}, OK: true, Rule: "reconstruction"}
}

func (j *judge) keep(t *governance.Table, a *plain.Assignment, shown []bool) {
	if a.Result.UniverseSubjects > maxAttacked || len(j.kept) >= maxKept {
		return
	}
	k := kept{groupBy: t.GroupBy, shown: slices.Clone(shown), cell: a.Cell}
	for _, f := range t.Filters {
		k.filtered = append(k.filtered, f.Field)
	}
	for i := range a.Result.Cells {
		k.keys = append(k.keys, a.Result.Cells[i].Keys)
	}
	j.kept = append(j.kept, k)
}

// attack tries to learn, for every group column of the tables, who has its most frequent value,
// by one who knows everybody's other columns. The tables crossed with the column tell for each
// combination of the others how many have it. Figures go to the log; the finding names the column.
func (j *judge) attack(ctx context.Context, tables []*pattern) []attacked {
	u := j.units[bySubject]
	if u == nil || u.registry == nil {
		return nil
	}
	log := j.r.o.Logger.With(slog.String("dataset", j.dataset.ID), slog.String("version", j.dataset.Version))
	var columns []string
	for _, p := range tables {
		columns = append(columns, p.Table.GroupBy...)
	}
	slices.Sort(columns)
	var out []attacked
	for _, column := range slices.Compact(columns) {
		if u.n > maxAttacked {
			log.InfoContext(ctx, "reconstruction not tried: too many subjects")
			out = append(out, attacked{dataset: j.dataset, column: column, outcome: outUntried})
			continue
		}
		got, ok, err := j.recover(ctx, u, column)
		if err != nil {
			log.WarnContext(ctx, "reconstruction not tried", slog.String("column", column), slog.String("error", err.Error()))
			out = append(out, attacked{dataset: j.dataset, column: column, outcome: outUntried})
		}
		if !ok {
			continue
		}
		gain := (got.Recovered - got.Base) / max(1-got.Base, 1e-9)
		figures := slog.Group("attack", slog.String("column", column), slog.Float64("recovered", got.Recovered),
			slog.Float64("base", got.Base), slog.Float64("ceiling", got.Ceiling))
		if gain < leastGain {
			log.DebugContext(ctx, "reconstruction tried", figures)
			out = append(out, attacked{dataset: j.dataset, column: column, outcome: outBelow})
			continue
		}
		log.WarnContext(ctx, "reconstruction recovers too much", figures)
		out = append(out, attacked{dataset: j.dataset, column: column, outcome: outAbove})
	}
	return out
}

// recover attacks one column. ok is false where no table crosses it with another.
func (j *judge) recover(ctx context.Context, u *units, column string) (got disclosure.Recovery, ok bool, err error) {
	value, found := j.frequent(column)
	if !found {
		return got, false, nil
	}
	secret := make([]bool, u.n)
	var told []disclosure.Noisy
	for i := range j.kept {
		k := &j.kept[i]
		at := slices.Index(k.groupBy, column)
		if at < 0 || slices.Contains(k.filtered, column) {
			continue
		}
		for rec, c := range k.cell {
			if c != plain.None && k.keys[c][at] == value {
				secret[u.of[rec]] = true
			}
		}
		if len(k.groupBy) > 1 {
			told = append(told, k.crossed(u, at, value))
		}
	}
	if len(told) == 0 {
		return got, false, nil
	}
	blank, err := disclosure.New(disclosure.Universe{Units: u.n, Least: 1, KnownTotal: true}, j.r.o.Rand)
	if err != nil {
		return got, false, err
	}
	got, err = blank.Reconstruct(ctx, secret, told, disclosure.Attack{})
	return got, err == nil, err
}

// frequent is the column's most frequent value, counted in records of the tables that cross it.
func (j *judge) frequent(column string) (value string, found bool) {
	n := map[string]int{}
	for i := range j.kept {
		k := &j.kept[i]
		at := slices.Index(k.groupBy, column)
		if at < 0 || len(k.groupBy) < 2 || slices.Contains(k.filtered, column) {
			continue
		}
		for _, c := range k.cell {
			if c != plain.None {
				n[k.keys[c][at]]++
			}
		}
	}
	for v, count := range n {
		if !found || count > n[value] || count == n[value] && v < value {
			value, found = v, true
		}
	}
	return value, found
}

// crossed is the table over the other columns, telling of each combination how many of its subjects are
// in the shown cell with the value.
func (k *kept) crossed(u *units, at int, value string) disclosure.Noisy {
	others := map[string]uint32{}
	of := make([]uint32, len(k.keys)) // cell -> combination
	for c, keys := range k.keys {
		rest := joinKeys(append(slices.Clone(keys[:at]), keys[at+1:]...))
		n, ok := others[rest]
		if !ok {
			n = uint32(len(others))
			others[rest] = n
		}
		of[c] = n
	}
	t := &disclosure.Table{Cells: slices.Repeat([]uint32{disclosure.None}, u.n), Shown: make([]bool, len(others))}
	values := make([]float64, len(others))
	for c, keys := range k.keys {
		if k.shown[c] && keys[at] == value {
			t.Shown[of[c]] = true
		}
	}
	counted := map[uint64]bool{}
	for rec, c := range k.cell {
		if c == plain.None {
			continue
		}
		unit, to := u.of[rec], of[c]
		if t.Cells[unit] == disclosure.None {
			t.Cells[unit] = to
		} else if t.Cells[unit] != to {
			t.Also = append(t.Also, disclosure.Member{Unit: unit, Cell: to})
		}
		if one := uint64(unit)<<32 | uint64(to); t.Shown[to] && k.keys[c][at] == value && !counted[one] {
			counted[one] = true
			values[to]++
		}
	}
	return disclosure.Noisy{Table: t, Values: values}
}
