package file

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Rules that a value may break.
const (
	ruleNull      = "null in a field declared not nullable"
	ruleInt       = "not an int64"
	ruleFloat     = "not a finite float64"
	ruleBool      = "not a bool (true, false, 1, 0, 是, 否)"
	ruleDate      = "not a date (YYYY-MM-DD)"
	ruleTimestamp = "not a timestamp (YYYY-MM-DD HH:MM:SS[.mmm][zone]), or finer than a millisecond"
	ruleDecimal   = "not a decimal"
	rulePrecision = "decimal over its declared precision"
	ruleScale     = "decimal over its declared scale"
)

// newColumn gives the builder of a declared type and the function that parses a
// cell into it.
func newColumn(mem memory.Allocator, dt arrow.DataType) (array.Builder, func([]byte) string) {
	switch t := dt.(type) {
	case *arrow.Int64Type:
		b := array.NewInt64Builder(mem)
		return b, adder(parseInt, b.Append, ruleInt)
	case *arrow.Float64Type:
		b := array.NewFloat64Builder(mem)
		return b, adder(parseFloat, b.Append, ruleFloat)
	case *arrow.BooleanType:
		b := array.NewBooleanBuilder(mem)
		return b, adder(parseBool, b.Append, ruleBool)
	case *arrow.Date32Type:
		b := array.NewDate32Builder(mem)
		return b, adder(parseDate, b.Append, ruleDate)
	case *arrow.TimestampType:
		b := array.NewTimestampBuilder(mem, t)
		return b, adder(parseTimestamp, b.Append, ruleTimestamp)
	case *arrow.Decimal128Type:
		b := array.NewDecimal128Builder(mem, t)
		return b, func(c []byte) string {
			v, rule := parseDecimal(c, int(t.Precision), int(t.Scale))
			if rule == "" {
				b.Append(v)
			}
			return rule
		}
	}
	b := array.NewStringBuilder(mem)
	return b, func(c []byte) string {
		b.BinaryBuilder.Append(c)
		return ""
	}
}

func adder[T any](parse func([]byte) (T, bool), add func(T), rule string) func([]byte) string {
	return func(c []byte) string {
		v, ok := parse(c)
		if !ok {
			return rule
		}
		add(v)
		return ""
	}
}

// parseInt reads an optional minus and decimal digits.
func parseInt(c []byte) (int64, bool) {
	neg := len(c) > 0 && c[0] == '-'
	if neg {
		c = c[1:]
	}
	if len(c) == 0 {
		return 0, false
	}
	var n uint64
	for _, d := range c {
		d -= '0'
		if d > 9 || n > math.MaxUint64/20 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	if neg {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n <= math.MaxInt64
}

// parseFloat reads a decimal number with optional exponent: no names (NaN, Inf),
// no hexadecimal, no underscore, nothing beyond the finite range.
func parseFloat(c []byte) (float64, bool) {
	if v, ok := shortFloat(c); ok {
		return v, true
	}
	for _, d := range c {
		if (d < '0' || d > '9') && d != '.' && d != '-' && d != '+' && d != 'e' && d != 'E' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(c), 64)
	return v, err == nil
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortFloat reads up to 15 digits with an optional point. Digits and power of
// ten are then exact, so that one division rounds correctly.
func shortFloat(c []byte) (float64, bool) {
	neg := len(c) > 0 && c[0] == '-'
	if neg {
		c = c[1:]
	}
	if len(c) == 0 || len(c) > 16 {
		return 0, false
	}
	var n uint64
	digits, frac := 0, -1
	for i, d := range c {
		if d == '.' && frac < 0 {
			frac = len(c) - i - 1
			continue
		}
		d -= '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
		digits++
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	v := float64(n) / pow10[max(frac, 0)]
	if neg {
		v = -v
	}
	return v, true
}

func parseBool(c []byte) (v, ok bool) {
	switch string(c) {
	case "true", "1", "是":
		return true, true
	case "false", "0", "否":
		return false, true
	}
	return false, false
}

// parseDecimal reads an optional minus and digits with an optional point, all
// of them kept: more digits after the point than the scale are refused, also
// zeros.
func parseDecimal(c []byte, precision, scale int) (decimal128.Num, string) {
	neg := len(c) > 0 && c[0] == '-'
	if neg {
		c = c[1:]
	}
	var hi, lo uint64
	digits, frac := 0, -1
	for i, d := range c {
		if d == '.' && frac < 0 {
			frac = len(c) - i - 1
			continue
		}
		if d -= '0'; d > 9 {
			return decimal128.Num{}, ruleDecimal
		}
		digits++
		if hi >= 1<<60 { // ten times this still fits, and 38 digits stay below
			return decimal128.Num{}, rulePrecision
		}
		hi, lo = shift10(hi, lo, uint64(d))
	}
	if digits == 0 || frac == 0 || frac == digits {
		return decimal128.Num{}, ruleDecimal
	}
	if frac > scale {
		return decimal128.Num{}, ruleScale
	}
	for range scale - max(frac, 0) {
		if hi >= 1<<60 {
			return decimal128.Num{}, rulePrecision
		}
		hi, lo = shift10(hi, lo, 0)
	}
	if hi >= 1<<63 {
		return decimal128.Num{}, rulePrecision
	}
	v := decimal128.New(int64(hi), lo)
	if !v.FitsInPrecision(int32(precision)) {
		return decimal128.Num{}, rulePrecision
	}
	if neg {
		v = v.Negate()
	}
	return v, ""
}

func shift10(hi, lo, digit uint64) (uint64, uint64) {
	over, low := bits.Mul64(lo, 10)
	low, carry := bits.Add64(low, digit, 0)
	return hi*10 + over + carry, low
}
