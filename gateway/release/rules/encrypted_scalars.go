package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// EncryptedScalars keeps the openings of every key within what its certificate allows, since each one
// tells a little of the noise (R48).
type EncryptedScalars struct{}

// ID of the rule.
func (EncryptedScalars) ID() string { return "encrypted-scalars" }

// Check refuses a plan that passes the cap of a key.
func (r EncryptedScalars) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormEncrypted {
		return nil, nil
	}
	ev := c.Evidence().Encrypted
	if ev == nil {
		return nil, fmt.Errorf("encrypted aggregate without evidence")
	}
	const threshold = "scalars of every key certificate"
	if ev.Exceeded {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "used up", Refuse: governance.ScalarsExhausted}}, nil
	}
	return passed(r.ID(), threshold), nil
}
