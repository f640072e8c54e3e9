package release

import (
	"encoding/hex"
	"maps"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// stated is a statement's canonical text with its hash, and what of it travels beside the receipt.
type stated struct {
	audit.Stated
	id, serial, party, asOf, source string
}

// drafts are the statements of one policy without what differs from answer to answer. The policy is
// their epoch: under another one all of them are void.
type drafts struct {
	policy *governance.Policy
	of     map[draftKey]*draft
}

// maxDrafts bounds them; beyond, all are made anew.
const maxDrafts = 1024

type draftKey struct{ party, scenario, query, kind string }

// draft is a rendered statement and what it was rendered from.
type draft struct {
	*receipt.Draft
	from receipt.Statement
}

// fits says that nothing but what varies differs between d and the statement of c.
func (d *draft) fits(c *Candidate, b *receipt.Budget, r *Report) bool {
	f, s := &c.facts, &d.from
	if s.Agreement != f.Decision.Use.ID || s.AllowedUse != f.Decision.Scenario.AllowedUse || s.Dataset != f.Dataset ||
		s.Budget.Name != b.Name || s.Budget.Limit != b.Limit || s.Budget.Global != b.Global ||
		s.Technique.Name != f.Technique.Name || !maps.Equal(s.Technique.Params, f.Technique.Params) || len(s.Checks) != len(r.Findings) {
		return false
	}
	for i := range s.Checks {
		if s.Checks[i] != check(&r.Findings[i]) {
			return false
		}
	}
	return true
}

// state writes the statement of c into space.
func (g *Gate) state(space *space, c *Candidate, report *Report, policy *governance.Policy, o *opening, now int64) (*stated, error) {
	f := &c.facts
	b := budget(c)
	v := receipt.Varying{
		Before: b.Before, After: b.After, Consent: f.Ask.Consent, Expires: f.Decision.Expires, ID: o.id,
		Request: o.request, Result: o.result, Rows: 1, Serial: Serial(now, c.hold.Record.Serial), Time: time.UnixMilli(now),
	}
	if c.Form() == FormBatch {
		v.Rows = int64(len(c.rows))
	}
	d, err := g.draft(c, &b, report, policy, &v)
	if err != nil {
		return nil, err
	}
	if space.text, err = d.Append(space.text[:0], &v); err != nil {
		return nil, err
	}
	return &stated{
		Stated: audit.State(space.text), id: hex.EncodeToString(o.id[:]), serial: v.Serial,
		party: f.Ask.Party, asOf: f.Dataset.AsOf, source: f.Dataset.Source,
	}, nil
}

// draft finds the draft for c, or makes it.
func (g *Gate) draft(c *Candidate, b *receipt.Budget, report *Report, policy *governance.Policy, v *receipt.Varying) (*draft, error) {
	key := draftKey{c.facts.Ask.Party, c.facts.Ask.Scenario, c.facts.Ask.Query, c.Form().kind()}
	known := g.drafts.Load()
	if known != nil && known.policy == policy {
		if d := known.of[key]; d != nil && d.fits(c, b, report) {
			return d, nil
		}
	}
	s := g.statement(c, b, report, policy, v)
	rendered, err := receipt.NewDraft(s)
	if err != nil {
		return nil, err
	}
	d := &draft{rendered, *s}
	d.from.Technique.Params = maps.Clone(s.Technique.Params)
	next := &drafts{policy: policy, of: map[draftKey]*draft{}}
	if known != nil && known.policy == policy && len(known.of) < maxDrafts {
		next.of = maps.Clone(known.of)
	}
	next.of[key] = d
	g.drafts.CompareAndSwap(known, next) // who lost makes his again the next time
	return d, nil
}

// statement is the whole statement of c.
func (g *Gate) statement(c *Candidate, b *receipt.Budget, report *Report, policy *governance.Policy, v *receipt.Varying) *receipt.Statement {
	f, d := &c.facts, c.facts.Decision
	hash := policy.Hash
	checks := make([]receipt.Check, len(report.Findings))
	for i := range checks {
		checks[i] = check(&report.Findings[i])
	}
	return &receipt.Statement{
		Format: receipt.FormatStatement, ID: hex.EncodeToString(v.ID[:]), Serial: v.Serial,
		Time: receipt.FormatTime(v.Time), Domain: g.o.Domain, Party: f.Ask.Party, Agreement: d.Use.ID,
		Scenario: f.Ask.Scenario, Query: f.Ask.Query, Kind: c.Form().kind(), Consent: v.Consent,
		Dataset: f.Dataset, Technique: f.Technique, Checks: checks, Budget: *b,
		Policy: hex.EncodeToString(hash[:]), Trust: g.trust, RulePack: policy.Pack().Ref(), Build: g.o.Build,
		AllowedUse: d.Scenario.AllowedUse, Expires: v.Expires.Format(time.DateOnly),
		Request: v.Request.String(), Result: v.Result.String(), Rows: v.Rows,
	}
}

func check(f *Finding) receipt.Check {
	return receipt.Check{Rule: f.Rule, Threshold: f.Threshold, Outcome: f.Outcome}
}

// budget shows the caller's own: that of private tables where one was used, else the quota of the hold.
func budget(c *Candidate) receipt.Budget {
	if b := c.facts.Budget; b != nil {
		return *b
	}
	before, charged := c.hold.Before, int64(0)
	if len(c.hold.Record.Charges) > 0 {
		charged = c.hold.Record.Charges[0].Amount
	}
	return receipt.Budget{
		Name: c.facts.BudgetName, Before: before, After: before + charged, Limit: c.facts.BudgetLimit,
		Global: receipt.GlobalWithinCap,
	}
}
