package disclosure

import (
	"context"
	"fmt"
	"slices"
)

// Suppress chooses the cells to withhold so that the table is safe beside what
// is registered: the cells it declares withheld stay so (dominance and p% are
// the caller's); then those that break a rule by themselves; then, as long as an
// atom, pair or triple still follows from the rest, the smallest cell that takes part in
// the derivation. The pattern of the returned trial has been judged safe. It
// depends on the table and the registry only, ties going to the lower number.
// ErrUnsafe: no pattern helps, since the told total or the registered tables
// say it already.
//
// One pattern serves every figure of the table for the whole data set version;
// whoever knows this procedure may infer that a withheld cell was either small
// or the smallest helper, and nothing here bounds that.
func (r *Registry) Suppress(ctx context.Context, t *Table) (*Trial, error) {
	tr, err := r.prepare(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("suppress cells: %w", err)
	}
	shown := slices.Clone(t.Shown)
	for c := range shown {
		shown[c] = shown[c] && len(tr.primary(c)) == 0
	}
	for _, pair := range tr.twins {
		if shown[pair[0]] && shown[pair[1]] {
			shown[tr.lesser(int(pair[0]), int(pair[1]))] = false
		}
	}
	for {
		if err := tr.judge(ctx, shown); err != nil {
			return nil, fmt.Errorf("suppress cells: %w", err)
		}
		if tr.report.Safe() {
			return tr, nil
		}
		if !tr.withhold(shown) {
			return nil, fmt.Errorf("suppress cells: %w", ErrUnsafe)
		}
	}
}

// withholdAtOnce bounds how many derivations are broken between two judgements.
const withholdAtOnce = 8

// withhold breaks derivations of the last judgement by taking cells from shown;
// false if none could be broken.
func (t *Trial) withhold(shown []bool) bool {
	gone := make(map[int]bool)
	for _, v := range t.broken[:min(len(t.broken), withholdAtOnce)] {
		pick := -1
		part := t.derivation(v)
		if slices.ContainsFunc(part, func(c int) bool { return gone[c] }) {
			continue
		}
		for _, c := range part {
			if c < t.cells {
				pick = t.lesser(pick, c)
			}
		}
		if pick >= 0 {
			gone[pick] = true
			shown[pick] = false
		}
	}
	return len(gone) > 0
}

// lesser is the cell with fewer units, the lower number of equals; -1 is none.
func (t *Trial) lesser(a, b int) int {
	if a < 0 || t.count[b] < t.count[a] || t.count[b] == t.count[a] && b < a {
		return b
	}
	return a
}

// derivation lists the figures of this table with a part in the combination y of
// independent rows that gives v: M' y = v, so (M D M') y = M D v.
func (t *Trial) derivation(v reveal) []int {
	r, f, pat := t.reg, t.reg.f, t.pat
	old := make([]uint64, r.q.rank())
	fresh := make([]uint64, len(pat.basis))
	for i, a := range v.atoms {
		t.column(a, v.coef[i], old, fresh)
	}
	r.q.forward(old)
	for e, fig := range pat.basis {
		fresh[e] = f.sub(fresh[e], f.dot(t.lrow[fig], old))
	}
	small := factor{f: f, l: pat.l, inv: pat.inv}
	small.forward(fresh)
	y := small.scale(fresh)
	small.backward(y, newLazy(f, len(y)))
	var out []int
	for e, x := range y {
		if x != 0 {
			out = append(out, pat.basis[e])
		}
	}
	slices.Sort(out)
	return out
}

// column adds k times the column of atom a in M D, over the independent rows.
func (t *Trial) column(a int, k uint64, old, fresh []uint64) {
	r, f, pat := t.reg, t.reg.f, t.pat
	k = f.mul(k, pat.atoms[a].d)
	for i := range r.tables {
		tab := &r.tables[i]
		for _, j := range tab.rows[tab.class[pat.base[a]]] {
			if p := r.rows[j].pivot; p >= 0 {
				old[p] = f.add(old[p], k)
			}
		}
	}
	for _, fig := range pat.sets[pat.class[a]] {
		if p := pat.pivot[fig]; p >= 0 {
			fresh[p] = f.add(fresh[p], k)
		}
	}
}
