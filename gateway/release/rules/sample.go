package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

const (
	// SampleBelow bounds the share of subjects in a masked sample, in units of 1e-9.
	SampleBelow = 10_000_000
	// SampleLeastK is the least size, in the population, of the classes that a sample shows.
	SampleLeastK = 20
)

// Sample demands of a masked sample that it holds less than one per cent of the subjects, and only
// records whose class holds 20 or more in the population (R34).
type Sample struct{}

// ID of the rule.
func (Sample) ID() string { return "masked-sample" }

// Check refuses a sample that takes too many subjects, or was judged by a smaller k.
func (r Sample) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	m := c.Evidence().Masked
	if c.Form() != release.FormMaskedTable || m.SampleRate == 0 {
		return nil, nil
	}
	threshold := fmt.Sprintf("below %de-9 of the subjects, k >= %d in the population", SampleBelow, SampleLeastK)
	switch {
	case m.SampleRate < 0 || m.SampleRate >= SampleBelow:
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "too many subjects", Refuse: governance.SampleRate}}, nil
	case m.LeastK < SampleLeastK || m.K < SampleLeastK:
		return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "below k", Refuse: governance.KAnonymity}}, nil
	}
	return passed(r.ID(), threshold), nil
}
