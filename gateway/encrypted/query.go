package encrypted

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// Asked is a query whose signature was verified.
type Asked struct {
	Query  *plan.Query
	Hash   Hash
	object []byte
}

// Bounds of a query's times.
const (
	maxAge    = 24 * time.Hour
	maxAhead  = 5 * time.Minute
	maxExpiry = 31 * 24 * time.Hour
	// maxOpenings bounds the bytes of a plan's openings, so that they fit one message.
	maxOpenings = 48 << 20
)

// Ask reads a query of the party and verifies that the party signed it with its request key.
func (r *Room) Ask(party string, object []byte) (*Asked, error) {
	q, err := plan.ParseQuery(object)
	if err != nil {
		return nil, malformed(err)
	}
	hash, err := q.Hash()
	if err != nil {
		return nil, malformed(err)
	}
	if party != q.Requester {
		return nil, ErrNone
	}
	msg, err := q.SigningBytes()
	if err != nil || !r.verify(party, keyring.Request, msg, q.Signature) {
		return nil, malformed(errSignature)
	}
	return &Asked{q, hash, object}, nil
}

// Known says that the query was accepted before.
func (r *Room) Known(a *Asked) (bool, error) { return r.known(Query, a.Hash, a.object) }

// Compiled is a plan that the gate may judge before any holder is asked.
type Compiled struct {
	*Asked
	Plan   *plan.Plan
	Facts  QueryFacts
	object []byte
}

// Compile makes the plan of a query for a registered aggregate, and judges it as a holder would: every
// atom, every earlier plan of the datasets, overflow, expiry, scalars.
func (r *Room) Compile(a *Asked, registered *governance.Aggregate) (*Compiled, error) {
	now := r.o.Now()
	made, end := time.Unix(a.Query.Time, 0), time.Unix(a.Query.Expiry, 0)
	switch {
	case made.Before(now.Add(-maxAge)) || made.After(now.Add(maxAhead)) || !end.After(now) || end.After(now.Add(maxExpiry)):
		return nil, refuse(governance.PlanRefused, "time or expiry of the query")
	case !asRegistered(a.Query, registered):
		return nil, refuse(governance.AggregateUnregistered, "the query is not the registered aggregate")
	}
	ev, files, err := r.evidence(a.Query)
	if err != nil {
		return nil, err
	}
	p, err := plan.Compile(a.Query, ev.Manifests, ev.Certs)
	if err != nil {
		return nil, planned(err)
	}
	if err := plan.Check(p, a.Query, *ev, plan.Policy{Limits: r.limits(), Now: now.Unix()}); err != nil {
		return nil, planned(err)
	}
	return r.compiled(a, p, ev, files)
}

func (r *Room) compiled(a *Asked, p *plan.Plan, ev *plan.Evidence, files []Hash) (*Compiled, error) {
	hash, err := p.Hash()
	if err != nil {
		return nil, err
	}
	object, err := p.Bytes()
	if err != nil {
		return nil, err
	}
	params := r.parameters(p.Parameters)
	if params == nil || int64(p.Opens())*int64(len(p.Keys))*int64(params.LeafSize())/2 > maxOpenings {
		return nil, refuse(governance.PlanRefused, "more outputs than one answer holds")
	}
	opened, err := plan.OpenedBy(p)
	if err != nil {
		return nil, err
	}
	c := &Compiled{Asked: a, Plan: p, object: object, Facts: QueryFacts{
		Requester: a.Query.Requester, Scenario: a.Query.Scenario, Aggregate: a.Query.Aggregate, Plan: hash, PlanFile: sm3.Sum(object), Parameters: p.Parameters,
		Manifests: files, Holders: p.Holders, Threshold: int(p.Threshold), Minimum: p.Minimum, Scalars: p.Opens(),
		Accepted: r.o.Now().UnixMilli(), Expiry: a.Query.Expiry,
	}}
	for _, m := range ev.Manifests {
		c.Facts.Providers = append(c.Facts.Providers, m.Provider)
	}
	for _, k := range p.Keys {
		c.Facts.Keys = append(c.Facts.Keys, KeyFacts{k.Key, k.Scalars})
	}
	for _, o := range opened {
		c.Facts.Opened = append(c.Facts.Opened, OpenedFacts{o.Manifest, o.Lanes})
	}
	return c, nil
}

