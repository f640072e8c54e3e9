package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/masking"
)

// maskCommand works on tables at hand, without a gateway: what it writes has passed no gate and carries no receipt.
func maskCommand() *cobra.Command {
	c := &cobra.Command{Use: "mask", Short: "plan, check and run masking policies over a file, and measure what remains", Args: noArgs, RunE: help}
	c.AddCommand(maskPlanCommand(), maskCheckCommand(), maskRunCommand(), maskRiskCommand(), maskSearchCommand())
	return c
}

// words demands a number of arguments and says what they are.
func words(n int, want string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{errors.New("want " + want)}
		}
		return nil
	}
}

// maxPolicyFile is the most a policy file may hold; the parser has the same bound.
const maxPolicyFile = 4 << 20

func readPolicy(path string) (*masking.Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{errors.New("policy file unreadable")}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPolicyFile+1))
	if err != nil {
		return nil, usageError{errors.New("policy file unreadable")}
	}
	return masking.ParsePolicy(text)
}

func maskCheckCommand() *cobra.Command {
	var schema string
	var in tableFlags
	c := &cobra.Command{Use: "check POLICY --schema INPUT", Short: "list every fault of a policy against the columns of a file",
		Args: words(1, "POLICY"),
		RunE: func(c *cobra.Command, args []string) error {
			policy, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			table, err := in.open(c.Context(), schema)
			if err != nil {
				return err
			}
			faults := masking.Check(policy, table.about.Schema)
			for i := range faults {
				if _, err := fmt.Fprintln(c.OutOrStdout(), faults[i].Error()); err != nil {
					return err
				}
			}
			if len(faults) > 0 {
				return fmt.Errorf("mask check: %d faults", len(faults))
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "policy holds for these columns")
			return err
		}}
	c.Flags().StringVar(&schema, "schema", "", "CSV or Parquet file whose columns the policy is for")
	_ = c.MarkFlagRequired("schema")
	in.flags(c)
	return c
}

// opened is a table that can be read from its beginning as often as needed.
type opened struct {
	path   string
	source connectors.Source
	about  *connectors.Dataset
}

func (t *opened) read(ctx context.Context, columns []string) (array.RecordReader, error) {
	return t.source.Open(ctx, connectors.Scan{Columns: columns, BatchRows: scanRows})
}

// scanRows is large enough for the kernels and small enough for the caches.
const scanRows = 64 << 10
