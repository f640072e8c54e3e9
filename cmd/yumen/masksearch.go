package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/masking/risk"
)

type searchFlags struct {
	in       tableFlags
	what     riskFlags
	k        int64
	l        int
	t        float64
	suppress string
	measure  string
}

func maskSearchCommand() *cobra.Command {
	var s searchFlags
	c := &cobra.Command{Use: "search INPUT --quasi A,B --hierarchies DIR --k N", Short: "find the full-domain recoding that keeps most under k, l, t and a suppression limit",
		Args: words(1, "INPUT"), RunE: func(c *cobra.Command, args []string) error { return s.do(c, args[0]) }}
	f := c.Flags()
	f.Int64Var(&s.k, "k", 5, "records of a class at least")
	f.IntVar(&s.l, "l", 0, "different values of each sensitive column in a class at least; 0 bounds nothing")
	f.Float64Var(&s.t, "t", 0, "t-closeness of each sensitive column, equal distance (with a hierarchy: hierarchical); 0 bounds nothing")
	f.StringVar(&s.suppress, "suppress", "", "most records left out, a decimal share such as 0.02")
	f.StringVar(&s.measure, "measure", risk.Loss.String(), "what is kept small: loss, entropy, height, discernibility, ...")
	s.what.flags(c)
	s.in.flags(c)
	return c
}

func (s *searchFlags) do(c *cobra.Command, input string) error {
	if s.k < 1 || s.l < 0 || s.t < 0 || s.t > 1 || (s.l > 0 || s.t > 0) != (len(s.what.sensitive) > 0) {
		return usageError{errors.New("search: want k of 1 or more, t of 0 to 1, and --sensitive exactly where l or t is given")}
	}
	measure, err := risk.ParseMeasure(s.measure)
	if err != nil {
		return usageError{err}
	}
	quasi, limits, err := s.limits()
	if err != nil {
		return err
	}
	t, err := s.in.open(c.Context(), input)
	if err != nil {
		return err
	}
	table, err := s.what.table(c, t)
	if err != nil {
		return err
	}
	found, err := risk.Search(c.Context(), table, quasi, limits, measure)
	if err != nil {
		return err
	}
	options, err := s.what.options()
	if err != nil {
		return err
	}
	assessed, err := found.Assess(options)
	if err != nil {
		return err
	}
	return printJSON(c, assessed)
}

func (s *searchFlags) limits() ([]risk.Quasi, risk.Constraints, error) {
	limits := risk.Constraints{K: s.k, Suppress: s.suppress}
	var quasi []risk.Quasi
	for _, name := range s.what.quasi {
		h, err := s.what.hierarchy(name)
		if err != nil {
			return nil, limits, err
		}
		quasi = append(quasi, risk.Quasi{Column: name, Hierarchy: h})
	}
	for _, name := range s.what.sensitive {
		one := risk.Sensitive{Column: name, Distinct: s.l}
		if s.t > 0 {
			h, err := s.what.hierarchy(name)
			if err != nil {
				return nil, limits, fmt.Errorf("search: %w", err)
			}
			one.Closeness = &risk.Closeness{T: s.t, Distance: risk.Equal, Hierarchy: h}
			if h != nil {
				one.Closeness.Distance = risk.Hierarchical
			}
		}
		limits.Sensitive = append(limits.Sensitive, one)
	}
	return quasi, limits, nil
}
