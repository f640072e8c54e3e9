package dp

import "math/bits"

// maxExpDen bounds the denominators of expBelow, so that they can be multiplied
// by the first 255 counts without overflow.
const (
	maxExpDen = 1 << maxRatBits
	exactK    = 255
)

// below is true with probability a/b, exactly; 0 <= a <= b, b > 0. It compares a
// uniform real with a/b, 64 bits at a time, until they differ.
func (s *Source) below(a, b uint64) bool {
	for {
		hi, lo := bits.Mul64(s.word(), b)
		if hi >= a {
			return false // word*b >= a*2^64: the real is not below a/b
		}
		rlo, borrow := bits.Sub64(0, lo, 0)
		rhi, _ := bits.Sub64(a, hi, borrow)
		if rhi != 0 || rlo >= b {
			return true // (word+1)*b <= a*2^64
		}
		a = rlo // the next bits of the real against the rest
	}
}

// uniform is a uniform integer below n > 0 (Lemire 2019, by rejection).
func (s *Source) uniform(n uint64) uint64 {
	hi, lo := bits.Mul64(s.word(), n)
	if lo < n {
		for least := -n % n; lo < least; {
			hi, lo = bits.Mul64(s.word(), n)
		}
	}
	return hi
}

// expBelow is true with probability exp(-a/b), 0 <= a <= b <= maxExpDen
// (Canonne, Kamath, Steinke 2020, Algorithm 1, first case): the first k at which
// a coin of bias a/(b k) fails is odd.
func (s *Source) expBelow(a, b uint64) bool {
	for k := uint64(1); ; k++ {
		var more bool
		if k <= exactK {
			more = s.below(a, b*k)
		} else {
			more = s.below(1, k) && s.below(a, b)
		}
		if !more {
			return k&1 == 1
		}
	}
}

// expOne is true with probability exp(-1). The coin of k = 1 never fails.
func (s *Source) expOne() bool {
	for k := uint64(2); ; k++ {
		if !s.below(1, k) {
			return k&1 == 1
		}
	}
}

// wide is a 128-bit integer.
type wide struct{ hi, lo uint64 }

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a wide) minus(b wide) wide {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return wide{hi, lo}
}

// times is a*k modulo 2^128.
func (a wide) times(k uint64) wide {
	hi, lo := bits.Mul64(a.lo, k)
	return wide{hi + a.hi*k, lo}
}

// belowWide is below for 128-bit integers, b < 2^127.
func (s *Source) belowWide(a, b wide) bool {
	for {
		w := s.word()
		p1, p0 := bits.Mul64(w, b.lo)
		p2, m := bits.Mul64(w, b.hi)
		p1, carry := bits.Add64(p1, m, 0)
		p := wide{p2 + carry, p1} // of the product word*b all but the last 64 bits
		if !p.less(a) {
			return false
		}
		r0, borrow := bits.Sub64(0, p0, 0)
		r1, borrow := bits.Sub64(a.lo, p.lo, borrow)
		r2, _ := bits.Sub64(a.hi, p.hi, borrow)
		rest := wide{r1, r0}
		if r2 != 0 || !rest.less(b) {
			return true
		}
		a = rest
	}
}

// expBelowWide is expBelow for 128-bit integers, 0 <= a <= b <= 2^118.
func (s *Source) expBelowWide(a, b wide) bool {
	for k := uint64(1); ; k++ {
		var more bool
		if k <= exactK {
			more = s.belowWide(a, b.times(k))
		} else {
			more = s.below(1, k) && s.belowWide(a, b)
		}
		if !more {
			return k&1 == 1
		}
	}
}
