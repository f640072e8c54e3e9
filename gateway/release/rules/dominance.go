package rules

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// Dominance shows no sum of which one subject makes more than half, or two more than 67 per cent (R48).
type Dominance struct{}

// ID of the rule.
func (Dominance) ID() string { return "dominance" }

// Check refuses a table that shows a dominated cell.
func (r Dominance) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	table, ok := c.Body().(release.Table)
	if !ok || table.Private {
		return nil, nil
	}
	const threshold = "(1,50) and (2,67) on absolute values"
	cells := c.Evidence().Cells
	for i, cell := range table.Cells {
		open := !cell.Withheld || len(cell.Values) > 0
		if i < len(cells) && cells[i].Dominated && open {
			return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "dominated cell shown", Refuse: governance.SmallCell}}, nil
		}
	}
	return passed(r.ID(), threshold), nil
}
