package job

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/masking/identifier"
)

// question is a spec on its way through.
type question struct {
	*spec.Question
	state    *state
	ask      governance.Ask
	decision *governance.Decision
	people   []person
	rows     []release.Row
	now      int64
	// rhoBefore is what the unit had caused of the dataset's privacy budget before this question.
	rhoBefore int64
	// absent and mismatched count published answers; used is the quota after this.
	absent, mismatched, used int64
}

// Answer takes one question to one result. A refusal is a *release.Denied, already in the log.
func (r *Runner) Answer(ctx context.Context, q *spec.Question) (*release.Release, error) {
	w := &question{Question: q, state: r.state.Load(), now: r.Now()}
	w.ask = governance.Ask{
		Party: q.Party, Scenario: q.Scenario, Act: actOf(q.Kind), Query: q.Query, Threshold: q.Threshold != "",
		Fields: q.Fields, Consent: q.Consent, At: time.UnixMilli(w.now),
	}
	rel, err := r.answer(ctx, w)
	r.watch(ctx, w, err)
	return rel, err
}

func (r *Runner) answer(ctx context.Context, w *question) (*release.Release, error) {
	if err := r.notReady(ctx, &w.ask, w.state.policy); err != nil {
		return nil, err
	}
	if refusal := r.admit(w); refusal != nil {
		return nil, r.deny(ctx, &w.ask, refusal, nil)
	}
	hold, err := r.ledger.Hold(ctx, w.now, r.idem(w.Question), r.charges(w.decision, w.people, w.now))
	if err != nil {
		return r.held(ctx, w, err)
	}
	w.used = hold.Before + hold.Record.Charges[0].Amount
	return r.let(ctx, w, hold)
}

// admit decides by form and policy alone, before anything is read.
func (r *Runner) admit(w *question) *governance.Refusal {
	policy := w.state.policy
	if badKey(w.Key, w.KeyTime) {
		return policy.Refuse(governance.IdempotencyMissing)
	}
	if w.Kind == spec.Batch && (len(w.Subjects) == 0 || int64(len(w.Subjects)) > min(spec.MaxBatch, policy.Settings().BatchMax)) {
		return policy.Refuse(governance.BatchTooLarge)
	}
	if w.Kind == spec.Table {
		return r.decide(w)
	}
	return r.admitSubjects(w)
}

func (r *Runner) decide(w *question) *governance.Refusal {
	var refusal *governance.Refusal
	w.decision, refusal = w.state.policy.Decide(&w.ask)
	if refusal == nil && w.Kind == spec.Table {
		w.rows = []release.Row{namedRow("query", w.Query, w.Scenario)}
	}
	return refusal
}

// admitSubjects decides whether the question is granted at all before it looks at the subjects, so that
// a malformed one tells nothing to who may not ask. A consent names its subject: then it decides again
// with the canonical form.
func (r *Runner) admitSubjects(w *question) *governance.Refusal {
	probe := w.ask
	probe.Consent = ""
	d, refusal := w.state.policy.Decide(&probe)
	if refusal != nil && (refusal.Rule != governance.ConsentMissing || w.Consent == "") {
		return refusal
	}
	w.decision = d
	if kind, identity, ok := w.state.identifierOf(d, &w.ask); ok {
		if refusal := r.canonicalise(w, kind, identity); refusal != nil {
			return refusal
		}
	}
	if w.Consent == "" {
		return nil
	}
	return r.decide(w)
}

// identifierOf says how subjects of a question are written; from the domain where the decision is pending.
func (s *state) identifierOf(d *governance.Decision, a *governance.Ask) (identifier.Kind, bool, bool) {
	if d != nil {
		return identifier.Kind(d.Dataset.Subject.Identifier), d.Template.Kind == governance.KindIdentity, true
	}
	domain := s.policy.Domain()
	for i := range domain.Templates {
		t := &domain.Templates[i]
		if t.ID != a.Query {
			continue
		}
		for j := range domain.Datasets {
			if domain.Datasets[j].ID == t.Dataset {
				return identifier.Kind(domain.Datasets[j].Subject.Identifier), t.Kind == governance.KindIdentity, true
			}
		}
	}
	return "", false, false
}

