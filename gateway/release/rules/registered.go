package rules

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// Registered lets out only what was registered beforehand on this domain (R20, Z5.5): no ad-hoc query.
type Registered struct{}

// ID of the rule.
func (Registered) ID() string { return "registered" }

// Check refuses a candidate whose template, table or mask did not pass registration.
func (r Registered) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Evidence().Registered {
		return registeredPassed, nil
	}
	return []release.Finding{{Rule: r.ID(), Outcome: "not registered", Refuse: governance.TemplateUnregistered}}, nil
}

// registeredPassed is never changed: every verification has it.
var registeredPassed = passed(Registered{}.ID(), "domain file")