// asRegistered compares a query with what is registered: kind, columns, sections and groups.
func asRegistered(q *plan.Query, a *governance.Aggregate) bool {
	if a == nil || string(q.Kind) != a.Kind || q.Aggregate != a.ID || len(q.Columns) != len(a.Columns) ||
		!slices.Equal(q.Sections, a.Sections) || !slices.Equal(q.Groups, a.Groups) {
		return false
	}
	for i, c := range a.Columns {
		if (q.Columns[i] != plan.Column{Dataset: c.Dataset, Field: c.Field, Lane: c.Lane, Weight: c.Weight}) {
			return false
		}
	}
	return true
}

// evidence gathers what a plan is compiled and judged by.
func (r *Room) evidence(q *plan.Query) (*plan.Evidence, []Hash, error) {
	d := r.o.Policy().Domain()
	ev := &plan.Evidence{}
	var files, keys []Hash
	for _, ref := range q.Datasets {
		if !slices.ContainsFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.ID == ref.Dataset && ds.Version == ref.Version }) {
			return nil, nil, refuse(governance.DatasetMissing, "not the version of the domain file in force")
		}
		r.mu.RLock()
		hash, ok := r.state.versions[[2]string{ref.Dataset, ref.Version}]
		r.mu.RUnlock()
		if !ok {
			return nil, nil, refuse(governance.DatasetMissing, "no manifest of the version")
		}
		m, err := r.manifest(hash)
		if err != nil {
			return nil, nil, err
		}
		ev.Manifests, files = append(ev.Manifests, m), append(files, hash)
		keys = append(keys, manifestFacts(m).keys()...)
	}
	var err error
	if ev.Certs, err = r.planCerts(keys); err != nil {
		return nil, nil, err
	}
	ev.History, ev.Earlier, err = r.history(q)
	return ev, files, err
}

// history gives the earlier manifests of the datasets, and every plan that was released on them or may yet be.
func (r *Room) history(q *plan.Query) (manifests []*plan.Manifest, earlier []plan.Opened, err error) {
	r.mu.RLock()
	var hashes []Hash
	for hash, m := range r.state.manifests {
		if v := q.Version(m.Dataset); v != "" && v != m.Version {
			hashes = append(hashes, hash)
		}
	}
	for _, at := range r.state.order {
		o := r.state.queries[at]
		if !o.open() && !o.out {
			continue
		}
		for _, x := range o.Opened {
			if m := r.state.manifests[x.Manifest]; m != nil && q.Version(m.Dataset) != "" {
				earlier = append(earlier, plan.Opened{Plan: o.Plan, Manifest: x.Manifest, Lanes: x.Lanes})
			}
		}
	}
	r.mu.RUnlock()
	slices.SortFunc(hashes, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	for _, hash := range hashes {
		m, err := r.manifest(hash)
		if err != nil {
			return nil, nil, err
		}
		manifests = append(manifests, m)
	}
	return manifests, earlier, nil
}

// stored reads an object of the state.
func (r *Room) stored(k Kind, hash Hash) ([]byte, error) {
	r.mu.RLock()
	file, ok := r.state.files[objectKey{k, hash}]
	r.mu.RUnlock()
	if !ok {
		return nil, ErrNone
	}
	return r.objects.get(k, hash, file)
}

func (r *Room) manifest(hash Hash) (*plan.Manifest, error) {
	b, err := r.stored(Manifest, hash)
	if err != nil {
		return nil, err
	}
	m, err := plan.ParseManifest(b)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", ErrDamaged)
	}
	return m, nil
}

