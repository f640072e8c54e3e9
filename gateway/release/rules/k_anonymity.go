package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// KAnonymity demands the registered k of every equivalence class of a masked table (R34, R48).
type KAnonymity struct{}

// ID of the rule.
func (KAnonymity) ID() string { return "k-anonymity" }

// Check refuses a masked table whose measured k is below the registered one, or without a k.
func (r KAnonymity) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormMaskedTable {
		return nil, nil
	}
	m := c.Evidence().Masked
	threshold := fmt.Sprintf("k >= %d", m.LeastK)
	if m.LeastK < 2 || m.K < m.LeastK {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "below k", Refuse: governance.KAnonymity}}, nil
	}
	return passed(r.ID(), threshold), nil
}
