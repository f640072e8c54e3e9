package file

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/connectors"
)

// converter copies one stored value, which is not null, to a builder of the
// declared type, or says which rule it breaks.
type converter func(from arrow.Array) func(i int, to array.Builder) (rule string)

// newConverter permits what loses nothing: narrower integers to int64, float32
// to float64, finer times that are whole milliseconds, and decimals of the same
// scale and no higher precision. rule is set if the types do not agree.
func newConverter(have, want arrow.DataType) (c converter, rule string) {
	switch w := want.(type) {
	case *arrow.StringType:
		if have.ID() == arrow.STRING || have.ID() == arrow.LARGE_STRING {
			return textConverter, ""
		}
	case *arrow.Int64Type:
		if c := intConverter(have); c != nil {
			return c, ""
		}
	case *arrow.Float64Type:
		switch have.ID() {
		case arrow.FLOAT64:
			return floatConverter, ""
		case arrow.FLOAT32:
			return float32Converter, ""
		}
	case *arrow.BooleanType:
		if have.ID() == arrow.BOOL {
			return boolConverter, ""
		}
	case *arrow.Date32Type:
		if have.ID() == arrow.DATE32 {
			return dateConverter, ""
		}
	case *arrow.TimestampType:
		if h, ok := have.(*arrow.TimestampType); ok {
			return timeConverter(h), ""
		}
	case *arrow.Decimal128Type:
		h, ok := have.(*arrow.Decimal128Type)
		if ok && h.Scale == w.Scale && h.Precision <= w.Precision {
			return decimalConverter(w), ""
		}
	}
	return nil, "stored as another type than declared"
}

func textConverter(from arrow.Array) func(int, array.Builder) string {
	src := from.(array.StringLike)
	return func(i int, to array.Builder) string {
		v := src.Value(i)
		if !utf8.ValidString(v) {
			return ruleUTF8
		}
		if strings.IndexByte(v, 0) >= 0 {
			return ruleNUL
		}
		to.(*array.StringBuilder).Append(v)
		return ""
	}
}

type intArray[T any] interface{ Value(int) T }

func ints[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](from arrow.Array) func(int, array.Builder) string {
	src := from.(intArray[T])
	return func(i int, to array.Builder) string {
		to.(*array.Int64Builder).Append(int64(src.Value(i)))
		return ""
	}
}

func intConverter(have arrow.DataType) converter {
	switch have.ID() {
	case arrow.INT8:
		return ints[int8]
	case arrow.INT16:
		return ints[int16]
	case arrow.INT32:
		return ints[int32]
	case arrow.INT64:
		return ints[int64]
	case arrow.UINT8:
		return ints[uint8]
	case arrow.UINT16:
		return ints[uint16]
	case arrow.UINT32:
		return ints[uint32]
	}
	return nil
}

func floatConverter(from arrow.Array) func(int, array.Builder) string {
	src := from.(*array.Float64)
	return func(i int, to array.Builder) string { return addFloat(src.Value(i), to) }
}

func float32Converter(from arrow.Array) func(int, array.Builder) string {
	src := from.(*array.Float32)
	return func(i int, to array.Builder) string { return addFloat(float64(src.Value(i)), to) }
}

func addFloat(v float64, to array.Builder) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ruleFloat
	}
	to.(*array.Float64Builder).Append(v)
	return ""
}

func boolConverter(from arrow.Array) func(int, array.Builder) string {
	src := from.(*array.Boolean)
	return func(i int, to array.Builder) string {
		to.(*array.BooleanBuilder).Append(src.Value(i))
		return ""
	}
}

const (
	firstDay = -719162 // 0001-01-01
	lastDay  = 2932896 // 9999-12-31
)

func dateConverter(from arrow.Array) func(int, array.Builder) string {
	src := from.(*array.Date32)
	return func(i int, to array.Builder) string {
		v := src.Value(i)
		if v < firstDay || v > lastDay {
			return ruleDate
		}
		to.(*array.Date32Builder).Append(v)
		return ""
	}
}

// timeConverter brings a time to milliseconds since 1970 UTC; one stored
// without zone is a wall clock in UTC+08:00.
func timeConverter(have *arrow.TimestampType) converter {
	per := int64(1)
	switch have.Unit {
	case arrow.Microsecond:
		per = 1000
	case arrow.Nanosecond:
		per = int64(time.Millisecond)
	}
	shift := int64(0)
	if have.TimeZone == "" {
		shift = connectors.BeijingOffset * 1000
	}
	const least, most = (firstDay - 1) * 86400000, (lastDay + 2) * 86400000
	return func(from arrow.Array) func(int, array.Builder) string {
		src := from.(*array.Timestamp)
		return func(i int, to array.Builder) string {
			v := int64(src.Value(i))
			if v%per != 0 || v/per < least || v/per > most {
				return ruleTimestamp
			}
			to.(*array.TimestampBuilder).Append(arrow.Timestamp(v/per - shift))
			return ""
		}
	}
}

func decimalConverter(want *arrow.Decimal128Type) converter {
	return func(from arrow.Array) func(int, array.Builder) string {
		src := from.(*array.Decimal128)
		return func(i int, to array.Builder) string {
			v := src.Value(i)
			if v.Abs().Sign() < 0 || !v.FitsInPrecision(want.Precision) { // -2^127 has no absolute value
				return rulePrecision
			}
			to.(*array.Decimal128Builder).Append(v)
			return ""
		}
	}
}
