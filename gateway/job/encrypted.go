package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/encrypted"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// EncryptedOptions of encrypted aggregation; Dir and Parameters are required.
type EncryptedOptions struct {
	Dir        string
	Parameters []*he.Parameters
	// MaxLeaves bounds the bytes of ciphertexts; 0 means what package encrypted says.
	MaxLeaves int64
	// OnState, if set, is told of each query that comes to a state of package spec.
	OnState func(state string)
}

// Encrypted is the part of the runner for data it cannot read. It is safe for concurrent use and ends
// before the runner does.
type Encrypted struct {
	r    *Runner
	o    EncryptedOptions
	room *encrypted.Room

	asking sync.Mutex // one query at a time comes in
	mu     sync.Mutex
	holds  map[encrypted.Hash]*ledger.Hold
	polls  map[string]int
	// running is the query under evaluation; cancel ends it.
	running encrypted.Hash
	cancel  context.CancelCauseFunc

	nudged, queued chan struct{}
	ctx            context.Context
	stop           context.CancelFunc
	// polling ends when no call shall wait any more.
	polling context.Context
	quiet   context.CancelFunc
	workers sync.WaitGroup
}

// encryptedChange is the private body of an encrypted frame. It is sealed as changes of the domain are,
// among which the history of the log keeps it.
type encryptedChange struct {
	Encrypted *encrypted.Record `json:"encrypted"`
}

