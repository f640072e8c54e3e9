package pqwrite

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Physical types.
const (
	physBoolean = 0
	physInt32   = 1
	physInt64   = 2
	physFloat   = 4
	physDouble  = 5
	physBytes   = 6
	physFixed   = 7
)

// Fields of the union LogicalType.
const (
	logicString    = 1
	logicDecimal   = 5
	logicDate      = 6
	logicTimestamp = 8
	logicInteger   = 10
	logicUnknown   = 11
)

// kind is how one Arrow type is stored.
type kind struct {
	physical  int32
	length    int32 // of physFixed
	converted int32 // -1: none
	scale     int32
	precision int32
	logical   func(*compact) // nil: none
	encode    encoder
}

// kindOf maps the types a masked batch can hold. A dictionary is stored as its
// values; date64 as days; seconds as milliseconds.
func kindOf(t arrow.DataType) (kind, error) {
	switch t := t.(type) {
	case *arrow.NullType:
		return kind{physical: physInt32, converted: -1, logical: bare(logicUnknown), encode: nothing}, nil
	case *arrow.BooleanType:
		return kind{physical: physBoolean, converted: -1, encode: booleans}, nil
	case *arrow.StringType:
		return kind{physical: physBytes, logical: bare(logicString), encode: text[int32]}, nil
	case *arrow.LargeStringType:
		return kind{physical: physBytes, logical: bare(logicString), encode: text[int64]}, nil
	case *arrow.DictionaryType:
		return kindOf(t.ValueType)
	case *arrow.Date32Type:
		return kind{physical: physInt32, converted: 6, logical: bare(logicDate), encode: fixed(4, 4, same)}, nil
	case *arrow.Date64Type:
		return kind{physical: physInt32, converted: 6, logical: bare(logicDate), encode: fixed(8, 4, days)}, nil
	case *arrow.TimestampType:
		return timestamp(t), nil
	case *arrow.Decimal128Type:
		return decimal(t)
	}
	if k, ok := number(t.ID()); ok {
		return k, nil
	}
	return kind{}, fmt.Errorf("%s: %w", t, kernel.ErrType)
}

func number(id arrow.Type) (kind, bool) {
	whole := func(physical, converted int32, bits byte, signed bool, from, to int, put putter) (kind, bool) {
		return kind{physical: physical, converted: converted, logical: integer(bits, signed), encode: fixed(from, to, put)}, true
	}
	switch id {
	case arrow.INT8:
		return whole(physInt32, 15, 8, true, 1, 4, signed8)
	case arrow.INT16:
		return whole(physInt32, 16, 16, true, 2, 4, signed16)
	case arrow.INT32:
		return whole(physInt32, 17, 32, true, 4, 4, same)
	case arrow.INT64:
		return whole(physInt64, 18, 64, true, 8, 8, same)
	case arrow.UINT8:
		return whole(physInt32, 11, 8, false, 1, 4, widen)
	case arrow.UINT16:
		return whole(physInt32, 12, 16, false, 2, 4, widen)
	case arrow.UINT32:
		return whole(physInt32, 13, 32, false, 4, 4, same)
	case arrow.UINT64:
		return whole(physInt64, 14, 64, false, 8, 8, same)
	case arrow.FLOAT32:
		return kind{physical: physFloat, converted: -1, encode: fixed(4, 4, same)}, true
	case arrow.FLOAT64:
		return kind{physical: physDouble, converted: -1, encode: fixed(8, 8, same)}, true
	}
	return kind{}, false
}

func timestamp(t *arrow.TimestampType) kind {
	k := kind{physical: physInt64, converted: -1, encode: fixed(8, 8, same)}
	unit := int16(1) // milliseconds
	utc := t.TimeZone != ""
	switch t.Unit {
	case arrow.Second:
		k.encode = fixed(8, 8, millis)
	case arrow.Microsecond:
		unit = 2
	case arrow.Nanosecond:
		unit = 3
	}
	if utc && unit < 3 {
		k.converted = 8 + int32(unit)
	}
	k.logical = func(c *compact) {
		c.within(logicTimestamp, func() {
			c.flag(1, utc)
			c.within(2, func() { c.within(unit, func() {}) })
		})
	}
	return k
}

func decimal(t *arrow.Decimal128Type) (kind, error) {
	if t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
		return kind{}, fmt.Errorf("%s: %w", t, kernel.ErrType)
	}
	return kind{physical: physFixed, length: 16, converted: 5, scale: t.Scale, precision: t.Precision,
		logical: func(c *compact) {
			c.within(logicDecimal, func() {
				c.i32(1, t.Scale)
				c.i32(2, t.Precision)
			})
		}, encode: fixed(16, 16, swap)}, nil
}

func bare(id int16) func(*compact) {
	return func(c *compact) { c.within(id, func() {}) }
}

func integer(bits byte, signed bool) func(*compact) {
	return func(c *compact) {
		c.within(logicInteger, func() {
			c.field(1, wireByte)
			c.out = append(c.out, bits)
			c.flag(2, signed)
		})
	}
}
