package encrypted

import (
	"context"
	"slices"

	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/governance"
)

// asked finds a query of which the party is a holder; the copy may be read without lock.
func (r *Room) asked(party string, hash, plan Hash) (query, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	q := r.state.queries[hash]
	if q == nil || !q.holder(party) || q.Plan != plan {
		return query{}, ErrNone
	}
	return *q, nil
}

// putApproval takes a holder's approval of a plan that was computed: of exactly this plan and these openings,
// for the requester whose envelope key stands in the domain file, under a checkpoint of this log. While a
// holder's approval holds it needs no other, and the sender of one is told its hash.
func (r *Room) putApproval(ctx context.Context, party string, object []byte) (Hash, error) {
	a, err := wire.ParseApproval(object)
	if err != nil {
		return Hash{}, malformed(err)
	}
	hash, err := a.Hash()
	if err != nil {
		return Hash{}, malformed(err)
	}
	q, err := r.asked(party, a.Query, a.Plan)
	if err != nil || a.Holder != party {
		return Hash{}, ErrNone
	}
	if known, err := r.known(Approval, hash, object); known {
		return hash, err
	}
	msg, err := a.SigningBytes()
	if err != nil || !r.signedBy(party, msg, a.Signature) {
		return Hash{}, malformed(errSignature)
	}
	if err := r.holdsFor(&q, a); err != nil {
		return Hash{}, err
	}
	if old, ok := q.approvals[party]; ok && old.expiry > r.o.Now().Unix() {
		return old.hash, nil
	}
	rec := recordOf(Approval, hash, party, a.Query, object)
	rec.Word = &WordFacts{Openings: a.Openings, Sealing: a.Sealing, Expiry: a.Expiry}
	_, err = r.keep(ctx, rec, object)
	return hash, err
}

func (r *Room) holdsFor(q *query, a *wire.Approval) error {
	now := r.o.Now().Unix()
	requester := partyOf(r.o.Policy().Domain(), q.Requester)
	switch {
	case !q.computed || !q.open():
		return ErrState
	case Hash(a.Openings) != q.openings:
		return refuse(governance.PlanRefused, "the holder computed other openings")
	case a.Requester != q.Requester || requester == nil || fingerprint(requester.EnvelopeKey) != Hash(a.Sealing) || a.Sealing == [32]byte{}:
		return refuse(governance.PlanRefused, "approved for another requester or key")
	case a.Expiry <= now:
		return refuse(governance.PlanRefused, "the approval has expired")
	}
	root, err := r.o.RootAt(a.Size)
	if err != nil || root != a.Root {
		return refuse(governance.PlanRefused, "the checkpoint is not of this log")
	}
	return nil
}

// putObjection takes a holder's refusal. A holder that approved before may still object.
func (r *Room) putObjection(ctx context.Context, party string, object []byte) (Hash, error) {
	o, err := wire.ParseObjection(object)
	if err != nil {
		return Hash{}, malformed(err)
	}
	hash, err := o.Hash()
	if err != nil {
		return Hash{}, malformed(err)
	}
	q, err := r.asked(party, o.Query, o.Plan)
	if err != nil || o.Holder != party {
		return Hash{}, ErrNone
	}
	if known, err := r.known(Objection, hash, object); known {
		return hash, err
	}
	msg, err := o.SigningBytes()
	if err != nil || !r.signedBy(party, msg, o.Signature) {
		return Hash{}, malformed(errSignature)
	}
	if !q.open() {
		return Hash{}, ErrState
	}
	if _, taken := q.objected[party]; taken {
		return Hash{}, ErrTaken
	}
	rec := recordOf(Objection, hash, party, o.Query, object)
	rec.Word = &WordFacts{Rule: o.Rule}
	_, err = r.keep(ctx, rec, object)
	return hash, err
}

