package plain

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

// literal is one parsed constant of a filter; which member counts is the
// column's phys.
type literal struct {
	i int64
	n decimal128.Num
	f float64
	s string
}

// The rules a literal may break. They name the rule, never the literal.
var (
	errInteger   = errors.New("literal is no integer: digits with an optional minus sign")
	errRange     = errors.New("literal lies outside the range of the field's type")
	errBool      = errors.New("literal of a boolean is true or false")
	errDate      = errors.New("literal of a date is YYYY-MM-DD")
	errZoned     = errors.New("literal of a timestamp with zone is RFC 3339 with an offset")
	errUnzoned   = errors.New("literal of a timestamp without zone is YYYY-MM-DDThh:mm:ss without an offset")
	errFiner     = errors.New("literal is finer than the unit of the field")
	errDecimal   = errors.New("literal is no decimal: digits, an optional minus sign and point")
	errScale     = errors.New("literal has more fraction digits than the field's scale")
	errPrecision = errors.New("literal has more digits than the field's precision")
	errFloat     = errors.New("literal is no finite number")
)

// parseLiteral reads text as a constant of type dt. Nothing is rounded but
// literals of float fields, which take the nearest float64, as their data did.
func parseLiteral(dt arrow.DataType, text string) (literal, error) {
	switch t := dt.(type) {
	case *arrow.BooleanType:
		return parseBool(text)
	case *arrow.Date32Type:
		return parseDate(text, 1)
	case *arrow.Date64Type:
		return parseDate(text, millisPerDay)
	case *arrow.TimestampType:
		return parseTimestamp(t, text)
	case *arrow.Decimal128Type:
		return parseDecimal(t, text)
	case *arrow.Uint64Type:
		return parseUint64(text)
	case *arrow.Float64Type:
		return parseFloat(text)
	}
	if p, ok := classify(dt); ok && p == physInt {
		return parseInt(dt, text)
	}
	return literal{s: text}, nil
}

func parseInt(dt arrow.DataType, text string) (literal, error) {
	if !isInteger(text) {
		return literal{}, errInteger
	}
	bits := 64
	if fw, ok := dt.(arrow.FixedWidthDataType); ok {
		bits = fw.BitWidth()
	}
	if arrow.IsUnsignedInteger(dt.ID()) {
		v, err := strconv.ParseUint(text, 10, bits)
		if err != nil {
			return literal{}, errRange
		}
		return literal{i: int64(v)}, nil // at most 32 bits: uint64 is parsed elsewhere
	}
	v, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return literal{}, errRange
	}
	return literal{i: v}, nil
}

func parseUint64(text string) (literal, error) {
	if !isInteger(text) {
		return literal{}, errInteger
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return literal{}, errRange
	}
	return literal{n: decimal128.FromU64(v)}, nil
}

func parseBool(text string) (literal, error) {
	switch text {
	case "true":
		return literal{i: 1}, nil
	case "false":
		return literal{}, nil
	}
	return literal{}, errBool
}

func parseFloat(text string) (literal, error) {
	// The decimal grammar keeps out hexadecimal, underscores, inf and nan.
	mantissa, exponent, has := strings.Cut(strings.ToLower(text), "e")
	if _, _, ok := cutDecimal(mantissa); !ok || has && !isInteger(strings.TrimPrefix(exponent, "+")) {
		return literal{}, errFloat
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return literal{}, errFloat
	}
	return literal{f: v}, nil
}

func parseDecimal(t *arrow.Decimal128Type, text string) (literal, error) {
	whole, frac, ok := cutDecimal(text)
	if !ok {
		return literal{}, errDecimal
	}
	if len(frac) > int(t.Scale) {
		return literal{}, errScale
	}
	digits := whole + frac + strings.Repeat("0", int(t.Scale)-len(frac))
	if len(strings.TrimLeft(strings.TrimPrefix(digits, "-"), "0")) > int(t.Precision) {
		return literal{}, errPrecision
	}
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return literal{}, errDecimal
	}
	return literal{n: decimal128.FromBigInt(v)}, nil // at most 38 digits: under 127 bits
}

func parseDate(text string, perDay int64) (literal, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return literal{}, errDate
	}
	return literal{i: t.Unix() / secondsPerDay * perDay}, nil
}

func parseTimestamp(t *arrow.TimestampType, text string) (literal, error) {
	var at time.Time
	var err error
	if t.TimeZone != "" {
		if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return literal{}, errZoned
		}
	} else if at, err = time.Parse("2006-01-02T15:04:05", text); err != nil {
		return literal{}, errUnzoned
	}
	if len(fraction(text)) > 9 {
		return literal{}, errFiner
	}
	unit := t.Unit.Multiplier()
	nanos := int64(at.Nanosecond())
	if nanos%int64(unit) != 0 {
		return literal{}, errFiner
	}
	perSecond := int64(time.Second / unit)
	v := new(big.Int).Mul(big.NewInt(at.Unix()), big.NewInt(perSecond))
	v.Add(v, big.NewInt(nanos/int64(unit)))
	if !v.IsInt64() {
		return literal{}, errRange
	}
	return literal{i: v.Int64()}, nil
}

// fraction returns the digits after the point or comma of a time text: the
// standard parser silently drops those beyond the ninth.
func fraction(text string) string {
	i := strings.IndexAny(text, ".,")
	if i < 0 {
		return ""
	}
	rest := text[i+1:]
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	return rest[:end]
}

func isInteger(s string) bool {
	return isDigits(strings.TrimPrefix(s, "-"))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// cutDecimal splits a decimal text into its signed whole part and its fraction.
func cutDecimal(s string) (whole, frac string, ok bool) {
	whole, frac, point := strings.Cut(s, ".")
	return whole, frac, isInteger(whole) && (!point || isDigits(frac))
}
