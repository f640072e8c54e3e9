package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/receipt"
)

func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

// requireFails runs the command and requires exit status 1 with a named claim.
func requireFails(t *testing.T, args ...string) {
	t.Helper()
	var out strings.Builder
	err := run(context.Background(), append(args, "--lang", "en"), &out, noon())
	var failed *failedError
	require.ErrorAs(t, err, &failed)
	require.NotEmpty(t, failed.claim)
	require.Contains(t, out.String(), "FAIL "+failed.claim+": ")
}

func requireHolds(t *testing.T, args ...string) {
	t.Helper()
	require.NoError(t, run(context.Background(), args, io.Discard, noon()))
}

// changes yields variants of b: every step-th byte XOR 1, and random bytes
// changed, deleted, put in, the rest cut off.
func changes(b []byte, step int, yield func([]byte)) {
	random := rand.New(rand.NewPCG(3, 5))
	for i := 0; i < len(b); i += step {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		yield(changed)
	}
	for range 60 {
		at := random.IntN(len(b))
		changed := bytes.Clone(b)
		changed[at] ^= byte(1 + random.IntN(255))
		yield(changed)
		yield(append(bytes.Clone(b[:at]), b[at+1:]...))
		yield(append(append(bytes.Clone(b[:at]), byte(random.IntN(256))), b[at:]...))
		yield(b[:at])
	}
	yield(append(bytes.Clone(b), '\n'))
}

func TestEveryByteOfEveryFile(t *testing.T) {
	w := newWorld(t, newKey(t))
	w.fill()
	trust := filepath.Join(w.dir, "trust")
	for name, step := range map[string]int{"answer": 1, "batch": 7, "table": 7} {
		file, result := filepath.Join(w.dir, "receipts", name+".json"), filepath.Join(w.dir, "results", name+".json")
		args := []string{file, "--result", result, "--trust", trust}
		targets := []string{file, result, filepath.Join(trust, "jilin.json")}
		requireHolds(t, args...)
		if name == "batch" {
			row := filepath.Join(w.dir, "row.json")
			w.tamper(row, step, func() { requireFails(t, file, "--result", row, "--trust", trust) })
		}
		for _, target := range targets {
			w.tamper(target, step, func() { requireFails(t, args...) })
		}
		requireHolds(t, args...)
	}
}

// tamper applies changes to a file, one after the other, and restores it.
func (w *world) tamper(target string, step int, check func()) {
	good := read(w.t, target)
	changes(good, step, func(b []byte) {
		require.NoError(w.t, os.WriteFile(target, b, 0o600))
		check()
	})
	require.NoError(w.t, os.WriteFile(target, good, 0o600))
}

func TestEveryFileOfTheLog(t *testing.T) {
	w := newWorld(t, newKey(t))
	w.fill()
	log, trust := filepath.Join(w.dir, "log"), filepath.Join(w.dir, "trust")
	requireHolds(t, "log", log, "--trust", trust, "--receipts", filepath.Join(w.dir, "receipts"))
	files := 0
	require.NoError(t, filepath.WalkDir(log, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		good := read(t, path)
		changes(good, max(1, len(good)/40), func(b []byte) {
			require.NoError(t, os.WriteFile(path, b, 0o600))
			requireFails(t, "log", log, "--trust", trust)
		})
		require.NoError(t, os.Remove(path))
		requireFails(t, "log", log, "--trust", trust)
		return os.WriteFile(path, good, 0o600)
	}))
	require.Greater(t, files, 5)
	requireHolds(t, "log", log, "--trust", trust)
	w.write("log/tile/0/001", make([]byte, 32))
	requireFails(t, "log", log, "--trust", trust)
}

// TestForkAndTruncationByTheKeyHolder: a log rewritten and signed anew by the
// key's owner verifies alone; the receipts given out before it show the fork.
func TestForkAndTruncationByTheKeyHolder(t *testing.T) {
	key := newKey(t)
	w := newWorld(t, key)
	w.fill()
	trust, receipts := filepath.Join(w.dir, "trust"), filepath.Join(w.dir, "receipts")
	for name, rewrite := range map[string]func(*world){
		"forked":    func(f *world) { f.refuse(400) },
		"truncated": func(f *world) { f.refuse(3) },
		"one entry": func(f *world) { f.append(audit.Release, audit.HashOf([]byte("x"))); f.refuse(400) },
	} {
		fork := newWorld(t, key)
		rewrite(fork)
		fork.publish()
		log := filepath.Join(fork.dir, "log")
		requireHolds(t, "log", log, "--trust", trust)
		requireFails(t, "log", log, "--trust", trust, "--receipts", receipts)
		t.Log(name)
	}
	other := newWorld(t, newKey(t))
	requireFails(t, "log", filepath.Join(w.dir, "log"), "--trust", filepath.Join(other.dir, "trust"))
	require.NoError(t, other.log.Close())
}

// TestLogGoesOn: receipts of an earlier time stay a part of the grown log, and
// a receipt can be missing from a log that was cut short.
func TestLogGoesOn(t *testing.T) {
	w := newWorld(t, newKey(t))
	w.fill()
	early := filepath.Join(t.TempDir(), "early")
	require.NoError(t, os.Rename(filepath.Join(w.dir, "log"), early))
	w.open()
	w.refuse(700)
	w.single("later", receipt.KindScore, `{"band":3}`)
	w.publish()
	trust, receipts := filepath.Join(w.dir, "trust"), filepath.Join(w.dir, "receipts")
	requireHolds(t, "log", filepath.Join(w.dir, "log"), "--trust", trust, "--receipts", receipts)
	requireHolds(t, "log", early, "--trust", trust)
	requireFails(t, "log", early, "--trust", trust, "--receipts", receipts)
}

func TestSizesAreBounded(t *testing.T) {
	w := newWorld(t, newKey(t))
	w.fill()
	trust := filepath.Join(w.dir, "trust")
	w.write("huge.json", make([]byte, 8<<20))
	requireFails(t, filepath.Join(w.dir, "huge.json"), "--trust", trust)
	w.write("trust/huge.json", make([]byte, 1<<20))
	requireFails(t, filepath.Join(w.dir, "receipts", "answer.json"), "--trust", trust)
}

func TestCancelledLogIsNotJudgedToHold(t *testing.T) {
	w := newWorld(t, newKey(t))
	w.fill()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := run(ctx, []string{"log", filepath.Join(w.dir, "log"), "--trust", filepath.Join(w.dir, "trust")}, io.Discard, noon())
	var failed *failedError
	require.True(t, errors.As(err, &failed))
}
