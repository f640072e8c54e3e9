package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/yumen-project/yumen/gateway/receipt"
)

const usage = `usage: yumen-verify RECEIPT [--result FILE [--body FILE]] --trust DIR [--lang zh|en]
       yumen-verify log DIR --trust DIR [--receipts DIR] [--witness FILE --witness-key KEY] [--lang zh|en]`

// errUsage: the command line is wrong; nothing was read.
var errUsage = errors.New(usage)

// failedError: the material was read and a claim fails.
type failedError struct{ claim string }

func (e *failedError) Error() string { return fmt.Sprintf("claim %q fails", e.claim) }

// options is a command line taken apart.
type options struct {
	log                           bool
	target                        string
	result, body, trust, receipts string
	witness, witnessKey           string
	lang                          string
}

// parse takes flags before and after the argument.
func parse(args []string) (*options, error) {
	o := &options{}
	set := flag.NewFlagSet("yumen-verify", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&o.result, "result", "", "")
	set.StringVar(&o.body, "body", "", "")
	set.StringVar(&o.trust, "trust", "", "")
	set.StringVar(&o.receipts, "receipts", "", "")
	set.StringVar(&o.witness, "witness", "", "")
	set.StringVar(&o.witnessKey, "witness-key", "", "")
	set.StringVar(&o.lang, "lang", "zh", "")
	var words []string
	for rest := args; ; rest = set.Args()[1:] {
		if err := set.Parse(rest); err != nil {
			return nil, errUsage
		}
		if set.NArg() == 0 {
			break
		}
		words = append(words, set.Arg(0))
	}
	if len(words) == 2 && words[0] == "log" {
		o.log, words = true, words[1:]
	}
	if len(words) != 1 || words[0] == "" || !o.valid() {
		return nil, errUsage
	}
	o.target = words[0]
	return o, nil
}

func (o *options) valid() bool {
	if o.trust == "" || o.lang != "zh" && o.lang != "en" {
		return false
	}
	if o.log {
		return o.result == "" && o.body == "" && (o.witness == "") == (o.witnessKey == "")
	}
	return o.receipts == "" && o.witness == "" && o.witnessKey == "" && (o.body == "" || o.result != "")
}

// run does one verification and prints its report.
func run(ctx context.Context, args []string, out io.Writer, now time.Time) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	trust, err := receipt.LoadTrust(os.DirFS(o.trust))
	if err != nil {
		return err
	}
	var report *receipt.Report
	if o.log {
		report, err = verifyLog(ctx, o, trust)
	} else {
		report, err = verifyReceipt(o, trust, now)
	}
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, report.Text(o.lang)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if !report.OK() {
		return &failedError{claim: report.Failed()}
	}
	return nil
}

func verifyReceipt(o *options, trust *receipt.TrustSet, now time.Time) (*receipt.Report, error) {
	file, err := readFile(o.target, receipt.MaxReceipt)
	if err != nil {
		return nil, fmt.Errorf("read receipt: %w", err)
	}
	var result []byte
	if o.result != "" {
		if result, err = readFile(o.result, receipt.MaxResult); err != nil {
			return nil, fmt.Errorf("read result: %w", err)
		}
	}
	report := receipt.Verify(file, result, trust, now)
	if o.body == "" {
		return report, nil
	}
	body, err := os.Open(o.body)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", unnamed(err))
	}
	judged, err := receipt.VerifyBody(result, body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read body: %w", unnamed(err))
	}
	report.Claims = append(report.Claims, judged.Claims...)
	return report, nil
}

func verifyLog(ctx context.Context, o *options, trust *receipt.TrustSet) (*receipt.Report, error) {
	if info, err := os.Stat(o.target); err != nil || !info.IsDir() {
		return nil, errors.New("read log: not a directory that can be read")
	}
	witness, err := o.witnessed()
	if err != nil {
		return nil, err
	}
	if o.receipts == "" {
		return receipt.VerifyWitnessedLog(ctx, o.target, nil, trust, witness), nil
	}
	entries, err := os.ReadDir(o.receipts)
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", unnamed(err))
	}
	receipts := make([][]byte, 0, len(entries))
	for i, e := range entries {
		file, err := readFile(filepath.Join(o.receipts, e.Name()), receipt.MaxReceipt)
		if err != nil {
			return nil, fmt.Errorf("read receipt %d: %w", i, err)
		}
		receipts = append(receipts, file)
	}
	return receipt.VerifyWitnessedLog(ctx, o.target, receipts, trust, witness), nil
}

// witnessed reads what a witness gave out; nil if none is named.
func (o *options) witnessed() (*receipt.Witnessed, error) {
	if o.witness == "" {
		return nil, nil
	}
	w, err := receipt.NewWitnessed(o.witnessKey)
	if err != nil {
		return nil, errUsage
	}
	const most = 64 << 10 // what is longer fails as content
	if w.Checkpoint, err = readFile(o.witness, most); err != nil {
		return nil, fmt.Errorf("read witness: %w", err)
	}
	return w, nil
}

// readFile reads at most one byte more than limit: what is longer fails as
// content, not as a file.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unnamed(err)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	return b, unnamed(errors.Join(err, f.Close()))
}

// unnamed strips a path from an error of the file system.
func unnamed(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
