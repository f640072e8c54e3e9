package city

import (
	"errors"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// ErrBatch says that a batch must hold at least one row.
var ErrBatch = errors.New("city: batch must be at least 1 row")

// Reader streams a register in batches of exactly batch rows, the last one
// shorter. Memory is one batch. The rows are those that Write writes, dirt
// included. The caller releases the reader; a record lives until the next call
// of Next unless it is retained.
func (c *City) Reader(table string, batch int) (array.RecordReader, error) {
	r, err := c.reader(memory.DefaultAllocator, table, batch)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (c *City) reader(mem memory.Allocator, name string, batch int) (*reader, error) {
	t := tableOf(name)
	switch {
	case t == nil:
		return nil, ErrTable
	case batch < 1:
		return nil, ErrBatch
	}
	r := &reader{city: c, schema: t.schema(), batch: batch}
	r.refs.Store(1)
	r.builder = array.NewRecordBuilder(mem, r.schema)
	r.row = row{table: t, fields: r.builder.Fields()}
	return r, nil
}

// reader is the array.RecordReader over one table.
type reader struct {
	refs    atomic.Int64
	city    *City
	schema  *arrow.Schema
	builder *array.RecordBuilder
	row     row
	batch   int
	pass    int // where the next row is looked for
	person  int
	record  arrow.Record
	err     error
}

func (r *reader) Schema() *arrow.Schema { return r.schema }
func (r *reader) Record() arrow.Record  { return r.record }
func (r *reader) Err() error            { return r.err }
func (r *reader) Retain()               { r.refs.Add(1) }

func (r *reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		r.builder.Release()
	}
}

func (r *reader) drop() {
	if r.record != nil {
		r.record.Release()
		r.record = nil
	}
}

func (r *reader) Next() bool {
	r.drop()
	if r.err != nil {
		return false
	}
	r.builder.Reserve(min(r.batch, r.city.persons))
	rows := 0
	for rows < r.batch && r.pass < r.row.table.passes {
		if r.person == r.city.persons {
			r.pass, r.person = r.pass+1, 0
			continue
		}
		r.row.col = 0
		ok, err := r.row.table.fill(r.city, &r.row, r.person, r.pass)
		if err != nil {
			r.err = err
			return false
		}
		if ok {
			rows++
		}
		r.person++
	}
	if rows == 0 {
		return false
	}
	r.record = r.builder.NewRecord()
	return true
}

// seen is how many persons have been gone through, over all passes.
func (r *reader) seen() int64 {
	return int64(r.pass)*int64(r.city.persons) + int64(r.person)
}

// row appends one row, column after column.
type row struct {
	table   *table
	fields  []array.Builder
	col     int
	contact [96]byte // name and phone, or employer
	number  [18]byte
	spare   [192]byte
}

func (r *row) next() array.Builder {
	b := r.fields[r.col]
	r.col++
	return b
}

func (r *row) rid(b *birth, bl *blemish) error {
	v, err := appendRID(r.number[:0], b)
	if err != nil {
		return err
	}
	switch {
	case bl.invalid:
		v = bl.spoil(r.spare[:0], v)
	case bl.dirty:
		v = bl.rid(r.spare[:0], v)
	}
	r.bytes(v)
	return nil
}

// respelt writes v, through spell if the row is dirty.
func (r *row) respelt(bl *blemish, v []byte, spell func(*blemish, []byte, []byte) []byte) {
	if bl.dirty {
		v = spell(bl, r.spare[:0], v)
	}
	r.bytes(v)
}

func (r *row) bytes(v []byte)  { r.next().(*array.StringBuilder).BinaryBuilder.Append(v) }
func (r *row) text(v string)   { r.next().(*array.StringBuilder).Append(v) }
func (r *row) flag(v bool)     { r.next().(*array.BooleanBuilder).Append(v) }
func (r *row) integer(v int64) { r.next().(*array.Int64Builder).Append(v) }
func (r *row) date(day int)    { r.next().(*array.Date32Builder).Append(arrow.Date32(day)) }
func (r *row) null()           { r.next().AppendNull() }
func (r *row) decimal(v int64) {
	r.next().(*array.Decimal128Builder).Append(decimal128.FromI64(v))
}
