package connectorstest

import (
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/connectors"
)

// fails demands that a read, or its opening, fails with want, and at that row if
// row is not 0; and that nothing comes after the failure.
func (s *suite) fails(sc connectors.Scan, want error, row int64) {
	s.Helper()
	r, err := s.src.Open(context.Background(), sc)
	if err == nil {
		defer r.Release()
		for r.Next() {
		}
		if err = r.Err(); r.Next() || !errors.Is(r.Err(), err) || r.Record() != nil {
			s.Fatal("a failed reader goes on")
		}
	}
	if !errors.Is(err, want) {
		s.Fatalf("error %v, want %v", err, want)
	}
	var at *connectors.RowError
	if row != 0 && (!errors.As(err, &at) || at.Row != row) {
		s.Fatalf("error %v, want row %d", err, row)
	}
}

func (s *suite) cancelled() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := s.src.Open(ctx, connectors.Scan{}); err == nil {
		defer r.Release()
		if r.Next() || !errors.Is(r.Err(), context.Canceled) {
			s.Fatal("a cancelled read goes on")
		}
	} else if !errors.Is(err, context.Canceled) {
		s.Fatalf("open: %v", err)
	}
}

func (s *suite) cancelMidway() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := s.open(ctx, connectors.Scan{BatchRows: 10})
	defer r.Release()
	if !r.Next() {
		s.Fatalf("no first batch: %v", r.Err())
	}
	cancel()
	if r.Next() || !errors.Is(r.Err(), context.Canceled) || r.Next() {
		s.Fatal("a cancelled read goes on")
	}
}

func (s *suite) releaseMidway() {
	r := s.open(context.Background(), connectors.Scan{BatchRows: 10})
	r.Next()
	r.Retain()
	r.Release()
	if !r.Next() {
		s.Fatalf("a reader still held has ended: %v", r.Err())
	}
	r.Release()

	s.open(context.Background(), connectors.Scan{}).Release()
}

func (s *suite) retained() {
	var kept []arrow.Record
	s.drain(s.open(context.Background(), connectors.Scan{BatchRows: 100}), func(rec arrow.Record, _ int64) {
		rec.Retain()
		kept = append(kept, rec)
	})
	first := int64(0)
	for _, rec := range kept {
		s.same(rec, first)
		first += rec.NumRows()
		rec.Release()
	}
}

func (s *suite) twoReaders() {
	a := s.open(context.Background(), connectors.Scan{BatchRows: 10})
	defer a.Release()
	if !a.Next() {
		s.Fatal(a.Err())
	}
	s.drain(s.open(context.Background(), connectors.Scan{}), s.same)
	s.same(a.Record(), 0)
	if !a.Next() {
		s.Fatalf("a second reader ended the first: %v", a.Err())
	}
	s.same(a.Record(), 10)
}

// drift declares other fields than those stored; Describe or Open must refuse.
// A wider type that loses nothing is no drift, and is not tried.
func (s *suite) drift() {
	full := declared()
	renamed := declared()
	renamed[2].Name = "sum"
	more := append(declared(), connectors.Field{Name: "more", Type: "string", Nullable: true})
	for name, fields := range map[string][]connectors.Field{
		"missing column": more, "undeclared column": full[:len(full)-1], "renamed column": renamed,
	} {
		s.Run(name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			sub := &suite{T: t, stored: s.stored, src: s.make(t, Fixture{Stored: s.stored, Declared: fields, Alloc: mem})}
			if _, err := sub.src.Describe(context.Background()); !errors.Is(err, connectors.ErrDrift) {
				t.Fatalf("describe: %v, want ErrDrift", err)
			}
			sub.fails(connectors.Scan{}, connectors.ErrDrift, 0)
		})
	}
}

// nullRefused declares a field not nullable whose seventh row is null.
func (s *suite) nullRefused() {
	fields := declared()
	fields[3].Nullable = false
	s.Run("declared", func(t *testing.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		sub := &suite{T: t, stored: s.stored, src: s.make(t, Fixture{Stored: s.stored, Declared: fields, Alloc: mem})}
		sub.fails(connectors.Scan{}, connectors.ErrMalformed, 7)
	})
}
