package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// Reconstruction is the rule of the alarm that the nightly attack raises about a dataset: its value is how
// many columns it recovers too well.
const Reconstruction alarms.Rule = "reconstruction"

const nightlyCheck = time.Minute

// nightly attacks the released tables of every dataset once a night, in the hour that is set.
func (r *Runner) nightly() {
	tick := time.NewTicker(nightlyCheck)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		r.attackDue(r.ctx, time.UnixMilli(r.Now()))
	}
}

// attackDue attacks the datasets that were not attacked today, if the hour is now. 24 is midnight.
func (r *Runner) attackDue(ctx context.Context, now time.Time) {
	if now.In(civil).Hour() != r.o.AttackHour%24 {
		return
	}
	d := r.state.Load().policy.Domain()
	if d == nil {
		return
	}
	today := ledger.Day(now.UnixMilli())
	for i := range d.Datasets {
		id := d.Datasets[i].ID
		r.domainMu.Lock()
		last, done := r.domain.attacked[id]
		patterns := len(patternsOf(r.domain.patterns[id], d.Datasets[i].Version))
		r.domainMu.Unlock()
		if done && last >= today || patterns == 0 {
			continue
		}
		if err := r.AttackDataset(ctx, id); err != nil && ctx.Err() == nil {
			r.o.Logger.ErrorContext(ctx, "reconstruction attack did not run", slog.String("dataset", id), slog.String("error", err.Error()))
		}
	}
}

// AttackDataset tries to reconstruct the group columns of all exact tables registered for a dataset, from
// what they show. The outcome becomes a signed report in the log, a metric, and above the limit an alarm.
// Questions go on meanwhile; changes of the domain, suspensions aside, wait.
func (r *Runner) AttackDataset(ctx context.Context, id string) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	d := r.state.Load().policy.Domain()
	if d == nil {
		return fmt.Errorf("attack: %w: no domain", errData)
	}
	for i := range d.Datasets {
		if d.Datasets[i].ID == id {
			return r.attackOn(ctx, d, &d.Datasets[i])
		}
	}
	return fmt.Errorf("attack: %w: no such dataset", errData)
}

func (r *Runner) attackOn(ctx context.Context, d *governance.Domain, ds *governance.Dataset) error {
	r.domainMu.Lock()
	logged := patternsOf(r.domain.patterns[ds.ID], ds.Version)
	r.domainMu.Unlock()
	source, err := r.o.Source(ds)
	if err != nil {
		return err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return err
	}
	basis := basisOf(ds, about, d.Settings.MinimumSubjects)
	if len(logged) == 0 || logged[0].Fingerprint != basis {
		return fmt.Errorf("%w: other data than was registered", errData)
	}
	j, err := r.judgeOf(ctx, ds, source, about, basis, logged, d.Settings.MinimumSubjects)
	if err != nil {
		r.forget(ds.ID)
		return err
	}
	outcomes := j.attack(ctx, logged)
	if err := ctx.Err(); err != nil {
		return err
	}
	report := &Report{Act: actReconstruction, Dataset: ds.ID, Version: ds.Version, Provider: ds.Provider,
		JudgedWith: len(logged), RecoveryLimit: recoveryLimit, Columns: columnOutcomes(outcomes, ds.ID)}
	if err := r.writeReport(ctx, report); err != nil {
		return err
	}
	counts := map[string]int{outBelow: 0, outAbove: 0, outUntried: 0}
	for _, a := range outcomes {
		counts[a.outcome]++
	}
	if r.o.OnAttack != nil {
		r.o.OnAttack(ds.ID, counts)
	}
	if counts[outAbove] > 0 {
		r.raise(ctx, alarms.Alarm{Rule: Reconstruction, Party: ds.Provider, At: time.UnixMilli(r.Now()).In(civil), Value: int64(counts[outAbove])})
	}
	return nil
}
