package file

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/connectors"
)

// batcher makes the batches of one format.
type batcher interface {
	// next gives a new record owned by the caller, or nil at the end.
	next(ctx context.Context) (arrow.Record, error)
	// close gives back everything; it is called exactly once.
	close()
}

// reader is the array.RecordReader over a batcher. It closes the batcher at the
// end, at the first error or at the last Release, whichever is first.
type reader struct {
	refs   atomic.Int64
	ctx    context.Context
	schema *arrow.Schema
	src    batcher // nil once closed
	rec    arrow.Record
	err    error
}

func newReader(ctx context.Context, s *arrow.Schema, b batcher) *reader {
	r := &reader{ctx: ctx, schema: s, src: b}
	r.refs.Store(1)
	return r
}

func (r *reader) Schema() *arrow.Schema { return r.schema }
func (r *reader) Record() arrow.Record  { return r.rec }
func (r *reader) Err() error            { return r.err }
func (r *reader) Retain()               { r.refs.Add(1) }

func (r *reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		r.shut()
	}
}

func (r *reader) Next() bool {
	r.drop()
	if r.src == nil || r.err != nil {
		return false
	}
	if r.err = context.Cause(r.ctx); r.err == nil {
		r.rec, r.err = r.guarded()
	}
	if r.err != nil || r.rec == nil {
		r.drop()
		r.shut()
		return false
	}
	return true
}

// guarded turns a panic below (the Parquet library on corrupt input, or the
// bounded allocator) into an error; its text is dropped, as it may hold data.
func (r *reader) guarded() (rec arrow.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			rec, err = nil, fromPanic(p)
		}
	}()
	return r.src.next(r.ctx)
}

func fromPanic(p any) error {
	if _, ok := p.(overBudget); ok {
		return fmt.Errorf("file: %w: decoding asks for more memory than its batch may", connectors.ErrLimit)
	}
	return fmt.Errorf("file: decode: %w: corrupt file", connectors.ErrMalformed)
}

func (r *reader) drop() {
	if r.rec != nil {
		r.rec.Release()
		r.rec = nil
	}
}

func (r *reader) shut() {
	if r.src != nil {
		r.src.close()
		r.src = nil
	}
}
