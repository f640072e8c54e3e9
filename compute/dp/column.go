package dp

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"github.com/yumen-project/yumen/compute"
)

// use is what a table wants of a column.
type use uint8

const (
	asSubject use = iota // text, binary, integer
	asKey                // text, integer, boolean
	asValue              // integer, decimal
)

// find is the type of a field, which must occur once and serve its use.
func find(in *arrow.Schema, where, name string, as use) (arrow.DataType, error) {
	if in == nil || name == "" {
		return nil, fmt.Errorf("%s: %w: a field is needed", where, compute.ErrQuery)
	}
	at := in.FieldIndices(name)
	if len(at) != 1 {
		return nil, fmt.Errorf("%s: field %q: %w: the source has it %d times", where, name, compute.ErrSchema, len(at))
	}
	dt := in.Field(at[0]).Type
	if !serves(dt, as) {
		return nil, fmt.Errorf("%s: field %q: %w: type %s does not serve", where, name, compute.ErrQuery, dt)
	}
	return dt, nil
}

func serves(dt arrow.DataType, as use) bool {
	id := dt.ID()
	switch {
	case arrow.IsInteger(id): // beyond int64 two subjects or keys would be one
		return id != arrow.UINT64 || as == asValue
	case id == arrow.DECIMAL128:
		return as == asValue
	case id == arrow.BOOL:
		return as == asKey
	case id == arrow.BINARY || id == arrow.LARGE_BINARY:
		return as == asSubject
	case id == arrow.DICTIONARY:
		d, ok := dt.(*arrow.DictionaryType)
		return ok && as != asValue && arrow.IsInteger(d.IndexType.ID()) && isText(d.ValueType)
	}
	return as != asValue && isText(dt)
}

func isText(dt arrow.DataType) bool {
	return dt.ID() == arrow.STRING || dt.ID() == arrow.LARGE_STRING
}

// column reads one field of a batch. Exactly one of text and num is set. The
// batch's buffers have been checked, so that no row reads outside them.
type column struct {
	name string
	dt   arrow.DataType
	null func(i int) bool
	text func(i int) []byte // the bytes belong to the batch
	num  func(i int) int64  // decimals and uint64 beyond int64 are its ends
}

func (c *column) begin(arr arrow.Array) error {
	if !arrow.TypeEqual(arr.DataType(), c.dt) {
		return fmt.Errorf("field %q: %w: a batch has type %s, planned was %s", c.name, compute.ErrSchema, arr.DataType(), c.dt)
	}
	if c.null = nullsOf(arr); c.null == nil {
		return fmt.Errorf("field %q: %w: the validity bitmap is shorter than the batch", c.name, compute.ErrData)
	}
	c.text, c.num = nil, nil
	if d, ok := arr.(*array.Dictionary); ok {
		return c.beginDictionary(d)
	}
	c.text, c.num = textOf(arr), numOf(arr)
	if c.text == nil && c.num == nil {
		return fmt.Errorf("field %q: %w: a buffer does not fit the batch", c.name, compute.ErrData)
	}
	return nil
}

// beginDictionary joins positions and values; null values are nulls.
func (c *column) beginDictionary(d *array.Dictionary) error {
	values, at := textOf(d.Dictionary()), numOf(d.Indices())
	none, void := c.null, nullsOf(d.Dictionary())
	if values == nil || at == nil || void == nil {
		return fmt.Errorf("field %q: %w: a buffer does not fit the dictionary", c.name, compute.ErrData)
	}
	n := int64(d.Dictionary().Len())
	for i := range d.Len() {
		if !none(i) && (at(i) < 0 || at(i) >= n) {
			return fmt.Errorf("field %q: %w: a dictionary position points outside", c.name, compute.ErrData)
		}
	}
	c.null = func(i int) bool { return none(i) || void(int(at(i))) }
	c.text = func(i int) []byte { return values(int(at(i))) }
	return nil
}

