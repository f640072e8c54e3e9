package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/masking/risk"
)

// riskFlags name what is measured.
type riskFlags struct {
	quasi, sensitive []string
	hierarchies      string
}

func (f *riskFlags) flags(c *cobra.Command) {
	s := c.Flags()
	s.StringSliceVar(&f.quasi, "quasi", nil, "quasi-identifiers: what somebody may know of a person")
	s.StringSliceVar(&f.sensitive, "sensitive", nil, "columns that a class may betray")
	s.StringVar(&f.hierarchies, "hierarchies", "", "directory of hierarchies, ARX's form: COLUMN.csv, or NAME_COLUMN.csv as ARX writes them")
	_ = c.MarkFlagRequired("quasi")
}

// hierarchy of a column; nil where the directory has none. Two that fit are refused.
func (f *riskFlags) hierarchy(column string) (*risk.Hierarchy, error) {
	if f.hierarchies == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(f.hierarchies)
	if err != nil {
		return nil, usageError{errors.New("hierarchies: directory unreadable")}
	}
	var found []string
	for _, e := range entries {
		fits, _ := filepath.Match("*_"+globless(column)+".csv", e.Name())
		if fits || e.Name() == column+".csv" {
			found = append(found, e.Name())
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	if len(found) > 1 {
		return nil, usageError{fmt.Errorf("hierarchies: two files fit column %q", column)}
	}
	file, err := os.Open(filepath.Join(f.hierarchies, found[0]))
	if err != nil {
		return nil, usageError{errors.New("hierarchies: file unreadable")}
	}
	defer file.Close()
	h, err := risk.ParseHierarchy(file)
	if err != nil {
		return nil, fmt.Errorf("hierarchy of column %q: %w", column, err)
	}
	return h, nil
}

// globless takes the meaning out of characters that a pattern has a use for.
func globless(name string) string {
	var out []rune
	for _, r := range name {
		if slices.Contains([]rune{'*', '?', '[', '\\'}, r) {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

func (f *riskFlags) table(c *cobra.Command, t *opened) (*risk.Table, error) {
	columns := slices.Concat(f.quasi, f.sensitive)
	r, err := t.read(c.Context(), columns)
	if err != nil {
		return nil, usageError{fmt.Errorf("quasi, sensitive: %w", err)}
	}
	defer r.Release()
	return risk.ReadTable(c.Context(), r, columns, 0)
}

func (f *riskFlags) options() (risk.Options, error) {
	o := risk.Options{Quasi: f.quasi}
	for _, name := range f.sensitive {
		h, err := f.hierarchy(name)
		if err != nil {
			return o, err
		}
		o.Sensitive = append(o.Sensitive, risk.SensitiveColumn{Column: name, Hierarchy: h})
	}
	return o, nil
}

func maskRiskCommand() *cobra.Command {
	var in tableFlags
	var what riskFlags
	var plotFile string
	var threshold float64
	var population int64
	c := &cobra.Command{Use: "risk INPUT --quasi A,B", Short: "measure how far the records of a file can be told apart",
		Args: words(1, "INPUT"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := plottable(plotFile); err != nil {
				return err
			}
			if threshold < 0 || threshold > 1 || population < 0 {
				return usageError{errors.New("threshold: want 0 to 1; population: want 0 or more")}
			}
			o, err := what.options()
			if err != nil {
				return err
			}
			o.Threshold, o.Population = threshold, population
			t, err := in.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			table, err := what.table(c, t)
			if err != nil {
				return err
			}
			figures, err := table.Figures(o)
			if err != nil {
				return err
			}
			if plotFile != "" {
				if err := plotSizes(plotFile, figures); err != nil {
					return err
				}
			}
			return printJSON(c, figures)
		}}
	c.Flags().StringVar(&plotFile, "plot", "", "draw a histogram of class sizes: FILE.png or FILE.svg")
	c.Flags().Float64Var(&threshold, "threshold", 0, "a record is at risk above this probability; 0 is 0.2")
	c.Flags().Int64Var(&population, "population", 0, "persons the table was drawn from, for an estimate of uniqueness")
	what.flags(c)
	in.flags(c)
	return c
}

func printJSON(c *cobra.Command, v any) error {
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(v)
}
