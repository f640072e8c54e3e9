package disclosure

import "fmt"

// Commit registers the judged table with the judged pattern. ErrUnsafe if a rule
// is broken, ErrStale if the registry has moved on, ErrLimit if the rank would
// pass its bound; in each case nothing is changed. A trial commits once.
func (t *Trial) Commit() error {
	r := t.reg
	switch {
	case t.epoch != r.epoch:
		return fmt.Errorf("register table: %w", ErrStale)
	case !t.report.Safe():
		return fmt.Errorf("register table: %w", ErrUnsafe)
	case t.report.Rank > r.u.Limits.Rank:
		return fmt.Errorf("register table: %w: rank above %d", ErrLimit, r.u.Limits.Rank)
	}
	t.grow()
	rec := record{first: len(r.rows), shown: len(t.pat.rows), rows: make([][]int, len(t.pat.sets))}
	place := make([]int, t.figures())
	for i, fig := range t.pat.rows {
		place[fig] = rec.first + i
		pivot := t.pat.pivot[fig]
		if pivot >= 0 {
			pivot += r.q.rank()
		}
		r.rows = append(r.rows, row{pivot: pivot, size: t.count[fig]})
	}
	for c, figs := range t.pat.sets {
		for _, fig := range figs {
			rec.rows[c] = append(rec.rows[c], place[fig])
		}
	}
	rec.class = make([]uint16, len(t.pat.class))
	for a, c := range t.pat.class {
		rec.class[a] = uint16(c)
	}
	r.tables = append(r.tables, rec)
	for e, fig := range t.pat.basis {
		l := append(t.lrow[fig][:len(t.lrow[fig]):len(t.lrow[fig])], t.pat.l[e]...)
		r.q.push(l, t.pat.inv[e], [draws]uint64{t.pat.v[0][e], t.pat.v[1][e], t.pat.v[2][e]})
	}
	r.epoch++
	return nil
}

// grow replaces the registry's atoms by the pattern's; the new ones are in the
// registered classes of the atoms they split from.
func (t *Trial) grow() {
	r := t.reg
	for i := range r.tables {
		tab := &r.tables[i]
		for _, a := range t.pat.base[len(r.atoms):] {
			tab.class = append(tab.class, tab.class[a])
		}
	}
	r.atoms = t.pat.atoms
	for u, p := range t.of {
		r.of[u] = t.pat.final[p]
	}
}