// putAnswer takes a holder's sealed shares of a released plan. The first stands: an envelope made again around
// the same shares has other bytes, and its sender is told the first one's hash.
func (r *Room) putAnswer(ctx context.Context, party string, object []byte) (Hash, error) {
	a, err := wire.ParseAnswer(object)
	if err != nil {
		return Hash{}, malformed(err)
	}
	hash, err := a.Hash()
	if err != nil {
		return Hash{}, malformed(err)
	}
	q, err := r.asked(party, a.Query, a.Plan)
	if err != nil || a.Holder != party {
		return Hash{}, ErrNone
	}
	msg, err := a.SigningBytes()
	if err != nil || !r.signedBy(party, msg, a.Signature) {
		return Hash{}, malformed(errSignature)
	}
	if !q.out || Hash(a.Openings) != q.openings {
		return Hash{}, ErrState
	}
	if first, ok := q.answers[party]; ok {
		if first == hash {
			_, err = r.known(Answer, hash, object)
		}
		return first, err
	}
	rec := recordOf(Answer, hash, party, a.Query, object)
	rec.Word = &WordFacts{Openings: a.Openings}
	_, err = r.keep(ctx, rec, object)
	return hash, err
}

// Released records that a query's plan passed the gate, by the log's entry at index.
func (r *Room) Released(ctx context.Context, hash Hash, index uint64) error {
	return r.finish(ctx, hash, &Record{Kind: Released, Hash: hash, Thread: hash, Release: index})
}

// End records that a query will not come to a release.
func (r *Room) End(ctx context.Context, hash Hash, rule governance.Rule) error {
	return r.finish(ctx, hash, &Record{Kind: Ended, Hash: hash, Thread: hash, Word: &WordFacts{Rule: string(rule)}})
}

func (r *Room) finish(ctx context.Context, hash Hash, rec *Record) error {
	r.putting.Lock()
	defer r.putting.Unlock()
	r.mu.RLock()
	q := r.state.queries[hash]
	open := q != nil && q.open()
	if open && rec.Kind == Released {
		rec.Hash = q.Plan
	}
	r.mu.RUnlock()
	if !open {
		return ErrState
	}
	_, err := r.keep(ctx, rec, nil)
	return err
}

// View is where a query stands.
type View struct {
	Hash     Hash
	Facts    QueryFacts
	Computed bool
	Openings Hash
	// Approved are the holders whose approvals hold now, in the plan's order; Objected those who object.
	Approved  []string
	Approvals []Hash
	Objected  []string
	// Objection is the rule of the first objection in the plan's order.
	Objection string
	Released  bool
	Release   uint64
	// Ended is the rule by which it was refused, or "".
	Ended string
	// Answers are the hashes of sealed answers so far, in the order of the holders.
	Answers []Hash
}

// Look shows where a query stands.
func (r *Room) Look(hash Hash) (*View, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	q := r.state.queries[hash]
	if q == nil {
		return nil, ErrNone
	}
	return q.view(r.o.Now().Unix()), nil
}

func (q *query) view(now int64) *View {
	v := &View{Hash: q.hash, Facts: q.QueryFacts, Computed: q.computed, Openings: q.openings, Released: q.out, Release: q.released, Ended: q.ended}
	for _, h := range q.approved(now) {
		if q.objected[h] == "" {
			v.Approved, v.Approvals = append(v.Approved, h), append(v.Approvals, q.approvals[h].hash)
		}
	}
	for _, h := range q.Holders {
		if rule := q.objected[h]; rule != "" {
			v.Objected = append(v.Objected, h)
			if v.Objection == "" {
				v.Objection = rule
			}
		}
		if a, ok := q.answers[h]; ok {
			v.Answers = append(v.Answers, a)
		}
	}
	return v
}

// Hopeless says that too few holders are left who do not object.
func (v *View) Hopeless() bool { return len(v.Facts.Holders)-len(v.Objected) < v.Facts.Threshold }

// Concerns says that the party may follow the query: its requester or a holder of its keys.
func (v *View) Concerns(party string) bool {
	return party == v.Facts.Requester || slices.Contains(v.Facts.Holders, party)
}

// Of lists the queries that an object belongs to.
func (r *Room) Of(k Kind, hash Hash) []*View {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []*View
	now := r.o.Now().Unix()
	for _, at := range r.state.threads[objectKey{k, hash}] {
		out = append(out, r.state.queries[at].view(now))
	}
	return out
}

// Pending lists the queries that may still come to a release, oldest first.
func (r *Room) Pending() []*View {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []*View
	now := r.o.Now().Unix()
	for _, at := range r.state.order {
		if q := r.state.queries[at]; q.open() {
			out = append(out, q.view(now))
		}
	}
	return out
}
