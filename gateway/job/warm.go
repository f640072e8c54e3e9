package job

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
)

// judgeOf gives the judge of a dataset version that knows exactly the logged tables: the one in memory,
// or a new one that reads them again. Where warm has begun it goes on from there.
func (r *Runner) judgeOf(ctx context.Context, d *governance.Dataset, source connectors.Source, about *connectors.Dataset, basis string, logged []*pattern, least int64) (*judge, error) {
	j := r.begun(d, source, about, basis, logged, least)
	if err := j.catchUp(ctx, logged, len(logged)); err != nil {
		return nil, fmt.Errorf("read registered tables again: %w", err)
	}
	return j, nil
}

// begun gives the judge in memory if it knows the first of the logged tables and no other, or else a new one.
func (r *Runner) begun(d *governance.Dataset, source connectors.Source, about *connectors.Dataset, basis string, logged []*pattern, least int64) *judge {
	if r.judges == nil {
		r.judges = map[string]*judge{}
	}
	j := r.judges[d.ID]
	if j == nil || j.basis != basis || len(j.done) > len(logged) || !slices.EqualFunc(j.done, logged[:len(j.done)], sameTable) {
		r.forget(d.ID)
		j = &judge{r: r, basis: basis, least: least, units: map[string]*units{}}
	}
	j.dataset, j.source, j.about = d, source, about
	r.judges[d.ID] = j
	return j
}

// forget drops the judge of a dataset and the register's columns that it may still hold.
func (r *Runner) forget(dataset string) {
	if j := r.judges[dataset]; j != nil {
		j.unshare()
	}
	delete(r.judges, dataset)
}

func (j *judge) unshare() {
	j.shared.release()
	j.shared = nil
}

// catchUp takes up to most of the logged tables up that are still missing. Their columns are read once and
// kept until it knows all of them or fails.
func (j *judge) catchUp(ctx context.Context, logged []*pattern, most int) (err error) {
	missing := logged[len(j.done):]
	defer func() {
		if err != nil || len(j.done) == len(logged) {
			j.unshare()
		}
	}()
	if j.shared == nil {
		var tables []governance.Table
		for _, p := range missing {
			if !p.Refused && len(p.Shown) > 0 {
				tables = append(tables, p.Table)
			}
		}
		if j.shared, err = j.share(ctx, tables); err != nil {
			return err
		}
	}
	for _, p := range missing[:min(most, len(missing))] {
		if err := j.again(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// warm reads, after a start, the registered tables of every dataset again, so that the next table does not
// wait for it. It takes one core half of the time. A change of the domain waits for one table at most, and
// reads what is missing of its own datasets itself.
func (r *Runner) warm() {
	defer close(r.warmed)
	for _, id := range r.datasetIDs() {
		n := 0
		for began := time.Now(); r.ctx.Err() == nil; n++ {
			start := time.Now()
			more, err := r.warmOne(r.ctx, id)
			if err != nil && r.ctx.Err() == nil {
				r.o.Logger.Warn("registered tables not read again", slog.String("dataset", id), slog.String("error", err.Error()))
			}
			if err != nil || !more {
				r.o.Logger.Debug("registered tables read again", slog.String("dataset", id), slog.Int("tables", n), slog.Duration("took", time.Since(began)))
				break
			}
			select {
			case <-r.ctx.Done():
			case <-time.After(time.Since(start)):
			}
		}
		r.applying.Lock()
		if j := r.judges[id]; j != nil {
			j.unshare()
			j.workers(0)
		}
		r.applying.Unlock()
	}
}

func (r *Runner) datasetIDs() (out []string) {
	if d := r.state.Load().policy.Domain(); d != nil {
		for i := range d.Datasets {
			out = append(out, d.Datasets[i].ID)
		}
	}
	return out
}

// warmOne takes up one table more. more is false when none is missing, or when they were judged on other data.
func (r *Runner) warmOne(ctx context.Context, id string) (more bool, err error) {
	r.applying.Lock()
	defer r.applying.Unlock()
	d := r.state.Load().policy.Domain()
	at := slices.IndexFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.ID == id })
	if at < 0 {
		return false, nil
	}
	ds := &d.Datasets[at]
	r.domainMu.Lock()
	logged := patternsOf(r.domain.patterns[id], ds.Version)
	r.domainMu.Unlock()
	if len(logged) == 0 {
		return false, nil
	}
	source, err := r.o.Source(ds)
	if err != nil {
		return false, err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return false, err
	}
	basis := basisOf(ds, about, d.Settings.MinimumSubjects)
	if basis != logged[0].Fingerprint {
		return false, nil
	}
	j := r.begun(ds, source, about, basis, logged, d.Settings.MinimumSubjects)
	j.workers(1)
	defer j.workers(0)
	if err := j.catchUp(ctx, logged, 1); err != nil {
		r.forget(id)
		return false, err
	}
	return len(j.done) < len(logged), nil
}

// workers bounds the cores its registries take, those that it opens later too.
func (j *judge) workers(n int) {
	j.cores = n
	for _, u := range j.units {
		if u.registry != nil {
			u.registry.Workers(n)
		}
	}
}
