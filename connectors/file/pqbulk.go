package file

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bulkColumn copies n rows from row at on in one piece, if they are stored in
// the declared type and all of them keep its rules. Nil: copy value by value,
// which finds the row and the rule.
func bulkColumn(alloc memory.Allocator, c *storedColumn, want arrow.DataType, at, n, cell int) arrow.Array {
	if !arrow.TypeEqual(c.arr.DataType(), want) {
		return nil
	}
	src := array.NewSlice(c.arr, int64(at), int64(at+n))
	defer src.Release()
	if src.NullN() > 0 && !c.field.Nullable {
		return nil
	}
	switch a := src.(type) {
	case *array.Int64:
		return bulkFixed(alloc, a, arrow.Int64Traits.CastToBytes(a.Int64Values()), 8)
	case *array.Float64:
		if finite(a.Float64Values()) {
			return bulkFixed(alloc, a, arrow.Float64Traits.CastToBytes(a.Float64Values()), 8)
		}
	case *array.Date32:
		if days(a.Date32Values()) {
			return bulkFixed(alloc, a, arrow.Date32Traits.CastToBytes(a.Date32Values()), 4)
		}
	case *array.String:
		return bulkText(alloc, a, cell)
	}
	return nil
}

func finite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func days(values []arrow.Date32) bool {
	for _, v := range values {
		if v < firstDay || v > lastDay {
			return false
		}
	}
	return true
}

// bulkFixed copies values of the given width; a null holds zero.
func bulkFixed(alloc memory.Allocator, a arrow.Array, values []byte, width int) arrow.Array {
	data := memory.NewResizableBuffer(alloc)
	defer data.Release()
	data.Resize(len(values))
	copy(data.Bytes(), values)
	if a.NullN() > 0 {
		for i := range a.Len() {
			if a.IsNull(i) {
				clear(data.Bytes()[i*width : (i+1)*width])
			}
		}
	}
	return bulkArray(alloc, a, data)
}

// bulkText copies texts that are valid UTF-8 without NUL, none longer than a
// cell: the whole is valid, and each begins where a character begins.
func bulkText(alloc memory.Allocator, a *array.String, cell int) arrow.Array {
	n := a.Len()
	if n == 0 {
		return nil
	}
	text := a.ValueBytes()
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	first := a.ValueOffset(0)
	offsets := memory.NewResizableBuffer(alloc)
	defer offsets.Release()
	offsets.Resize(4 * (n + 1))
	to := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
	nulls := a.NullN() > 0
	last := 0
	for i := 1; i <= n; i++ {
		o := a.ValueOffset(i) - first
		if o < last || o-last > cell || o > len(text) || o < len(text) && !utf8.RuneStart(text[o]) || nulls && o != last && a.IsNull(i-1) {
			return nil
		}
		to[i], last = int32(o), o
	}
	if last != len(text) {
		return nil
	}
	to[0] = 0
	data := memory.NewResizableBuffer(alloc)
	defer data.Release()
	data.Resize(len(text))
	copy(data.Bytes(), text)
	return bulkArray(alloc, a, offsets, data)
}

// bulkArray puts buffers behind a copy of the validity of a.
func bulkArray(alloc memory.Allocator, a arrow.Array, buffers ...*memory.Buffer) arrow.Array {
	all := append([]*memory.Buffer{nil}, buffers...)
	if a.NullN() > 0 {
		valid := memory.NewResizableBuffer(alloc)
		defer valid.Release()
		valid.Resize(int(bitutil.BytesForBits(int64(a.Len()))))
		clear(valid.Bytes())
		bitutil.CopyBitmap(a.NullBitmapBytes(), a.Data().Offset(), a.Len(), valid.Bytes(), 0)
		all[0] = valid
	}
	data := array.NewData(a.DataType(), a.Len(), all, nil, a.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data)
}
