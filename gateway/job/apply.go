package job

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// Apply puts a domain file in force. Datasets are mounted and templates registered first, aside from
// what answers now; the change takes effect when its frame is durable. A suspension does not wait for
// an index to be built: only the last step excludes other changes.
//
// A registration may outlast the call that began it: once begun it goes on, for Options.ApplyWithin at most
// and until Close, whether its caller waits or not. The context's error says that the outcome is not known
// yet; the policy hash in force tells it later.
func (r *Runner) Apply(ctx context.Context, c *spec.Change) (*spec.Applied, error) {
	type outcome struct {
		applied *spec.Applied
		err     error
	}
	done := make(chan outcome, 1)
	begun := r.work(func() {
		r.applying.Lock()
		defer r.applying.Unlock()
		if ctx.Err() != nil { // gave up before its turn
			done <- outcome{err: ctx.Err()}
			return
		}
		own, cancel := context.WithTimeout(r.ctx, r.o.ApplyWithin)
		defer cancel()
		applied, err := r.applyFile(own, c)
		if err != nil && ctx.Err() != nil {
			r.o.Logger.ErrorContext(own, "domain file not in force, and its caller is gone", slog.String("error", err.Error()))
		}
		done <- outcome{applied, err}
	})
	if !begun {
		return nil, context.Canceled
	}
	select {
	case o := <-done:
		return o.applied, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// work runs f beside its caller; Close waits for it. False: the runner is closing.
func (r *Runner) work(f func()) bool {
	r.closing.Lock()
	defer r.closing.Unlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.workers.Go(f)
	return true
}

// applyFile is Apply under applying, on the runner's own context.
func (r *Runner) applyFile(ctx context.Context, c *spec.Change) (*spec.Applied, error) {
	policy := r.state.Load().policy
	if !may(policy, c.Party, governance.RoleOperator, governance.RoleDataAuthority, governance.RoleImplementingBody) {
		return nil, r.denyAct(ctx, c.Party, "apply", policy.Refuse(governance.RoleNotAllowed))
	}
	dc := &domainChange{By: c.Party, File: c.Domain, Approvals: c.Approvals}
	next, err := nextPolicy(policy, dc, time.UnixMilli(r.Now()))
	if err != nil {
		return nil, fileProblem(err)
	}
	if next.Domain().ID != r.o.Domain {
		return nil, r.denyAct(ctx, c.Party, "apply", policy.Refuse(governance.DomainFixed))
	}
	unread, err := r.checkTables(ctx, next.Domain())
	if err != nil {
		return nil, dataProblem(err)
	}
	found, err := r.judgeTables(ctx, next.Domain())
	if err != nil {
		return nil, dataProblem(err)
	}
	found.away(unread)
	datasets, registered, away, err := r.mountAll(ctx, next.Domain())
	if err != nil {
		return nil, dataProblem(err)
	}
	found.unmounted = away
	applied, err := r.enforce(ctx, dc, datasets, registered, found)
	if err != nil {
		err = errors.Join(err, r.dropPending(datasets))
	}
	return applied, err
}

// dropPending closes indexes that were made ready and not put in force.
func (r *Runner) dropPending(datasets map[string]*mounted) error {
	old := r.state.Load().datasets
	var errs []error
	for id, m := range datasets {
		errs = append(errs, m.giveUp(old[id]))
	}
	return errors.Join(errs...)
}

// enforce makes a checked domain file durable and puts it in the place of the one before, on top of
// whatever was suspended meanwhile.
func (r *Runner) enforce(ctx context.Context, dc *domainChange, datasets map[string]*mounted, registered []*registration, tables *judged) (*spec.Applied, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	next, err := nextPolicy(r.state.Load().policy, dc, time.UnixMilli(r.Now()))
	if err != nil {
		return nil, fileProblem(err)
	}
	appended, err := r.write(ctx, audit.Domain, audit.Hash(next.Hash), &change{Domain: dc})
	if err != nil {
		return nil, err
	}
	out := &spec.Applied{PolicyHash: hex.EncodeToString(next.Hash[:]), Epoch: next.Epoch, Entry: appended.Index, Inactive: linesOf(next.Inactive())}
	if out.Findings, err = r.record(ctx, registered); err != nil {
		return nil, err
	}
	findings, err := r.recordTables(ctx, next.Domain(), tables)
	if err != nil {
		return nil, err
	}
	out.Findings = append(out.Findings, findings...)
	if err := r.reportRegistrations(ctx, next.Domain(), registered, tables); err != nil {
		return nil, err
	}
	return out, r.enact(datasets)
}

// may says whether a party has one of the roles. The machine's own operator may administer.
func may(p *governance.Policy, party string, roles ...string) bool {
	if party == Local {
		return true
	}
	d := p.Domain()
	if d == nil {
		return false
	}
	for i := range d.Parties {
		if d.Parties[i].ID == party {
			return slices.ContainsFunc(roles, d.Parties[i].HasRole)
		}
	}
	return false
}

// fileProblem carries the lines of a refused file outward; it holds rules and articles, no values.
func fileProblem(err error) error {
	var files governance.FileErrors
	if !errors.As(err, &files) {
		return err
	}
	return &spec.FileProblem{Lines: linesOf(files)}
}

// linesOf writes problems with line, place, rule, article and both sentences.
func linesOf(files governance.FileErrors) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = fmt.Sprintf("line %d, %s: %s %s (%s %s): %s %s", f.Line, f.Path, f.Refusal.Code, f.Rule,
			f.Refusal.Pack, f.Refusal.Article, f.Refusal.ZH, f.Refusal.EN)
	}
	return out
}

