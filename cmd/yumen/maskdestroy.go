package main

import (
	"strconv"

	"github.com/spf13/cobra"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// withKeyDestruction adds the end of a gateway's keys of masked tables to the commands on keys.
func withKeyDestruction(keys *cobra.Command) *cobra.Command {
	var n connection
	in := &apiv1.DestroyKeyRequest{}
	c := &cobra.Command{Use: "destroy-mask KEY --scenario S --recipient PARTY",
		Short: "destroy a key of masked tables for good: nothing made under it can be linked or turned back any more",
		Args:  words(1, "KEY, the name of the key in the domain file"),
		RunE: func(c *cobra.Command, args []string) error {
			in.Key = args[0]
			g, err := n.dial("admin", nil)
			if err != nil {
				return err
			}
			defer g.Close()
			out, err := g.Governance.DestroyKey(c.Context(), in)
			if err != nil {
				return err
			}
			return n.list(c.OutOrStdout(), out, []string{"KEY", "SCENARIO", "RECIPIENT", "LOG ENTRY"},
				[][]string{{in.Key, in.Scenario, in.Recipient, strconv.FormatUint(out.GetEntry(), 10)}})
		}}
	c.Flags().StringVar(&in.Scenario, "scenario", "", "scenario of the masked tables")
	c.Flags().StringVar(&in.Recipient, "recipient", "", "party that got them")
	for _, name := range []string{"scenario", "recipient"} {
		_ = c.MarkFlagRequired(name)
	}
	n.flags(c, "that of the administrator")
	keys.AddCommand(c)
	return keys
}
