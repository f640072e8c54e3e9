package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/classify"
)

// surely is the confidence from which values are held against the class a policy gives their column.
const surely = 0.8

// underGraded refuses a policy that lets direct identifiers through by calling them something else. It
// looks at a sample of the whole input and names columns and kinds, and no value.
func (r *maskRun) underGraded(c *cobra.Command, table *opened, p *masking.Policy) error {
	report, err := classifyTable(c, table, classify.DefaultSample)
	if errors.Is(err, connectors.ErrMalformed) {
		return nil // the run meets the same cell and ends there, without an output
	}
	if err != nil {
		return err
	}
	open := p.Visible(masking.ClassQuasi, masking.ClassSensitive, masking.ClassAttribute)
	for i, f := range table.about.Schema.Fields() {
		found := &report.Columns[i]
		if found.Class != classify.Direct || found.Confidence < surely || !slices.Contains(open, f.Name) || slices.Contains(r.notDirect, f.Name) {
			continue
		}
		return fmt.Errorf("mask run: column %q is graded as no direct identifier, and its values look like one (%s): grade it so, or say --not-direct %s",
			f.Name, found.Type, f.Name)
	}
	return nil
}
