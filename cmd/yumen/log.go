package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// logCommand reads the log. Nothing here, and nothing else in the gateway, cuts it: a log is kept whole.
func logCommand() *cobra.Command {
	c := &cobra.Command{Use: "log", Short: "what the log says; nothing cuts it", Args: noArgs, RunE: help}
	c.AddCommand(searchCommand())
	return c
}

// searchCommand lists entries: to those who supervise all, to a party its own.
func searchCommand() *cobra.Command {
	var n connection
	var party, from, to string
	var most int
	in := &apiv1.SearchRequest{}
	c := &cobra.Command{Use: "search", Short: "list entries by party, scenario, dataset, kind and time; never a subject or a result", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if in.FromMs, err = momentMS(from); err != nil {
				return err
			}
			if in.ToMs, err = momentMS(to); err != nil {
				return err
			}
			if most < 1 {
				return usageError{fmt.Errorf("limit: want 1 or more")}
			}
			g, err := n.dial(party, nil)
			if err != nil {
				return err
			}
			defer g.Close()
			out := &apiv1.SearchResponse{}
			for len(out.GetEntries()) < most {
				in.Limit = uint32(min(most-len(out.GetEntries()), 500))
				page, err := g.Audit.Search(c.Context(), in)
				if err != nil {
					return err
				}
				out.Entries = append(out.Entries, page.GetEntries()...)
				out.Scanned += page.GetScanned()
				in.Before, out.NextBefore = page.GetNextBefore(), page.GetNextBefore()
				if in.Before == 0 {
					break
				}
			}
			return n.list(c.OutOrStdout(), out, []string{"INDEX", "TIME", "KIND", "PARTY", "SCENARIO", "DATASET", "QUERY", "RULE", "SERIAL"}, searchRows(out))
		}}
	f := c.Flags()
	f.StringVar(&party, "as", "admin", "whose token of data-dir to use")
	f.StringVar(&in.Party, "party", "", "entries of this party")
	f.StringVar(&in.Scenario, "scenario", "", "entries of this scenario")
	f.StringVar(&in.Dataset, "dataset", "", "entries on this dataset")
	f.StringVar(&in.Kind, "kind", "", "release, refusal, domain, suspension, registration, job, key-event, encrypted or outcome")
	f.StringVar(&from, "from", "", "day YYYY-MM-DD in UTC+8, or a time of RFC 3339")
	f.StringVar(&to, "to", "", "up to this day or time, not included")
	f.IntVar(&most, "limit", 100, "entries to list at most")
	n.flags(c, "that of --as")
	return c
}

func searchRows(out *apiv1.SearchResponse) [][]string {
	var rows [][]string
	for _, e := range out.GetEntries() {
		rows = append(rows, []string{strconv.FormatUint(e.GetIndex(), 10), time.UnixMilli(e.GetTimeMs()).In(beijing()).Format("2006-01-02T15:04:05.000"),
			e.GetKind(), e.GetParty(), e.GetScenario(), e.GetDataset(), e.GetQuery(), e.GetRule(), e.GetSerial()})
	}
	return rows
}

func beijing() *time.Location { return time.FixedZone("", 8*3600) }

// momentMS reads a day or a time; empty is 0.
func momentMS(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, beijing())
	if err != nil {
		t, err = time.Parse(time.RFC3339, text)
	}
	if err != nil || t.UnixMilli() < 0 {
		return 0, usageError{fmt.Errorf("from, to: want a day YYYY-MM-DD or a time of RFC 3339")}
	}
	return t.UnixMilli(), nil
}
