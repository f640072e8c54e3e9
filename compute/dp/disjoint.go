package dp

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow/array"
)

// Disjoint is the proof that no subject of a data set version lies in two parts.
// Only ProveDisjoint makes one; the zero value proves nothing.
type Disjoint struct{ parts int }

// Parts is how many parts the proof is about.
func (d Disjoint) Parts() int { return d.parts }

// ProveDisjoint reads src, the whole data set before any filter, and proves that
// parts, each a set of keys of one field, share no subject: no key occurs in two
// parts, and no subject has records of two parts. Disjoint keys alone prove
// nothing, since one person may have records in two districts.
//
// That a proof exists is a property of the data set version, to be found out at
// registration and announced; only neighbours with the same property are told
// apart no better than the costs say. Errors wrap ErrNotDisjoint, or those of
// Plan.Bound.
func ProveDisjoint(ctx context.Context, src array.RecordReader, subject string, canon func(dst, v []byte) ([]byte, error), field string, parts [][]string) (Disjoint, error) {
	of := make(map[string]int)
	var public []string
	for i, keys := range parts {
		for _, k := range keys {
			if j, ok := of[k]; ok && j != i {
				return Disjoint{}, fmt.Errorf("prove parts disjoint: part %d: %w: a key of another part", i+1, ErrNotDisjoint)
			}
			if _, ok := of[k]; !ok {
				public = append(public, k)
			}
			of[k] = i
		}
	}
	// The pass of a table, with every key public and nothing measured.
	t := Table{
		Subject: subject, Canon: canon, Groups: []Group{{Field: field, Public: public}},
		MaxGroups: 1, MaxRecords: 1, Mechanism: LaplaceNoise, Rho: 1,
	}
	p, err := NewPlan(t, src.Schema())
	if err != nil {
		return Disjoint{}, fmt.Errorf("prove parts disjoint: %w", err)
	}
	r, err := newReading(p, src.Schema(), nil)
	if err != nil {
		return Disjoint{}, fmt.Errorf("prove parts disjoint: %w", err)
	}
	lies := make(map[string]int)
	r.each = func(id []byte, cell uint32) error {
		part := of[public[cell]]
		if at, ok := lies[string(id)]; ok && at != part {
			return fmt.Errorf("%w: a subject has records of two parts", ErrNotDisjoint)
		} else if ok {
			return nil
		}
		lies[string(id)] = part
		return r.room.take(96 + len(id))
	}
	if err := r.read(ctx, src); err != nil {
		return Disjoint{}, fmt.Errorf("prove parts disjoint: %w", err)
	}
	return Disjoint{parts: len(parts)}, nil
}

// Parallel is the cost of queries each over one part: the largest of each column.
// costs[i] is everything asked of part i. Subjects outside all parts lose nothing.
func Parallel(proof Disjoint, costs []Budget) (Budget, error) {
	if proof.parts == 0 || len(costs) != proof.parts {
		return Budget{}, fmt.Errorf("compose in parallel: %w: one cost for each part proven", ErrNotDisjoint)
	}
	var most Budget
	for _, c := range costs {
		if c.Rho < 0 || c.Delta < 0 {
			return Budget{}, fmt.Errorf("compose in parallel: %w: a part is negative", ErrParameter)
		}
		most = Budget{Rho: max(most.Rho, c.Rho), Delta: max(most.Delta, c.Delta)}
	}
	return most, nil
}