// dataProblem keeps the step and rule of what is wrong with a register.
func dataProblem(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &spec.FileProblem{Lines: strings.Split(err.Error(), "\n")}
}

// mountAll makes the datasets of a policy ready. registered holds what was found anew; away the datasets
// that cannot be described now and did not answer before, which stay out as their tables do. One that
// answers is not taken out of service so: the file is refused.
func (r *Runner) mountAll(ctx context.Context, d *governance.Domain) (out map[string]*mounted, found []*registration, away []string, err error) {
	old := r.state.Load().datasets
	out = map[string]*mounted{}
	r.domainMu.Lock()
	known := r.domain.registered
	r.domainMu.Unlock()
	for _, plan := range plans(d) {
		id := plan.dataset.ID
		m, reg, err := r.mount(ctx, plan, known, old[id])
		if errors.Is(err, errAway) && ctx.Err() == nil && old[id] == nil {
			r.o.Logger.WarnContext(ctx, "templates not registered", slog.String("dataset", id), slog.String("error", err.Error()))
			away = append(away, id)
			continue
		}
		if err != nil {
			return nil, nil, nil, errors.Join(err, r.dropPending(out))
		}
		out[id] = m
		if known[id] != reg {
			found = append(found, reg)
		}
	}
	return out, found, away, nil
}

// record writes what registration found, one frame a dataset.
func (r *Runner) record(ctx context.Context, found []*registration) ([]spec.Registered, error) {
	var out []spec.Registered
	for _, reg := range found {
		var nonce receipt.Nonce
		if _, err := r.o.Rand.Read(nonce[:]); err != nil {
			return nil, fmt.Errorf("draw nonce: %w", err)
		}
		statement := receipt.Commit("registration", &nonce, []byte(reg.Program))
		if _, err := r.write(ctx, audit.Registration, statement, &change{Registered: reg}); err != nil {
			return nil, err
		}
		if ok := sortedIDs(reg.Templates, true); len(ok) > 0 {
			out = append(out, spec.Registered{Dataset: reg.Dataset, Version: reg.Version, Templates: ok, OK: true})
		}
		if bad := sortedIDs(reg.Templates, false); len(bad) > 0 {
			out = append(out, spec.Registered{Dataset: reg.Dataset, Version: reg.Version, Templates: bad, Rule: string(governance.CellShare)})
		}
	}
	return out, nil
}

// enact replaces the state as a whole; a question under way ends on the state it began with.
func (r *Runner) enact(datasets map[string]*mounted) error {
	old := r.state.Load().datasets
	r.domainMu.Lock()
	tables, err := r.domain.tablesOf()
	if err != nil {
		r.domainMu.Unlock()
		return err
	}
	r.state.Store(&state{policy: r.domain.policy, datasets: datasets, tables: tables})
	r.domainMu.Unlock()
	if len(datasets) > 0 {
		r.serving.Store(true)
	}
	for id, m := range old {
		r.retire(m, datasets[id])
	}
	r.jobs.recheck(r)
	return nil
}

