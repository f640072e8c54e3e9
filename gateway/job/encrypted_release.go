package job

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/encrypted"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/release"
)

// encryptedTick is how often pending queries are looked at without being asked to.
const encryptedTick = time.Second

// evaluating computes the openings of accepted queries, one at a time; what a stop cut off is begun again.
func (e *Encrypted) evaluating() {
	for {
		for _, v := range e.room.Pending() {
			if !v.Computed && e.ctx.Err() == nil {
				e.evaluate(v)
			}
		}
		select {
		case <-e.ctx.Done():
			return
		case <-e.queued:
		case <-time.After(encryptedTick):
		}
	}
}

func (e *Encrypted) evaluate(v *encrypted.View) {
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	e.mu.Lock()
	e.running, e.cancel = v.Hash, cancel
	e.mu.Unlock()
	err := e.room.Evaluate(ctx, v.Hash)
	e.mu.Lock()
	e.cancel = nil
	e.mu.Unlock()
	var refusal *governance.Refusal
	switch {
	case err == nil:
		e.told(spec.QueryComputed)
		nudge(e.nudged)
	case e.ctx.Err() != nil:
	case errors.As(context.Cause(ctx), &refusal):
		e.end(v, refusal.Rule)
	case errors.Is(err, encrypted.ErrState):
	default:
		e.r.o.Logger.Error("encrypted query not evaluated", slog.String("query", v.Hash.String()), slog.String("error", err.Error()))
		e.end(v, governance.DatasetMissing)
	}
}

// releasing takes what enough holders approved through the gate, and ends what can come to nothing.
func (e *Encrypted) releasing() {
	tick := time.NewTicker(encryptedTick)
	defer tick.Stop()
	for {
		for _, v := range e.room.Pending() {
			if e.ctx.Err() == nil {
				e.settle(v)
			}
		}
		select {
		case <-e.ctx.Done():
			return
		case <-e.nudged:
		case <-tick.C:
		}
	}
}

// settle looks at one pending query: a grant that ended ends it, so do its expiry and too many objections.
func (e *Encrypted) settle(v *encrypted.View) {
	decision, refusal := e.decide(v)
	switch {
	case refusal != nil:
		if !e.interrupt(v.Hash, refusal) {
			e.end(v, refusal.Rule)
		}
	case v.Facts.Expiry <= e.r.Now()/1000:
		e.stopOrEnd(v, governance.HoldersMissing)
	case v.Hopeless():
		e.stopOrEnd(v, governance.PlanRefused)
	case v.Computed && len(v.Approved) >= v.Facts.Threshold:
		if err := e.release(v, decision); err != nil && e.ctx.Err() == nil {
			e.r.o.Logger.Error("encrypted query not released", slog.String("query", v.Hash.String()), slog.String("error", err.Error()))
		}
	}
}

func (e *Encrypted) stopOrEnd(v *encrypted.View, rule governance.Rule) {
	if refusal := e.r.state.Load().policy.Refuse(rule); !e.interrupt(v.Hash, refusal) {
		e.end(v, rule)
	}
}

// interrupt stops the evaluation of a query, if that is the one running; its end follows.
func (e *Encrypted) interrupt(hash encrypted.Hash, why error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cancel == nil || e.running != hash {
		return false
	}
	e.cancel(why)
	return true
}

// release lets a plan be opened, once: judged again by what is in force, charged under the query's own
// key, durable in the log. A crash after the frame finds it by that key.
func (e *Encrypted) release(v *encrypted.View, d *governance.Decision) error {
	ctx := e.ctx
	ask := aggregateAsk(&v.Facts, e.r.Now())
	if _, err := e.room.Rejudge(v.Hash, d.Aggregate); err != nil {
		var refused *encrypted.Refused
		if !errors.As(err, &refused) {
			return err
		}
		e.end(v, refused.Rule)
		return nil
	}
	hold, err := e.held(v, d)
	var stored *ledger.Stored
	var exhausted *ledger.Exhausted
	switch {
	case errors.As(err, &stored):
		return e.released(v, stored.Index)
	case errors.As(err, &exhausted):
		e.end(v, exhaustedRule(exhausted.Account.Kind))
		return nil
	case err != nil:
		return err
	}
	candidate, err := e.candidate(v, ask, d, hold)
	if err != nil {
		return err
	}
	rel, err := e.r.pass(ctx, d.Policy, candidate, hold)
	var refusal *governance.Refusal
	if errors.As(err, &refusal) {
		e.end(v, refusal.Rule)
		return nil
	}
	if err != nil {
		e.forget(v.Hash) // the hold has ended, or its frame will tell
		return err
	}
	opened, err := rel.Open()
	if err != nil {
		return err
	}
	return e.released(v, opened.Index)
}

func (e *Encrypted) released(v *encrypted.View, index uint64) error {
	e.forget(v.Hash)
	if err := e.room.Released(e.ctx, v.Hash, index); err != nil {
		return err
	}
	e.told(spec.QueryReleased)
	return nil
}

