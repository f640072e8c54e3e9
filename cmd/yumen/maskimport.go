package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/gateway/server"
)

// withMaskKeyImport adds the import of keys of masked tables, which production does not make itself.
func withMaskKeyImport(keys *cobra.Command) *cobra.Command {
	var f server.MaskKeyFile
	var samples bool
	c := &cobra.Command{Use: "import-mask (KEY --scenario S --recipient PARTY | --samples) --file FILE",
		Short: "import a key of masked tables, or the one key of samples, into a gateway in production",
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case samples && (len(args) > 0 || f.Scenario != "" || f.Recipient != ""):
				return usageError{errors.New("keys import-mask: samples have one key for all: no name, scenario or recipient")}
			case !samples && (len(args) != 1 || args[0] == "" || f.Scenario == "" || f.Recipient == ""):
				return usageError{errors.New("keys import-mask: want KEY, the name in the domain file, --scenario and --recipient")}
			case !samples:
				f.Key = args[0]
			}
			config, err := loadConfig(c.Flags())
			if err != nil {
				return err
			}
			if err := server.ImportMaskKey(config, f); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "key imported")
			return err
		}}
	configFlags(c.Flags())
	c.Flags().StringVar(&f.Scenario, "scenario", "", "scenario of the masked tables")
	c.Flags().StringVar(&f.Recipient, "recipient", "", "party that gets them")
	c.Flags().StringVar(&f.File, "file", "", "file of 32 random bytes (HMAC-SM3), readable by its owner alone")
	c.Flags().BoolVar(&samples, "samples", false, "the key that says who is a member of samples")
	_ = c.MarkFlagRequired("file")
	keys.AddCommand(c)
	return keys
}
