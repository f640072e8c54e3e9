package rules

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// SmallCell demands as many distinct subjects as the settings say in every shown cell and in the rest
// without it (R48).
type SmallCell struct{}

// ID of the rule.
func (SmallCell) ID() string { return "small-cell" }

// Check refuses a table that shows a cell it should have withheld, or lacks the evidence to tell.
func (r SmallCell) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	table, ok := c.Body().(release.Table)
	if !ok || table.Private {
		return nil, nil
	}
	least := c.Facts().Decision.Policy.Settings().MinimumSubjects
	threshold := fmt.Sprintf("%d distinct subjects in cell and complement", least)
	cells := c.Evidence().Cells
	if len(cells) != len(table.Cells) {
		return nil, fmt.Errorf("evidence for %d of %d cells", len(cells), len(table.Cells))
	}
	for i, cell := range table.Cells {
		small := cells[i].Subjects < least || cells[i].Complement < least
		open := !cell.Withheld || len(cell.Values) > 0
		if small && open {
			return []release.Finding{{Rule: r.ID(), Threshold: threshold, Outcome: "small cell shown", Refuse: governance.SmallCell}}, nil
		}
	}
	return passed(r.ID(), threshold), nil
}
