package dp

import (
	"fmt"
	"math/bits"
)

const (
	// maxScaleBits bounds a Laplace scale.
	maxScaleBits = 48
	// maxDraw bounds every draw. One that reaches it is repeated; with scales up to
	// 2^48 that happens with probability below exp(-2^14), which no account of
	// delta can show.
	maxDraw = 1 << 62
)

// Laplace draws from the discrete Laplace distribution of a rational scale b:
// P(x) is proportional to exp(-|x|/b). Immutable; safe for concurrent use with
// one Source for each goroutine.
type Laplace struct {
	t, s uint64 // b = t/s
}

// NewLaplace takes a scale of at most 2^48, with parts of at most 2^56 in lowest
// terms. Errors wrap ErrParameter.
func NewLaplace(scale Rat) (*Laplace, error) {
	r, err := scale.reduced()
	if err != nil {
		return nil, fmt.Errorf("laplace scale: %w", err)
	}
	if r.Num>>maxScaleBits >= r.Den && r.Num > r.Den<<maxScaleBits {
		return nil, fmt.Errorf("laplace scale: %w: above 2^%d", ErrParameter, maxScaleBits)
	}
	return &Laplace{t: r.Num, s: r.Den}, nil
}

// Sample draws once; the magnitude is below 2^62. Its time depends on the draw.
func (l *Laplace) Sample(src *Source) int64 {
	for {
		y, ok := l.magnitude(src)
		if !ok {
			continue
		}
		if src.bit() == 0 {
			return int64(y)
		}
		if y != 0 { // else zero would count twice
			return -int64(y)
		}
	}
}

// magnitude is one pass of Algorithm 2 of Canonne, Kamath and Steinke 2020
// without the sign: u + t v is geometric with ratio exp(-1/t), and division by s
// makes the ratio exp(-s/t).
func (l *Laplace) magnitude(src *Source) (uint64, bool) {
	var u uint64
	if l.t > 1 {
		u = src.uniform(l.t)
		if u != 0 && !src.expBelow(u, l.t) {
			return 0, false
		}
	}
	var v uint64
	for src.expOne() {
		v++
	}
	hi, lo := bits.Mul64(l.t, v)
	lo, carry := bits.Add64(lo, u, 0)
	hi += carry
	if hi >= l.s {
		return 0, false
	}
	y := lo
	if l.s != 1 {
		y, _ = bits.Div64(hi, lo, l.s)
	}
	return y, y < maxDraw
}
