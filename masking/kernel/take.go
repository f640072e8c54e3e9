package kernel

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

var errTooLarge = errors.New("batch too large for its offsets: read smaller batches")

// Supported reports whether columns of this type can be copied: null, booleans,
// integers, floats, decimal128, dates, timestamps, text, dictionaries of text.
// The error wraps ErrType.
func Supported(t arrow.DataType) error {
	switch t := t.(type) {
	case *arrow.NullType, *arrow.BooleanType, *arrow.StringType, *arrow.LargeStringType:
		return nil
	case *arrow.DictionaryType:
		if isText(t.ValueType) {
			return nil
		}
		return fmt.Errorf("dictionary of %s: %w", t.ValueType, ErrType)
	}
	if fixedWidth(t) > 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", t, ErrType)
}

// fixedWidth is the size of one value in bytes, 0 for types that are not
// supported or not of fixed width.
func fixedWidth(t arrow.DataType) int {
	switch t.ID() {
	case arrow.INT8, arrow.UINT8:
		return 1
	case arrow.INT16, arrow.UINT16:
		return 2
	case arrow.INT32, arrow.UINT32, arrow.FLOAT32, arrow.DATE32:
		return 4
	case arrow.INT64, arrow.UINT64, arrow.FLOAT64, arrow.DATE64, arrow.TIMESTAMP:
		return 8
	case arrow.DECIMAL128:
		return 16
	}
	return 0
}

// Copy makes an array of the same values on fresh buffers: only the rows of
// the slice, zeroes under nulls, only the dictionary values in use.
func Copy(alloc memory.Allocator, in arrow.Array) (arrow.Array, error) {
	return take(alloc, in, nil, in.Len(), true)
}

// Take makes an array of the rows given, in that order, on fresh buffers. Each
// row must be in [0, in.Len()).
func Take(alloc memory.Allocator, in arrow.Array, rows []int) (arrow.Array, error) {
	for _, r := range rows {
		if r < 0 || r >= in.Len() {
			return nil, ErrCorrupt
		}
	}
	return take(alloc, in, rows, len(rows), false)
}

// picker maps output rows to input rows.
type picker struct {
	rows []int
	all  bool
}

func (p picker) row(i int) int {
	if p.all {
		return i
	}
	return p.rows[i]
}

func take(alloc memory.Allocator, in arrow.Array, rows []int, n int, all bool) (arrow.Array, error) {
	p := picker{rows: rows, all: all}
	env := &Env{Alloc: alloc}
	switch in.DataType().ID() {
	case arrow.NULL:
		return Build(in.DataType(), n, n, nil), nil
	case arrow.BOOL:
		return takeBool(env, in, p, n)
	case arrow.STRING:
		return takeText[int32](env, in, p, n)
	case arrow.LARGE_STRING:
		return takeText[int64](env, in, p, n)
	case arrow.DICTIONARY:
		return takeDictionary(env, in, p, n)
	}
	if w := fixedWidth(in.DataType()); w > 0 {
		return takeFixed(env, in, p, n, w)
	}
	return nil, fmt.Errorf("%s: %w", in.DataType(), ErrType)
}

// validity picks the bitmap; nil when no picked row is null.
func (p picker) validity(env *Env, v Validity, n int) (*memory.Buffer, int) {
	if p.all || v.None() {
		return env.Validity(v, n)
	}
	b := Zeroed(env.Alloc, int(bitutil.BytesForBits(int64(n))))
	nulls := 0
	for i, r := range p.rows {
		if v.Null(r) {
			nulls++
		} else {
			bitutil.SetBit(b.Bytes(), i)
		}
	}
	if nulls == 0 {
		b.Release()
		return nil, 0
	}
	return b, nulls
}

func takeFixed(env *Env, in arrow.Array, p picker, n, w int) (arrow.Array, error) {
	src, v, err := OpenFixed(in, w)
	if err != nil {
		return nil, err
	}
	out := Fresh(env.Alloc, n*w)
	dst := out.Bytes()
	if p.all {
		copy(dst, src)
	} else {
		for i, r := range p.rows {
			copy(dst[i*w:(i+1)*w], src[r*w:(r+1)*w])
		}
	}
	if !v.None() {
		for i := range n {
			if v.Null(p.row(i)) {
				clear(dst[i*w : (i+1)*w])
			}
		}
	}
	valid, nulls := p.validity(env, v, n)
	return Build(in.DataType(), n, nulls, valid, out), nil
}

func takeBool(env *Env, in arrow.Array, p picker, n int) (arrow.Array, error) {
	v, err := OpenValidity(in)
	if err != nil {
		return nil, err
	}
	d := in.Data()
	bufs := d.Buffers()
	if len(bufs) != 2 || (d.Len() > 0 && (bufs[1] == nil || bufs[1].Len()*8 < d.Offset()+d.Len())) {
		return nil, ErrCorrupt
	}
	out := Zeroed(env.Alloc, int(bitutil.BytesForBits(int64(n))))
	for i := range n {
		r := p.row(i)
		if !v.Null(r) && bitutil.BitIsSet(bufs[1].Bytes(), d.Offset()+r) {
			bitutil.SetBit(out.Bytes(), i)
		}
	}
	valid, nulls := p.validity(env, v, n)
	return Build(in.DataType(), n, nulls, valid, out), nil
}

func takeText[O Offset](env *Env, in arrow.Array, p picker, n int) (arrow.Array, error) {
	s, err := OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	size := 0
	for i := range n {
		if r := p.row(i); !s.Valid.Null(r) {
			size += int(s.Off[r+1] - s.Off[r])
		}
	}
	w, err := NewWriter[O](env.Alloc, n, size)
	if err != nil {
		return nil, err
	}
	if p.all && size == s.Span() {
		copy(w.Data, s.Data[s.Off[0]:s.Off[n]])
		for i := range n {
			w.Off[i+1] = s.Off[i+1] - s.Off[0]
		}
	} else {
		pos := 0
		for i := range n {
			if r := p.row(i); !s.Valid.Null(r) {
				pos += copy(w.Data[pos:], s.At(r))
			}
			w.Off[i+1] = O(pos)
		}
	}
	valid, nulls := p.validity(env, s.Valid, n)
	return Build(in.DataType(), n, nulls, valid, w.off, w.data), nil
}

// AllNull makes an array of n nulls of a supported type, all bytes zero.
func AllNull(alloc memory.Allocator, t arrow.DataType, n int) (arrow.Array, error) {
	if err := Supported(t); err != nil {
		return nil, err
	}
	if t.ID() == arrow.NULL {
		return Build(t, n, n, nil), nil
	}
	size := func(bytes int) *memory.Buffer { return Zeroed(alloc, bytes) }
	valid := size((n + 7) / 8)
	switch t := t.(type) {
	case *arrow.BooleanType:
		return Build(t, n, n, valid, size((n+7)/8)), nil
	case *arrow.StringType:
		return Build(t, n, n, valid, size((n+1)*4), size(0)), nil
	case *arrow.LargeStringType:
		return Build(t, n, n, valid, size((n+1)*8), size(0)), nil
	case *arrow.DictionaryType:
		dict, err := AllNull(alloc, t.ValueType, 0)
		if err != nil {
			return nil, err
		}
		defer dict.Release()
		idx := Build(t.IndexType, n, n, valid, size(n*t.IndexType.(arrow.FixedWidthDataType).Bytes()))
		defer idx.Release()
		return array.NewDictionaryArray(t, idx, dict), nil
	}
	return Build(t, n, n, valid, size(n*fixedWidth(t))), nil
}
