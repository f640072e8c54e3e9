package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// EncryptedApprovals lets a plan be opened only where as many key holders as can open it have recomputed
// it and approved (R18, R48).
type EncryptedApprovals struct{}

// ID of the rule.
func (EncryptedApprovals) ID() string { return "encrypted-approvals" }

// Check refuses a plan that too few approved; who approved is part of the body.
func (r EncryptedApprovals) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	body, ok := c.Body().(release.Encrypted)
	if !ok {
		return nil, nil
	}
	ev := c.Evidence().Encrypted
	if ev == nil {
		return nil, fmt.Errorf("encrypted aggregate without evidence")
	}
	threshold := fmt.Sprintf("%d of %d key holders recomputed", body.Threshold, len(body.Holders))
	if body.Threshold < 2 || ev.Approved < body.Threshold || len(body.Recomputed) != ev.Approved {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "too few", Refuse: governance.HoldersMissing}}, nil
	}
	return passed(r.ID(), threshold), nil
}
