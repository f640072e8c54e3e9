// Command yumen-party is the agent on a provider's, key holder's or witness's own machine (前置机). It
// dials out to the gateway; only the witness listens.
//
//	yumen-party init --state DIR --party ID
//	yumen-party propose --state DIR ... --dataset D --provider P --holder H ...
//	yumen-party keygen --state DIR ... [--fingerprint PARTY=HEX ...]
//	yumen-party encrypt --state DIR ... --spec FILE
//	yumen-party approve --state DIR ... [--query HEX --yes | --no]
//	yumen-party serve --state DIR ... [--policy FILE]
//	yumen-party status --state DIR
//	yumen-party witness init --key FILE --state FILE
//	yumen-party witness --listen ADDRESS --key FILE --state FILE --trust DIR
//
// Exit codes: 0 done, 1 failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "yumen-party:", err)
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
