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

const (
	secondsPerDay = 86_400
	millisPerDay  = 86_400_000
)

// The rules a stored date or time may break when it serves as a group key.
var (
	errCalendar = errors.New("date or time lies outside the years 1 to 9999")
	errPartDay  = errors.New("date in milliseconds is no whole day")
)

// intKey writes a value of a physInt column as a group key: integers in
// decimal, true or false, dates as YYYY-MM-DD, timestamps with zone in UTC as
// RFC 3339, those without as YYYY-MM-DDThh:mm:ss, both with as many fraction
// digits as their unit has.
func intKey(dt arrow.DataType, v int64) (string, error) {
	switch t := dt.(type) {
	case *arrow.BooleanType:
		return strconv.FormatBool(v != 0), nil
	case *arrow.Date32Type:
		return dateKey(v)
	case *arrow.Date64Type:
		if v%millisPerDay != 0 {
			return "", errPartDay
		}
		return dateKey(v / millisPerDay)
	case *arrow.TimestampType:
		return timestampKey(t, v)
	}
	return strconv.FormatInt(v, 10), nil
}

func dateKey(days int64) (string, error) {
	if days < -1_000_000 || days > 3_000_000 { // keeps the product below from wrapping
		return "", errCalendar
	}
	at := time.Unix(days*secondsPerDay, 0).UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return "", errCalendar
	}
	return at.Format(time.DateOnly), nil
}

func timestampKey(t *arrow.TimestampType, v int64) (string, error) {
	unit := int64(t.Unit.Multiplier())
	perSecond := int64(time.Second) / unit
	sec, rest := v/perSecond, v%perSecond
	if rest < 0 {
		sec, rest = sec-1, rest+perSecond
	}
	if sec < -100_000_000_000 || sec > 300_000_000_000 {
		return "", errCalendar
	}
	at := time.Unix(sec, rest*unit).UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return "", errCalendar
	}
	layout := "2006-01-02T15:04:05"
	if digits := len(strconv.FormatInt(perSecond, 10)) - 1; digits > 0 {
		layout += "." + strings.Repeat("0", digits)
	}
	if t.TimeZone != "" {
		layout += "Z"
	}
	return at.Format(layout), nil
}

// numKey writes a value of a physNum column as a group key, with the fraction
// digits of the field's scale.
func numKey(dt arrow.DataType, v decimal128.Num) string {
	return decimalText(v.BigInt(), scaleOf(dt))
}

// decimalText writes v / 10^scale with exactly scale fraction digits.
func decimalText(v *big.Int, scale int) string {
	digits := new(big.Int).Abs(v).String()
	if short := scale + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	if scale > 0 {
		cut := len(digits) - scale
		digits = digits[:cut] + "." + digits[cut:]
	}
	if v.Sign() < 0 {
		digits = "-" + digits
	}
	return digits
}

// meanText writes sum / (10^scale * n) with the given fraction digits (at least
// scale), rounded half to even. n is positive. Zero carries no sign.
func meanText(sum *big.Int, scale int, n int64, digits int) string {
	shift := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits-scale)), nil)
	scaled := new(big.Int).Mul(sum, shift)
	quo, rem := new(big.Int).QuoRem(scaled.Abs(scaled), big.NewInt(n), new(big.Int))
	rem.Lsh(rem, 1)
	switch rem.Cmp(big.NewInt(n)) {
	case 1:
		quo.Add(quo, big.NewInt(1))
	case 0:
		quo.Add(quo, big.NewInt(int64(quo.Bit(0))))
	}
	if sum.Sign() < 0 {
		quo.Neg(quo)
	}
	return decimalText(quo, digits)
}
