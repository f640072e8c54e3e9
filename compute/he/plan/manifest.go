package plan

import (
	"fmt"
	"slices"

	"github.com/yumen-project/yumen/compute/he"
)

// LaneKind says what the positions of a lane hold.
type LaneKind uint8

// The kinds of lanes. Value, Square, Product and Reversed are row-aligned:
// position i of batch b of a section is its row b*N+i (Reversed: N-1-i).
const (
	Value    LaneKind = 1 // x
	Square   LaneKind = 2 // x*x
	Product  LaneKind = 3 // x*y, both columns of one provider
	Reversed LaneKind = 4 // x, for the product with another provider's Value lane
	Bucketed LaneKind = 5 // x, position j of a batch belongs to group j mod G; no column: ones
)

// Count is what a provider signs about one atom.
type Count struct {
	Rows     uint64 // counted records; skipped ones hold 0 and are not counted
	Subjects uint64 // distinct subjects among them, or fewer (see Builder)
	Top1     uint32 // share of the greatest subject in the sum of absolute values, parts per million, rounded up
	Top2     uint32 // share of the two greatest together
}

// Section is a run of whole batches of a lane, say one district.
type Section struct {
	Name           string
	First, Batches uint32
	Positions      uint64  // records read, skipped ones included; batches*N at most
	Counts         []Count // one a group; one in all without groups
}

// Lane is one encrypted column.
type Lane struct {
	Name     string
	Kind     LaneKind
	Columns  []string // source columns: one, two for Product, none for ones
	Present  []string // further columns that must not be null for a record to count, rising
	Key      [32]byte // hash of the key certificate
	Degree   uint32   // N of its parameters: positions of a batch
	Bound    uint64   // of the absolute value of one position
	Scale    uint8    // decimal digits: the number meant is value / 10^Scale
	Groups   []string // Bucketed: names, by bucket
	Sections []Section
	Root     [32]byte // MerkleRoot of its leaf hashes
}

// Change compares a version with an earlier one. Subjects is taken over the atoms
// of both: of those whose content differs at all, the one in which the fewest
// distinct subjects differ says the number; 0 if no atom differs. (The number of
// all differing subjects would not do: twenty in the city can be one in a
// district.) CompareVersions counts so. Without a Change, what was opened of
// the earlier version is never opened of the later one.
type Change struct {
	Manifest [32]byte
	Subjects uint64
}

// Overlap is signed for a column that several lanes read: the records split by
// everything that any of these lanes distinguishes. Column "" stands for lanes of
// ones.
type Overlap struct {
	Column   string
	Cells    uint32 // not empty ones
	Smallest uint64 // distinct subjects of the smallest, or fewer
}

// Manifest is what a provider signs about one version of a dataset.
type Manifest struct {
	Dataset, Version, Provider string
	// Changes compares with earlier versions, the previous one first; none for a
	// first version.
	Changes   []Change
	Lanes     []Lane    // by rising name
	Overlaps  []Overlap // by rising column
	Signature []byte    // of SigningBytes; not under the hash
}

const (
	manifestPrefix = "YHMF\x01"
	manifestDomain = "yumen encrypted manifest 1"

	maxLanes    = 256
	maxSections = 4096
	maxGroups   = 1024
	maxAtoms    = 1 << 16
	maxBatches  = 1 << 24
	maxChanges  = 1024
	maxColumns  = 16
	million     = 1_000_000
	// MaxManifest bounds the bytes of a manifest.
	MaxManifest = 4 << 20
)

// Previous is the hash of the version before, zero for a first one.
func (m *Manifest) Previous() [32]byte {
	if len(m.Changes) == 0 {
		return [32]byte{}
	}
	return m.Changes[0].Manifest
}

// Lane finds a lane by name, or nil.
func (m *Manifest) Lane(name string) *Lane {
	i, ok := slices.BinarySearchFunc(m.Lanes, name, func(l Lane, n string) int { return cmpText(l.Name, n) })
	if !ok {
		return nil
	}
	return &m.Lanes[i]
}

// Leaves is the number of batches of the lane.
func (l *Lane) Leaves() uint32 {
	if len(l.Sections) == 0 {
		return 0
	}
	last := &l.Sections[len(l.Sections)-1]
	return last.First + last.Batches
}

// Header is the exact header of a batch's leaf.
func (m *Manifest) Header(l *Lane, batch uint32) (he.Header, error) {
	for i := range l.Sections {
		s := &l.Sections[i]
		if batch >= s.First && batch-s.First < s.Batches {
			return he.Header{
				Key: l.Key, Lane: he.LaneID(m.Dataset, m.Version, l.Name), Batch: batch,
				Rows: s.used(l, batch-s.First),
			}, nil
		}
	}
	return he.Header{}, fmt.Errorf("%w: lane %q has no batch %d", ErrInvalid, l.Name, batch)
}

// used is the number of positions in use of the section's n-th batch.
func (s *Section) used(l *Lane, n uint32) uint32 {
	if l.Kind == Bucketed {
		return l.Degree
	}
	return uint32(min(uint64(l.Degree), s.Positions-uint64(n)*uint64(l.Degree)))
}

// groups is the number of atoms of a section.
func (l *Lane) groups() int { return max(1, len(l.Groups)) }

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
