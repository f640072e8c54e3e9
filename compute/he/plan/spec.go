package plan

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/yumen-project/yumen/compute/he"
)

// LaneSpec describes a lane to be made.
type LaneSpec struct {
	Name    string
	Kind    LaneKind
	Columns []string // as in Lane: one, two for Product, none for ones
	Bounds  []uint64 // of the absolute value of each column, in units of its last decimal digit
	Present []string // further columns that must not be null
	GroupBy string   // Bucketed: the column of group names
	Groups  []string // Bucketed: the names, by bucket; any other is an error
	// SkipNulls lets a record with a null in any of these columns hold 0 and not
	// count; otherwise it is an error.
	SkipNulls bool
	Key       [32]byte // hash of the key certificate
	Degree    int      // N of its parameters
}

// Spec describes what a provider encrypts of one version of a dataset.
type Spec struct {
	Dataset, Version, Provider string
	Changes                    []Change // see Manifest
	Lanes                      []LaneSpec
	Subject                    string // column that names the subject
	RowSubjects                bool   // every row is a subject of its own; Subject is empty
	// Section is the column of section names, by which the rows come grouped;
	// empty: one section named "all".
	Section string
	// HashKey keys the hashes of subjects: secret, so that nobody can choose
	// subjects that collide.
	HashKey [32]byte
	// MaxSubjects bounds the subjects that are counted one by one at a time, over
	// all atoms of a section (about 64 bytes each); 0: 1 << 20. See Builder.
	MaxSubjects int
}

// AllRows is the section of a dataset without sections.
const AllRows = "all"

// lane is a LaneSpec at work.
type lane struct {
	spec    LaneSpec
	out     Lane
	numbers []int // column indices
	present []int
	group   int // column index or -1
	buckets map[string]int
	buffer  *buffer
	tallies []*tally
	hashes  [][32]byte
	known   []bool
}

func newLane(s LaneSpec, schema *arrow.Schema) (*lane, error) {
	l := &lane{spec: s, group: -1, out: Lane{
		Name: s.Name, Kind: s.Kind, Columns: s.Columns, Key: s.Key, Degree: uint32(s.Degree), Groups: s.Groups,
	}}
	if len(s.Bounds) != len(s.Columns) || s.Degree < 1 || s.Degree > 1<<14 {
		return nil, fmt.Errorf("%w: lane %q: bounds or degree", ErrInvalid, s.Name)
	}
	for _, c := range s.Columns {
		i, err := indexOf(schema, c)
		if err != nil {
			return nil, fmt.Errorf("lane %q: %w", s.Name, err)
		}
		scale, ok := numberScale(schema.Field(i).Type)
		if !ok {
			return nil, fmt.Errorf("%w: lane %q: column %q is not a whole number, a decimal or a boolean", ErrSource, s.Name, c)
		}
		l.numbers = append(l.numbers, i)
		l.out.Scale += scale
	}
	if s.Kind == Square {
		l.out.Scale *= 2
	}
	if err := l.findPresent(schema); err != nil {
		return nil, fmt.Errorf("lane %q: %w", s.Name, err)
	}
	var ok bool
	if l.out.Bound, ok = s.bound(); !ok {
		return nil, fmt.Errorf("%w: lane %q: bound beyond 2^62", ErrInvalid, s.Name)
	}
	l.out.Sections = []Section{{Name: AllRows, Batches: 1, Positions: 1, Counts: make([]Count, l.out.groups())}}
	if err := l.out.check(); err != nil {
		return nil, fmt.Errorf("lane %q: %w", s.Name, err)
	}
	l.out.Sections = nil
	l.buffer = newBuffer(l)
	return l, nil
}

func (l *lane) findPresent(schema *arrow.Schema) error {
	present := slices.Clone(l.spec.Present)
	if (l.spec.Kind == Bucketed) != (l.spec.GroupBy != "") {
		return fmt.Errorf("%w: groups go with bucketed lanes", ErrInvalid)
	}
	if l.spec.GroupBy != "" {
		i, err := indexOf(schema, l.spec.GroupBy)
		if err != nil {
			return err
		}
		if !canText(schema.Field(i).Type) {
			return fmt.Errorf("%w: column %q cannot name groups", ErrSource, l.spec.GroupBy)
		}
		l.group, l.buckets = i, map[string]int{}
		for g, name := range l.spec.Groups {
			l.buckets[name] = g
		}
		present = append(present, l.spec.GroupBy)
	}
	slices.Sort(present)
	for _, c := range slices.Compact(present) {
		i, err := indexOf(schema, c)
		if err != nil {
			return err
		}
		if slices.Contains(l.spec.Columns, c) {
			continue
		}
		l.out.Present = append(l.out.Present, c)
		l.present = append(l.present, i)
	}
	return nil
}

// bound is what a position's absolute value cannot exceed.
func (s LaneSpec) bound() (uint64, bool) {
	bound := uint64(1)
	for _, b := range s.Bounds {
		hi, lo := bits.Mul64(bound, b)
		if hi > 0 || lo > he.MaxValue {
			return 0, false
		}
		bound = lo
	}
	if s.Kind == Square {
		hi, lo := bits.Mul64(bound, bound)
		return lo, hi == 0 && lo <= he.MaxValue
	}
	return bound, true
}

func indexOf(schema *arrow.Schema, name string) (int, error) {
	found := schema.FieldIndices(name)
	if len(found) != 1 {
		return 0, fmt.Errorf("%w: %d columns named %q", ErrSource, len(found), name)
	}
	return found[0], nil
}
