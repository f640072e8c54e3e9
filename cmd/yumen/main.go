// Command yumen is the gateway and its operator's command line.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 refused by a rule.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata"

	"github.com/yumen-project/yumen/gateway/client"
)

// version is set when the binary is built.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "yumen:", err)
		os.Exit(exitCode(err))
	}
}

// usageError is a mistake in flags, arguments or configuration.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return 2
	case client.RefusalOf(err) != nil:
		return 3
	}
	return 1
}