func (r *Runner) canonicalise(w *question, kind identifier.Kind, identity bool) *governance.Refusal {
	w.people = make([]person, len(w.Subjects))
	w.rows = make([]release.Row, len(w.Subjects))
	for i := range w.Subjects {
		if err := canonical(&w.people[i], &w.Subjects[i], kind, identity); err != nil {
			return w.state.policy.Refuse(governance.SubjectMalformed)
		}
		w.rows[i] = requestRow(&w.Subjects[i])
	}
	if w.Kind == spec.Verify && len(w.people) == 1 {
		w.ask.Subject = w.people[0].number
	}
	return nil
}

// held answers for a hold that was not given: a stored answer, or a refusal.
func (r *Runner) held(ctx context.Context, w *question, err error) (*release.Release, error) {
	var stored *ledger.Stored
	var exhausted *ledger.Exhausted
	policy := w.state.policy
	switch {
	case errors.As(err, &stored):
		rel, err := r.gate.Replay(ctx, stored.Index, r.facts(w), w.rows)
		return rel, r.asDenied(ctx, w, err, nil)
	case errors.As(err, &exhausted):
		return nil, r.deny(ctx, &w.ask, policy.Refuse(exhaustedRule(exhausted.Account.Kind)), nil)
	case errors.Is(err, ledger.ErrConflict):
		return nil, r.deny(ctx, &w.ask, policy.Refuse(governance.IdempotencyConflict), nil)
	case errors.Is(err, ledger.ErrHorizon):
		return nil, r.deny(ctx, &w.ask, policy.Refuse(governance.IdempotencyExpired), nil)
	}
	return nil, err
}

// let computes under the hold and takes the result through the gate.
func (r *Runner) let(ctx context.Context, w *question, hold *ledger.Hold) (*release.Release, error) {
	candidate, refusal, err := r.compute(ctx, w, hold)
	if err != nil {
		hold.Cancel()
		return nil, err
	}
	if refusal != nil {
		hold.Cancel()
		return nil, r.deny(ctx, &w.ask, refusal, nil)
	}
	rel, err := r.pass(ctx, w.state.policy, candidate, hold)
	return rel, r.asDenied(ctx, w, err, hold)
}

// pass takes a candidate through the gate. Errors: *governance.Refusal, or what the gate says.
func (r *Runner) pass(ctx context.Context, policy *governance.Policy, c *release.Candidate, hold *ledger.Hold) (*release.Release, error) {
	report, permit, err := r.gate.Assess(ctx, c)
	if err != nil {
		hold.Cancel()
		return nil, err
	}
	if permit == nil {
		rule := governance.RawExport
		if failed := report.Failed(); failed != nil {
			rule = failed.Refuse
		}
		return nil, policy.Refuse(rule)
	}
	rel, err := r.gate.Redeem(ctx, permit)
	var refusal *governance.Refusal
	if !errors.As(err, &refusal) {
		giveBack(hold, err)
	}
	return rel, err
}

// giveBack ends a hold whose frame was certainly not written: the caller went away before the write,
// say. Where the outcome is unknown it stays until the frame, or the next start, tells; a hold that
// its frame has ended is left alone.
func giveBack(hold *ledger.Hold, err error) {
	if hold != nil && err != nil && !errors.Is(err, audit.ErrOutcomeUnknown) {
		hold.Cancel()
	}
}

