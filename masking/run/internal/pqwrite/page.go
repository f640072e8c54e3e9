package pqwrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/compress"

	"github.com/yumen-project/yumen/masking/kernel"
)

// pageRows bounds the rows of a page.
const pageRows = 1 << 16

var errPage = errors.New("page beyond 2 GiB: read smaller batches")

// Pages are the pages of one batch, column by column.
type Pages struct {
	rows    int64
	columns []pages
}

// Rows of the batch.
func (p *Pages) Rows() int64 { return p.rows }

// Size in bytes, as stored.
func (p *Pages) Size() int64 {
	size := 0
	for _, c := range p.columns {
		size += len(c.stored)
	}
	return int64(size)
}

type pages struct {
	stored []byte // headers and compressed bodies
	plain  int64  // size before compression, headers included
}

// Schema is a checked schema, safe for concurrent use.
type Schema struct {
	names []string
	kinds []kind
	codec compress.Codec
}

// NewSchema checks that every column can be stored; the error wraps
// kernel.ErrType. Metadata is left out.
func NewSchema(s *arrow.Schema) (*Schema, error) {
	codec, err := compress.GetCodec(compress.Codecs.Snappy)
	if err != nil {
		return nil, errors.New("codec snappy is not there")
	}
	out := &Schema{codec: codec}
	for _, f := range s.Fields() {
		k, err := kindOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		out.names, out.kinds = append(out.names, f.Name), append(out.kinds, k)
	}
	return out, nil
}

// Encode makes the pages of a batch of this schema.
func (s *Schema) Encode(rec arrow.Record) (*Pages, error) {
	out := &Pages{rows: rec.NumRows(), columns: make([]pages, len(s.kinds))}
	e := &encoding{schema: s}
	for i := range s.kinds {
		if err := e.column(&out.columns[i], i, rec.Column(i), out.rows); err != nil {
			return nil, fmt.Errorf("column %q: %w", s.names[i], err)
		}
	}
	return out, nil
}

// encoding holds the scratch of one batch.
type encoding struct {
	schema *Schema
	plain  []byte
	packed []byte
}

func (e *encoding) column(p *pages, i int, in arrow.Array, rows int64) error {
	if in.DataType().ID() == arrow.DICTIONARY {
		spelt, err := kernel.Spell(memory.DefaultAllocator, in)
		if err != nil {
			return err
		}
		defer spelt.Release()
		in = spelt
	}
	for from := int64(0); from < rows; from += pageRows {
		part := array.NewSlice(in, from, min(rows, from+pageRows))
		err := e.page(p, i, part)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *encoding) page(p *pages, i int, in arrow.Array) error {
	var err error
	if e.plain, err = levels(e.plain[:0], in); err != nil {
		return err
	}
	if e.plain, err = e.schema.kinds[i].encode(e.plain, in); err != nil {
		return err
	}
	if len(e.plain) > math.MaxInt32/2 {
		return errPage
	}
	if bound := e.schema.codec.CompressBound(int64(len(e.plain))); int64(len(e.packed)) < bound {
		e.packed = make([]byte, bound)
	}
	body := pack(e.schema.codec, e.packed, e.plain)
	head := header(in.Len(), len(e.plain), body)
	p.stored = append(append(p.stored, head...), body...)
	p.plain += int64(len(head) + len(e.plain))
	return nil
}

// levels writes which rows are null: one run of the hybrid of RLE and bit
// packing, behind its length. The null bitmap is already packed as asked.
func levels(dst []byte, in arrow.Array) ([]byte, error) {
	n := in.Len()
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	v, err := kernel.OpenValidity(in)
	if err != nil {
		return dst, err
	}
	switch nulls := nullsOf(in, v); nulls {
	case 0, n:
		dst = binary.AppendUvarint(dst, uint64(n)<<1)
		dst = append(dst, byte(min(1, n-nulls)))
	default:
		groups := (n + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		at := len(dst)
		dst = append(dst, make([]byte, groups)...)
		for i := range n {
			if !v.Null(i) {
				bitutil.SetBit(dst[at:], i)
			}
		}
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst, nil
}

func nullsOf(in arrow.Array, v kernel.Validity) int {
	if in.DataType().ID() == arrow.NULL {
		return in.Len()
	}
	return v.Nulls(in.Len())
}

func header(rows, plain int, body []byte) []byte {
	c := &compact{}
	c.open()
	c.i32(1, 0) // data page
	c.i32(2, int32(plain))
	c.i32(3, int32(len(body)))
	c.i32(4, int32(crc32.ChecksumIEEE(body)))
	c.within(5, func() {
		c.i32(1, int32(rows))
		c.i32(2, 0) // PLAIN
		c.i32(3, 3) // levels RLE
		c.i32(4, 3)
	})
	c.close()
	return c.out
}
