package encrypted

import "context"

// maxPoll bounds the events of one answer.
const maxPoll = 256

// Poll gives the events after cursor that concern the party, and the next cursor. Where
// there are none it waits until something comes or ctx ends; the end of ctx is no error.
func (r *Room) Poll(ctx context.Context, party string, cursor uint64) ([]Event, uint64, error) {
	for {
		events, next, wake := r.since(party, cursor)
		if len(events) > 0 {
			return events, next, nil
		}
		cursor = next
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, next, nil
		}
	}
}

// since reads what there is. A cursor beyond the end, of a journal that was lost, begins anew.
func (r *Room) since(party string, cursor uint64) ([]Event, uint64, <-chan struct{}) {
	v := r.viewer(party)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if cursor > uint64(len(r.journal.events)) {
		cursor = 0
	}
	var out []Event
	for ; cursor < uint64(len(r.journal.events)) && len(out) < maxPoll; cursor++ {
		e := r.journal.events[cursor]
		if e.Cursor = cursor + 1; r.shows(v, &e) {
			out = append(out, e)
		}
	}
	return out, cursor, r.wake
}

// shows says whether an event concerns the viewer: a ceremony's message goes to the
// holders of the proposal, a private one to its receiver, and to its sender.
func (r *Room) shows(v viewer, e *Event) bool {
	if e.Kind != Ceremony {
		return r.state.sees(v, e.Kind, e.Hash, e.Thread)
	}
	c := r.state.proposals[e.Thread]
	if c == nil {
		return false
	}
	for i, h := range c.Holders {
		if h == v.party {
			point := uint8(i + 1)
			return e.slot.to == 0 || e.slot.to == point || e.slot.from == point
		}
	}
	return false
}

// Get gives the bytes of an object that concerns the party.
func (r *Room) Get(party string, k Kind, hash Hash) ([]byte, error) {
	v := r.viewer(party)
	if k == Ceremony {
		return r.message(v, hash)
	}
	r.mu.RLock()
	file, ok := r.state.files[objectKey{k, hash}]
	ok = ok && r.state.seesAny(v, k, hash)
	r.mu.RUnlock()
	if !ok {
		return nil, ErrNone
	}
	return r.objects.get(k, hash, file)
}

func (r *Room) message(v viewer, hash Hash) ([]byte, error) {
	r.mu.RLock()
	var found *Event
	for i := len(r.journal.events) - 1; i >= 0 && found == nil; i-- {
		if e := &r.journal.events[i]; e.Kind == Ceremony && e.Hash == hash {
			found = e
		}
	}
	ok := found != nil && r.shows(v, found)
	r.mu.RUnlock()
	if !ok {
		return nil, ErrNone
	}
	return r.objects.get(Ceremony, hash, found.file)
}
