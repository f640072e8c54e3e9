package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/cmd/yumen-party/agent"
)

// approval is one run of `approve`.
type approval struct {
	connection
	query, lang string
	yes, no     bool
}

func approveCommand() *cobra.Command {
	p := &approval{}
	c := &cobra.Command{Use: "approve", Short: "show the plans that wait for a person, checked and recomputed, and decide", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.yes && p.no || (p.yes || p.no) != (p.query != "") {
				return usageError{errors.New("query goes with one of yes and no")}
			}
			return p.run(c)
		}}
	p.flags(c)
	f := c.Flags()
	f.StringVar(&p.query, "query", "", "name of the query to decide on; without it each one is asked")
	f.BoolVar(&p.yes, "yes", false, "approve it")
	f.BoolVar(&p.no, "no", false, "refuse it")
	f.StringVar(&p.lang, "lang", "zh", "zh or en")
	f.StringVar(&p.policy, "policy", "", "what is approved without a person, YAML")
	f.Uint64Var(&p.minimum, "minimum-subjects", 0, "distinct subjects in the smallest part of a plan; 0: 10")
	return c
}

func (p *approval) run(c *cobra.Command) error {
	a, _, end, err := p.open(c)
	if err != nil {
		return err
	}
	if err := a.Round(c.Context(), 0); err != nil {
		return errors.Join(err, end())
	}
	questions, err := a.Questions(c.Context(), p.lang)
	if err != nil {
		return errors.Join(err, end())
	}
	if len(questions) == 0 {
		_, err := fmt.Fprintln(c.OutOrStdout(), "nothing waits for a decision")
		return errors.Join(err, end())
	}
	in, decided := bufio.NewReader(c.InOrStdin()), false
	for i := range questions {
		q := &questions[i]
		if p.query != "" && p.query != q.ID.String() {
			continue
		}
		show(c, q)
		word := map[bool]string{true: "y", false: "n"}[p.yes]
		if p.query == "" {
			fmt.Fprint(c.OutOrStdout(), "approve? y/n: ")
			if word, err = in.ReadString('\n'); err != nil {
				break // undecided
			}
		}
		word = strings.TrimSpace(word)
		if word != "y" && word != "n" {
			continue
		}
		if err := a.Decide(q.ID, word == "y"); err != nil {
			return errors.Join(err, end())
		}
		decided = true
	}
	if decided {
		err = a.Round(c.Context(), 0)
	} else {
		err = nil
	}
	return errors.Join(err, end())
}

// show prints a plan for the person who decides.
func show(c *cobra.Command, q *agent.Question) {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "\n%s\n%s\n", hex.EncodeToString(q.ID[:]), q.Words)
	fmt.Fprintf(out, "  checked: log read without a gap, plan compiled again, openings recomputed from own leaves, byte for byte the same\n")
	fmt.Fprintf(out, "  waits because: %s\n  numbers to open: %d\n  distinct subjects in the smallest part: %d\n", q.Rule, q.Scalars, q.Minimum)
	for _, part := range q.Parts {
		if part.Label != "" {
			fmt.Fprintf(out, "  %q: %d records\n", part.Label, part.Rows)
		} else {
			fmt.Fprintf(out, "  records: %d\n", part.Rows)
		}
	}
	fmt.Fprintf(out, "  entries of the log that nothing known explains: %d\n  opened before of the same datasets: %d\n", q.Unexplained, len(q.Earlier))
	for _, e := range q.Earlier {
		fmt.Fprintln(out, "    "+strings.ReplaceAll(e, "\n", "\n    "))
	}
}
