package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// EncryptedDominance opens no sum of which one subject makes more than half, or two more than 67%,
// by the shares that providers signed (R48).
type EncryptedDominance struct{}

// ID of the rule.
func (EncryptedDominance) ID() string { return "encrypted-dominance" }

// Check refuses a plan over a manifest with a dominated atom.
func (r EncryptedDominance) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormEncrypted {
		return nil, nil
	}
	ev := c.Evidence().Encrypted
	if ev == nil {
		return nil, fmt.Errorf("encrypted aggregate without evidence")
	}
	const threshold = "(1,50) and (2,67) on absolute values, signed"
	if ev.Dominated {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "dominated part", Refuse: governance.SmallCell}}, nil
	}
	return passed(r.ID(), threshold), nil
}
