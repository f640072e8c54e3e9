package plan

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/emmansun/gmsm/sm3"
)

// CompareVersions reads two versions of a source, by the one spec whose lanes both
// have, and gives the number for Change.Subjects: of the atoms in which anybody
// differs, the one with the fewest distinct subjects that do; 0 if none does. A
// subject differs in an atom if the values that count for it there differ, as a
// multiset, or if it is only in one of the two. Its hashes are 64 bits: a subject
// or a difference is missed with a chance of about subjects^2/2^64.
//
// It wants a subject column: rows without a name cannot be told apart from one
// version to the next. Memory: about 60 bytes for each subject and lane of both.
func CompareVersions(ctx context.Context, s Spec, before, after array.RecordReader) (uint64, error) {
	if s.RowSubjects {
		return 0, fmt.Errorf("%w: versions without a subject column cannot be compared", ErrInvalid)
	}
	old, err := traceOf(ctx, s, before)
	if err != nil {
		return 0, fmt.Errorf("earlier version: %w", err)
	}
	now, err := traceOf(ctx, s, after)
	if err != nil {
		return 0, fmt.Errorf("later version: %w", err)
	}
	differ := map[string]uint64{}
	for atom := range union(old.atoms, now.atoms) {
		a, b := old.atoms[atom], now.atoms[atom]
		for subject, digest := range a {
			if other, ok := b[subject]; !ok || other != digest {
				differ[atom]++
			}
		}
		for subject := range b {
			if _, ok := a[subject]; !ok {
				differ[atom]++
			}
		}
	}
	if len(differ) == 0 {
		return 0, nil
	}
	return slices.Min(slices.Collect(maps.Values(differ))), nil
}

func union(a, b map[string]map[uint64]uint64) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// trace holds, per atom and subject, the sum of keyed hashes of its values.
type trace struct {
	key   [32]byte
	atoms map[string]map[uint64]uint64
}

func (t *trace) add(l *lane, section string, group int, subject uint64, value int64) {
	w := &writer{}
	w.text(l.out.Name)
	w.text(section)
	w.u32(uint32(group))
	atom := string(w.b)
	if t.atoms[atom] == nil {
		t.atoms[atom] = map[uint64]uint64{}
	}
	h := sm3.New()
	h.Write(t.key[:])
	h.Write(binary.BigEndian.AppendUint64([]byte("value"), uint64(value)))
	var sum [32]byte
	h.Sum(sum[:0])
	t.atoms[atom][subject] += first64(sum)
}

func traceOf(ctx context.Context, s Spec, r array.RecordReader) (*trace, error) {
	b, err := NewBuilder(r.Schema(), s)
	if err != nil {
		return nil, err
	}
	b.trace = &trace{key: s.HashKey, atoms: map[string]map[uint64]uint64{}}
	for _, err := range b.Batches(ctx, r) {
		if err != nil {
			return nil, err
		}
	}
	return b.trace, nil
}
