package plan

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
)

// numberScale tells whether a type can be a lane's column, and its decimal digits.
func numberScale(t arrow.DataType) (scale uint8, ok bool) {
	switch d := t.(type) {
	case *arrow.Decimal128Type:
		return uint8(d.Scale), d.Scale >= 0
	case *arrow.Decimal256Type:
		return uint8(d.Scale), d.Scale >= 0 && d.Scale <= 76
	}
	return 0, arrow.IsInteger(t.ID()) || t.ID() == arrow.BOOL
}

// numbers gives the value of a row that is not null, false if it is beyond 64 bits.
type numbers func(row int) (int64, bool)

func numbersOf(a arrow.Array) (numbers, error) {
	switch v := a.(type) {
	case *array.Int64:
		return plainly(v.Int64Values()), nil
	case *array.Int32:
		return plainly(v.Int32Values()), nil
	case *array.Int16:
		return plainly(v.Int16Values()), nil
	case *array.Int8:
		return plainly(v.Int8Values()), nil
	case *array.Uint32:
		return plainly(v.Uint32Values()), nil
	case *array.Uint16:
		return plainly(v.Uint16Values()), nil
	case *array.Uint8:
		return plainly(v.Uint8Values()), nil
	case *array.Uint64:
		return func(i int) (int64, bool) { x := v.Value(i); return int64(x), x <= math.MaxInt64 }, nil
	case *array.Boolean:
		return func(i int) (int64, bool) {
			if v.Value(i) {
				return 1, true
			}
			return 0, true
		}, nil
	case *array.Decimal128:
		return func(i int) (int64, bool) { return narrow128(v.Value(i)) }, nil
	case *array.Decimal256:
		return func(i int) (int64, bool) { return narrow256(v.Value(i)) }, nil
	}
	return nil, fmt.Errorf("%w: not a whole number, a decimal or a boolean", ErrSource)
}

func plainly[T int64 | int32 | int16 | int8 | uint32 | uint16 | uint8](values []T) numbers {
	return func(i int) (int64, bool) { return int64(values[i]), true }
}

func narrow128(n decimal128.Num) (int64, bool) {
	low := int64(n.LowBits())
	return low, n.HighBits() == low>>63
}

func narrow256(n decimal256.Num) (int64, bool) {
	b := n.BigInt()
	return b.Int64(), b.IsInt64()
}

// texts gives the text of a row that is not null: of text, binary, dictionary,
// whole number and boolean columns.
type textOf func(row int) string

func textsOf(a arrow.Array) (textOf, error) {
	switch v := a.(type) {
	case *array.String:
		return v.Value, nil
	case *array.LargeString:
		return v.Value, nil
	case *array.Binary:
		return v.ValueString, nil
	case *array.Dictionary:
		values, err := textsOf(v.Dictionary())
		if err != nil {
			return nil, err
		}
		return func(i int) string { return values(v.GetValueIndex(i)) }, nil
	case *array.Boolean:
		return func(i int) string { return strconv.FormatBool(v.Value(i)) }, nil
	}
	if !arrow.IsInteger(a.DataType().ID()) {
		return nil, fmt.Errorf("%w: not text, a whole number or a boolean", ErrSource)
	}
	values, err := numbersOf(a)
	if err != nil {
		return nil, err
	}
	if u, ok := a.(*array.Uint64); ok {
		return func(i int) string { return strconv.FormatUint(u.Value(i), 10) }, nil
	}
	return func(i int) string { x, _ := values(i); return strconv.FormatInt(x, 10) }, nil
}

// isNull sees the nulls of dictionary values too.
func isNull(a arrow.Array, i int) bool {
	if a.IsNull(i) {
		return true
	}
	d, ok := a.(*array.Dictionary)
	return ok && d.Dictionary().IsNull(d.GetValueIndex(i))
}

// canText reports whether textsOf takes a type.
func canText(t arrow.DataType) bool {
	switch d := t.(type) {
	case *arrow.DictionaryType:
		return canText(d.ValueType)
	case *arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.BooleanType:
		return true
	}
	return arrow.IsInteger(t.ID())
}

// first64 is the number of the first eight bytes of a hash.
func first64(h [32]byte) uint64 { return binary.BigEndian.Uint64(h[:8]) }
