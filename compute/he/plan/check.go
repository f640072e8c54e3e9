package plan

import (
	"bytes"
	"fmt"
	"slices"
)

// Opened is one plan of the datasets that was released before: a source of it with
// the lanes that it read. A plan over several datasets gives several.
type Opened struct {
	Plan     [32]byte
	Manifest [32]byte
	Lanes    []string
}

// OpenedBy lists what a released plan opened.
func OpenedBy(p *Plan) ([]Opened, error) {
	hash, err := p.Hash()
	if err != nil {
		return nil, err
	}
	out := make([]Opened, len(p.Sources))
	for i, s := range p.Sources {
		out[i] = Opened{Plan: hash, Manifest: s.Manifest}
	}
	for _, in := range p.Inputs {
		out[in.Source].Lanes = append(out[in.Source].Lanes, in.Lane)
	}
	return out, nil
}

// Evidence is what a holder judges a plan by. It verified all signatures and that
// Earlier is complete up to its checkpoint of the log.
type Evidence struct {
	Manifests []*Manifest // of the query's datasets
	Certs     []Cert
	History   []*Manifest // earlier versions, for the chain of changes
	Earlier   []Opened
}

// Policy is the holder's own. Empty lists allow everyone.
type Policy struct {
	Limits     Limits
	Now        int64 // Unix seconds
	Requesters []string
	Aggregates []string
	Scenarios  []string
}

// Check tells a holder whether it may help to open a plan. It recompiles the query
// and compares hashes, so that another requester, lane, section, group, weight or
// certificate makes another plan; holds every atom of every manifest against the
// limits; and walks the versions: a lane may be opened in a later version only if
// the signed number of differing subjects (see Change) is 0 or at least the
// minimum, against every version in which a lane of its columns was opened.
// Evidence must hold the manifest of everything in Earlier, other datasets too.
//
// Within one version any number of plans may be opened, overlapping or repeated:
// each output is the same number at all positions of an atom (Compile knows
// nothing smaller), so all outputs lie in the lattice that the atoms span, and so
// does every integer combination of them. What differs between two lanes that
// split one column differently is a union of cells of their common refinement,
// whose smallest one is signed and held against the minimum. So three openings of
// which every two seem harmless hide nothing that each of them does not say.
func Check(p *Plan, q *Query, ev Evidence, policy Policy) error {
	if err := policy.allows(q); err != nil {
		return err
	}
	want, err := Compile(q, ev.Manifests, ev.Certs)
	if err != nil {
		return err
	}
	if err := samePlan(p, want); err != nil {
		return err
	}
	for _, m := range ev.Manifests {
		if err := m.Validate(policy.Limits); err != nil {
			return fmt.Errorf("dataset %q: %w", m.Dataset, err)
		}
	}
	if p.Minimum < policy.Limits.minimum() {
		return refuse(RuleMinimum, "")
	}
	return ev.versions(want, policy.Limits.minimum())
}

func samePlan(p, want *Plan) error {
	a, err := p.Bytes()
	if err != nil {
		return err
	}
	b, err := want.Bytes()
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return refuse(RuleRecompiled, "")
	}
	return nil
}

func (p Policy) allows(q *Query) error {
	if err := q.check(); err != nil {
		return err
	}
	if p.Now < q.Time-clockSkew || p.Now >= q.Expiry {
		return refuse(RuleQueryExpired, "")
	}
	for _, pair := range []struct {
		list []string
		name string
	}{{p.Requesters, q.Requester}, {p.Aggregates, q.Aggregate}, {p.Scenarios, q.Scenario}} {
		if len(pair.list) > 0 && !slices.Contains(pair.list, pair.name) {
			return refuse(RuleNotAllowed, "")
		}
	}
	return nil
}

// clockSkew is how far ahead a requester's clock may be, in seconds.
const clockSkew = 300

// versions holds the plan's lanes against every opened version of their dataset.
func (ev Evidence) versions(p *Plan, minimum uint64) error {
	all := map[[32]byte]*Manifest{}
	for _, m := range slices.Concat(ev.Manifests, ev.History) {
		hash, err := m.Hash()
		if err != nil {
			return err
		}
		all[hash] = m
	}
	for _, in := range p.Inputs {
		now := p.Sources[in.Source]
		for _, o := range ev.Earlier {
			if o.Manifest == now.Manifest {
				continue
			}
			before := all[o.Manifest]
			if before == nil {
				return refuse(RuleVersions, in.Lane) // unknown: nobody can tell how much differs
			}
			if before.Dataset != now.Dataset || !touches(all[now.Manifest].Lane(in.Lane), before, o.Lanes) {
				continue
			}
			changed, known := changes(all, now.Manifest, o.Manifest)
			if !known {
				changed, known = changes(all, o.Manifest, now.Manifest)
			}
			if !known || changed > 0 && changed < minimum {
				return refuse(RuleVersions, in.Lane)
			}
		}
	}
	return nil
}

// touches reports whether any of the lanes opened before reads a column of this
// lane, or cannot be looked up. A new name for an old column is no way around.
func touches(l *Lane, before *Manifest, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		o := before.Lane(n)
		return o == nil || len(o.Columns) == 0 && len(l.Columns) == 0 ||
			slices.ContainsFunc(o.Columns, func(c string) bool { return slices.Contains(l.Columns, c) })
	})
}

// changes is the signed number of subjects that differ between two versions. A
// manifest may name the earlier one itself; otherwise the steps from version to
// version tell it as long as at most one of them changed anything, for what
// several changes leave together cannot be told from their numbers.
func changes(all map[[32]byte]*Manifest, later, earlier [32]byte) (uint64, bool) {
	var total uint64
	for range len(all) {
		m := all[later]
		if m == nil || len(m.Changes) == 0 {
			return 0, false
		}
		for _, c := range m.Changes {
			if c.Manifest == earlier && (total == 0 || c.Subjects == 0) {
				return total + c.Subjects, true
			}
		}
		step := m.Changes[0].Subjects
		if total > 0 && step > 0 {
			return 0, false
		}
		total += step
		later = m.Changes[0].Manifest
	}
	return 0, false
}