// asDenied logs a refusal by the gate. Work was done, so its cost stays: the hold goes into the frame.
func (r *Runner) asDenied(ctx context.Context, w *question, err error, hold *ledger.Hold) error {
	var refusal *governance.Refusal
	var repeated *release.Repeated
	switch {
	case errors.As(err, &refusal):
		return r.deny(ctx, &w.ask, refusal, hold)
	case errors.As(err, &repeated):
		return r.deny(ctx, &w.ask, w.state.policy.Refuse(repeated.Rule), nil)
	}
	return err
}

// deny puts a refusal into the log and gives it to the caller. Where the log cannot take it the
// refusal still stands, with entry -1.
func (r *Runner) deny(ctx context.Context, ask *governance.Ask, refusal *governance.Refusal, hold *ledger.Hold) error {
	index, err := r.gate.Refuse(ctx, ask, refusal, hold)
	if err != nil {
		giveBack(hold, err)
		r.o.Logger.ErrorContext(ctx, "refusal not logged", slog.String("rule", string(refusal.Rule)), slog.String("error", err.Error()))
		return &release.Denied{Refusal: refusal, Entry: -1}
	}
	return &release.Denied{Refusal: refusal, Entry: int64(index)}
}

func (r *Runner) compute(ctx context.Context, w *question, hold *ledger.Hold) (*release.Candidate, *governance.Refusal, error) {
	if w.Kind == spec.Table {
		return r.table(ctx, w, hold)
	}
	m, t := w.state.template(w.decision.Dataset.ID, w.Query)
	if m == nil || t == nil {
		return nil, w.state.policy.Refuse(governance.DatasetMissing), nil
	}
	index, done, err := m.set.Current()
	if err != nil {
		if next := r.state.Load(); next != w.state { // replaced since the question began
			w.state = next
			return r.compute(ctx, w, hold)
		}
		return nil, w.state.policy.Refuse(governance.DatasetMissing), nil
	}
	defer done()
	if !t.registered {
		return nil, w.state.policy.Refuse(governance.CellShare), nil
	}
	body, err := ask(ctx, index, t, w)
	if err != nil {
		return nil, nil, err
	}
	c, err := release.Prepare(r.facts(w), body, release.Evidence{Registered: t.registered, ShareExempt: t.exempt}, w.rows, hold)
	return c, nil, err
}

// ask looks the subjects up and maps what was found to published codes.
func ask(ctx context.Context, index *lookup.Index, t *template, w *question) (release.Body, error) {
	if w.Kind == spec.Verify {
		p := &w.people[0]
		a, err := index.Lookup(ctx, &lookup.Query{Predicate: t.predicate, Subject: p.number, Name: p.name, Phone: p.phone})
		if err != nil {
			return nil, err
		}
		code := t.code(a)
		w.tally(code)
		return release.Answer{Code: code}, nil
	}
	queries := make([]lookup.Query, len(w.people))
	for i := range w.people {
		p := &w.people[i]
		queries[i] = lookup.Query{Predicate: t.predicate, Subject: p.number, Name: p.name, Phone: p.phone}
	}
	answers := make([]lookup.Answer, len(queries))
	if err := index.LookupBatch(ctx, queries, answers); err != nil {
		return nil, err
	}
	codes := make([]release.Code, len(answers))
	for i, a := range answers {
		codes[i] = t.code(a)
		w.tally(codes[i])
	}
	return release.Batch{Codes: codes}, nil
}

// facts says how the result came about.
func (r *Runner) facts(w *question) release.Facts {
	f := release.Facts{
		Ask: &w.ask, Decision: w.decision, BudgetName: quotaName, BudgetLimit: w.decision.Limits.PerDay,
		Billable: uint32(max(len(w.people), 1)),
	}
	if w.Kind == spec.Table {
		f.Technique, f.Dataset = tableTechnique(w.decision), cite(w.state.policy.Domain(), w.decision.Dataset)
		return f
	}
	if m, t := w.state.template(w.decision.Dataset.ID, w.Query); t != nil {
		f.Technique, f.Dataset = t.technique, m.cited
	}
	return f
}
