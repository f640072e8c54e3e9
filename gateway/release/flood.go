package release

import (
	"context"
	"sync"

	"github.com/yumen-project/yumen/gateway/governance"
)

// A refusal costs no quota, so a party could make the log grow as fast as it can ask. Of a party's refusals
// that carry no charge, refusalsLogged a minute become entries of their own. The next one becomes an entry
// that says that counting begins, the others answer with that entry's index, and when the minute is over
// one more entry tells how many there were. A crash loses the count of a minute, not that it was high.
const (
	refusalsLogged = 120
	refusalWindow  = 60_000 // milliseconds
	// refusingParties bounds who is counted at a time.
	refusingParties = 10_000
)

// flood counts the refusals of parties.
type flood struct {
	mu      sync.Mutex
	parties map[string]*refusals
}

// refusals of a party in the window that began at start.
type refusals struct {
	start   int64
	logged  int
	counted int64
	entry   uint64 // where counting began
	begun   bool   // entry is known
}

// verdict on one refusal.
type verdict uint8

const (
	logIt   verdict = iota // as an entry of its own
	beginIt                // as the entry that begins the count
	countIt                // not at all
)

// see counts a refusal in w. over is how many of the window before are to be told, or 0.
func (f *flood) see(party string, now int64) (v verdict, w *refusals, entry uint64, over int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.parties[party]
	if r == nil && len(f.parties) >= refusingParties {
		return logIt, nil, 0, 0
	}
	if r == nil || now-r.start >= refusalWindow || now < r.start {
		if r != nil {
			over = r.counted
		}
		if f.parties == nil {
			f.parties = map[string]*refusals{}
		}
		r = &refusals{start: now}
		f.parties[party] = r
	}
	switch {
	case r.logged < refusalsLogged:
		r.logged++
		return logIt, r, 0, over
	case !r.begun && r.counted == 0:
		r.counted = 1
		return beginIt, r, 0, over
	case !r.begun: // the entry is being written
		return logIt, r, 0, over
	}
	r.counted++
	return countIt, r, r.entry, over
}

// began tells where the count of a window stands.
func (f *flood) began(w *refusals, entry uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.entry, w.begun = entry, true
}

// ended takes the counts of windows that are over by now.
func (f *flood) ended(now int64) map[string]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int64{}
	for party, r := range f.parties {
		if now-r.start < refusalWindow && now >= r.start {
			continue
		}
		if r.counted > 0 {
			out[party] = r.counted
		}
		delete(f.parties, party)
	}
	return out
}

// Acts of the entries that begin and end a count, and the rule of the latter.
const (
	actCounting = "refusals counted from here"
	actCounted  = "refusals counted"

	ruleCounted governance.Rule = "refusals-counted"
)

// Settle writes the counts of refusals of minutes that are over. Call it now and then, and with a time
// far ahead at the end.
func (g *Gate) Settle(ctx context.Context, now int64) error {
	for party, n := range g.flood.ended(now) {
		if err := g.tell(ctx, party, n); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gate) tell(ctx context.Context, party string, n int64) error {
	_, err := g.refuse(ctx, &governance.Ask{Party: party, Act: actCounted}, &governance.Refusal{Rule: ruleCounted}, nil, n)
	return err
}
