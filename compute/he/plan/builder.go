package plan

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/compute/he"
)

// Batch is one batch of a lane, ready for he.Encryptor: Encrypt, or EncryptReversed
// if Reversed says so, with exactly this header and bound. Values are the
// consumer's.
type Batch struct {
	Lane     string
	Header   he.Header
	Values   []int64
	Bound    int64
	Reversed bool
}

// Encrypt encrypts the batch.
func (b *Batch) Encrypt(e *he.Encryptor, dst []byte) (*he.Leaf, error) {
	if b.Reversed {
		return e.EncryptReversed(dst, b.Header, b.Values, b.Bound)
	}
	return e.Encrypt(dst, b.Header, b.Values, b.Bound)
}

// Builder turns rows into batches of all lanes of a dataset version and counts
// what the provider signs. The order of rows is kept; row-aligned lanes share
// positions, skipped records hold 0. A section begins a new batch in every lane.
// A bucketed lane puts a record into the next free position of its group and
// begins a new batch when a group is full.
//
// Memory: one batch a lane, the counts of one section and 33 bytes a leaf. Counts
// of distinct subjects and shares are exact up to MaxSubjects/atoms subjects an
// atom (at least 1024), with RowSubjects always; beyond, the signed subjects are
// fewer than the true ones but for a chance of about 3 in 10 million an atom, and
// the signed shares never smaller. The overlaps' cells are counted up to 1024.
// Dominance within cells of an overlap is not looked at.
//
// Not safe for concurrent use, AddLeaf included.
type Builder struct {
	spec        Spec
	schema      *arrow.Schema
	subject     int // column index or -1
	section     int // column index or -1
	lanes       []*lane
	refinements []*refinement
	current     string
	seen        map[string]bool
	rows        int64 // read so far
	started     bool
	ended       bool  // everything was read
	groups      []int // scratch: per lane the group of the record, or -1
	key         []byte
	trace       *trace // nil: not wanted
}

// NewBuilder checks a spec against the schema of the source.
func NewBuilder(schema *arrow.Schema, s Spec) (*Builder, error) {
	if (s.Subject == "") != s.RowSubjects || len(s.Lanes) == 0 || len(s.Lanes) > maxLanes || s.MaxSubjects < 0 {
		return nil, fmt.Errorf("%w: subject, lanes or limit of subjects", ErrInvalid)
	}
	b := &Builder{spec: s, schema: schema, subject: -1, section: -1, seen: map[string]bool{}, groups: make([]int, len(s.Lanes)), key: make([]byte, 0, 2*len(s.Lanes))}
	for _, c := range []struct {
		name  string
		index *int
	}{{s.Subject, &b.subject}, {s.Section, &b.section}} {
		if c.name == "" {
			continue
		}
		i, err := indexOf(schema, c.name)
		if err != nil {
			return nil, err
		}
		if !canText(schema.Field(i).Type) {
			return nil, fmt.Errorf("%w: column %q cannot name subjects or sections", ErrSource, c.name)
		}
		*c.index = i
	}
	s.Lanes = slices.Clone(s.Lanes)
	slices.SortFunc(s.Lanes, func(x, y LaneSpec) int { return cmpText(x.Name, y.Name) })
	for _, l := range s.Lanes {
		made, err := newLane(l, schema)
		if err != nil {
			return nil, err
		}
		b.lanes = append(b.lanes, made)
	}
	b.refinements = refinements(b.lanes, s.RowSubjects)
	return b, nil
}

// Columns are the columns of the source that are read, rising.
func (b *Builder) Columns() []string {
	set := map[string]bool{}
	for _, l := range b.lanes {
		for _, i := range slices.Concat(l.numbers, l.present) {
			set[b.schema.Field(i).Name] = true
		}
	}
	for _, i := range []int{b.subject, b.section} {
		if i >= 0 {
			set[b.schema.Field(i).Name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Batches reads the source to its end and gives batch after batch, those of a lane
// in their order; it ends at the first error. It may be ranged over once.
func (b *Builder) Batches(ctx context.Context, r array.RecordReader) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if b.started {
			yield(nil, fmt.Errorf("%w: builder used twice", ErrInvalid))
			return
		}
		b.started = true
		if !r.Schema().Equal(b.schema) {
			yield(nil, fmt.Errorf("%w: reader of another schema", ErrSource))
			return
		}
		out := &emitter{yield: yield}
		for r.Next() {
			if err := ctx.Err(); err != nil {
				out.fail(err)
				return
			}
			if err := b.record(r.Record(), out); err != nil {
				out.fail(err)
				return
			}
		}
		if err := r.Err(); err != nil {
			out.fail(fmt.Errorf("%w: read: %w", ErrSource, err))
			return
		}
		if err := b.endSection(out); err != nil {
			out.fail(err)
			return
		}
		b.ended = true
	}
}

// emitter hands batches on until the consumer stops.
type emitter struct {
	yield   func(*Batch, error) bool
	stopped bool
}

func (e *emitter) emit(batch *Batch) error {
	if !e.yield(batch, nil) {
		e.stopped = true
		return errStopped
	}
	return nil
}

func (e *emitter) fail(err error) {
	if !e.stopped {
		e.stopped = true
		e.yield(nil, err)
	}
}

// AddLeaf notes the hash of a batch's leaf, in any order.
func (b *Builder) AddLeaf(laneName string, batch uint32, hash [32]byte) error {
	i, ok := slices.BinarySearchFunc(b.lanes, laneName, func(l *lane, n string) int { return cmpText(l.out.Name, n) })
	if !ok || batch >= b.lanes[i].buffer.next {
		return fmt.Errorf("%w: lane %q has no batch %d", ErrInvalid, laneName, batch)
	}
	l := b.lanes[i]
	for uint32(len(l.hashes)) < l.buffer.next {
		l.hashes, l.known = append(l.hashes, [32]byte{}), append(l.known, false)
	}
	l.hashes[batch], l.known[batch] = hash, true
	return nil
}

// Manifest gives the manifest once everything was read and every leaf's hash noted.
// It is not signed, and not yet held against limits: see Validate.
func (b *Builder) Manifest() (*Manifest, error) {
	if !b.ended {
		return nil, fmt.Errorf("%w: source not read to its end", ErrInvalid)
	}
	m := &Manifest{Dataset: b.spec.Dataset, Version: b.spec.Version, Provider: b.spec.Provider, Changes: slices.Clone(b.spec.Changes)}
	for _, l := range b.lanes {
		if uint32(len(l.hashes)) != l.out.Leaves() || slices.Contains(l.known, false) || len(l.hashes) == 0 {
			return nil, fmt.Errorf("%w: lane %q: leaves without a hash", ErrInvalid, l.out.Name)
		}
		out := l.out
		out.Sections = slices.Clone(out.Sections)
		out.Root = MerkleRoot(l.hashes)
		m.Lanes = append(m.Lanes, out)
	}
	for _, f := range b.refinements {
		m.Overlaps = append(m.Overlaps, f.overlap())
	}
	return m, m.check()
}

// LeafHashes are the hashes noted for a lane, in order; nil for no lane.
func (b *Builder) LeafHashes(laneName string) [][32]byte {
	for _, l := range b.lanes {
		if l.out.Name == laneName {
			return slices.Clone(l.hashes)
		}
	}
	return nil
}

func (b *Builder) subjectHash(text string) uint64 {
	h := sm3.New()
	h.Write(b.spec.HashKey[:])
	h.Write([]byte(text))
	var sum [32]byte
	h.Sum(sum[:0])
	return first64(sum)
}
