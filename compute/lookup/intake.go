package lookup

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

const chunkRows = 8192

// intake turns record batches into entries, on all processors.
type intake struct {
	pace   pace // of a gentle build, whose steps follow each other in one goroutine
	p      *Program
	o      *BuildOptions
	spill  string
	random *lockedReader

	mu    sync.Mutex // guards what follows while workers run
	stats BuildStats
	first error // what is wrong with FirstInvalidRow
	fail  error // a worker's failure that is not a row's
}

type chunk struct {
	rec arrow.Record
	row int64 // of the chunk's first row, from 1
}

// read consumes src. The partitions are to be closed, whatever the error.
func (in *intake) read(ctx context.Context, src array.RecordReader) (partitions, error) {
	cols, err := in.p.locate(src.Schema())
	if err != nil {
		return nil, err
	}
	if in.o.Gentle {
		return in.readGently(ctx, src, cols)
	}
	n := workers()
	parts := make(partitions, n)
	chunks := make(chan chunk, n)
	var wg sync.WaitGroup
	for i := range parts {
		parts[i] = newPartition(in, i, in.o.MemoryBytes/int64(n))
		w := newWorker(in, cols, parts[i])
		wg.Go(func() { w.run(chunks) })
	}
	err = in.feed(ctx, src, func(c chunk) { chunks <- c })
	close(chunks)
	wg.Wait()
	return parts, in.verdict(err)
}

// readGently does the work of one worker in the reading goroutine, with pauses.
func (in *intake) readGently(ctx context.Context, src array.RecordReader, cols columns) (partitions, error) {
	parts := partitions{newPartition(in, 0, in.o.MemoryBytes)}
	w := newWorker(in, cols, parts[0])
	err := in.feed(ctx, src, func(c chunk) {
		w.take(c)
		in.pace.pause()
	})
	return parts, in.verdict(err)
}

// verdict is the error of an intake that has ended.
func (in *intake) verdict(err error) error {
	if err == nil {
		err = in.fail
	}
	if err == nil {
		err = in.tolerate()
	}
	return err
}

// feed hands out the rows in order, so that every row before a refused one has
// been looked at when the refusal is worded.
func (in *intake) feed(ctx context.Context, src array.RecordReader, hand func(chunk)) error {
	rows, size := int64(0), int64(chunkRows)
	if in.o.Gentle {
		size = gentleRows
	}
	for src.Next() {
		rec := src.Record()
		in.pace.pause()
		for at := int64(0); at < rec.NumRows(); at += size {
			if err := ctx.Err(); err != nil {
				return err
			}
			if in.stopped() {
				return nil
			}
			end := min(at+size, rec.NumRows())
			hand(chunk{rec: rec.NewSlice(at, end), row: rows + at + 1})
		}
		rows += rec.NumRows()
		in.mu.Lock()
		in.stats.Rows = rows
		in.mu.Unlock()
		if in.o.Progress != nil {
			in.o.Progress(rows)
		}
	}
	if err := src.Err(); err != nil {
		return fmt.Errorf("read rows after row %d: %w", rows, err)
	}
	return ctx.Err()
}

func (in *intake) stopped() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fail != nil || in.o.MaxInvalidShare == 0 && in.stats.Invalid > 0
}

func (in *intake) invalid(row int64, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stats.Invalid++
	if in.stats.FirstInvalidRow == 0 || row < in.stats.FirstInvalidRow {
		in.stats.FirstInvalidRow, in.first = row, err
	}
}

// tolerate refuses when more rows are unusable than the options allow.
func (in *intake) tolerate() error {
	s := &in.stats
	bad := s.Invalid + s.Conflicts
	if bad == 0 || float64(bad)/float64(s.Rows) <= in.o.MaxInvalidShare {
		return nil
	}
	if s.Invalid > 0 {
		return fmt.Errorf("row %d: field %q: %w: %w", s.FirstInvalidRow, in.p.subject.Field, ErrInvalidRows, in.first)
	}
	return fmt.Errorf("row %d: fields %q and %q: %w: an earlier row of the same subject differs",
		s.FirstConflictRow, in.p.name, in.p.phone, ErrInvalidRows)
}

// columns are the positions of the program's columns in a reader's schema.
type columns map[string]int

// locate finds the program's columns and refuses any other type.
func (p *Program) locate(in *arrow.Schema) (columns, error) {
	cols := make(columns, len(p.fields))
	for _, f := range p.fields {
		idx := in.FieldIndices(f.Name)
		if len(idx) != 1 {
			return nil, fmt.Errorf("field %q: %w: want exactly one such column", f.Name, ErrSchema)
		}
		if !arrow.TypeEqual(in.Field(idx[0]).Type, f.Type) {
			return nil, fmt.Errorf("field %q: %w: type differs", f.Name, ErrSchema)
		}
		cols[f.Name] = idx[0]
	}
	return cols, nil
}
