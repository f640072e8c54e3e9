// Command yumen-verify checks receipts, result files and the log offline. It
// holds no network code: it reads the files it is named and nothing else.
//
//	yumen-verify RECEIPT [--result FILE [--body FILE]] --trust DIR [--lang zh|en]
//	yumen-verify log DIR --trust DIR [--receipts DIR] [--witness FILE --witness-key KEY] [--lang zh|en]
//
// It prints one line per claim. Exit status: 0 all claims hold; 1 a claim
// fails, and standard error names it; 2 wrong usage or an unreadable file.
//
// What it shows: that the material is what the holder of the log's key signed.
// What it cannot show: that the log was not forked as a whole by that holder;
// for that, compare with receipts of others (--receipts) or with what a witness
// signed (--witness, got from the witness itself).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout, time.Now())
	if err != nil {
		fmt.Fprintln(os.Stderr, "yumen-verify:", err)
	}
	var failed *failedError
	switch {
	case errors.As(err, &failed):
		os.Exit(1)
	case err != nil:
		os.Exit(2)
	}
}
