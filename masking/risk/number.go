package risk

import (
	"cmp"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// number orders the values of a column: by fraction, then
// by the signed high and the low half.
type number struct {
	fraction float64
	high     int64
	low      uint64
	code     uint32
}

// numberOf gives the place of a value among numbers and dates; false for what
// has no natural order.
func numberOf(a arrow.Array, i int) (number, bool) {
	switch a := a.(type) {
	case *array.Int8:
		return whole(int64(a.Value(i)))
	case *array.Int16:
		return whole(int64(a.Value(i)))
	case *array.Int32:
		return whole(int64(a.Value(i)))
	case *array.Int64:
		return whole(a.Value(i))
	case *array.Uint8:
		return whole(int64(a.Value(i)))
	case *array.Uint16:
		return whole(int64(a.Value(i)))
	case *array.Uint32:
		return whole(int64(a.Value(i)))
	case *array.Uint64:
		return number{low: a.Value(i)}, true
	case *array.Date32:
		return whole(int64(a.Value(i)))
	case *array.Date64:
		return whole(int64(a.Value(i)))
	case *array.Timestamp:
		return whole(int64(a.Value(i)))
	case *array.Decimal128:
		return number{high: a.Value(i).HighBits(), low: a.Value(i).LowBits()}, true
	case *array.Float32:
		return fraction(float64(a.Value(i)))
	case *array.Float64:
		return fraction(a.Value(i))
	}
	return number{}, false
}

// whole orders the signed as the unsigned by turning the sign.
func whole(x int64) (number, bool) { return number{low: uint64(x) ^ 1<<63}, true }

// fraction puts NaN behind all numbers.
func fraction(x float64) (number, bool) {
	if math.IsNaN(x) {
		return number{fraction: math.Inf(1), low: 1}, true
	}
	return number{fraction: x}, true
}

// orderOf gives the codes by rising value; nil where there are none.
func orderOf(numbers []number) []uint32 {
	if len(numbers) == 0 {
		return nil
	}
	slices.SortFunc(numbers, func(a, b number) int {
		return cmp.Or(cmp.Compare(a.fraction, b.fraction), cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.code, b.code))
	})
	order := make([]uint32, len(numbers))
	for i, x := range numbers {
		order[i] = x.code
	}
	return order
}
