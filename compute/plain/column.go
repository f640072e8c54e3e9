package plain

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"github.com/yumen-project/yumen/compute"
)

// window is how many records are worked on at a time: the scratch columns stay
// in the cache and do not grow with the batch.
const window = 16 << 10

// field is one column of the plan.
type field struct {
	name string
	dt   arrow.DataType
	kind phys
}

// column gives the records of a window in the form of its phys. The slices point
// into the batch or into scratch and hold until the next load.
type column struct {
	field
	arr   arrow.Array
	dict  *texts // values of a dictionary, else nil
	batch int    // counts batches: what is remembered of a dictionary lasts one

	ints   []int64
	nums   []decimal128.Num
	floats []float64
	codes  []int32 // dictionary positions, -1 for a null value
	text   texts   // plain strings of the window, or the dictionary

	nulls   []byte // validity bitmap, nil if the window has no null
	nullOff int

	intBuf  []int64
	numBuf  []decimal128.Num
	codeBuf []int32
}

// scratchBytes is what a column may need besides the batch.
const scratchBytes = window * (8 + 16 + 4)

// valid tells whether record i of the window is not null. Dictionary positions
// carry their own nulls in codes.
func (c *column) valid(i int) bool {
	return c.nulls == nil || bitutil.BitIsSet(c.nulls, c.nullOff+i)
}

// begin takes a column of the next batch, which stays the caller's.
func (c *column) begin(arr arrow.Array) error {
	if !arrow.TypeEqual(arr.DataType(), c.dt) {
		return fmt.Errorf("field %q: %w: a batch has type %s, planned was %s", c.name, compute.ErrSchema, arr.DataType(), c.dt)
	}
	c.arr, c.dict = arr, nil
	c.batch++
	if d, ok := arr.(*array.Dictionary); ok {
		values, err := readTexts(d.Dictionary(), 0, d.Dictionary().Len())
		if err != nil {
			return fmt.Errorf("field %q: dictionary: %w", c.name, err)
		}
		c.text, c.dict = values, &c.text
		c.arr = d.Indices()
	}
	return nil
}

// load brings records lo to hi of the batch into place.
func (c *column) load(lo, hi int) error {
	if err := c.loadNulls(lo, hi); err != nil {
		return err
	}
	var ok bool
	switch {
	case c.dict != nil:
		return c.loadCodes(lo, hi)
	case c.kind == physInt:
		c.ints, c.intBuf, ok = int64s(c.arr, lo, hi, c.intBuf)
	case c.kind == physNum:
		c.nums, c.numBuf, ok = nums(c.arr, lo, hi, c.numBuf)
	case c.kind == physFloat:
		var a *array.Float64
		if a, ok = c.arr.(*array.Float64); ok {
			c.floats, ok = cut(a.Float64Values(), lo, hi)
		}
	default:
		var err error
		if c.text, err = readTexts(c.arr, lo, hi); err != nil {
			return fmt.Errorf("field %q: %w", c.name, err)
		}
		return nil
	}
	if !ok {
		return fmt.Errorf("field %q: %w: a buffer is shorter than the batch", c.name, compute.ErrData)
	}
	return nil
}

func (c *column) loadNulls(lo, hi int) error {
	c.nulls, c.nullOff = nil, c.arr.Data().Offset()+lo
	bm := c.arr.NullBitmapBytes()
	if len(bm) == 0 || c.arr.NullN() == 0 || hi == lo {
		return nil
	}
	if len(bm)*8 < c.nullOff+hi-lo {
		return fmt.Errorf("field %q: %w: the validity bitmap is shorter than the batch", c.name, compute.ErrData)
	}
	if bitutil.CountSetBits(bm, c.nullOff, hi-lo) != hi-lo {
		c.nulls = bm
	}
	return nil
}

