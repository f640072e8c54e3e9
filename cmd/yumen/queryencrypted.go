package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

func queryCommand() *cobra.Command {
	c := &cobra.Command{Use: "query", Short: "ask about data that the gateway cannot read", Args: noArgs, RunE: help}
	c.AddCommand(queryEncryptedCommand())
	return c
}

// encryptedQuery is one run of `query encrypted`.
type encryptedQuery struct {
	connection
	party, key, kek, parties, trust, out string
	of                                   encrypted.Question
	datasets, columns                    []string
	valid                                time.Duration
}

func queryEncryptedCommand() *cobra.Command {
	q := &encryptedQuery{}
	c := &cobra.Command{Use: "encrypted", Short: "ask a registered aggregate of encrypted data, wait for its key holders, verify, combine and print", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return q.run(c) }}
	q.flags(c, "that of --party")
	f := c.Flags()
	f.StringVar(&q.address, "gateway", "127.0.0.1:7443", "the same as --address")
	f.StringVar(&q.party, "party", "", "who asks")
	f.StringVar(&q.key, "key", "", "directory made by yumen-party init, with the party's request and envelope keys")
	f.StringVar(&q.kek, "kek-file", "", "file of 16 bytes that wrap these keys at rest")
	f.StringVar(&q.parties, "parties", "", "trust file of the parties' keys, from the data authority")
	f.StringVar(&q.trust, "trust", "", "trust directory of receipts; that of data-dir where empty")
	f.StringVar(&q.of.Aggregate, "aggregate", "", "registered aggregate")
	f.StringVar(&q.of.Kind, "kind", "", "its kind, as registered: sum, mean, variance, correlation ...")
	f.StringVar(&q.of.Scenario, "scenario", "", "scenario")
	f.StringVar(&q.of.Purpose, "purpose", "", "what for, in words, for those who approve")
	f.StringArrayVar(&q.datasets, "dataset", nil, "DATASET=VERSION, as registered")
	f.StringArrayVar(&q.columns, "column", nil, "DATASET.FIELD.LANE[*WEIGHT], in the order registered")
	f.StringSliceVar(&q.of.Sections, "section", nil, "sections, as registered; none: all")
	f.StringSliceVar(&q.of.Groups, "group", nil, "groups, as registered; none: all")
	f.DurationVar(&q.valid, "valid", 24*time.Hour, "how long the holders may take")
	f.StringVar(&q.out, "out", ".", "directory for receipts/ and results/")
	for _, name := range []string{"party", "key", "parties", "aggregate", "kind", "scenario", "dataset", "column"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func (q *encryptedQuery) run(c *cobra.Command) error {
	q.of.Requester, q.of.Valid = q.party, q.valid
	for _, d := range q.datasets {
		name, version, ok := strings.Cut(d, "=")
		if !ok {
			return usageError{errors.New("dataset: want DATASET=VERSION")}
		}
		q.of.Datasets = append(q.of.Datasets, [2]string{name, version})
	}
	q.of.Columns = q.columns
	asked, err := q.of.Query(time.Now())
	if err != nil {
		return usageError{err}
	}
	r, end, err := q.requester()
	if err != nil {
		return err
	}
	defer end()
	out, err := r.Ask(c.Context(), asked)
	if err != nil {
		return err
	}
	path, err := saveOutcome(q.out, out)
	if err != nil {
		return err
	}
	return printOutcome(c.OutOrStdout(), out, path)
}

func (q *encryptedQuery) requester() (*encrypted.Requester, func(), error) {
	if q.trust == "" {
		q.trust = filepath.Join(q.dataDir, "trust")
	}
	trust, err := receipt.LoadTrust(os.DirFS(q.trust))
	if err != nil {
		return nil, nil, usageError{errors.New("trust: directory unusable")}
	}
	text, err := os.ReadFile(q.parties)
	if err != nil {
		return nil, nil, usageError{errors.New("parties: file unreadable")}
	}
	parties, err := encrypted.ParseParties(text)
	if err != nil {
		return nil, nil, usageError{err}
	}
	g, err := q.dial(q.party, trust)
	if err != nil {
		return nil, nil, err
	}
	r, err := requesterOf(q.key, q.kek, q.party, encrypted.NewGateway(g.Encrypted, g.Audit), parties, trust)
	if err != nil {
		_ = g.Close()
		return nil, nil, err
	}
	return r, func() { _ = g.Close() }, nil
}

// requesterOf takes the keys that `yumen-party init` made.
func requesterOf(dir, kekFile, party string, g *encrypted.Gateway, parties *encrypted.Parties, trust *receipt.TrustSet) (*encrypted.Requester, error) {
	o := keyring.Options{Production: true} // never makes keys here
	if kekFile != "" {
		var err error
		if o.KEK, err = os.ReadFile(kekFile); err != nil || len(o.KEK) != 16 {
			return nil, usageError{errors.New("kek-file: want a readable file of 16 bytes")}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "keys")); err != nil {
		return nil, usageError{errors.New("key: no directory of yumen-party init")}
	}
	ring, err := keyring.Open(filepath.Join(dir, "keys"), o)
	if err != nil {
		return nil, err
	}
	r := &encrypted.Requester{Gateway: g, Parties: parties, Receipts: trust, Party: party, Clock: time.Now}
	if r.Request, err = ring.Signer(keyring.Request, "own"); err != nil {
		return nil, err
	}
	envelope, err := ring.Signer(keyring.Envelope, "own")
	if err != nil {
		return nil, err
	}
	var ok bool
	if r.Envelope, ok = envelope.(encrypted.Opener); !ok {
		return nil, keyring.ErrKey
	}
	r.Params, err = encrypted.StandardParameters()
	return r, err
}

// saveOutcome keeps receipt and result file and gives the receipt's path.
func saveOutcome(dir string, out *encrypted.Outcome) (string, error) {
	err := saveReceipt(dir, out.Serial, &apiv1.Receipt{Receipt: out.Receipt, Result: out.ResultFile})
	return filepath.Join(dir, "receipts", filepath.Base(out.Serial)+".json"), err
}

// printOutcome prints the numbers and what shows them.
func printOutcome(w io.Writer, out *encrypted.Outcome, path string) error {
	for _, l := range out.Lines() {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	if len(out.Cheaters) > 0 {
		fmt.Fprintln(w, "CHEATERS", strings.Join(out.Cheaters, " "))
	}
	_, err := fmt.Fprintf(w, "holders %s\nquery %s\nreceipt %s (verified)\n", strings.Join(out.Holders, " "), hex.EncodeToString(out.Query[:]), path)
	return err
}

// askWithin bounds the wait for one answer.
func askWithin(ctx context.Context, r *encrypted.Requester, of *encrypted.Question, wait time.Duration) (*encrypted.Outcome, error) {
	q, err := of.Query(time.Now())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return r.Ask(ctx, q)
}