// remount makes ready, after a start, what the log says is in force. A dataset that cannot be read is
// left out: questions on it are refused until it can.
func (r *Runner) remount(ctx context.Context) error {
	r.ledger.Replayed()
	if err := r.takeUp(ctx); err != nil {
		return err
	}
	r.warmed = make(chan struct{})
	r.workers.Go(r.warm)
	return nil
}

func (r *Runner) takeUp(ctx context.Context) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	policy := r.domain.policy
	if policy.Domain() == nil {
		return nil
	}
	datasets := map[string]*mounted{}
	var registered []*registration
	for _, plan := range plans(policy.Domain()) {
		m, reg, err := r.mount(ctx, plan, r.domain.registered, nil)
		if err != nil {
			r.o.Logger.ErrorContext(ctx, "dataset not mounted", slog.String("dataset", plan.dataset.ID), slog.String("error", err.Error()))
			continue
		}
		if r.domain.registered[plan.dataset.ID] != reg {
			if _, err := r.record(ctx, []*registration{reg}); err != nil {
				return err
			}
			registered = append(registered, reg)
		}
		r.adopt(m)
		datasets[plan.dataset.ID] = m
	}
	tables, err := r.judgeTables(ctx, policy.Domain())
	if err != nil {
		return err
	}
	if _, err := r.recordTables(ctx, policy.Domain(), tables); err != nil {
		return err
	}
	tables.unread = nil // a register that is still away is no news
	if err := r.reportRegistrations(ctx, policy.Domain(), registered, tables); err != nil {
		return err
	}
	return r.enact(datasets)
}

// Suspend stops or frees a party, agreement, scenario or dataset from the next request on, and stops
// the jobs that it concerns. A provider may stop its own datasets.
func (r *Runner) Suspend(ctx context.Context, s *spec.Suspension) (*spec.Applied, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	st := r.state.Load()
	if !maySuspend(st.policy, s) {
		return nil, r.denyAct(ctx, s.Party, "suspend", st.policy.Refuse(governance.RoleNotAllowed))
	}
	suspension := governance.Suspension{
		Kind: s.Kind, ID: s.ID, Reason: s.Reason, By: strings.TrimPrefix(s.Party, "@"), At: time.UnixMilli(r.Now()).UTC(), Resume: s.Resume,
	}
	next, err := st.policy.WithSuspension(suspension)
	if err != nil {
		return nil, r.asDeniedAct(ctx, s.Party, "suspend", err)
	}
	appended, err := r.write(ctx, audit.Suspension, audit.Hash(next.Hash), &change{Suspension: &suspension})
	if err != nil {
		return nil, err
	}
	r.domainMu.Lock()
	r.state.Store(&state{policy: r.domain.policy, datasets: st.datasets, tables: st.tables})
	r.domainMu.Unlock()
	r.jobs.recheck(r)
	return &spec.Applied{PolicyHash: hex.EncodeToString(next.Hash[:]), Epoch: next.Epoch, Entry: appended.Index}, nil
}

func maySuspend(p *governance.Policy, s *spec.Suspension) bool {
	roles := []string{governance.RoleDataAuthority, governance.RoleImplementingBody}
	if !s.Resume {
		roles = append(roles, governance.RoleRegulator)
	}
	if may(p, s.Party, roles...) {
		return true
	}
	d := p.Domain()
	if d == nil || s.Resume || s.Kind != governance.TargetDataset {
		return false
	}
	return slices.ContainsFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.ID == s.ID && ds.Provider == s.Party })
}

// denyAct logs a refused act of administration.
func (r *Runner) denyAct(ctx context.Context, party, act string, refusal *governance.Refusal) error {
	return r.deny(ctx, &governance.Ask{Party: party, Act: governance.Act(act)}, refusal, nil)
}

func (r *Runner) asDeniedAct(ctx context.Context, party, act string, err error) error {
	var refusal *governance.Refusal
	if errors.As(err, &refusal) {
		return r.denyAct(ctx, party, act, refusal)
	}
	return err
}

// Supervises says whether a party operates the gateway or watches over it.
func (r *Runner) Supervises(party string) bool {
	return may(r.state.Load().policy, party, governance.RoleOperator, governance.RoleDataAuthority, governance.RoleImplementingBody, governance.RoleRegulator)
}

// Parties lists the ids of the domain in force.
func (r *Runner) Parties() []string {
	d := r.state.Load().policy.Domain()
	if d == nil {
		return nil
	}
	out := make([]string, len(d.Parties))
	for i := range d.Parties {
		out[i] = d.Parties[i].ID
	}
	return out
}
