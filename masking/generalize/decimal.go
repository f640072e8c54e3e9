package generalize

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var errNumber = errors.New("want a decimal number of at most 18 digits")

// maxDigits keeps every scaled parameter within int64.
const maxDigits = 18

// decimal is a number as units / 10^scale.
type decimal struct {
	units int64
	scale int
}

// parseDecimal reads [-]digits[.digits], nothing else.
func parseDecimal(s string) (decimal, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || (point && frac == "") || len(whole)+len(frac) > maxDigits {
		return decimal{}, errNumber
	}
	var u int64
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return decimal{}, errNumber
		}
		u = u*10 + int64(c-'0')
	}
	if negative {
		u = -u
	}
	return decimal{units: u, scale: len(frac)}, nil
}

// at gives the units of d at a scale; ok is false if it does not fit exactly.
func (d decimal) at(scale int) (int64, bool) {
	u := d.units
	for s := d.scale; s < scale; s++ {
		if u > math.MaxInt64/10 || u < math.MinInt64/10 {
			return 0, false
		}
		u *= 10
	}
	for s := d.scale; s > scale; s-- {
		if u%10 != 0 {
			return 0, false
		}
		u /= 10
	}
	return u, true
}

// appendUnits writes units / 10^scale without trailing zeroes of the fraction.
func appendUnits(dst []byte, units int64, scale int) []byte {
	if scale == 0 {
		return strconv.AppendInt(dst, units, 10)
	}
	abs := uint64(units)
	if units < 0 {
		dst = append(dst, '-')
		abs = -abs
	}
	digits := strconv.FormatUint(abs, 10)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	whole, frac := digits[:len(digits)-scale], strings.TrimRight(digits[len(digits)-scale:], "0")
	dst = append(dst, whole...)
	if frac != "" {
		dst = append(dst, '.')
		dst = append(dst, frac...)
	}
	return dst
}

// floorDiv is the quotient rounded down; b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
