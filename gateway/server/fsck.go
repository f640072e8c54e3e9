package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// FsckClaim is one thing that was looked at. State is ok, failed or none.
type FsckClaim struct {
	Claim  string `json:"claim"`
	State  string `json:"state"`
	Detail string `json:"detail"`
}

// FsckReport is what an offline check of a data directory found.
type FsckReport struct {
	OK      bool        `json:"ok"`
	Domain  string      `json:"domain"`
	Claims  []FsckClaim `json:"claims"`
	Frames  uint64      `json:"frames"`
	Digest  string      `json:"state_digest,omitempty"`
	Seconds float64     `json:"seconds"`
}

// ErrHeld: a running gateway holds the log; stop it first.
var ErrHeld = errors.New("fsck: a running gateway holds this log; stop it first")

// Fsck checks the data directory of a stopped gateway: frames, tiles, checkpoints, snapshot, and the
// state that a replay of all frames leads to. It changes nothing and makes no key. What does not hold
// is a claim of the report; an error is what kept it from looking.
func Fsck(ctx context.Context, c *Config, logger *slog.Logger) (*FsckReport, error) {
	domain, err := domainOf(c)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Join(c.DataDir, "keys"), filepath.Join(c.DataDir, "log")} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, errors.New("fsck: data.dir: not the data directory of a gateway")
		}
	}
	ring, err := keyring.Open(filepath.Join(c.DataDir, "keys"), keyring.Options{Production: true, Rand: rand.Reader, KEK: (&Server{config: c}).kek()})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	found, err := job.Fsck(ctx, job.FsckOptions{
		Domain: domain, LogDir: filepath.Join(c.DataDir, "log"), CheckpointDir: c.CheckpointDir,
		Ring: ring, Clock: time.Now, Logger: logger,
	})
	out := &FsckReport{Domain: domain, Seconds: time.Since(began).Seconds()}
	var differ *audit.SealedError
	switch {
	case errors.Is(err, audit.ErrLocked):
		return nil, ErrHeld
	case errors.As(err, &differ):
		out.claim("log", false, "%s", differ.Reason)
	case err != nil:
		return nil, err
	default:
		out.found(found)
	}
	out.OK = true
	for _, claim := range out.Claims {
		out.OK = out.OK && claim.State != "failed"
	}
	return out, nil
}

// domainOf is the configured domain, or the one the trust file names.
func domainOf(c *Config) (string, error) {
	if c.Domain != "" {
		return c.Domain, nil
	}
	text, err := os.ReadFile(filepath.Join(c.DataDir, "trust", "trust.json"))
	if err != nil {
		return "", errors.New("fsck: domain.id: not given, and data.dir has no trust file")
	}
	t, err := receipt.ParseTrust(text)
	if err != nil {
		return "", fmt.Errorf("fsck: %w", err)
	}
	return t.Domain, nil
}

func (r *FsckReport) claim(name string, ok bool, format string, args ...any) {
	state := "failed"
	if ok {
		state = "ok"
	}
	r.Claims = append(r.Claims, FsckClaim{name, state, fmt.Sprintf(format, args...)})
}

func (r *FsckReport) none(name, why string) {
	r.Claims = append(r.Claims, FsckClaim{name, "none", why})
}

func (r *FsckReport) found(f *job.FsckReport) {
	l := f.Log
	r.Frames, r.Digest = l.Frames, hex.EncodeToString(f.Digest[:])
	r.claim("frames", true, "%d in %d segments, each fits its digest and the tree", l.Frames, l.Segments)
	if l.Torn > 0 {
		r.claim("tail", true, "%d bytes of a group that was never answered; the next start cuts them off", l.Torn)
	}
	if len(l.BadTiles) == 0 {
		r.claim("tiles", true, "as the frames say")
	} else {
		r.claim("tiles", false, "%d missing or different, first %s; a start without snapshot writes them anew", len(l.BadTiles), l.BadTiles[0])
	}
	r.checkpoint("checkpoint", l.Checkpoint)
	r.checkpoint("published checkpoint", l.Published)
	if f.BadSnapshots > 0 {
		r.claim("snapshots", false, "%d damaged or not signed; the next start passes them over", f.BadSnapshots)
	}
	switch {
	case !f.Found:
		r.none("snapshot", "there is none; a start replays the whole log")
	case f.Agrees:
		r.claim("snapshot", true, "at %d, equal to the replayed state", f.Snapshot)
	default:
		r.claim("snapshot", false, "at %d, differs from the replayed state: remove it before the next start", f.Snapshot)
	}
	r.claim("ledger", true, "replayed from the first frame, state %s", r.Digest)
}

func (r *FsckReport) checkpoint(name string, cp *audit.Checkpoint) {
	if cp == nil {
		r.none(name, "there is none")
		return
	}
	r.claim(name, true, "of size %d, borne out by the frames", cp.Size)
}
