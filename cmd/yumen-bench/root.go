package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func root() *cobra.Command {
	c := &cobra.Command{
		Use: "yumen-bench", Short: "make synthetic cities and measure a gateway on them",
		SilenceUsage: true, SilenceErrors: true,
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.AddCommand(generateCommand(), verifyCommand(), childCommand())
	return c
}

func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return usageError{err}
	}
	return nil
}

// progressOn shows progress where w is a terminal, and gives nil elsewhere.
func progressOn(w io.Writer, what string) func(done, total int64) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
		progressbar.OptionShowIts(), progressbar.OptionClearOnFinish())
	return func(done, total int64) {
		bar.ChangeMax64(total)
		_ = bar.Set64(done) // a bar that cannot be drawn must not stop the work
	}
}
