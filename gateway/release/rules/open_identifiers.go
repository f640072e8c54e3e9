package rules

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// OpenIdentifiers lets no direct identifier into a masked table (R47: raw packages cannot leave).
type OpenIdentifiers struct{}

// ID of the rule.
func (OpenIdentifiers) ID() string { return "raw-export" }

// Check refuses a masked table that keeps a direct identifier as it is.
func (r OpenIdentifiers) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if c.Form() != release.FormMaskedTable {
		return nil, nil
	}
	if c.Evidence().Masked.OpenIdentifiers > 0 {
		return []release.Finding{{Rule: r.ID(), Outcome: "identifier kept", Refuse: governance.RawExport}}, nil
	}
	return passed(r.ID(), "no direct identifier unmasked"), nil
}
