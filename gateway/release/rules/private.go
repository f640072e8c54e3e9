package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// Private lets out a private table only with the budget it cost spent beforehand, and only cells whose
// noisy count reaches tau (R48; differential privacy, zCDP of Bun and Steinke 2016).
type Private struct{}

// ID of the rule.
func (Private) ID() string { return "differential-privacy" }

// Check refuses a private table without evidence of its spend, or with a cell below tau.
func (r Private) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormPrivateTable {
		return nil, nil
	}
	ev := c.Evidence().Private
	if ev == nil || ev.Rho <= 0 || ev.Tau < 1 {
		return nil, fmt.Errorf("private table without evidence")
	}
	threshold := fmt.Sprintf("noisy count >= %d; rho %de-9, delta %de-12 spent before", ev.Tau, ev.Rho, ev.Delta)
	table, ok := c.Body().(release.Table)
	if !ok || len(table.Cells) > 0 && ev.Least < ev.Tau {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "cell below tau", Refuse: governance.SmallCell}}, nil
	}
	return passed(r.ID(), threshold), nil
}
