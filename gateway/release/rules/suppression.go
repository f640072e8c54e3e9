package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// Suppression bounds the share of records left out, so that k is not reached by emptying the table (R34).
type Suppression struct{}

// ID of the rule.
func (Suppression) ID() string { return "suppression-rate" }

// Check refuses a masked table that left out more than registered.
func (r Suppression) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormMaskedTable {
		return nil, nil
	}
	m := c.Evidence().Masked
	threshold := fmt.Sprintf("at most %d per mille", m.MaxPermille)
	if m.SuppressedPermille > m.MaxPermille {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "too many", Refuse: governance.SuppressionRate}}, nil
	}
	return passed(r.ID(), threshold), nil
}