func nullsOf(arr arrow.Array) func(int) bool {
	bm, off := arr.NullBitmapBytes(), arr.Data().Offset()
	if len(bm) == 0 || arr.NullN() == 0 {
		return func(int) bool { return false }
	}
	if len(bm)*8 < off+arr.Len() {
		return nil
	}
	return func(i int) bool { return bitutil.BitIsNotSet(bm, off+i) }
}

// textOf reads strings and binaries; nil for other types and bad offsets.
func textOf(arr arrow.Array) func(int) []byte {
	bufs := arr.Data().Buffers()
	if len(bufs) < 3 {
		return nil
	}
	if arr.Len() == 0 {
		return func(int) []byte { return nil }
	}
	var data []byte
	if bufs[2] != nil {
		data = bufs[2].Bytes()
	}
	if bufs[1] == nil {
		return nil
	}
	first, n := arr.Data().Offset(), arr.Len()
	switch arr.(type) {
	case *array.String, *array.Binary:
		return cutText(arrow.GetData[int32](bufs[1].Bytes()), first, n, data)
	case *array.LargeString, *array.LargeBinary:
		return cutText(arrow.GetData[int64](bufs[1].Bytes()), first, n, data)
	}
	return nil
}

func cutText[T int32 | int64](offs []T, first, n int, data []byte) func(int) []byte {
	if first+n+1 > len(offs) {
		return nil
	}
	offs = offs[first : first+n+1]
	prev := T(0)
	for _, o := range offs {
		if o < prev {
			return nil
		}
		prev = o
	}
	if int64(prev) > int64(len(data)) {
		return nil
	}
	return func(i int) []byte { return data[offs[i]:offs[i+1]] }
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

func cutInts[T integer](vals []T, n int) func(int) int64 {
	if len(vals) < n {
		return nil
	}
	return func(i int) int64 { return int64(vals[i]) }
}

// numOf reads integers, booleans and decimals; nil for other types and short
// buffers.
func numOf(arr arrow.Array) func(int) int64 {
	n := arr.Len()
	switch a := arr.(type) {
	case *array.Int64:
		return cutInts(a.Int64Values(), n)
	case *array.Int32:
		return cutInts(a.Int32Values(), n)
	case *array.Int16:
		return cutInts(a.Int16Values(), n)
	case *array.Int8:
		return cutInts(a.Int8Values(), n)
	case *array.Uint32:
		return cutInts(a.Uint32Values(), n)
	case *array.Uint16:
		return cutInts(a.Uint16Values(), n)
	case *array.Uint8:
		return cutInts(a.Uint8Values(), n)
	case *array.Uint64:
		vals := a.Uint64Values()
		if len(vals) < n {
			return nil
		}
		return func(i int) int64 { return int64(min(vals[i], math.MaxInt64)) }
	case *array.Decimal128:
		vals := a.Values()
		if len(vals) < n {
			return nil
		}
		return func(i int) int64 { return narrow(vals[i]) }
	case *array.Boolean:
		return boolsOf(a)
	}
	return nil
}

func boolsOf(a *array.Boolean) func(int) int64 {
	b, off := a.Data().Buffers()[1], a.Data().Offset()
	if a.Len() > 0 && (b == nil || b.Len()*8 < off+a.Len()) {
		return nil
	}
	return func(i int) int64 {
		if bitutil.BitIsSet(b.Bytes(), off+i) {
			return 1
		}
		return 0
	}
}

// narrow brings a decimal into int64, to its ends where it lies beyond.
func narrow(v decimal128.Num) int64 {
	lo := int64(v.LowBits())
	switch hi := v.HighBits(); {
	case hi == lo>>63:
		return lo
	case hi < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// appendText writes row i, which is not null, as text: integers in decimal,
// booleans as true and false.
func (c *column) appendText(dst []byte, i int) []byte {
	switch {
	case c.text != nil:
		return append(dst, c.text(i)...)
	case c.dt.ID() == arrow.BOOL:
		return strconv.AppendBool(dst, c.num(i) != 0)
	}
	return strconv.AppendInt(dst, c.num(i), 10)
}
