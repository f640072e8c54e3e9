// Command yumen-bench makes synthetic cities and measures a gateway on them.
//
// Exit codes: 0 done, 1 failed (a wrong answer included), 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "yumen-bench:", err)
		os.Exit(exitCode(err))
	}
}

// usageError is a mistake in flags or arguments.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}
