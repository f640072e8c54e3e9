package masking

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking/inorder"
	"github.com/yumen-project/yumen/masking/kernel"
)

// InFlight bounds the bytes of input batches a ParallelReader holds. A single
// larger batch goes through alone. Masked batches come on top, for as long.
const InFlight = 64 << 20

// NewParallelReader is NewReader with several batches masked at once, handed
// out in the order of src. src is read by one goroutine ahead of the caller,
// within InFlight bytes. Nothing starts before the first Next; Release ends
// every goroutine and waits for it. If rows are refused in several batches, the
// first in the order of the read is the one reported. workers below 1 means 1.
func NewParallelReader(ctx context.Context, src array.RecordReader, m Masker, workers int) *ParallelReader {
	src.Retain()
	r := &ParallelReader{src: src, masker: m}
	first := m.Report()
	r.total = Report{Policy: first.Policy, Columns: first.Columns}
	for i := range r.total.Columns {
		r.total.Columns[i].Nulls, r.total.Columns[i].Malformed = 0, 0
	}
	r.refs.Store(1)
	r.pipe = inorder.New(ctx, inorder.Config[unmasked, masked]{
		Workers: workers, Bytes: InFlight, Source: r.read, Work: r.mask,
		Drop:    func(u unmasked) { u.record.Release() },
		Discard: func(k masked) { k.record.Release() },
	})
	return r
}

// ParallelReader is an array.RecordReader over masked batches. One goroutine
// at a time uses it.
type ParallelReader struct {
	src    array.RecordReader
	masker Masker
	pipe   *inorder.Pipe[unmasked, masked]
	refs   atomic.Int64
	rows   int64 // read from src; of the goroutine that reads
	cur    arrow.Record
	total  Report
	err    error
}

type unmasked struct {
	record arrow.Record
	first  int64
}

type masked struct {
	record arrow.Record
	report *Report
}

func (r *ParallelReader) read(context.Context) (unmasked, int64, bool, error) {
	if !r.src.Next() {
		if err := r.src.Err(); err != nil {
			return unmasked{}, 0, false, fmt.Errorf("mask: read source: %w", err)
		}
		return unmasked{}, 0, false, nil
	}
	rec := r.src.Record()
	rec.Retain()
	u := unmasked{record: rec, first: r.rows}
	r.rows += rec.NumRows()
	return u, SizeOf(rec), true, nil
}

func (r *ParallelReader) mask(ctx context.Context, u unmasked) (masked, error) {
	defer u.record.Release()
	out, report, err := r.masker.MaskAt(ctx, u.record, u.first)
	return masked{out, report}, err
}

// SizeOf is the bytes of the rows of a batch: of slices only what lies in them,
// of dictionaries the whole.
func SizeOf(rec arrow.Record) int64 {
	size := int64(0)
	for _, c := range rec.Columns() {
		size += bytesOf(c)
	}
	return size
}

func bytesOf(a arrow.Array) int64 {
	n := int64(a.Len())
	switch t := a.DataType().(type) {
	case *arrow.StringType:
		if s, err := kernel.OpenStrings[int32](a); err == nil {
			return int64(s.Span()) + 4*n
		}
	case *arrow.LargeStringType:
		if s, err := kernel.OpenStrings[int64](a); err == nil {
			return int64(s.Span()) + 8*n
		}
	case *arrow.DictionaryType:
		size := int64(0)
		if d, ok := a.(*array.Dictionary); ok {
			size = bytesOf(d.Dictionary())
		}
		return size + 8*n
	case arrow.FixedWidthDataType:
		return (n*int64(t.BitWidth()) + 7) / 8
	}
	size := int64(0)
	for _, b := range a.Data().Buffers() {
		if b != nil {
			size += int64(b.Len())
		}
	}
	return size
}

// Schema is that of masked batches.
func (r *ParallelReader) Schema() *arrow.Schema { return r.masker.Schema() }

// Record is the current batch; it lives until Next.
func (r *ParallelReader) Record() arrow.Record { return r.cur }

// Err tells why Next returned false; nil at the end of the read.
func (r *ParallelReader) Err() error { return r.err }

// Report counts over the batches handed out, while Masker.Report counts those
// masked ahead of them as well.
func (r *ParallelReader) Report() Report {
	out := r.total
	out.Columns = append([]ColumnReport(nil), r.total.Columns...)
	return out
}

// Next gives up the current batch and waits for the next.
func (r *ParallelReader) Next() bool {
	r.drop()
	k, ok, err := r.pipe.Next()
	if !ok {
		r.err = err
		return false
	}
	r.cur = k.record
	r.total.Add(k.report)
	return true
}

// Retain adds a reference.
func (r *ParallelReader) Retain() { r.refs.Add(1) }

// Release drops one; the last ends every goroutine and waits for it.
func (r *ParallelReader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		r.pipe.Close()
		r.src.Release()
	}
}

func (r *ParallelReader) drop() {
	if r.cur != nil {
		r.cur.Release()
		r.cur = nil
	}
}
