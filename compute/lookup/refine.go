package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking/identifier"
)

// Refinement is the common refinement of several predicates over a roster: how
// many of its subjects have each joint outcome. Its counts are raw data; they
// are for judging templates and never leave.
type Refinement struct {
	// Universe is the number of distinct valid subjects of the roster, and the
	// sum of all counts.
	Universe int64
	// Rows is how many rows the roster has; Invalid how many have no valid subject.
	Rows, Invalid int64
	// Cells holds the cells that are not empty, sorted by Absent, Withheld, Pattern.
	Cells []CellCount
}

// CellCount is one cell. Bit i of Pattern is the outcome of the i-th predicate
// asked for. Absent subjects have no record and withheld ones no outcomes: their
// Pattern is 0.
type CellCount struct {
	Pattern  uint64
	Absent   bool
	Withheld bool
	Count    int64
}

// Refinement counts the joint outcomes of preds (numbers of predicates, none of
// them identity, whose outcome depends on what is asked) over the distinct
// subjects of roster. rosterSubject.Field is of the index's identifier kind;
// its Withhold is not read. Memory is about 80 bytes a distinct subject.
func (ix *Index) Refinement(ctx context.Context, roster array.RecordReader, rosterSubject Subject, preds []int) (*Refinement, error) {
	if err := ix.checkRefinement(rosterSubject, preds); err != nil {
		return nil, fmt.Errorf("refine: %w", err)
	}
	if !ix.ref() {
		return nil, fmt.Errorf("refine: %w", ErrClosed)
	}
	defer ix.unref()
	ref := new(Refinement)
	order, err := ix.rosterKeys(ctx, roster, rosterSubject, ref)
	if err != nil {
		return nil, fmt.Errorf("refine: %w", err)
	}
	ref.Universe = int64(len(order))
	cells := make([]CellCount, len(order))
	err = ix.spread(ctx, len(order), func(r *reader, i int) error {
		k := order[i].key()
		rec, found, err := ix.fetch(r, &k)
		if err != nil {
			return err
		}
		cells[i] = CellCount{
			Pattern: project(rec.outcomes, preds), Absent: !found, Withheld: rec.flags&flagWithheld != 0,
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("refine: %w", err)
	}
	ref.count(cells)
	return ref, nil
}

func (ix *Index) checkRefinement(s Subject, preds []int) error {
	if s.Identifier != ix.p.subject.Identifier {
		return fmt.Errorf("%w: the roster's identifier kind is not the dataset's", ErrQuery)
	}
	if len(preds) == 0 || len(preds) > MaxPredicates {
		return fmt.Errorf("%w: want 1 to %d predicates", ErrQuery, MaxPredicates)
	}
	for _, n := range preds {
		if n < 0 || n >= len(ix.p.preds) {
			return fmt.Errorf("%w: no such predicate", ErrQuery)
		}
		if ix.p.preds[n].src.Kind == Identity {
			return fmt.Errorf("%w: identity has no outcome of its own", ErrQuery)
		}
	}
	return nil
}

// rosterKeys reads the roster to its end and gives its distinct keys, sorted.
func (ix *Index) rosterKeys(ctx context.Context, roster array.RecordReader, s Subject, ref *Refinement) ([]sortKey, error) {
	p := &Program{subject: Subject{Field: s.Field, Identifier: s.Identifier}}
	if err := p.addSubject(roster.Schema()); err != nil {
		return nil, err
	}
	cols, err := p.locate(roster.Schema())
	if err != nil {
		return nil, err
	}
	var keys []sortKey
	limit := 1 << 20 // keys held before repeated ones are removed
	for roster.Next() {
		rec := roster.Record()
		more, err := ix.hashColumn(ctx, textOf(rec.Column(cols[s.Field])), s.Identifier)
		if err != nil {
			return nil, err
		}
		ref.Rows += rec.NumRows()
		ref.Invalid += rec.NumRows() - int64(len(more))
		if keys = append(keys, more...); len(keys) > limit {
			keys = distinct(keys)
			limit = max(limit, 2*len(keys))
		}
	}
	if err := roster.Err(); err != nil {
		return nil, fmt.Errorf("read roster after row %d: %w", ref.Rows, err)
	}
	return distinct(keys), ctx.Err()
}

// hashColumn gives the keys of the valid subjects of a column.
func (ix *Index) hashColumn(ctx context.Context, col text, kind identifier.Kind) ([]sortKey, error) {
	keys := make([]sortKey, col.Len())
	const invalid = -1
	err := ix.spread(ctx, col.Len(), func(r *reader, i int) error {
		keys[i].at = invalid
		if col.IsNull(i) {
			return nil
		}
		var raw, canon [256]byte
		// What is not canonical stays invalid, and is counted by the caller.
		if subject, err := identifier.AppendCanonical(canon[:0], kind, col.append(raw[:0], i)); err == nil {
			k := r.hash.key(subject)
			keys[i] = newSortKey(k[:], 0)
		}
		return nil
	})
	return slices.DeleteFunc(keys, func(k sortKey) bool { return k.at == invalid }), err
}

func distinct(keys []sortKey) []sortKey {
	slices.SortFunc(keys, sortKey.compare)
	return slices.CompactFunc(keys, func(a, b sortKey) bool { return a.compare(b) == 0 })
}

// project picks the outcomes of preds, in their order, as the low bits.
func project(outcomes uint64, preds []int) (pattern uint64) {
	for i, n := range preds {
		pattern |= outcomes >> n & 1 << i
	}
	return pattern
}

// count sums equal cells; cells is reordered.
func (ref *Refinement) count(cells []CellCount) {
	order := func(a, b CellCount) int {
		return cmp.Or(boolCompare(a.Absent, b.Absent), boolCompare(a.Withheld, b.Withheld), cmp.Compare(a.Pattern, b.Pattern))
	}
	slices.SortFunc(cells, order)
	for _, c := range cells {
		if n := len(ref.Cells); n == 0 || order(ref.Cells[n-1], c) != 0 {
			ref.Cells = append(ref.Cells, c)
		}
		ref.Cells[len(ref.Cells)-1].Count++
	}
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
