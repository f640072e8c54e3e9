package encrypted

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/gateway/governance"
)

// readManifest parses what a provider of some dataset sends, and what it signed itself.
func (r *Room) readManifest(party string, object []byte) (*plan.Manifest, error) {
	if !r.providesAny(party) {
		return nil, ErrNone
	}
	m, err := plan.ParseManifest(object)
	if err != nil {
		return nil, malformed(err)
	}
	if party != m.Provider || !r.provides(party, m.Dataset) {
		return nil, ErrNone
	}
	return m, nil
}

// putManifest takes a provider's manifest of a version whose leaves are all here, if every atom of it
// may be opened under the authority's settings.
func (r *Room) putManifest(ctx context.Context, party string, m *plan.Manifest, object []byte) (Hash, error) {
	hash, err := m.Hash()
	if err != nil {
		return Hash{}, malformed(err)
	}
	if known, err := r.known(Manifest, hash, object); known {
		return hash, err
	}
	msg, err := m.SigningBytes()
	if err != nil || !r.signedBy(party, msg, m.Signature) {
		return Hash{}, malformed(errSignature)
	}
	if err := r.fitsVersion(m); err != nil {
		return Hash{}, err
	}
	if err := m.Validate(r.limits()); err != nil {
		return Hash{}, planned(err)
	}
	for i := range m.Lanes {
		if err := r.complete(m, &m.Lanes[i]); err != nil {
			return Hash{}, err
		}
	}
	rec := recordOf(Manifest, hash, party, hash, object)
	rec.Manifest = manifestFacts(m)
	_, err = r.keep(ctx, rec, object)
	return hash, err
}

var errSignature = errors.New("signature does not verify")

func (r *Room) limits() plan.Limits {
	return plan.Limits{MinimumSubjects: uint64(r.o.Policy().Settings().MinimumSubjects)}
}

func manifestFacts(m *plan.Manifest) *ManifestFacts {
	f := &ManifestFacts{Dataset: m.Dataset, Version: m.Version, Provider: m.Provider}
	for i := range m.Lanes {
		f.Lanes = append(f.Lanes, LaneFacts{m.Lanes[i].Name, m.Lanes[i].Key, m.Lanes[i].Leaves()})
	}
	for _, c := range m.Changes {
		f.Earlier = append(f.Earlier, c.Manifest)
	}
	return f
}

// fitsVersion: the version in force, of which there is no other manifest, compared with every earlier
// version that is kept.
func (r *Room) fitsVersion(m *plan.Manifest) error {
	if !r.inForce(m.Dataset, m.Version) {
		return refuse(governance.DatasetMissing, "not the version of the domain file in force")
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, taken := r.state.versions[[2]string{m.Dataset, m.Version}]; taken {
		return ErrTaken
	}
	for hash, other := range r.state.manifests {
		if other.Dataset == m.Dataset && !slices.ContainsFunc(m.Changes, func(c plan.Change) bool { return Hash(c.Manifest) == hash }) {
			return refuse(governance.PlanRefused, "an earlier version is not compared with")
		}
	}
	for _, c := range m.Changes {
		if of := r.state.manifests[c.Manifest]; of == nil || of.Dataset != m.Dataset {
			return refuse(governance.PlanRefused, "compared with a version that is not kept")
		}
	}
	return nil
}

// complete: every leaf of the lane is durable, under the key that the manifest names, with the header that
// it implies, and the root is that of their hashes.
func (r *Room) complete(m *plan.Manifest, l *plan.Lane) error {
	missing := refuse(governance.DatasetMissing, "leaves of a lane are missing, or are not those of the manifest")
	open := r.lanes.find(laneName{m.Dataset, m.Version, l.Name})
	if open == nil || open.Key != Hash(l.Key) {
		return missing
	}
	r.mu.RLock()
	c := r.state.certs[l.Key]
	r.mu.RUnlock()
	if c == nil || !slices.Contains(c.Datasets, m.Dataset) || int(l.Degree) != open.params.N() {
		return missing
	}
	hashes, err := open.hashes(math.MaxUint64)
	if err != nil || len(hashes) != int(l.Leaves()) || plan.MerkleRoot(hashes) != l.Root {
		return missing
	}
	return nil
}

// planned turns a refusal of package plan into one of the domain's rules; it names lane, section, group
// index and rule, and never a value.
func planned(err error) error {
	if err == nil {
		return nil
	}
	var refusal *plan.Refusal
	if !errors.As(err, &refusal) {
		if errors.Is(err, plan.ErrInvalid) {
			return malformed(err)
		}
		return err
	}
	rule := governance.PlanRefused
	switch refusal.Rule {
	case plan.RuleMinimum, plan.RuleOne, plan.RuleTwo, plan.RuleOverlap, plan.RuleVersions:
		rule = governance.SmallCell
	case plan.RuleScalars:
		rule = governance.ScalarsExhausted
	}
	return refuse(rule, refusal.Error())
}
