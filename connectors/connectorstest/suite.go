package connectorstest

import (
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/connectors"
)

// suite is one conformance test: a fresh source over the standard fixture.
type suite struct {
	*testing.T
	src    connectors.Source
	stored arrow.Record
	make   Make
}

// Run runs the whole suite. Every part demands that at its end not one byte of
// the fixture's allocator is held.
func Run(t *testing.T, mk Make) {
	for name, part := range map[string]func(*suite){
		"describe":       (*suite).describe,
		"whole":          (*suite).whole,
		"order":          (*suite).order,
		"projection":     (*suite).projection,
		"unknown column": (*suite).unknownColumn,
		"row bound":      (*suite).rowBound,
		"byte bound":     (*suite).byteBound,
		"row too large":  (*suite).rowTooLarge,
		"bad bounds":     (*suite).badBounds,
		"cancelled":      (*suite).cancelled,
		"cancel midway":  (*suite).cancelMidway,
		"release midway": (*suite).releaseMidway,
		"retained":       (*suite).retained,
		"two readers":    (*suite).twoReaders,
		"drift":          (*suite).drift,
		"null refused":   (*suite).nullRefused,
	} {
		t.Run(name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			s := &suite{T: t, make: mk, stored: standard(t)}
			defer s.stored.Release()
			s.src = mk(t, Fixture{Stored: s.stored, Declared: declared(), Alloc: mem})
			part(s)
		})
	}
}

func (s *suite) open(ctx context.Context, sc connectors.Scan) array.RecordReader {
	s.Helper()
	r, err := s.src.Open(ctx, sc)
	if err != nil {
		s.Fatalf("open: %v", err)
	}
	return r
}

// drain reads to the end and gives the number of rows and batches; see judges
// each batch, first being the row it begins with.
func (s *suite) drain(r array.RecordReader, see func(rec arrow.Record, first int64)) (n int64, batches int) {
	s.Helper()
	defer r.Release()
	for r.Next() {
		rec := r.Record()
		if rec.NumRows() == 0 {
			s.Fatal("empty batch")
		}
		if !rec.Schema().Equal(r.Schema()) {
			s.Fatal("batch and reader differ in schema")
		}
		see(rec, n)
		n += rec.NumRows()
		batches++
	}
	if r.Err() != nil {
		s.Fatalf("read: %v", r.Err())
	}
	if r.Next() {
		s.Fatal("Next is true after the end")
	}
	return n, batches
}

// same demands that a batch is the stored rows from first on.
func (s *suite) same(rec arrow.Record, first int64) {
	s.Helper()
	want := s.stored.NewSlice(first, first+rec.NumRows())
	defer want.Release()
	for i, f := range rec.Schema().Fields() {
		at := s.stored.Schema().FieldIndices(f.Name)
		if len(at) != 1 {
			continue
		}
		if !array.Equal(want.Column(at[0]), rec.Column(i)) {
			s.Fatalf("column %q differs from what was stored, in the batch from row %d", f.Name, first)
		}
	}
}

func (s *suite) describe() {
	d, err := s.src.Describe(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	want, _ := connectors.Schema(declared())
	if got := d.Schema.Fields()[:want.NumFields()]; !arrow.NewSchema(got, nil).Equal(want) {
		s.Fatal("the schema is not the declared one")
	}
	if d.Rows != rows && d.Rows != -1 {
		s.Fatalf("%d rows described", d.Rows)
	}
	again, err := s.src.Describe(context.Background())
	if err != nil || again.Fingerprint != d.Fingerprint || len(d.Fingerprint) != 64 {
		s.Fatal("the fingerprint is not 64 characters that stay the same")
	}
}

func (s *suite) whole() {
	r := s.open(context.Background(), connectors.Scan{})
	d, err := s.src.Describe(context.Background())
	if err != nil || !r.Schema().Equal(d.Schema) {
		s.Fatal("a full scan has not the schema described")
	}
	n, _ := s.drain(r, s.same)
	if n != rows {
		s.Fatalf("%d rows of %d", n, rows)
	}
}

func (s *suite) order() {
	for range 3 {
		s.drain(s.open(context.Background(), connectors.Scan{BatchRows: 77}), s.same)
	}
}

func (s *suite) projection() {
	cols := []string{"day", "id"}
	r := s.open(context.Background(), connectors.Scan{Columns: cols})
	if f := r.Schema().Fields(); len(f) != 2 || f[0].Name != "day" || f[1].Name != "id" {
		s.Fatal("not the columns asked for, in the order asked for")
	}
	if n, _ := s.drain(r, s.same); n != rows {
		s.Fatalf("%d rows of %d", n, rows)
	}
}

func (s *suite) unknownColumn() {
	for _, cols := range [][]string{{"id", "nobody"}, {"id", "id"}, {}} {
		if r, err := s.src.Open(context.Background(), connectors.Scan{Columns: cols}); !errors.Is(err, connectors.ErrColumn) {
			if r != nil {
				r.Release()
			}
			s.Fatalf("columns %q: %v, want ErrColumn", cols, err)
		}
	}
}

func (s *suite) rowBound() {
	for _, bound := range []int{1, 7, 999, 1000, 1001} {
		n, _ := s.drain(s.open(context.Background(), connectors.Scan{BatchRows: bound}), func(rec arrow.Record, first int64) {
			if rec.NumRows() > int64(bound) {
				s.Fatalf("batch of %d rows, bound %d", rec.NumRows(), bound)
			}
			s.same(rec, first)
		})
		if n != rows {
			s.Fatalf("%d rows of %d", n, rows)
		}
	}
}

func (s *suite) byteBound() {
	const bound = 2000
	n, batches := s.drain(s.open(context.Background(), connectors.Scan{MaxBatchBytes: bound}), func(rec arrow.Record, first int64) {
		if payload(rec) > bound {
			s.Fatalf("batch of %d bytes, bound %d", payload(rec), bound)
		}
		s.same(rec, first)
	})
	if n != rows || batches < 30 {
		s.Fatalf("%d rows in %d batches", n, batches)
	}
}

func (s *suite) rowTooLarge() {
	s.fails(connectors.Scan{MaxBatchBytes: 80}, connectors.ErrLimit, 0)
}

func (s *suite) badBounds() {
	for _, sc := range []connectors.Scan{
		{BatchRows: -1}, {MaxBatchBytes: -1},
		{BatchRows: connectors.MaxBatchRows + 1}, {MaxBatchBytes: connectors.MaxBatchBytes + 1},
	} {
		if r, err := s.src.Open(context.Background(), sc); err == nil {
			r.Release()
			s.Fatal("bounds outside their range are accepted")
		}
	}
}
