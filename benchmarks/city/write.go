package city

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Format is a file format of Write.
type Format string

// The formats known to Write.
const (
	Parquet Format = "parquet" // snappy, row groups of 131,072 rows
	CSV     Format = "csv"     // comma, UTF-8, header, RFC 4180 quoting, LF, null empty
)

// ErrFormat says that the format is neither "parquet" nor "csv".
var ErrFormat = errors.New("city: unknown format, want parquet or csv")

// writeBatch is the rows of one batch; a row group is a whole number of them.
const (
	writeBatch   = 16_384
	rowGroupSize = 8 * writeBatch
	writers      = 2 // tables under way at once; the bytes do not depend on it
)

// sink takes the batches of one file.
type sink interface {
	write(arrow.Record) error
	close() error // completes the content; the file itself stays open
}

// Write writes <table>.<format> for the four registers into dir, which it makes
// if need be. Each file appears under its name only when all are complete and
// synced, and replaces an earlier one; a failed or cancelled call leaves no
// temporary file behind. Files are readable by their owner alone. progress, if not nil, is
// called by one goroutine at a time with the units of work done and in all.
func (c *City) Write(ctx context.Context, dir string, f Format, progress func(done, total int64)) error {
	if f != Parquet && f != CSV {
		return ErrFormat
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return bare("make directory", err)
	}
	m := &meter{report: progress}
	for i := range tables {
		m.total += int64(tables[i].passes) * int64(c.persons)
	}
	temps, err := c.writeAll(ctx, dir, f, m)
	for i, tmp := range temps {
		if err == nil {
			err = bare("rename "+tables[i].name, os.Rename(tmp, filepath.Join(dir, tables[i].name+"."+string(f))))
		}
		if err != nil && tmp != "" {
			err = errors.Join(err, bare("remove "+tables[i].name, ignoreGone(os.Remove(tmp))))
		}
	}
	return err
}

// writeAll writes a temporary file per table and gives their names in the order
// of tables, "" for those not made.
func (c *City) writeAll(ctx context.Context, dir string, f Format, m *meter) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	temps, errs := make([]string, len(tables)), make([]error, len(tables))
	work := make(chan int, len(tables))
	for i := range tables {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range work {
				if temps[i], errs[i] = c.writeTemp(ctx, dir, &tables[i], f, m); errs[i] != nil {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	return temps, firstCause(errs)
}

// firstCause prefers the error that made the others be cancelled.
func firstCause(errs []error) error {
	var cancelled error
	for _, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled):
			cancelled = err
		default:
			return err
		}
	}
	return cancelled
}

func (c *City) writeTemp(ctx context.Context, dir string, t *table, f Format, m *meter) (name string, err error) {
	file, err := os.CreateTemp(dir, "."+t.name+"-*.tmp")
	if err != nil {
		return "", bare("create "+t.name, err)
	}
	defer func() { err = errors.Join(err, bare("close "+t.name, file.Close())) }()
	out := bufio.NewWriterSize(file, 1<<20)
	if err := c.writeTable(ctx, out, t, f, m); err != nil {
		return file.Name(), fmt.Errorf("city: write %s: %w", t.name, err)
	}
	if err := out.Flush(); err != nil {
		return file.Name(), bare("write "+t.name, err)
	}
	return file.Name(), bare("sync "+t.name, file.Sync())
}

// writeTable streams one register into out.
func (c *City) writeTable(ctx context.Context, out io.Writer, t *table, f Format, m *meter) error {
	r, err := c.reader(memory.DefaultAllocator, t.name, writeBatch)
	if err != nil {
		return err
	}
	defer r.Release()
	var s sink = newCSVSink(out, r.schema)
	if f == Parquet {
		if s, err = newParquetSink(out, t, r.schema); err != nil {
			return err
		}
	}
	seen := int64(0)
	for ctx.Err() == nil && r.Next() {
		if err := s.write(r.Record()); err != nil {
			return errors.Join(err, s.close())
		}
		m.add(r.seen() - seen)
		seen = r.seen()
	}
	if err := errors.Join(ctx.Err(), r.Err()); err != nil {
		return errors.Join(err, s.close())
	}
	m.add(int64(t.passes)*int64(c.persons) - seen)
	return s.close()
}

// meter adds up the progress of several writers.
type meter struct {
	mu          sync.Mutex
	done, total int64
	report      func(done, total int64)
}

func (m *meter) add(n int64) {
	if m.report == nil || n <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	m.report(m.done, m.total)
}

// bare names the step and drops the path that file errors carry.
func bare(step string, err error) error {
	if err == nil {
		return nil
	}
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	return fmt.Errorf("city: %s: %w", step, err)
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