// planCerts gives certificates as package plan wants them; they were verified when they were accepted.
func (r *Room) planCerts(keys []Hash) ([]plan.Cert, error) {
	var out []plan.Cert
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			continue
		}
		b, err := r.stored(Certificate, key)
		if err != nil {
			return nil, err
		}
		c, err := ceremony.ParseKeyCert(b)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", ErrDamaged)
		}
		out = append(out, planCert(r.parameters(c.Parameters), key, c))
	}
	return out, nil
}

func planCert(params *he.Parameters, key Hash, c *ceremony.KeyCert) plan.Cert {
	out := plan.Cert{Hash: key, Parameters: params, Threshold: c.Threshold, Datasets: c.Datasets, Product: c.Use == ceremony.UseMul, Cap: c.Cap, Expiry: c.Expiry}
	for _, h := range c.Holders {
		out.Holders = append(out.Holders, h.Name)
	}
	return out
}

// Rejudge judges the plan of an accepted query again, by what is in force now: the registered aggregate,
// the versions, the settings. A plan that would compile otherwise is refused.
func (r *Room) Rejudge(hash Hash, registered *governance.Aggregate) (*plan.Plan, error) {
	object, err := r.stored(Query, hash)
	if err != nil {
		return nil, err
	}
	q, err := plan.ParseQuery(object)
	if err != nil {
		return nil, fmt.Errorf("query: %w", ErrDamaged)
	}
	if !asRegistered(q, registered) {
		return nil, refuse(governance.AggregateUnregistered, "the query is not the registered aggregate")
	}
	v, err := r.Look(hash)
	if err != nil {
		return nil, err
	}
	b, err := r.stored(Plan, v.Facts.Plan)
	if err != nil {
		return nil, err
	}
	p, err := plan.ParsePlan(b)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", ErrDamaged)
	}
	ev, _, err := r.evidence(q)
	if err != nil {
		return nil, err
	}
	return p, planned(plan.Check(p, q, *ev, plan.Policy{Limits: r.limits(), Now: r.o.Now().Unix()}))
}

// Accept keeps a query with its plan and reserves the scalars that it costs each key.
func (r *Room) Accept(ctx context.Context, c *Compiled) error {
	r.putting.Lock()
	defer r.putting.Unlock()
	if known, err := r.Known(c.Asked); known {
		return err
	}
	if err := r.affords(&c.Facts); err != nil {
		return err
	}
	if err := r.objects.put(Plan, c.Facts.Plan, c.object); err != nil {
		return err
	}
	rec := recordOf(Query, c.Hash, c.Query.Requester, c.Hash, c.Asked.object)
	rec.Query = &c.Facts
	_, err := r.keep(ctx, rec, c.Asked.object)
	return err
}

// trialScalars are what a ceremony opened of its key.
const trialScalars = 1

func (r *Room) affords(f *QueryFacts) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range f.Keys {
		c := r.state.certs[k.Key]
		if c == nil || r.state.spent[k.Key]+uint64(k.Scalars)+trialScalars > c.Cap {
			return refuse(governance.ScalarsExhausted, "scalars of a key")
		}
	}
	return nil
}

// Exceeds says that a plan passes what a key may open, with all that is reserved and spent of it.
func (r *Room) Exceeds(hash Hash, f *QueryFacts) bool {
	r.mu.RLock()
	kept := r.state.queries[hash] != nil
	r.mu.RUnlock()
	if !kept {
		return r.affords(f) != nil
	}
	return r.affords(&QueryFacts{Keys: charged(f.Keys)}) != nil
}

// charged are the keys of a plan whose scalars are reserved already.
func charged(keys []KeyFacts) []KeyFacts {
	out := make([]KeyFacts, len(keys))
	for i, k := range keys {
		out[i] = KeyFacts{Key: k.Key}
	}
	return out
}
