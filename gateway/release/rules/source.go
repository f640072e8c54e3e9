package rules

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// Source demands that a result cites dataset, version and source department (R44, R59).
type Source struct{}

// ID of the rule.
func (Source) ID() string { return "source-cited" }

// Check refuses a candidate that does not say where it comes from.
func (r Source) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	d := c.Facts().Dataset
	if d.ID == "" || d.Version == "" || d.AsOf == "" || d.Source == "" {
		return []release.Finding{{Rule: r.ID(), Outcome: "not cited", Refuse: governance.DatasetMissing}}, nil
	}
	return sourcePassed, nil
}

// sourcePassed is never changed: every verification has it.
var sourcePassed = passed(Source{}.ID(), "version, date, department")
