package job

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/draw"
	"github.com/yumen-project/yumen/masking/kernel"
)

// heaps is how many heaps a masked table is thrown onto before it is written: one of them at a time is
// in memory.
const heaps = 64

// scattered writes masked records in an order of its own, every one equally likely: two tables in the
// order of the register could be joined row by row, whatever keys they are under, and the order of a
// sorted register tells what was covered. Records are thrown onto heaps on disk by chance, and each heap
// is shuffled in memory.
type scattered struct {
	out    *parquetFile
	dir    string       // of the heaps; holds masked records only
	throws *draw.Stream // by row thrown
	swaps  *draw.Stream // by row taken up again
	thrown int64
	taken  int64
	heaps  [heaps]*heap
}

// heap is a file of batches.
type heap struct {
	file   *os.File
	writer *ipc.Writer
}

// newScattered draws its order from 32 bytes of random.
func newScattered(out *parquetFile, dir string, random io.Reader) (*scattered, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, errors.New("masked table: no randomness")
	}
	throws, err := draw.New(seed[:], "order of a masked table", "throw")
	if err != nil {
		return nil, fmt.Errorf("masked table: order: %w", err)
	}
	swaps, err := draw.New(seed[:], "order of a masked table", "swap")
	if err != nil {
		return nil, fmt.Errorf("masked table: order: %w", err)
	}
	return &scattered{out: out, dir: dir, throws: throws, swaps: swaps}, nil
}

// write throws the records of a batch onto heaps.
func (s *scattered) write(rec arrow.Record) error {
	var rows [heaps][]int
	n := int(rec.NumRows())
	throws := s.throws.Rows(s.thrown, n)
	s.thrown += int64(n)
	for i := range n {
		h := throws.Below(i, heaps)
		rows[h] = append(rows[h], i)
	}
	for h, at := range rows {
		if len(at) == 0 {
			continue
		}
		if err := s.throw(h, rec, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *scattered) throw(h int, rec arrow.Record, rows []int) error {
	out, err := takeRows(rec, rows)
	if err != nil {
		return err
	}
	defer out.Release()
	if s.heaps[h] == nil {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return errOutput
		}
		f, err := os.OpenFile(filepath.Join(s.dir, fmt.Sprintf("heap-%02d", h)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return errOutput
		}
		s.heaps[h] = &heap{file: f, writer: ipc.NewWriter(f, ipc.WithSchema(rec.Schema()))}
	}
	if err := s.heaps[h].writer.Write(out); err != nil {
		return errOutput
	}
	return nil
}

// close writes heap after heap and removes them. It may be called after an error.
func (s *scattered) close(failed error) error {
	for i, h := range s.heaps {
		if h == nil {
			continue
		}
		if failed == nil {
			failed = s.empty(h)
		}
		_ = h.file.Close() // read back or given up: nothing can be lost
		s.heaps[i] = nil
	}
	if err := os.RemoveAll(s.dir); err != nil && failed == nil {
		failed = errOutput
	}
	return errors.Join(failed, s.out.close())
}

// empty shuffles a heap into the output.
func (s *scattered) empty(h *heap) error {
	if err := h.writer.Close(); err != nil {
		return errOutput
	}
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return errOutput
	}
	r, err := ipc.NewReader(h.file)
	if err != nil {
		return errOutput
	}
	defer r.Release()
	parts := make([][]arrow.Array, r.Schema().NumFields())
	defer func() {
		for _, p := range parts {
			releaseAll(p)
		}
	}()
	total := 0
	for r.Next() {
		for i, c := range r.Record().Columns() {
			c.Retain()
			parts[i] = append(parts[i], c)
		}
		total += int(r.Record().NumRows())
	}
	if err := r.Err(); err != nil {
		return errOutput
	}
	columns := make([]arrow.Array, 0, len(parts))
	defer func() { releaseAll(columns) }()
	for i, p := range parts {
		c, err := array.Concatenate(p, memory.DefaultAllocator)
		if err != nil {
			return errOutput
		}
		columns = append(columns, c)
		releaseAll(p)
		parts[i] = nil
	}
	whole := array.NewRecord(r.Schema(), columns, int64(total))
	defer whole.Release()
	out, err := takeRows(whole, s.order(total))
	if err != nil {
		return err
	}
	defer out.Release()
	return s.out.write(out)
}

// order is a permutation of the next n rows (Fisher-Yates).
func (s *scattered) order(n int) []int {
	swaps := s.swaps.Rows(s.taken, n)
	s.taken += int64(n)
	out := make([]int, n)
	for i := range out {
		j := int(swaps.Below(i, uint64(i+1)))
		out[i] = out[j]
		out[j] = i
	}
	return out
}

// takeRows makes a record of the rows given, in that order, on fresh buffers.
func takeRows(rec arrow.Record, rows []int) (arrow.Record, error) {
	columns := make([]arrow.Array, 0, rec.NumCols())
	defer func() { releaseAll(columns) }()
	for _, in := range rec.Columns() {
		a, err := kernel.Take(memory.DefaultAllocator, in, rows)
		if err != nil {
			return nil, fmt.Errorf("masked table: order: %w", err)
		}
		columns = append(columns, a)
	}
	return array.NewRecord(rec.Schema(), columns, int64(len(rows))), nil
}

func releaseAll(all []arrow.Array) {
	for _, a := range all {
		a.Release()
	}
}