// loadCodes reads dictionary positions; null positions and null dictionary
// values both become -1.
func (c *column) loadCodes(lo, hi int) error {
	idx, buf, ok := int64s(c.arr, lo, hi, c.intBuf)
	c.intBuf = buf
	if !ok {
		return fmt.Errorf("field %q: %w: a buffer is shorter than the batch", c.name, compute.ErrData)
	}
	c.codeBuf = room(c.codeBuf, len(idx))
	for i, v := range idx {
		switch {
		case !c.valid(i):
			c.codeBuf[i] = -1
		case v < 0 || v >= int64(c.dict.n):
			return fmt.Errorf("field %q: %w: a dictionary position points outside", c.name, compute.ErrData)
		case c.dict.isNull(int(v)):
			c.codeBuf[i] = -1
		default:
			c.codeBuf[i] = int32(v)
		}
	}
	c.codes = c.codeBuf
	return nil
}

// bytesAt is the text of record i, false for a null.
func (c *column) bytesAt(i int) ([]byte, bool) {
	if c.dict != nil {
		if k := c.codes[i]; k >= 0 {
			return c.dict.at(int(k)), true
		}
		return nil, false
	}
	return c.text.at(i), c.valid(i)
}

// room returns a slice of n, reusing buf where it is large enough.
func room[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n, max(n, min(window, 2*n)))
	}
	return buf[:n]
}

func cut[T any](vals []T, lo, hi int) ([]T, bool) {
	if hi > len(vals) {
		return nil, false
	}
	return vals[lo:hi], true
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// widen copies values as int64. Only dictionary positions are ever uint64 here;
// one of 2^63 or more turns negative and is refused as a position.
func widen[T integer](vals []T, lo, hi int, buf []int64) (out, scratch []int64, ok bool) {
	vals, ok = cut(vals, lo, hi)
	buf = room(buf, len(vals))
	for i, v := range vals {
		buf[i] = int64(v)
	}
	return buf, buf, ok
}

// int64s reads records lo to hi of an integer, boolean, date or timestamp array.
func int64s(arr arrow.Array, lo, hi int, buf []int64) (out, scratch []int64, ok bool) {
	switch a := arr.(type) {
	case *array.Int64:
		out, ok = cut(a.Int64Values(), lo, hi)
		return out, buf, ok
	case *array.Int32:
		return widen(a.Int32Values(), lo, hi, buf)
	case *array.Int16:
		return widen(a.Int16Values(), lo, hi, buf)
	case *array.Int8:
		return widen(a.Int8Values(), lo, hi, buf)
	case *array.Uint64:
		return widen(a.Uint64Values(), lo, hi, buf)
	case *array.Uint32:
		return widen(a.Uint32Values(), lo, hi, buf)
	case *array.Uint16:
		return widen(a.Uint16Values(), lo, hi, buf)
	case *array.Uint8:
		return widen(a.Uint8Values(), lo, hi, buf)
	case *array.Date32:
		return widen(a.Date32Values(), lo, hi, buf)
	case *array.Date64:
		return widen(a.Date64Values(), lo, hi, buf)
	case *array.Timestamp:
		return widen(a.TimestampValues(), lo, hi, buf)
	case *array.Boolean:
		return bools(a, lo, hi, buf)
	}
	return nil, buf, false
}

func bools(a *array.Boolean, lo, hi int, buf []int64) (out, scratch []int64, ok bool) {
	buf = room(buf, hi-lo)
	if hi == lo {
		return buf, buf, true
	}
	b := a.Data().Buffers()[1]
	off := a.Data().Offset() + lo
	if b == nil || b.Len()*8 < off+hi-lo {
		return nil, buf, false
	}
	raw := b.Bytes()
	for i := range buf {
		buf[i] = int64(raw[(off+i)>>3] >> ((off + i) & 7) & 1)
	}
	return buf, buf, true
}

// nums reads records lo to hi of a decimal or uint64 array.
func nums(arr arrow.Array, lo, hi int, buf []decimal128.Num) (out, scratch []decimal128.Num, ok bool) {
	switch a := arr.(type) {
	case *array.Decimal128:
		out, ok = cut(a.Values(), lo, hi)
		return out, buf, ok
	case *array.Uint64:
		vals, ok := cut(a.Uint64Values(), lo, hi)
		buf = room(buf, len(vals))
		for i, v := range vals {
			buf[i] = decimal128.FromU64(v)
		}
		return buf, buf, ok
	}
	return nil, buf, false
}
