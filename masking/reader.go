package masking

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// NewReader decorates src: every batch comes out masked. The reader keeps a
// reference to src until it is released; ctx bounds the whole read. A batch
// lives until the next call of Next. After an error Next stays false and Err
// tells why; rows in errors are counted from 1 over the whole read.
func NewReader(ctx context.Context, src array.RecordReader, m Masker) array.RecordReader {
	src.Retain()
	r := &reader{ctx: ctx, src: src, masker: m}
	r.refs.Store(1)
	return r
}

type reader struct {
	ctx    context.Context //nolint:containedctx // RecordReader.Next takes none; the ctx bounds the read
	src    array.RecordReader
	masker Masker
	refs   atomic.Int64
	cur    arrow.Record
	rows   int64
	err    error
}

func (r *reader) Retain() { r.refs.Add(1) }

func (r *reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		r.src.Release()
	}
}

func (r *reader) Schema() *arrow.Schema { return r.masker.Schema() }
func (r *reader) Record() arrow.Record  { return r.cur }
func (r *reader) Err() error            { return r.err }

func (r *reader) Next() bool {
	r.drop()
	if r.err != nil {
		return false
	}
	if r.err = r.ctx.Err(); r.err != nil {
		return false
	}
	if !r.src.Next() {
		if err := r.src.Err(); err != nil {
			r.err = fmt.Errorf("mask: read source: %w", err)
		}
		return false
	}
	rec := r.src.Record()
	r.cur, _, r.err = r.masker.MaskAt(r.ctx, rec, r.rows)
	r.rows += rec.NumRows()
	return r.err == nil
}

func (r *reader) drop() {
	if r.cur != nil {
		r.cur.Release()
		r.cur = nil
	}
}
