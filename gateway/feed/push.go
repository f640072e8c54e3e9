package feed

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// diary is what the feed to the exchange platform needs of the log besides proofs.
type diary interface {
	Entries(ctx context.Context, from, to uint64) ([]byte, error)
	RootAt(size uint64) (audit.Hash, error)
	// Acknowledge makes a word of the platform an entry and gives its index; Acknowledged finds what the
	// newest covers, and the indices of words that it does not cover.
	Acknowledge(ctx context.Context, word []byte) (uint64, error)
	Acknowledged(ctx context.Context) (size uint64, words []uint64, err error)
}

// PushLog is the log as Push needs it.
type PushLog interface {
	proofs
	diary
}

// PushOptions are those of the feed to the exchange platform; all are required.
type PushOptions struct {
	URL string // bundles are posted to it
	Key keyring.PublicKey
	// Deadline is how long an entry may wait for the platform before questions are refused.
	Deadline time.Duration
	Log      PushLog
	Client   *http.Client
	Clock    func() time.Time
	Logger   *slog.Logger
}

// Push takes every entry to the exchange platform, in order, and puts the platform's signed word for
// them into the log. It goes on from the newest word found there: after a lost reply the platform sees
// entries again that it has.
type Push struct {
	o       PushOptions
	known   bool     // acked and words were read from the log
	acked   uint64   // entries the platform signed for
	words   []uint64 // indices of its words among the entries behind
	next    time.Time
	failing bool

	behind atomic.Int64 // Unix nanoseconds since when entries wait; 0: none do
}

const pushRetry = 500 * time.Millisecond

// NewPush makes the feed; Run feeds.
func NewPush(o PushOptions) *Push {
	p := &Push{o: o}
	p.behind.Store(o.Clock().UnixNano()) // until the log says that nothing waits
	return p
}

// Run feeds until ctx ends.
func (p *Push) Run(ctx context.Context) {
	every(ctx, func() {
		for p.waiting(ctx) && !p.o.Clock().Before(p.next) {
			if err := p.push(ctx); err != nil {
				p.report(ctx, err)
				return
			}
			p.report(ctx, nil)
		}
	})
}

func (p *Push) report(ctx context.Context, err error) {
	switch {
	case err == nil && p.failing:
		p.o.Logger.InfoContext(ctx, "exchange platform takes bundles again")
	case err != nil && !p.failing && ctx.Err() == nil:
		p.o.Logger.WarnContext(ctx, "bundle not delivered", slog.String("error", err.Error()))
	}
	if p.failing = err != nil; p.failing {
		p.next = p.o.Clock().Add(pushRetry)
	}
}

// waiting tells whether entries wait that are not words of the platform itself: those go along with the
// next bundle, or they would call for each other without end.
func (p *Push) waiting(ctx context.Context) bool {
	if ctx.Err() != nil || !p.known && !p.resume(ctx) {
		return false
	}
	if p.o.Log.Latest().Size <= p.acked+uint64(len(p.words)) {
		p.behind.Store(0)
		return false
	}
	p.behind.CompareAndSwap(0, p.o.Clock().UnixNano())
	return true
}

func (p *Push) resume(ctx context.Context) bool {
	var err error
	if p.acked, p.words, err = p.o.Log.Acknowledged(ctx); err != nil {
		p.report(ctx, err)
		return false
	}
	p.known = true
	return true
}

// push delivers one bundle.
func (p *Push) push(ctx context.Context) error {
	taken, size := p.o.Clock().UnixNano(), p.o.Log.Latest().Size
	to := min(p.acked+audit.MaxBundleEntries, size)
	bundle, err := p.bundle(ctx, to)
	if err != nil {
		return err
	}
	status, word, err := post(ctx, p.o.Client, p.o.URL, "application/json", bundle, audit.MaxPushReceipt)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("exchange platform answered with status %d", status)
	}
	if err := p.judge(word, to); err != nil {
		return err
	}
	index, err := p.o.Log.Acknowledge(ctx, word)
	if err != nil {
		p.known = false // whether it is in the log, only the log knows
		return err
	}
	p.acked = to
	p.words = slices.DeleteFunc(append(p.words, index), func(i uint64) bool { return i < to })
	if to == size {
		p.behind.Store(taken) // what waits now came later
	}
	return nil
}

func (p *Push) bundle(ctx context.Context, to uint64) ([]byte, error) {
	path, cp, err := p.o.Log.ProveConsistency(ctx, to)
	if err != nil {
		return nil, err
	}
	entries, err := p.o.Log.Entries(ctx, p.acked, to)
	if err != nil {
		return nil, err
	}
	return (&audit.Bundle{From: p.acked, To: to, Entries: entries, Proof: path, Checkpoint: cp.Text}).Encode()
}

// judge believes a word only under the platform's key, and if it says what was sent.
func (p *Push) judge(text []byte, to uint64) error {
	word, err := audit.ParsePushReceipt(text)
	if err != nil {
		return err
	}
	root, err := p.o.Log.RootAt(to)
	if err != nil {
		return err
	}
	if word.Origin != p.o.Log.Latest().Origin || word.Size != to || word.Root != root ||
		!p.o.Key.Verify(keyring.PartyReceipt, word.Message(), word.Signature) {
		return audit.ErrPushReceipt
	}
	return nil
}

// Ready names the rule by which questions are refused now, or "". It costs an atomic load.
func (p *Push) Ready() governance.Rule {
	since := p.behind.Load()
	if since != 0 && p.o.Clock().Sub(time.Unix(0, since)) > p.o.Deadline {
		return governance.PushMissing
	}
	return ""
}
