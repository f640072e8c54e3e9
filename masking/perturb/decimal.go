package perturb

import (
	"errors"
	"math"
	"strings"
)

var errDecimal = errors.New("want a decimal number of at most 17 digits")

// maxDigits keeps differences of parameters within int64.
const maxDigits = 17

// decimal is units / 10^scale.
type decimal struct {
	units int64
	scale int
}

// parseDecimal reads [-]digits[.digits], nothing else.
func parseDecimal(s string) (decimal, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || (point && frac == "") || len(whole)+len(frac) > maxDigits {
		return decimal{}, errDecimal
	}
	var u int64
	for _, c := range []byte(whole + frac) {
		if c < '0' || c > '9' {
			return decimal{}, errDecimal
		}
		u = u*10 + int64(c-'0')
	}
	if negative {
		u = -u
	}
	return decimal{units: u, scale: len(frac)}, nil
}

// maxUnits bounds units at any scale.
const maxUnits = 1e18

// at gives the units of d at a scale; ok is false if they are not whole or
// above maxUnits.
func (d decimal) at(scale int) (int64, bool) {
	u := d.units
	for s := d.scale; s < scale; s++ {
		if u > maxUnits/10 || u < -maxUnits/10 {
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

// parseRatio reads digits/digits or digits[.digits].
func parseRatio(s string) (ratio, error) {
	var n, d int64
	if top, bottom, ok := strings.Cut(s, "/"); ok {
		a, err1 := parseDecimal(top)
		b, err2 := parseDecimal(bottom)
		if err1 != nil || err2 != nil || a.scale != 0 || b.scale != 0 {
			return ratio{}, errRatio
		}
		n, d = a.units, b.units
	} else {
		a, err := parseDecimal(s)
		if err != nil {
			return ratio{}, errRatio
		}
		n, d = a.units, int64(math.Pow10(a.scale))
	}
	if n <= 0 || d <= 0 {
		return ratio{}, errRatio
	}
	g := gcd(uint64(n), uint64(d))
	r := ratio{uint64(n) / g, uint64(d) / g}
	if r.num > maxPart || r.den > maxPart {
		return ratio{}, errRatio
	}
	return r, nil
}
