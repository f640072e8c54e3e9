package disclosure

import (
	"context"
	"errors"
	"fmt"
)

// project fills pat.kernel: n = z - D M' w with (M D M') w = M z, so M n = 0; a
// uniform z gives a uniform n of the kernel. That M n = 0 holds is checked
// against every shown row, which makes the test sound whatever the draw was.
func (t *Trial) project(ctx context.Context, pat *pattern) error {
	var failed [draws]error
	err := parallel(ctx, t.reg.workers, draws, func(k int) {
		old, fresh := t.weights(pat, pat.v[k], t.reg.q.v[k])
		if failed[k] = t.gather(ctx, pat, k, old, fresh); failed[k] == nil {
			failed[k] = t.verify(ctx, pat, pat.kernel[k])
		}
	})
	return errors.Join(append(failed[:], err)...)
}

// weights solves for w: one for every registered pivot, one for every new one.
// v holds L v = M z.
func (t *Trial) weights(pat *pattern, fresh, old []uint64) (wOld, wNew []uint64) {
	f, q := t.reg.f, &t.reg.q
	small := factor{f: f, l: pat.l, inv: pat.inv}
	wNew = small.scale(fresh)
	small.backward(wNew, newLazy(f, len(wNew)))
	wOld = q.scale(old)
	acc := newLazy(f, len(wOld))
	for e, fig := range pat.basis {
		acc.addMul(wNew[e], t.lrow[fig])
	}
	q.backward(wOld, acc)
	return wOld, wNew
}

// gather computes n of every atom.
func (t *Trial) gather(ctx context.Context, pat *pattern, k int, wOld, wNew []uint64) error {
	r, f := t.reg, t.reg.f
	sum := make([]uint64, len(r.atoms))
	var byClass []uint64
	for i := range r.tables {
		if err := ctx.Err(); err != nil {
			return err
		}
		tab := &r.tables[i]
		byClass = append(byClass[:0], make([]uint64, len(tab.rows))...)
		for c, rows := range tab.rows {
			for _, j := range rows {
				if p := r.rows[j].pivot; p >= 0 {
					byClass[c] = f.add(byClass[c], wOld[p])
				}
			}
		}
		for a, c := range tab.class {
			sum[a] = f.add(sum[a], byClass[c])
		}
	}
	byClass = append(byClass[:0], make([]uint64, len(pat.sets))...)
	for c, figs := range pat.sets {
		for _, fig := range figs {
			if p := pat.pivot[fig]; p >= 0 {
				byClass[c] = f.add(byClass[c], wNew[p])
			}
		}
	}
	n := make([]uint64, len(pat.atoms))
	for a := range n {
		w := f.add(sum[pat.base[a]], byClass[pat.class[a]])
		n[a] = f.sub(pat.atoms[a].z[k], f.mul(pat.atoms[a].d, w))
	}
	pat.kernel[k] = n
	return nil
}

// verify checks that n is in the kernel of every shown row, old and new, implied
// or not.
func (t *Trial) verify(ctx context.Context, pat *pattern, n []uint64) error {
	r, f := t.reg, t.reg.f
	old := make([]uint64, len(r.atoms))
	fresh := make([]uint64, len(pat.sets))
	for a, x := range n {
		old[pat.base[a]] = f.add(old[pat.base[a]], x)
		fresh[pat.class[a]] = f.add(fresh[pat.class[a]], x)
	}
	total := make([]uint64, len(r.rows)+t.figures())
	for c, figs := range pat.sets {
		for _, fig := range figs {
			total[len(r.rows)+fig] = f.add(total[len(r.rows)+fig], fresh[c])
		}
	}
	var byClass []uint64
	for i := range r.tables {
		if err := ctx.Err(); err != nil {
			return err
		}
		tab := &r.tables[i]
		byClass = append(byClass[:0], make([]uint64, len(tab.rows))...)
		for a, c := range tab.class {
			byClass[c] = f.add(byClass[c], old[a])
		}
		for c, rows := range tab.rows {
			for _, j := range rows {
				total[j] = f.add(total[j], byClass[c])
			}
		}
	}
	for _, x := range total {
		if x != 0 {
			return fmt.Errorf("project on the kernel: %w", ErrDraw)
		}
	}
	return nil
}