// held is the hold taken when the query came in; after a restart, a new one.
func (e *Encrypted) held(v *encrypted.View, d *governance.Decision) (*ledger.Hold, error) {
	e.mu.Lock()
	hold := e.holds[v.Hash]
	e.mu.Unlock()
	if hold != nil {
		return hold, nil
	}
	hold, err := e.hold(e.ctx, v.Hash, d)
	if err == nil {
		e.mu.Lock()
		e.holds[v.Hash] = hold
		e.mu.Unlock()
	}
	return hold, err
}

// resume takes up pending queries at a start: one whose release was durable before a crash is released,
// whatever its approvals are worth now; the others hold their quota again.
func (e *Encrypted) resume() error {
	for _, v := range e.room.Pending() {
		probe, err := e.r.ledger.Hold(e.ctx, e.r.Now(), queryKey(v.Hash), nil)
		var stored *ledger.Stored
		if errors.As(err, &stored) {
			if err := e.found(v, stored.Index); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		probe.Cancel()
		if decision, refusal := e.decide(v); refusal == nil {
			if _, err := e.held(v, decision); err != nil {
				e.r.o.Logger.Warn("quota of an encrypted query not held again", slog.String("query", v.Hash.String()), slog.String("error", err.Error()))
			}
		}
	}
	return nil
}

// found ends a query by the frame that a crash kept from being recorded.
func (e *Encrypted) found(v *encrypted.View, index uint64) error {
	f, err := e.r.log.Frame(e.ctx, index)
	if err != nil {
		return err
	}
	if f.Entry.Kind != audit.Release {
		return e.room.End(e.ctx, v.Hash, governance.PlanRefused)
	}
	return e.released(v, index)
}

func (e *Encrypted) forget(hash encrypted.Hash) {
	e.mu.Lock()
	delete(e.holds, hash)
	e.mu.Unlock()
}

// end refuses a query that was taken in. Work was done, so its cost stays: the hold goes into the frame.
func (e *Encrypted) end(v *encrypted.View, rule governance.Rule) {
	e.mu.Lock()
	hold := e.holds[v.Hash]
	delete(e.holds, v.Hash)
	e.mu.Unlock()
	if err := e.room.End(e.ctx, v.Hash, rule); err != nil {
		giveBack(hold, err)
		if !errors.Is(err, encrypted.ErrState) {
			e.r.o.Logger.Error("encrypted query not ended", slog.String("query", v.Hash.String()), slog.String("error", err.Error()))
		}
		return
	}
	policy := e.r.state.Load().policy
	var denied *release.Denied
	if err := e.r.deny(e.ctx, aggregateAsk(&v.Facts, e.r.Now()), policy.Refuse(rule), hold); !errors.As(err, &denied) {
		e.r.o.Logger.Error("refusal of an encrypted query not logged", slog.String("rule", string(rule)))
	}
	e.told(spec.QueryRefused)
}

// told counts states.
func (e *Encrypted) told(state string) {
	if e.o.OnState != nil {
		e.o.OnState(state)
	}
}

// Result shows where a query stands to those who may follow it, with its release once there is one. The
// policy in force decides again first.
func (e *Encrypted) Result(ctx context.Context, party string, hash [32]byte) (*spec.QueryView, *release.Release, error) {
	v, err := e.room.Look(hash)
	if err != nil || !v.Concerns(party) {
		return nil, nil, spec.ErrNoObject
	}
	view := &spec.QueryView{State: stateOf(v), Rule: ruleOf(v), Approvals: len(v.Approved), Mine: party == v.Facts.Requester}
	if !v.Released {
		return view, nil, nil
	}
	decision, refusal := e.decide(v)
	if refusal != nil {
		return nil, nil, refusal
	}
	for _, a := range v.Answers {
		if view.Mine {
			view.Answers = append(view.Answers, a)
		}
	}
	ask := aggregateAsk(&v.Facts, e.r.Now())
	rel, err := e.r.gate.Replay(ctx, v.Release, release.Facts{Ask: ask, Decision: decision, Billable: 1}, e.rows(v))
	return view, rel, err
}

func stateOf(v *encrypted.View) string {
	switch {
	case v.Released:
		return spec.QueryReleased
	case v.Ended != "":
		return spec.QueryRefused
	case len(v.Approved) > 0:
		return spec.QueryApproved
	case v.Computed:
		return spec.QueryComputed
	}
	return spec.QueryAccepted
}

// ruleOf is the rule by which a query was refused; a holder's own, where one objected.
func ruleOf(v *encrypted.View) string {
	if v.Objection != "" && (v.Ended == "" || v.Ended == string(governance.PlanRefused)) {
		return v.Objection
	}
	return v.Ended
}

// problem carries why an object was refused, beside the refusal.
func problem(r *encrypted.Refused) error { return &spec.ObjectProblem{Why: r.Why} }
