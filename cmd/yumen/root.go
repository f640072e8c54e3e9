package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yumen-project/yumen/gateway/server"
)

func root() *cobra.Command {
	c := &cobra.Command{
		Use: "yumen", Short: "域门: the gateway at the border of a data domain",
		SilenceUsage: true, SilenceErrors: true, Args: noArgs, RunE: help,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := c.ValidateRequiredFlags(); err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.AddCommand(serveCommand(), configCommand(), versionCommand(), applyCommand(), approveCommand(), keygenCommand(), withMaskKeyImport(withKeyDestruction(keysCommand())),
		suspendCommand(false), suspendCommand(true), verifyCommand(), catalogueCommand(), fsckCommand(), logCommand(), demosCommand(), queryCommand(), maskCommand())
	return c
}

// help is what a command without a task of its own does; with its Args it refuses an unknown subcommand.
func help(c *cobra.Command, _ []string) error { return c.Help() }

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "version", Short: "print the build", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		if !asJSON {
			_, err := fmt.Fprintln(c.OutOrStdout(), "yumen", version, runtime.Version())
			return err
		}
		return json.NewEncoder(c.OutOrStdout()).Encode(map[string]string{
			"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	return c
}

func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return usageError{err}
	}
	return nil
}

// configFlags adds --config and one flag a setting.
func configFlags(f *pflag.FlagSet) {
	f.String("config", "", "configuration file, YAML")
	for _, s := range server.Settings() {
		f.String(s.Flag(), s.Default, s.Usage+" ("+s.Env()+")")
	}
}

// loadConfig resolves flags, environment, file and defaults.
func loadConfig(f *pflag.FlagSet) (*server.Config, error) {
	set := map[string]string{}
	f.Visit(func(one *pflag.Flag) { set[one.Name] = one.Value.String() })
	var file io.Reader
	if path, _ := f.GetString("config"); path != "" {
		opened, err := os.Open(path)
		if err != nil {
			return nil, usageError{fmt.Errorf("config: file unreadable")}
		}
		defer opened.Close()
		file = opened
	}
	config, err := server.Resolve(set, os.LookupEnv, file)
	if err == nil {
		err = config.Complete()
	}
	if err != nil {
		return nil, usageError{err}
	}
	return config, nil
}

func configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "check or show the configuration", Args: noArgs, RunE: help}
	validate := &cobra.Command{Use: "validate", Short: "check flags, environment and file", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := loadConfig(c.Flags()); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "configuration is valid")
			return err
		}}
	show := &cobra.Command{Use: "print", Short: "print what is in force, secrets redacted", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := loadConfig(c.Flags())
			if err != nil {
				return err
			}
			return config.Print(c.OutOrStdout())
		}}
	configFlags(validate.Flags())
	configFlags(show.Flags())
	c.AddCommand(validate, show)
	return c
}

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "run the gateway", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(c.Flags())
		if err != nil {
			return err
		}
		logger, err := server.NewLogger(c.ErrOrStderr(), config)
		if err != nil {
			return usageError{err}
		}
		server.TuneRuntime()
		s, err := server.Open(c.Context(), config, version, logger)
		if err != nil {
			return err
		}
		return s.Run(c.Context())
	}}
	configFlags(c.Flags())
	return c
}
