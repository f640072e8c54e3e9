package job

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/encrypted"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

// ask takes a query in: governance decides, the quota is held, the plan compiled and judged on signed
// counts, before any holder is asked. The same query again is the same one, for no further charge.
func (e *Encrypted) ask(ctx context.Context, party string, object []byte) ([32]byte, error) {
	asked, err := e.room.Ask(party, object)
	if err != nil {
		return [32]byte{}, err
	}
	e.asking.Lock()
	defer e.asking.Unlock()
	if known, err := e.room.Known(asked); known {
		return asked.Hash, err
	}
	policy := e.r.state.Load().policy
	ask := aggregateAsk(&encrypted.QueryFacts{Requester: party, Scenario: asked.Query.Scenario, Aggregate: asked.Query.Aggregate}, e.r.Now())
	if err := e.r.notReady(ctx, ask, policy); err != nil {
		return [32]byte{}, err
	}
	decision, refusal := policy.Decide(ask)
	if refusal != nil {
		return [32]byte{}, e.r.deny(ctx, ask, refusal, nil)
	}
	hold, err := e.hold(ctx, asked.Hash, decision)
	if err != nil {
		return [32]byte{}, e.unheld(ctx, ask, policy, err)
	}
	if err := e.take(ctx, asked, ask, decision, hold); err != nil {
		return [32]byte{}, e.denied(ctx, ask, policy, hold, err)
	}
	nudge(e.queued)
	return asked.Hash, nil
}

// take compiles and judges a query, and keeps it.
func (e *Encrypted) take(ctx context.Context, asked *encrypted.Asked, ask *governance.Ask, d *governance.Decision, hold *ledger.Hold) error {
	c, err := e.room.Compile(asked, d.Aggregate)
	if err != nil {
		return err
	}
	v := &encrypted.View{Hash: asked.Hash, Facts: c.Facts}
	candidate, err := e.candidate(v, ask, d, hold)
	if err != nil {
		return err
	}
	if rule := e.judge(ctx, candidate); rule != "" {
		return &encrypted.Refused{Rule: rule, Why: "the gate"}
	}
	if err := e.room.Accept(ctx, c); err != nil {
		return err
	}
	e.mu.Lock()
	e.holds[asked.Hash] = hold
	e.mu.Unlock()
	e.told(spec.QueryAccepted)
	return nil
}

// judge runs the gate's rules on signed counts; that nobody has approved yet is no reason.
func (e *Encrypted) judge(ctx context.Context, c *release.Candidate) governance.Rule {
	report, _, err := e.r.gate.Assess(ctx, c)
	if err != nil {
		return governance.PlanRefused
	}
	for _, f := range report.Findings {
		if f.Refuse != "" && f.Refuse != governance.HoldersMissing {
			return f.Refuse
		}
	}
	return ""
}

// hold reserves the quota of one answer. Its key is the query's own for ever: a query is charged once.
func (e *Encrypted) hold(ctx context.Context, hash encrypted.Hash, d *governance.Decision) (*ledger.Hold, error) {
	now := e.r.Now()
	return e.r.ledger.Hold(ctx, now, queryKey(hash), e.r.charges(d, nil, now))
}

// queryKey is the idempotency key of a query: no horizon ends it.
func queryKey(hash encrypted.Hash) *ledger.Idem {
	key := audit.HashOf([]byte("yumen encrypted query " + hash.String()))
	return &ledger.Idem{Key: [16]byte(key[:16]), Request: [16]byte(key[16:]), Time: ledger.Forever}
}

// unheld answers for a hold that was not given to a new query.
func (e *Encrypted) unheld(ctx context.Context, ask *governance.Ask, policy *governance.Policy, err error) error {
	var exhausted *ledger.Exhausted
	var stored *ledger.Stored
	switch {
	case errors.As(err, &exhausted):
		return e.r.deny(ctx, ask, policy.Refuse(exhaustedRule(exhausted.Account.Kind)), nil)
	case errors.As(err, &stored): // refused before, when it had been computed or not at all
		return e.r.deny(ctx, ask, policy.Refuse(governance.IdempotencyConflict), nil)
	}
	return err
}

