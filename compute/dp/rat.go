package dp

import "fmt"

// maxRatBits bounds both parts of a Rat that serves as a scale.
const maxRatBits = 56

// Rat is a positive rational, Num over Den. A literal: unchecked until it is
// used.
type Rat struct {
	Num, Den uint64
}

// reduced is the Rat in lowest terms; it refuses zero and parts above 2^56.
func (r Rat) reduced() (Rat, error) {
	if r.Num == 0 || r.Den == 0 {
		return Rat{}, fmt.Errorf("%w: a rational needs both parts above zero", ErrParameter)
	}
	g := gcd(r.Num, r.Den)
	r = Rat{Num: r.Num / g, Den: r.Den / g}
	if r.Num > 1<<maxRatBits || r.Den > 1<<maxRatBits {
		return Rat{}, fmt.Errorf("%w: a part of a rational exceeds 2^%d", ErrParameter, maxRatBits)
	}
	return r, nil
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
