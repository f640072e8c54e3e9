package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

const (
	origin  = "jilin.example/log"
	keyName = "jilin-2026"
)

// signer fits a key of the ring to the log.
type signer struct{ keyring.SignerKey }

func (s signer) KeyID() [32]byte { return s.Public().ID() }

// world is a log on disk with what left through it:
//
//	log/ (the public part)  receipts/  results/  trust/  body.csv
type world struct {
	t     *testing.T
	dir   string // what an auditor gets
	home  string // the log's own
	key   keyring.SignerKey
	trust []byte
	log   *audit.Log
	count int
}

func newKey(t *testing.T) keyring.SignerKey {
	key, err := keyring.GenerateSigner(keyring.Checkpoint, rand.Reader)
	require.NoError(t, err)
	return key
}

func newWorld(t *testing.T, key keyring.SignerKey) *world {
	w := &world{t: t, dir: t.TempDir(), home: t.TempDir(), key: key}
	for _, name := range []string{"receipts", "results", "trust"} {
		require.NoError(t, os.Mkdir(filepath.Join(w.dir, name), 0o700))
	}
	trust := &receipt.Trust{Domain: "jilin", Origin: origin, KeyName: keyName,
		CheckpointKey: key.Public().String(), NotBefore: "2026-01-01"}
	var err error
	w.trust, err = trust.Marshal()
	require.NoError(t, err)
	w.write("trust/jilin.json", w.trust)
	w.open()
	return w
}

func (w *world) open() {
	log, err := audit.Open(context.Background(), audit.Options{
		Dir: filepath.Join(w.home, "log"), CheckpointDir: filepath.Join(w.home, "second"), Origin: origin, KeyName: keyName,
		Signer: signer{w.key},
		Verify: func(msg, sig []byte) bool { return w.key.Public().Verify(keyring.Checkpoint, msg, sig) },
		Apply:  func(audit.Frame) error { return nil },
		Clock:  func() time.Time { return time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC) },
	})
	require.NoError(w.t, err)
	w.log = log
}

// publish writes the public part of the log and closes it.
func (w *world) publish() {
	require.NoError(w.t, w.log.Export(context.Background(), filepath.Join(w.dir, "log")))
	require.NoError(w.t, w.log.Close())
}

func (w *world) write(name string, b []byte) {
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, filepath.FromSlash(name)), b, 0o600))
}

func (w *world) append(kind audit.Kind, statement audit.Hash) *audit.Appended {
	a, err := w.log.Append(context.Background(), audit.Record{Kind: kind, Time: 1_795_000_000_000, Statement: statement, Private: []byte{1}})
	require.NoError(w.t, err)
	return a
}

// refuse appends n refusals.
func (w *world) refuse(n int) {
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { w.append(audit.Refusal, audit.HashOf(fmt.Append(nil, i))) })
	}
	wait.Wait()
}

func (w *world) statement(kind string, rows int) *receipt.Statement {
	w.count++
	return &receipt.Statement{
		Format: receipt.FormatStatement, ID: fmt.Sprintf("%032x", w.count), Serial: fmt.Sprintf("YM-20261123-%012d", w.count),
		Time: "2026-11-23T09:30:00.125+08:00", Domain: "jilin", Party: "bank-01", Query: "owns-home", Kind: kind, Rows: int64(rows),
		Policy: audit.HashOf([]byte("policy")).String(), Trust: receipt.TrustHash(w.trust).String(), Expires: "2027-01-01",
		Budget: receipt.Budget{Global: receipt.GlobalWithinCap},
	}
}

// release puts a statement into the log and its receipt and result on disk.
func (w *world) release(name string, s *receipt.Statement, result []byte) {
	text, err := s.AppendCanonical(nil)
	require.NoError(w.t, err)
	a := w.append(audit.Release, receipt.StatementHash(text))
	r, err := receipt.Build(text, receipt.StatementHash(text), a.Entry, a.Index, a.Proof, a.Checkpoint.Text)
	require.NoError(w.t, err)
	file, err := r.Append(nil)
	require.NoError(w.t, err)
	w.write("receipts/"+name+".json", file)
	w.write("results/"+name+".json", result)
}

func opening(value string) *receipt.Opening {
	o := &receipt.Opening{Value: []byte(value)}
	_, _ = rand.Read(o.Nonce[:])
	return o
}

// single releases one answer, or a table that stands in a file of its own.
func (w *world) single(name, kind, value string) {
	request, result := opening(`{"id":"220102199003071234"}`), opening(value)
	s := w.statement(kind, 1)
	s.Request, s.Result = request.Commit(receipt.TagRequest).String(), result.Commit(receipt.TagResult).String()
	file, err := receipt.AppendResult(nil, s.ID, request, result)
	require.NoError(w.t, err)
	w.release(name, s, file)
}

// batch releases n rows and puts the opening of row 2 beside the result.
func (w *world) batch(name string, n int) {
	seed := receipt.Seed(opening("").Nonce)
	rows := func(yield func(request, result []byte) bool) {
		for i := range n {
			if !yield(fmt.Appendf(nil, `{"id":"22010219900307%04d"}`, i), []byte(`{"answer":"yes"}`)) {
				return
			}
		}
	}
	commitments := receipt.NewRowCommitments(&seed, n)
	for request, result := range rows {
		commitments.Add(request, result)
	}
	s, nonce := w.statement(receipt.KindBatch, n), seed.RequestNonce()
	s.Request, s.Result = receipt.Commit(receipt.TagRequest, &nonce, []byte(`{}`)).String(), commitments.Root().String()
	file, err := receipt.AppendBatch(nil, s.ID, &seed, []byte(`{}`), rows)
	require.NoError(w.t, err)
	w.release(name, s, file)
	row, err := receipt.OpenRow(file, 2)
	require.NoError(w.t, err)
	w.write("row.json", row)
}

// fill makes a log of more than one full tile with one release of each kind.
func (w *world) fill() {
	w.single("answer", receipt.KindVerify, `{"answer":"yes"}`)
	w.refuse(290)
	w.batch("batch", 5)
	body := []byte("age,count\n30,12\n")
	w.write("body.csv", body)
	w.single("table", receipt.KindTable, string(receipt.FileValue(audit.HashOf(body), int64(len(body)))))
	w.refuse(9)
	w.publish()
}
