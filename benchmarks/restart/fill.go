package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
)

const (
	domain         = "restart"
	callers        = 2048
	statementBytes = 1000 // as those of verifications
	bodyBytes      = 110  // form, nonces and code, sealed
	units          = 64   // that share the days' quotas
	span           = 6 * 24 * time.Hour
)

type signer struct{ keyring.Signer }

func (s signer) KeyID() [32]byte { return s.Public().ID() }

// fill adds frames to the log of a gateway, which it makes on the first run.
func fill(ctx context.Context, dir string, frames int, out io.Writer) error {
	if err := found(ctx, dir); err != nil {
		return err
	}
	ring, err := keyring.Open(filepath.Join(dir, "keys"), keyring.Options{Rand: rand.Reader})
	if err != nil {
		return err
	}
	key, err := ring.Signer(keyring.Checkpoint, job.CheckpointKeyName)
	if err != nil {
		return err
	}
	var serial uint64
	apply := func(f audit.Frame) error {
		if f.Hint != nil {
			return nil
		}
		r, err := ledger.ParseRecord(f.Private)
		if err == nil {
			serial = max(serial, r.Serial)
		}
		return err
	}
	options := audit.Options{
		Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "checkpoints"), Origin: job.Origin(domain), KeyName: job.KeyName,
		Signer: signer{key}, Apply: apply, Clock: time.Now,
		Verify: func(msg, sig []byte) bool { return key.Public().Verify(keyring.Checkpoint, msg, sig) },
	}
	if options.From, err = audit.LoadSnapshot(ctx, options, "state"); err == nil {
		serial = options.From.Index
	}
	log, err := audit.Open(ctx, options)
	if err != nil {
		return err
	}
	began := time.Now()
	err = pour(ctx, log, serial, frames)
	took := time.Since(began)
	if stop := log.Close(); err == nil {
		err = stop
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "{\"frames\":%d,\"appends_per_second\":%.0f}\n", frames, float64(frames)/took.Seconds())
	}
	return err
}

// found makes the gateway's directory, keys and first frame.
func found(ctx context.Context, dir string) error {
	s, err := openGateway(ctx, dir)
	if err != nil {
		return err
	}
	return s.Runner().Close()
}

// pour appends frames from many callers at once. Times rise over the last days up to now.
func pour(ctx context.Context, log *audit.Log, serial uint64, frames int) error {
	var next atomic.Int64
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	from := max(log.LastTime(), time.Now().Add(-span).UnixMilli())
	step := float64(time.Now().UnixMilli()-from) / float64(frames)
	for w := range callers {
		wg.Go(func() {
			rng := mrand.NewChaCha8([32]byte(binary.BigEndian.AppendUint64(make([]byte, 24), serial<<16|uint64(w))))
			for {
				n := next.Add(1)
				if n > int64(frames) {
					return
				}
				if err := one(ctx, log, rng, from+int64(float64(n)*step), serial+uint64(n)); err != nil {
					once.Do(func() { failed = err })
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

func one(ctx context.Context, log *audit.Log, rng *mrand.ChaCha8, at int64, serial uint64) error {
	r := &ledger.Record{Serial: serial, Idem: &ledger.Idem{Time: at}, Body: make([]byte, bodyBytes),
		Charges: []ledger.Charge{{Account: ledger.Account{Kind: ledger.Quota, Scope: ledger.Scope{byte(serial % units)}, Period: ledger.Day(at)}, Amount: 1}}}
	text := make([]byte, statementBytes)
	for _, b := range [][]byte{r.Idem.Key[:], r.Idem.Request[:], r.Body, text} {
		rng.Read(b) //nolint:errcheck // never fails
	}
	private, err := r.AppendTo(nil)
	if err != nil {
		return err
	}
	stated := audit.State(text)
	_, err = log.Append(ctx, audit.Record{Kind: audit.Release, Time: at, Statement: stated.Hash(), Stated: stated, Private: private, Hint: r})
	return err
}