// OpenEncrypted takes up encrypted aggregation where the log left it.
func OpenEncrypted(r *Runner, o EncryptedOptions) (*Encrypted, error) {
	e := &Encrypted{r: r, o: o, holds: map[encrypted.Hash]*ledger.Hold{}, polls: map[string]int{},
		nudged: make(chan struct{}, 1), queued: make(chan struct{}, 1)}
	e.ctx, e.stop = context.WithCancel(r.ctx)
	e.polling, e.quiet = context.WithCancel(e.ctx)
	records, err := r.encryptedRecords()
	if err != nil {
		return nil, err
	}
	e.room, err = encrypted.Open(encrypted.Options{
		Dir: o.Dir, Parameters: o.Parameters, MaxLeaves: o.MaxLeaves, Append: e.append,
		RootAt: func(size uint64) ([32]byte, error) { return r.log.RootAt(size) },
		Policy: func() *governance.Policy { return r.state.Load().policy },
		Now:    func() time.Time { return time.UnixMilli(r.Now()) },
	}, func(yield func(*encrypted.Record, uint64) bool) {
		for i := range records {
			if !yield(records[i].record, records[i].index) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := e.resume(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.workers.Go(e.evaluating)
	e.workers.Go(e.releasing)
	return e, nil
}

type encryptedRecord struct {
	record *encrypted.Record
	index  uint64
}

// encryptedRecords reads the records of the log out of the runner's history of changes.
func (r *Runner) encryptedRecords() ([]encryptedRecord, error) {
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	var out []encryptedRecord
	for _, p := range r.domain.history {
		if p.Kind != audit.Encrypted {
			continue
		}
		text, err := r.seal.Open(nil, changeAAD, p.Body)
		if err != nil {
			return nil, fmt.Errorf("frame %d: open: %w", p.Index, err)
		}
		var c encryptedChange
		if err := json.Unmarshal(text, &c); err != nil || c.Encrypted == nil {
			return nil, fmt.Errorf("frame %d: malformed encrypted record", p.Index)
		}
		out = append(out, encryptedRecord{c.Encrypted, p.Index})
	}
	return out, nil
}

// append makes a record a frame of the log. It does not end with the caller: a frame that might be
// durable must become part of the state.
func (e *Encrypted) append(ctx context.Context, rec *encrypted.Record) (uint64, error) {
	text, err := json.Marshal(encryptedChange{rec})
	if err != nil {
		return 0, fmt.Errorf("encode record: %w", err)
	}
	body, err := e.r.seal.Seal(nil, changeAAD, text)
	if err != nil {
		return 0, fmt.Errorf("seal record: %w", err)
	}
	private, err := (&ledger.Record{Body: body}).AppendTo(nil)
	if err != nil {
		return 0, err
	}
	a, err := e.r.log.Append(context.WithoutCancel(ctx), audit.Record{
		Kind: audit.Encrypted, Time: e.r.Now(), Statement: encrypted.EntryStatement(rec.Kind, rec.Hash), Private: private,
	})
	if err != nil {
		return 0, err
	}
	return a.Index, nil
}

// Drain lets no call wait any more, so that those under way end.
func (e *Encrypted) Drain() { e.quiet() }

// Close ends evaluations and polls; what was accepted is resumed at the next start.
func (e *Encrypted) Close() error {
	e.stop()
	e.workers.Wait()
	return e.room.Close()
}

// Put hands in one object of a party.
func (e *Encrypted) Put(ctx context.Context, party string, kind uint8, object []byte) ([32]byte, error) {
	k := encrypted.Kind(kind)
	if k == encrypted.Query {
		hash, err := e.ask(ctx, party, object)
		return hash, e.outward(err)
	}
	hash, err := e.room.Put(ctx, party, k, object)
	if err == nil && (k == encrypted.Approval || k == encrypted.Objection) {
		nudge(e.nudged)
	}
	return hash, e.outward(err)
}

// Get gives one object. What a query brought its requester is decided upon again each time.
func (e *Encrypted) Get(_ context.Context, party string, kind uint8, hash [32]byte) ([]byte, error) {
	k := encrypted.Kind(kind)
	b, err := e.room.Get(party, k, hash)
	if err != nil {
		return nil, e.outward(err)
	}
	if k == encrypted.Plan || k == encrypted.Openings || k == encrypted.Answer {
		if err := e.stillMine(party, k, hash); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// stillMine refuses a requester whose grant has ended since; others see an object for reasons of their own.
func (e *Encrypted) stillMine(party string, k encrypted.Kind, hash [32]byte) error {
	var last error
	for _, v := range e.room.Of(k, hash) {
		if v.Facts.Requester != party {
			return nil
		}
		if _, refusal := e.decide(v); refusal != nil {
			last = refusal
			continue
		}
		return nil
	}
	return last
}

func (e *Encrypted) decide(v *encrypted.View) (*governance.Decision, *governance.Refusal) {
	return e.r.state.Load().policy.Decide(aggregateAsk(&v.Facts, e.r.Now()))
}

func aggregateAsk(f *encrypted.QueryFacts, now int64) *governance.Ask {
	return &governance.Ask{Party: f.Requester, Scenario: f.Scenario, Act: governance.ActAggregate, Query: f.Aggregate, At: time.UnixMilli(now)}
}

// maxPolls bounds the calls of one party that wait at a time.
const maxPolls = 8

// Poll gives what concerns the party since cursor, waiting a while for it.
func (e *Encrypted) Poll(ctx context.Context, party string, cursor uint64, wait time.Duration) ([]spec.ObjectEvent, uint64, error) {
	if !e.enter(party) {
		return nil, cursor, spec.ErrObjectFull
	}
	defer e.leave(party)
	waiting, cancel := context.WithTimeout(ctx, min(max(wait, 0), spec.MaxPollWait))
	defer cancel()
	quiet := context.AfterFunc(e.polling, cancel)
	defer quiet()
	events, next, err := e.room.Poll(waiting, party, cursor)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	out := make([]spec.ObjectEvent, len(events))
	for i, v := range events {
		out[i] = spec.ObjectEvent{Cursor: v.Cursor, Kind: uint8(v.Kind), Hash: v.Hash, Thread: v.Thread, Index: v.Index, Released: v.Released}
	}
	return out, next, e.outward(err)
}

func (e *Encrypted) enter(party string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.polls[party] >= maxPolls {
		return false
	}
	e.polls[party]++
	return true
}

func (e *Encrypted) leave(party string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.polls[party]--; e.polls[party] == 0 {
		delete(e.polls, party)
	}
}

// Upload begins to take leaves of a provider.
func (e *Encrypted) Upload(party, dataset, version, lane string, first []byte) (spec.LeafUpload, error) {
	u, err := e.room.Upload(party, dataset, version, lane, first)
	if err != nil {
		return nil, e.outward(err)
	}
	return upload{u, e}, nil
}

// upload turns errors outward.
type upload struct {
	u *encrypted.Upload
	e *Encrypted
}

func (u upload) Put(batch uint32, leaf []byte) error { return u.e.outward(u.u.Put(batch, leaf)) }
func (u upload) Sync() error                         { return u.e.outward(u.u.Sync()) }

// Held lists the durable batches of a lane.
func (e *Encrypted) Held(party, dataset, version, lane string) ([]spec.LeafRange, error) {
	held, err := e.room.Held(party, dataset, version, lane)
	out := make([]spec.LeafRange, len(held))
	for i, h := range held {
		out[i] = spec.LeafRange(h)
	}
	return out, e.outward(err)
}

// Leaf reads one leaf for a holder of its key.
func (e *Encrypted) Leaf(party, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error) {
	b, err := e.room.Leaf(party, dataset, version, lane, batch, buf)
	return b, e.outward(err)
}

// outward turns errors of package encrypted into those that transports know.
func (e *Encrypted) outward(err error) error {
	var refused *encrypted.Refused
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return errors.Join(e.r.state.Load().policy.Refuse(refused.Rule), &spec.ObjectProblem{Why: refused.Why})
	case errors.Is(err, encrypted.ErrNone):
		return spec.ErrNoObject
	case errors.Is(err, encrypted.ErrMalformed):
		return &spec.ObjectProblem{Why: err.Error()}
	case errors.Is(err, encrypted.ErrTaken):
		return spec.ErrObjectTaken
	case errors.Is(err, encrypted.ErrFull):
		return spec.ErrObjectFull
	case errors.Is(err, encrypted.ErrState):
		return spec.ErrObjectEarly
	}
	return err
}

// nudge wakes a worker that waits on c.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
