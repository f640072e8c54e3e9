package release

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
)

// Finding is the outcome of one rule on one candidate. Threshold and Outcome go into the statement
// and therefore may depend on parameters, never on how near a value came to them.
type Finding struct {
	Rule      string
	Threshold string
	Outcome   string
	// Refuse is the rule to refuse by; empty for a passed check.
	Refuse governance.Rule
}

// Passed is the outcome of a check that holds.
const Passed = "passed"

// Rule is one check of the gate. A rule that does not concern the candidate's form returns nothing.
// The findings are copied and not changed. An error means that the rule could not judge: the gate then refuses.
type Rule interface {
	ID() string
	Check(ctx context.Context, c *Candidate) ([]Finding, error)
}

// Report is what every rule said.
type Report struct{ Findings []Finding }

// Failed returns the first finding that refuses, or nil.
func (r *Report) Failed() *Finding {
	for i := range r.Findings {
		if r.Findings[i].Refuse != "" {
			return &r.Findings[i]
		}
	}
	return nil
}