// denied gives the hold back, puts a refusal into the log, and tells why without a value.
func (e *Encrypted) denied(ctx context.Context, ask *governance.Ask, policy *governance.Policy, hold *ledger.Hold, err error) error {
	hold.Cancel()
	var refused *encrypted.Refused
	if !errors.As(err, &refused) {
		return err
	}
	e.told(spec.QueryRefused)
	return errors.Join(e.r.deny(ctx, ask, policy.Refuse(refused.Rule), nil), problem(refused))
}

// candidate is what leaves: that holders may open this plan to its requester.
func (e *Encrypted) candidate(v *encrypted.View, ask *governance.Ask, d *governance.Decision, hold *ledger.Hold) (*release.Candidate, error) {
	f := &v.Facts
	body := release.Encrypted{Query: v.Hash, Plan: f.Plan, Openings: v.Openings, Parameters: e.parametersOf(f), Holders: f.Holders,
		Recomputed: v.Approved, Threshold: f.Threshold, Scalars: f.Scalars}
	for _, k := range f.Keys {
		body.Keys = append(body.Keys, release.EncryptedKey{Cert: k.Key, Scalars: int64(k.Scalars)})
	}
	ev := release.Evidence{Registered: d.Aggregate != nil, Encrypted: &release.EncryptedEvidence{
		Subjects: int64(min(f.Minimum, 1<<53)), Exceeded: e.room.Exceeds(v.Hash, f), Approved: len(v.Approved),
	}}
	return release.Prepare(e.facts(v, &body, ask, d), body, ev, e.rows(v), hold)
}

func (e *Encrypted) parametersOf(f *encrypted.QueryFacts) string {
	for _, p := range e.o.Parameters {
		if encrypted.Hash(p.ID()) == f.Parameters {
			return p.Name()
		}
	}
	return ""
}

// rows are the request's side: the query by its hash.
func (e *Encrypted) rows(v *encrypted.View) []release.Row {
	return []release.Row{release.Row(`{"query":"` + v.Hash.String() + `"}`)}
}

func (e *Encrypted) facts(v *encrypted.View, body *release.Encrypted, ask *governance.Ask, d *governance.Decision) release.Facts {
	return release.Facts{
		Ask: ask, Decision: d, Technique: encryptedTechnique(v, body), Dataset: cite(d.Policy.Domain(), d.Dataset),
		BudgetName: quotaName, BudgetLimit: d.Limits.PerDay, Billable: 1,
	}
}

// encryptedTechnique names parameter set, plan, openings, keys, holders and who recomputed. What a
// statement has no room for is in the result file, and under the plan's hash.
func encryptedTechnique(v *encrypted.View, body *release.Encrypted) receipt.Technique {
	params := map[string]string{
		"parameters": body.Parameters, receipt.ParamPlan: hex.EncodeToString(body.Plan[:]), receipt.ParamQuery: hex.EncodeToString(body.Query[:]),
		receipt.ParamOpenings: hex.EncodeToString(body.Openings[:]), "scalars": strconv.Itoa(body.Scalars), receipt.ParamThreshold: fmt.Sprintf("%d of %d", body.Threshold, len(body.Holders)),
	}
	add := func(name string, i int, value string) {
		if len(params) < receipt.MaxParams {
			params[name+" "+strconv.Itoa(i+1)] = value
		}
	}
	for i, h := range body.Recomputed {
		add(receipt.ParamRecomputed, i, h)
	}
	for i, h := range body.Holders {
		add(receipt.ParamHolder, i, h)
	}
	for i, k := range body.Keys {
		add("key certificate", i, hex.EncodeToString(k.Cert[:]))
	}
	for i, m := range v.Facts.Manifests {
		add("manifest", i, m.String())
	}
	return receipt.Technique{Name: "encrypted aggregate", Params: params}
}
