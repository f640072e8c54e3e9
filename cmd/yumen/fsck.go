package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/gateway/server"
)

// fsckCommand checks the data directory of a stopped gateway.
func fsckCommand() *cobra.Command {
	var output string
	c := &cobra.Command{Use: "fsck --data-dir DIR", Short: "re-read and compare log, tiles, checkpoints and snapshot of a stopped gateway", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{errors.New("output: want table or json")}
			}
			config, err := loadConfig(c.Flags())
			if err != nil {
				return err
			}
			logger, err := server.NewLogger(c.ErrOrStderr(), config)
			if err != nil {
				return usageError{err}
			}
			report, err := server.Fsck(c.Context(), config, logger)
			if err != nil {
				return err
			}
			if err := printFsck(c, output, report); err != nil {
				return err
			}
			if !report.OK {
				return errors.New("fsck: not everything holds")
			}
			return nil
		}}
	configFlags(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func printFsck(c *cobra.Command, output string, report *server.FsckReport) error {
	if output == "json" {
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
	for _, claim := range report.Claims {
		if _, err := fmt.Fprintln(t, strings.Join([]string{claim.Claim, claim.State, claim.Detail}, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}
