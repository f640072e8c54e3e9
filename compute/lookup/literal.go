package lookup

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

const maxLiteral = 256 // bytes of one literal

// literalError says which rule a literal breaks. A literal is a registered
// threshold and no datum, yet it is not repeated either.
func literalError(rule string) error {
	return fmt.Errorf("%w: literal: %s", ErrProgram, rule)
}

// parseInt reads a decimal int64 with nothing but digits and a minus sign.
func parseInt(s string) (int64, error) {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != s {
		return 0, literalError("want an int64 in plain decimal digits")
	}
	return v, nil
}

// parseFloat reads a finite plain decimal.
func parseFloat(s string) (float64, error) {
	if !plainDecimal(s) {
		return 0, literalError("want a plain decimal number")
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, literalError("outside the type")
	}
	return v, nil
}

func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, literalError("want true or false")
}

// parseDate reads YYYY-MM-DD as days since 1970-01-01.
func parseDate(s string) (int64, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, literalError("want a date YYYY-MM-DD")
	}
	return t.Unix() / 86400, nil
}

// parseTimestamp reads a time as a count of units since 1970-01-01T00:00:00Z:
// RFC 3339 with its offset for a column that has a zone, the same without
// offset for one that has none. It must be a whole number of units.
func parseTimestamp(s string, t *arrow.TimestampType) (int64, error) {
	layout := time.RFC3339Nano
	if t.TimeZone == "" {
		layout = "2006-01-02T15:04:05.999999999"
	}
	at, err := time.Parse(layout, s)
	if err != nil {
		return 0, literalError("want a time YYYY-MM-DDThh:mm:ss, with an offset if the field has a zone")
	}
	step := int64(t.Unit.Multiplier()) // nanoseconds in one unit
	nanos := big.NewInt(at.Unix())
	nanos.Mul(nanos, big.NewInt(int64(time.Second))).Add(nanos, big.NewInt(int64(at.Nanosecond())))
	units, rest := new(big.Int).DivMod(nanos, big.NewInt(step), new(big.Int))
	if rest.Sign() != 0 {
		return 0, literalError("finer than the field's unit")
	}
	if !units.IsInt64() {
		return 0, literalError("outside the type")
	}
	return units.Int64(), nil
}

// parseDecimal reads a plain decimal as the unscaled integer of a
// decimal(precision, scale), which must hold it exactly.
func parseDecimal(s string, t *arrow.Decimal128Type) (decimal128.Num, error) {
	var zero decimal128.Num
	if !plainDecimal(s) {
		return zero, literalError("want a plain decimal number")
	}
	whole, frac, _ := strings.Cut(s, ".")
	frac = strings.TrimRight(frac, "0")
	if t.Scale < 0 || len(frac) > int(t.Scale) {
		return zero, literalError("finer than the field's scale")
	}
	digits := whole + frac + strings.Repeat("0", int(t.Scale)-len(frac))
	v, ok := new(big.Int).SetString(digits, 10)
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	if !ok || v.CmpAbs(limit) >= 0 {
		return zero, literalError("outside the type")
	}
	return decimal128.FromBigInt(v), nil
}

// plainDecimal accepts -?digits(.digits)?, no exponent, sign or blank besides.
func plainDecimal(s string) bool {
	if len(s) > maxLiteral {
		return false
	}
	whole, frac, dot := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return allDigits(whole) && (!dot || allDigits(frac))
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
