package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// EncryptedSubjects demands, by the providers' signed counts, as many distinct subjects as the settings
// say in the smallest part of an encrypted aggregate that is not empty (R48).
type EncryptedSubjects struct{}

// ID of the rule.
func (EncryptedSubjects) ID() string { return "encrypted-subjects" }

// Check refuses a plan with a smaller part.
func (r EncryptedSubjects) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormEncrypted {
		return nil, nil
	}
	ev := c.Evidence().Encrypted
	if ev == nil {
		return nil, fmt.Errorf("encrypted aggregate without evidence")
	}
	least := c.Facts().Decision.Policy.Settings().MinimumSubjects
	threshold := fmt.Sprintf("%d distinct subjects by signed counts", least)
	if ev.Subjects < least {
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "small part", Refuse: governance.SmallCell}}, nil
	}
	return passed(r.ID(), threshold), nil
}
