package encrypted

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/vault"
	"github.com/yumen-project/yumen/gateway/governance"
)

// Upload is a provider's stream of leaves of one lane. Not safe for concurrent use.
type Upload struct {
	room    *Room
	lane    *openLane
	pending int
	// Stored counts the leaves put.
	Stored uint64
}

// syncEvery bounds the leaves that a crash takes back.
const syncEvery = 64

// maxLaneName bounds names of lanes and versions, in bytes.
const maxLaneName = 128

// Upload begins to take leaves of the version of the domain file in force. The first leaf's header names
// the key, which must be certified for the dataset; the party must be its provider.
func (r *Room) Upload(party, dataset, version, lane string, first []byte) (*Upload, error) {
	if !r.provides(party, dataset) || len(version) > maxLaneName || len(lane) > maxLaneName || version == "" || lane == "" {
		return nil, ErrNone
	}
	if !r.inForce(dataset, version) {
		return nil, refuse(governance.DatasetMissing, "not the version of the domain file in force")
	}
	name := laneName{dataset, version, lane}
	if r.wanted(name) == 0 {
		return nil, fmt.Errorf("lane: %w: the version has its manifest", ErrTaken)
	}
	if open := r.lanes.find(name); open != nil {
		return &Upload{room: r, lane: open}, nil
	}
	entry, err := r.keyOf(dataset, first)
	if err != nil {
		return nil, err
	}
	entry.laneName, entry.Provider = name, party
	open, err := r.lanes.begin(r, entry)
	if err != nil {
		return nil, err
	}
	return &Upload{room: r, lane: open}, nil
}

// inForce says that the domain file in force has this version of the dataset.
func (r *Room) inForce(dataset, version string) bool {
	d := r.o.Policy().Domain()
	return d != nil && slices.ContainsFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.ID == dataset && ds.Version == version })
}

// wanted is how many leaves of the lane may be there: once the version has its manifest, as many as that
// names, so that what a disk lost can be sent again and nothing else.
func (r *Room) wanted(n laneName) uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	hash, closed := r.state.versions[[2]string{n.Dataset, n.Version}]
	if !closed {
		return math.MaxUint64
	}
	m := r.state.manifests[hash]
	if m == nil {
		return 0
	}
	for _, l := range m.Lanes {
		if l.Name == n.Lane {
			return uint64(l.Leaves)
		}
	}
	return 0
}

// keyOf finds the certificate that a leaf's header names.
func (r *Room) keyOf(dataset string, leaf []byte) (*laneEntry, error) {
	for _, p := range r.o.Parameters {
		parsed, err := he.ReadVerifiedLeaf(p, leaf) // the vault looks at every residue
		if err != nil {
			continue
		}
		key := Hash(parsed.Header().Key)
		r.mu.RLock()
		c := r.state.certs[key]
		r.mu.RUnlock()
		if c == nil || c.Parameters != Hash(p.ID()) || !slices.Contains(c.Datasets, dataset) || c.Expiry <= r.o.Now().Unix() {
			return nil, refuse(governance.PlanRefused, "leaf under a key that is not certified for the dataset")
		}
		return &laneEntry{Key: key, Parameters: p.ID()}, nil
	}
	return nil, ErrMalformed
}

// Put takes one leaf.
func (u *Upload) Put(batch uint32, leaf []byte) error {
	if uint64(batch) >= u.room.wanted(u.lane.laneName) {
		return fmt.Errorf("leaf: %w: the version has its manifest", ErrTaken)
	}
	if err := u.room.lanes.take(u.room, u.lane, batch); err != nil {
		return err
	}
	if err := u.lane.lane.Put(batch, leaf); err != nil {
		return leafError(err)
	}
	u.Stored++
	if u.pending++; u.pending >= syncEvery {
		return u.Sync()
	}
	return nil
}

// Sync makes durable what was put.
func (u *Upload) Sync() error {
	u.pending = 0
	return leafError(u.lane.lane.Sync())
}

func leafError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, vault.ErrTaken):
		return fmt.Errorf("%w: %w", ErrTaken, err)
	case errors.Is(err, vault.ErrFull):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, vault.ErrMissing):
		return ErrNone
	case errors.Is(err, he.ErrMalformed), errors.Is(err, he.ErrMismatch):
		return malformed(err)
	}
	return err
}

// provides says that the dataset of the domain file in force is the party's own.
func (r *Room) provides(party, dataset string) bool {
	d := r.o.Policy().Domain()
	return d != nil && slices.ContainsFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.ID == dataset && ds.Provider == party })
}

// providesAny says that some dataset of the domain file in force is the party's own.
func (r *Room) providesAny(party string) bool {
	d := r.o.Policy().Domain()
	return d != nil && slices.ContainsFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.Provider == party })
}

// Held lists the durable batches of a lane, to its provider and to holders of its key.
func (r *Room) Held(party, dataset, version, lane string) ([]vault.Range, error) {
	open := r.lanes.find(laneName{dataset, version, lane})
	if open == nil {
		if r.provides(party, dataset) {
			return nil, nil
		}
		return nil, ErrNone
	}
	if party != open.Provider && !r.reads(party, open) {
		return nil, ErrNone
	}
	return open.lane.Held(), nil
}

// reads says that the party holds a part of the lane's key, and that the lane stands in an accepted manifest.
func (r *Room) reads(party string, l *openLane) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	m := r.state.manifests[r.state.versions[[2]string{l.Dataset, l.Version}]]
	return m != nil && r.state.holds(party, l.Key) && slices.ContainsFunc(m.Lanes, func(f LaneFacts) bool { return f.Name == l.Lane && f.Key == l.Key })
}

// Leaf reads one leaf for a holder of its key, into buf where it has room.
func (r *Room) Leaf(party, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error) {
	open := r.lanes.find(laneName{dataset, version, lane})
	if open == nil || !r.reads(party, open) {
		return nil, ErrNone
	}
	b, err := open.lane.Read(batch, buf)
	return b, leafError(err)
}

// source reads leaves for an evaluation.
type source struct{ r *Room }

var _ plan.LeafSource = source{}

func (s source) lane(dataset, version, lane string) (*openLane, error) {
	open := s.r.lanes.find(laneName{dataset, version, lane})
	if open == nil {
		return nil, ErrDamaged
	}
	return open, nil
}

// Hashes are the hashes with which the leaves entered.
func (s source) Hashes(_ context.Context, dataset, version, lane string) ([][32]byte, error) {
	open, err := s.lane(dataset, version, lane)
	if err != nil {
		return nil, err
	}
	return open.hashes(s.r.wanted(open.laneName))
}

// Leaf is a leaf as it lies on the disk; the evaluation compares it with its hash.
func (s source) Leaf(_ context.Context, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error) {
	open, err := s.lane(dataset, version, lane)
	if err != nil {
		return nil, err
	}
	return open.lane.ReadUnchecked(batch, buf)
}

// hashes of the first leaves of a lane, as many as are wanted; all where there is no manifest yet.
func (l *openLane) hashes(wanted uint64) ([][32]byte, error) {
	held := l.lane.Held()
	if len(held) == 0 || held[0].First != 0 {
		return nil, vault.ErrMissing
	}
	n := uint64(held[0].Count)
	if wanted == math.MaxUint64 {
		wanted = n
		if len(held) != 1 {
			return nil, vault.ErrMissing
		}
	}
	if n < wanted {
		return nil, vault.ErrMissing
	}
	out := make([][32]byte, wanted)
	for i := range out {
		var err error
		if out[i], err = l.lane.Hash(uint32(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
