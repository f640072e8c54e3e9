package rules

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// Purpose binds a result to its approved scenario, use and expiry (R49: no resale, no onward transfer).
type Purpose struct{}

// ID of the rule.
func (Purpose) ID() string { return "purpose" }

// Check refuses a candidate without scenario, allowed use or expiry.
func (r Purpose) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	f := c.Facts()
	if f.Ask.Scenario == "" || f.Decision.Scenario == nil || f.Decision.Scenario.AllowedUse == "" || f.Decision.Expires.IsZero() {
		return []release.Finding{{Rule: r.ID(), Outcome: "unbound", Refuse: governance.Resale}}, nil
	}
	return purposePassed, nil
}

// purposePassed is never changed: every verification has it.
var purposePassed = passed(Purpose{}.ID(), "scenario, expiry")
