package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/classify"
)

// maskPlanCommand proposes; a person confirms. What it prints holds counts and names of columns, and no value.
func maskPlanCommand() *cobra.Command {
	var in tableFlags
	var sample int
	c := &cobra.Command{Use: "plan INPUT", Short: "say what the columns of a file hold, and propose a policy",
		Args: words(1, "INPUT"),
		RunE: func(c *cobra.Command, args []string) error {
			table, err := in.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			report, err := classifyTable(c, table, sample)
			if err != nil {
				return err
			}
			for _, r := range report.Columns {
				if r.HeaderIsData {
					return fmt.Errorf("mask plan: the name of column %d looks like a value: name the columns, or say --header=false", r.Index+1)
				}
			}
			text := planText(planName(args[0]), report, classify.Propose(report))
			policy, err := masking.ParsePolicy([]byte(text))
			if err != nil {
				return fmt.Errorf("mask plan: %w", err)
			}
			if faults := masking.Check(policy, table.about.Schema); len(faults) > 0 {
				return fmt.Errorf("mask plan: %w", &faults[0])
			}
			_, err = io.WriteString(c.OutOrStdout(), text)
			return err
		}}
	in.flags(c)
	c.Flags().IntVar(&sample, "sample", classify.DefaultSample, "rows to judge, taken from the whole file")
	return c
}

func classifyTable(c *cobra.Command, t *opened, sample int) (*classify.Report, error) {
	if sample < 1 {
		return nil, usageError{errors.New("sample: want at least one row")}
	}
	var seed [8]byte // unknown to whoever wrote the file
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("mask plan: %w", err)
	}
	r, err := t.read(c.Context(), nil)
	if err != nil {
		return nil, fmt.Errorf("mask plan: %w", err)
	}
	defer r.Release()
	report, err := classify.Classify(c.Context(), r, classify.Options{Sample: sample, Seed: binary.LittleEndian.Uint64(seed[:]), AsOf: time.Now()})
	if errors.Is(err, classify.ErrOptions) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, fmt.Errorf("mask plan: %w", err)
	}
	return report, nil
}

// planName makes a policy name of a file name.
func planName(path string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))))
	if name = strings.Trim(name, "-"); name == "" {
		return "policy"
	}
	return name
}

func planText(name string, r *classify.Report, p *classify.Proposal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Proposed from %d of %d rows. A person confirms it; `yumen mask risk` measures what remains.\n", r.Sampled, r.Rows)
	fmt.Fprintf(&b, "masking: 1\nname: %s\ncolumns:\n", name)
	for i := range p.Columns {
		planColumn(&b, &r.Columns[i], &p.Columns[i])
	}
	return b.String()
}

func planColumn(b *strings.Builder, r *classify.Result, p *classify.Proposed) {
	e := r.Evidence
	fmt.Fprintf(b, "  # %s, confidence %.2f: %d of %d values pass, %d distinct, %d blank, %d nulls%s\n",
		r.Type, r.Confidence, e.Passed, e.Values, e.Distinct, e.Blank, e.Nulls, remarks(r))
	fmt.Fprintf(b, "  # %s\n", p.Reason)
	fmt.Fprintf(b, "  - {name: %s, class: %s, grade: %s, technique: %s", strconv.Quote(p.Column), p.Class, p.Grade, p.Technique)
	if len(p.Params) > 0 {
		var params []string
		for _, k := range slices.Sorted(maps.Keys(p.Params)) {
			params = append(params, k+": "+strconv.Quote(p.Params[k]))
		}
		fmt.Fprintf(b, ", params: {%s}", strings.Join(params, ", "))
	}
	if p.Key != "" {
		fmt.Fprintf(b, ", key: %s", p.Key)
	}
	fmt.Fprintf(b, ", nulls: %s, malformed: %s}\n", p.Nulls, p.Malformed)
}

// remarks are what a person should look at twice.
func remarks(r *classify.Result) string {
	var out string
	if len(r.Mixed) > 1 {
		var kinds []string
		for _, s := range r.Mixed {
			kinds = append(kinds, fmt.Sprintf("%s %d", s.Type, s.Passed))
		}
		out += "; mixed: " + strings.Join(kinds, ", ")
	}
	if r.Disagrees {
		out += fmt.Sprintf("; the header says %s", r.Said)
	}
	if r.Minors {
		out += "; minors"
	}
	if r.Evidence.Embedded > 0 {
		out += fmt.Sprintf("; %d texts hold an identifier", r.Evidence.Embedded)
	}
	return out
}
