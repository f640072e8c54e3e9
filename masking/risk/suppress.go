package risk

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Report says what suppression did.
type Report struct {
	Rows       int64 // records read
	Suppressed int64 // records left out, of classes below k
	Classes    int   // classes in the input
	ClassesCut int   // classes left out
	K          int64 // size of the smallest class left; 0 when none is
}

// Within reports whether the share of suppressed records is at most a decimal
// such as "0.10", computed exactly. Of no records the share is 0.
func (r *Report) Within(most string) (bool, error) {
	limit, err := shareOf(most)
	if err != nil {
		return false, err
	}
	if r.Rows == 0 {
		return true, nil
	}
	return big.NewRat(r.Suppressed, r.Rows).Cmp(limit) <= 0, nil
}

// shareOf reads a share. The text is looked at first: big.Rat would work out
// any exponent.
func shareOf(s string) (*big.Rat, error) {
	if isShare(s) {
		if x, ok := new(big.Rat).SetString(s); ok && x.Cmp(big.NewRat(1, 1)) <= 0 {
			return x, nil
		}
	}
	return nil, errors.New("suppression limit: want a decimal from 0 to 1")
}

// isShare keeps out the fractions, exponents and signs big.Rat would read.
func isShare(s string) bool {
	if len(s) == 0 || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] != '.' || i == 0) {
			return false
		}
	}
	return s[len(s)-1] != '.'
}

// SuppressBelow is the second pass: it reads the same records again and hands
// to sink those whose class, counted in c, has at least k, on fresh buffers of
// alloc (nil: Go's), without metadata. Sink borrows the batch; batches without records are not
// handed on. If the records are not those counted, it fails, and whatever sink
// got must be discarded.
func SuppressBelow(ctx context.Context, c *Classes, k int64, src array.RecordReader,
	alloc memory.Allocator, sink func(arrow.Record) error) (*Report, error) {
	if k < 1 {
		return nil, errors.New("suppress small classes: k must be at least 1")
	}
	if alloc == nil {
		alloc = memory.DefaultAllocator
	}
	s := &second{c: c, k: k, alloc: alloc, seen: make([]int64, len(c.counts))}
	for src.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.batch(src.Record(), sink); err != nil {
			return nil, err
		}
	}
	if err := src.Err(); err != nil {
		return nil, fmt.Errorf("suppress small classes: %w", err)
	}
	return s.report()
}

// second is the state of the second pass.
type second struct {
	c     *Classes
	k     int64
	alloc memory.Allocator
	seen  []int64 // records met again, by class
	kept  []int
}

func (s *second) batch(rec arrow.Record, sink func(arrow.Record) error) error {
	cols, err := s.c.open(rec)
	if err != nil {
		return err
	}
	s.kept = s.kept[:0]
	for i := range int(rec.NumRows()) {
		id, ok := s.c.at[string(s.c.key(cols, i))]
		if !ok || s.seen[id] == s.c.counts[id] {
			return ErrUnknownClass
		}
		s.seen[id]++
		if s.c.counts[id] >= s.k {
			s.kept = append(s.kept, i)
		}
	}
	if len(s.kept) == 0 {
		return nil
	}
	out, err := takeRecord(s.alloc, rec, s.kept)
	if err != nil {
		return fmt.Errorf("suppress small classes: %w", err)
	}
	defer out.Release()
	return sink(out)
}

func takeRecord(alloc memory.Allocator, rec arrow.Record, rows []int) (arrow.Record, error) {
	cols := make([]arrow.Array, 0, rec.NumCols())
	defer func() {
		for _, a := range cols {
			a.Release()
		}
	}()
	for _, in := range rec.Columns() {
		a, err := kernel.Take(alloc, in, rows)
		if err != nil {
			return nil, err
		}
		cols = append(cols, a)
	}
	fields := make([]arrow.Field, 0, len(cols))
	for _, f := range rec.Schema().Fields() {
		fields = append(fields, arrow.Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable})
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(len(rows))), nil
}

// report checks that every record was met again, and sums up.
func (s *second) report() (*Report, error) {
	r := &Report{Rows: s.c.rows, Classes: len(s.c.counts)}
	for id, n := range s.c.counts {
		if s.seen[id] != n {
			return nil, ErrUnknownClass
		}
		switch {
		case n < s.k:
			r.Suppressed += n
			r.ClassesCut++
		case r.K == 0 || n < r.K:
			r.K = n
		}
	}
	return r, nil
}

// Enforce runs both passes: open is called twice and must give the same masked
// records each time. Sink gets the records of classes of at least k in quasi.
// On an error everything sink got must be discarded. Whether the share left
// out is tolerable is the caller's question: see Report.Within.
func Enforce(ctx context.Context, open func() (array.RecordReader, error), quasi []string, k int64,
	sink func(arrow.Record) error) (*Report, error) {
	classes, err := count(ctx, open, quasi)
	if err != nil {
		return nil, err
	}
	src, err := open()
	if err != nil {
		return nil, fmt.Errorf("suppress small classes: open: %w", err)
	}
	defer src.Release()
	return SuppressBelow(ctx, classes, k, src, nil, sink)
}

func count(ctx context.Context, open func() (array.RecordReader, error), quasi []string) (*Classes, error) {
	src, err := open()
	if err != nil {
		return nil, fmt.Errorf("count classes: open: %w", err)
	}
	defer src.Release()
	c, err := NewClasses(src.Schema(), quasi)
	if err != nil {
		return nil, err
	}
	for src.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := c.Add(src.Record()); err != nil {
			return nil, err
		}
	}
	if err := src.Err(); err != nil {
		return nil, fmt.Errorf("count classes: %w", err)
	}
	return c, nil
}
