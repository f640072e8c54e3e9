package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
)

// Horizon is how long an idempotency key lives. Older keys are refused, never honoured again.
const Horizon = 7 * 24 * time.Hour

// ClockSkew is how far ahead of the gateway a caller's key time may lie.
const ClockSkew = 5 * time.Minute

var (
	// ErrConflict: the key was used for another request. Do not retry with this key.
	ErrConflict = errors.New("ledger: idempotency key was used for another request")
	// ErrHorizon: the key is older than Horizon or from the future. Make a new key.
	ErrHorizon = errors.New("ledger: idempotency key outside the horizon")
)

// Exhausted says which of the asked charges does not fit. Wait for the next period.
type Exhausted struct{ Account Account }

func (e *Exhausted) Error() string {
	return fmt.Sprintf("ledger: account of kind %d exhausted", e.Account.Kind)
}

// Stored says that the same request was answered before, by the frame at Index. Replay that answer.
type Stored struct{ Index uint64 }

func (s *Stored) Error() string { return "ledger: request already answered" }

// Limited is a charge with the limit its account must not pass.
type Limited struct {
	Charge
	Limit int64
}

type balance struct{ spent, held int64 }

// Ledger is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	accounts map[Account]balance
	keys     keys
	inflight map[[16]byte]*Hold
	time     int64
	size     uint64
	serial   uint64 // newest applied
	issued   uint64 // newest handed out
	pruned   int32  // day up to which old accounts are gone

	capturing sync.Mutex // one capture at a time; taken before mu
}

// New returns an empty ledger.
func New() *Ledger {
	return &Ledger{accounts: map[Account]balance{}, keys: newKeys(), inflight: map[[16]byte]*Hold{}}
}

// Hold is a volatile reservation. Exactly one of Apply (through its frame) and Cancel ends it.
type Hold struct {
	// Record is what goes into the frame; its Body is the caller's to fill.
	Record Record
	// Before is the balance of the first charge when it was held.
	Before int64

	ledger *Ledger
	done   chan struct{}
	ended  bool
}

// Now is the later of the clock and the newest frame, in Unix milliseconds.
func (l *Ledger) Now(clock time.Time) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(clock.UnixMilli(), l.time)
}

// Hold reserves all charges or none. idem may be nil. While the same key is in flight it waits for
// that answer, bounded by ctx. Errors: *Stored, *Exhausted, ErrConflict, ErrHorizon, ctx.Err.
func (l *Ledger) Hold(ctx context.Context, now int64, idem *Idem, charges []Limited) (*Hold, error) {
	for {
		h, wait, err := l.tryHold(now, idem, charges)
		if wait == nil {
			return h, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Outside says that a key made at made, Unix milliseconds, is beyond Horizon or from the future.
func Outside(made, now int64) bool {
	return made != Forever && (made < now-Horizon.Milliseconds() || made > now+ClockSkew.Milliseconds())
}

// tryHold judges the horizon by the newest frame too: frames may have pruned keys since now was read.
func (l *Ledger) tryHold(now int64, idem *Idem, charges []Limited) (*Hold, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if idem != nil && Outside(idem.Time, max(now, l.time)) {
		return nil, nil, ErrHorizon
	}
	if idem != nil {
		if s, ok := l.keys.find(&idem.Key); ok {
			if s.request != idem.Request {
				return nil, nil, ErrConflict
			}
			return nil, nil, &Stored{Index: s.index}
		}
		if other, ok := l.inflight[idem.Key]; ok {
			if other.Record.Idem.Request != idem.Request {
				return nil, nil, ErrConflict
			}
			return nil, other.done, nil
		}
	}
	if err := l.fits(charges); err != nil {
		return nil, nil, err
	}
	return l.reserve(idem, charges), nil, nil
}

// fits sees charges on one account together, so that a list cannot pass where its sum does not.
func (l *Ledger) fits(charges []Limited) error {
	if len(charges) == 1 {
		return l.fit(charges[0], charges[0].Amount)
	}
	sums := make(map[Account]int64, len(charges))
	for _, c := range charges {
		sums[c.Account] = add(sums[c.Account], c.Amount)
		if err := l.fit(c, sums[c.Account]); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) fit(c Limited, sum int64) error {
	b := l.accounts[c.Account]
	over := daily(c.Kind) && c.Period < l.pruned // its day has passed and its balance is gone
	if over || c.Amount <= 0 || add(add(b.spent, b.held), sum) > c.Limit {
		return &Exhausted{Account: c.Account}
	}
	return nil
}

func (l *Ledger) reserve(idem *Idem, charges []Limited) *Hold {
	l.issued = max(l.issued, l.serial) + 1
	h := &Hold{ledger: l, Record: Record{Serial: l.issued, Idem: idem}}
	if len(charges) > 0 {
		b := l.accounts[charges[0].Account]
		h.Before = b.spent + b.held
		h.Record.Charges = make([]Charge, len(charges))
	}
	for i, c := range charges {
		h.Record.Charges[i] = c.Charge
		b := l.accounts[c.Account]
		b.held += c.Amount
		l.accounts[c.Account] = b
	}
	if idem != nil {
		h.done = make(chan struct{})
		l.inflight[idem.Key] = h
	}
	return h
}

// Cancel gives the reservation back. Only for work whose frame was certainly not written.
func (h *Hold) Cancel() {
	h.ledger.mu.Lock()
	defer h.ledger.mu.Unlock()
	h.ledger.end(h)
}

func (l *Ledger) end(h *Hold) {
	if h.ended {
		return
	}
	h.ended = true
	for _, c := range h.Record.Charges {
		b := l.accounts[c.Account]
		b.held -= c.Amount
		if b == (balance{}) {
			delete(l.accounts, c.Account)
			continue
		}
		l.accounts[c.Account] = b
	}
	if h.Record.Idem != nil {
		delete(l.inflight, h.Record.Idem.Key)
		close(h.done)
	}
}

// Apply takes the next durable frame. A *Hold as the frame's hint is ended by it.
// Frames must come in log order without a gap.
func (l *Ledger) Apply(f audit.Frame) error {
	h, live := f.Hint.(*Hold)
	var r *Record
	if live {
		r = &h.Record
	} else {
		var err error
		if r, err = ParseRecord(f.Private); err != nil {
			return fmt.Errorf("frame %d: %w", f.Index, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.Index != l.size {
		return fmt.Errorf("ledger: frame %d applied at size %d", f.Index, l.size)
	}
	l.size++
	l.time = max(l.time, f.Entry.Time)
	l.serial = max(l.serial, r.Serial)
	for _, c := range r.Charges {
		b := l.accounts[c.Account]
		b.spent = add(b.spent, c.Amount)
		l.accounts[c.Account] = b
	}
	if r.Idem != nil {
		s := stored{index: f.Index, request: r.Idem.Request, time: r.Idem.Time}
		if live {
			l.keys.put(&r.Idem.Key, s)
		} else {
			l.keys.gather(&r.Idem.Key, s)
		}
	}
	if live {
		l.end(h)
	}
	l.prune()
	return nil
}

// Replayed says that a replay has ended, so that the first request does not wait for what it left to do.
func (l *Ledger) Replayed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys.known()
}

// Spent is the durable balance of an account.
func (l *Ledger) Spent(a Account) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accounts[a].spent
}

// Size is the number of frames applied.
func (l *Ledger) Size() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
