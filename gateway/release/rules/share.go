package rules

import (
	"context"
	"strconv"

	"github.com/yumen-project/yumen/gateway/release"
)

// Share states under which class a predicate leaves: the share rule of its registration, or the
// consented or statutory class where that rule is off (R48). Registration itself is judged by Registered.
type Share struct{}

// ID of the rule.
func (Share) ID() string { return "cell-share" }

// Check reports the class; a template that failed the share rule is not registered and never comes here.
func (r Share) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	if f := c.Form(); f != release.FormAnswer && f != release.FormBatch {
		return nil, nil
	}
	if c.Evidence().ShareExempt {
		return []release.Finding{{Rule: r.ID(), Threshold: "consent or statute", Outcome: "exempt"}}, nil
	}
	return passed(r.ID(), share(c.Facts().Decision.Policy.Settings().SharePermille)+" of roster"), nil
}

// share writes a share in per mille as a percentage.
func share(permille int64) string {
	percent := strconv.FormatInt(permille/10, 10)
	if permille%10 == 0 {
		return percent + "%"
	}
	return percent + "." + strconv.FormatInt(permille%10, 10) + "%"
}
