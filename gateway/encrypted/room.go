package encrypted

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/vault"
	"github.com/yumen-project/yumen/gateway/governance"
)

// Options of a room; all but the bounds are required.
type Options struct {
	// Dir holds objects, journal and leaves.
	Dir string
	// Parameters that key sets may be made of.
	Parameters []*he.Parameters
	// Append makes a record durable in the log and gives its entry.
	Append func(ctx context.Context, r *Record) (uint64, error)
	// RootAt is the root of the log when it had size entries.
	RootAt func(size uint64) ([32]byte, error)
	// Policy in force now.
	Policy func() *governance.Policy
	// Now is the later of the clock and the log.
	Now func() time.Time
	// MaxLeaves, MaxObjects and MaxMessages bound, in bytes, all leaves, all objects and the
	// ceremony messages of one party; 0 means 256 GiB, 16 GiB and 256 MiB.
	MaxLeaves, MaxObjects, MaxMessages int64
}

func (o *Options) complete() error {
	if o.Dir == "" || len(o.Parameters) == 0 || o.Append == nil || o.RootAt == nil || o.Policy == nil || o.Now == nil {
		return errors.New("encrypted: options incomplete")
	}
	for _, d := range []struct {
		v    *int64
		size int64
	}{{&o.MaxLeaves, 256 << 30}, {&o.MaxObjects, 16 << 30}, {&o.MaxMessages, 256 << 20}} {
		if *d.v == 0 {
			*d.v = d.size
		}
	}
	return nil
}

// Room keeps and relays. It is safe for concurrent use.
type Room struct {
	o       Options
	objects *objects
	vault   *vault.Vault
	lanes   *lanes

	// putting serialises what changes the state: verify, store, append, fold.
	putting sync.Mutex
	mu      sync.RWMutex
	state   *State
	journal *journal
	slots   map[slotKey]Event
	filled  map[string]int64 // bytes of ceremony messages by sender
	wake    chan struct{}    // closed when something came
}

type slotKey struct {
	thread Hash
	slot
}

// Open takes up what the disk and the log hold. records are those of the log, in
// its order, with their entries.
func Open(o Options, records func(yield func(*Record, uint64) bool)) (*Room, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open encrypted: %w", bare(err))
	}
	r := &Room{o: o, state: newState(), slots: map[slotKey]Event{}, filled: map[string]int64{}, wake: make(chan struct{})}
	for rec, index := range records {
		if err := r.state.take(rec, index); err != nil {
			return nil, err
		}
	}
	var err error
	if r.objects, err = openObjects(filepath.Join(o.Dir, "objects"), o.MaxObjects); err != nil {
		return nil, err
	}
	if r.journal, err = openJournal(filepath.Join(o.Dir, "journal")); err != nil {
		return nil, err
	}
	if r.vault, err = vault.Open(filepath.Join(o.Dir, "leaves"), o.MaxLeaves); err != nil {
		return nil, errors.Join(err, r.journal.f.Close())
	}
	if r.lanes, err = openLanes(filepath.Join(o.Dir, "lanes"), r); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if err := r.catchUp(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// catchUp brings the journal to the log: frames that a crash kept from it are added
// in their order, events of frames that the log does not know stay out of sight.
func (r *Room) catchUp() error {
	type key struct {
		kind  Kind
		hash  Hash
		index uint64
	}
	known := map[key]bool{}
	for _, e := range r.journal.events {
		known[key{e.Kind, e.Hash, e.Index}] = true
		if e.Kind == Ceremony {
			r.place(e)
			r.filled[r.sender(&e)] += r.objects.size(e.Kind, e.Hash)
		}
	}
	var missing []Event
	for i := range r.state.records {
		p := &r.state.records[i]
		for _, e := range p.events(p.index) {
			if !known[key{e.Kind, e.Hash, e.Index}] {
				missing = append(missing, e)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return r.journal.add(missing...)
}

// sender of a ceremony's message.
func (r *Room) sender(e *Event) string {
	c := r.state.proposals[e.Thread]
	if c == nil || e.slot.from == 0 || int(e.slot.from) > len(c.Holders) {
		return ""
	}
	return c.Holders[e.slot.from-1]
}

// Close ends the room. What was not acknowledged may be lost.
func (r *Room) Close() error {
	r.putting.Lock()
	defer r.putting.Unlock()
	err := errors.Join(r.vault.Close(), r.journal.f.Close())
	if r.lanes != nil {
		err = errors.Join(err, r.lanes.f.Close())
	}
	return err
}

// keep stores an object and makes its record durable: store, log, state, journal.
// The caller holds putting and has verified everything.
func (r *Room) keep(ctx context.Context, rec *Record, object []byte) (uint64, error) {
	if object != nil {
		if err := r.store(rec, object); err != nil {
			return 0, err
		}
	}
	index, err := r.o.Append(ctx, rec)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	err = r.state.take(rec, index)
	if err == nil {
		err = r.journal.add(rec.events(index)...)
	}
	r.mu.Unlock()
	r.notify()
	return index, err
}

// notify wakes all who poll.
func (r *Room) notify() {
	r.mu.Lock()
	close(r.wake)
	r.wake = make(chan struct{})
	r.mu.Unlock()
}

// parameters finds a known set by its id.
func (r *Room) parameters(id Hash) *he.Parameters {
	for _, p := range r.o.Parameters {
		if p.ID() == id {
			return p
		}
	}
	return nil
}

func (r *Room) viewer(party string) viewer {
	return viewer{party, partyIs(r.o.Policy().Domain(), party, governance.RoleDataAuthority)}
}

// partyOf finds a party of the domain file in force.
func partyOf(d *governance.Domain, id string) *governance.Party {
	if d == nil {
		return nil
	}
	for i := range d.Parties {
		if d.Parties[i].ID == id {
			return &d.Parties[i]
		}
	}
	return nil
}

func partyIs(d *governance.Domain, id, role string) bool {
	p := partyOf(d, id)
	return p != nil && p.HasRole(role)
}
