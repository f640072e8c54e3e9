package dp

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Gaussian draws from the discrete Gaussian distribution of a rational sigma^2:
// P(x) is proportional to exp(-x^2 / (2 sigma^2)) over the integers. sigma^2 is
// a parameter, close to the variance and never below it. Immutable; safe for
// concurrent use with one Source for each goroutine.
type Gaussian struct {
	n     uint64 // sigma^2 = n/d
	td    uint64 // t*d
	den   wide   // 2 t^2 d n
	small bool   // den fits expBelow
	lap   Laplace
}

// NewGaussian takes sigma^2 with parts of at most 2^56 in lowest terms: sigma is
// at most 2^28. Larger noise belongs to a sum that should be counted in coarser
// units. Errors wrap ErrParameter.
func NewGaussian(sigma2 Rat) (*Gaussian, error) {
	r, err := sigma2.reduced()
	if err != nil {
		return nil, fmt.Errorf("gaussian sigma squared: %w", err)
	}
	t := isqrt(r.Num/r.Den) + 1
	td := t * r.Den // at most sqrt(n d) + d <= 2^57
	hi, lo := bits.Mul64(2*t, td)
	den := wide{hi, lo}.times(r.Num) // at most 8 max(n,d)^2 <= 2^115
	return &Gaussian{
		n: r.Num, td: td, den: den,
		small: den.hi == 0 && den.lo <= maxExpDen,
		lap:   Laplace{t: t, s: 1},
	}, nil
}

// Sample draws once. Its time depends on the draw.
//
// Algorithm 3 of Canonne, Kamath and Steinke 2020: a Laplace draw y of scale
// t = floor(sigma)+1 is kept with probability exp(-(|y| - sigma^2/t)^2 / (2
// sigma^2)), here (|y| t d - n)^2 / (2 t^2 d n).
func (g *Gaussian) Sample(src *Source) int64 {
	for {
		y := g.lap.Sample(src)
		if g.keep(src, uint64(max(y, -y))) {
			return y
		}
	}
}

func (g *Gaussian) keep(src *Source, y uint64) bool {
	hi, x := bits.Mul64(y, g.td)
	if hi != 0 {
		return g.keepFar(src, y)
	}
	m := max(x, g.n) - min(x, g.n)
	if g.small && m < 1<<32 {
		a, b := m*m, g.den.lo
		for ; a >= b; a -= b {
			if !src.expOne() {
				return false
			}
		}
		return src.expBelow(a, b)
	}
	var a wide
	a.hi, a.lo = bits.Mul64(m, m)
	for ; !a.less(g.den); a = a.minus(g.den) {
		if !src.expOne() {
			return false
		}
	}
	return src.expBelowWide(a, g.den)
}

// keepFar is keep where |y| t d exceeds 64 bits: more than 64 scales away.
func (g *Gaussian) keepFar(src *Source, y uint64) bool {
	m := new(big.Int).Mul(new(big.Int).SetUint64(y), new(big.Int).SetUint64(g.td))
	m.Sub(m, new(big.Int).SetUint64(g.n))
	m.Mul(m, m)
	den := new(big.Int).SetUint64(g.den.hi)
	den.Lsh(den, 64).Or(den, new(big.Int).SetUint64(g.den.lo))
	whole, rest := m.QuoRem(m, den, new(big.Int))
	for one := big.NewInt(1); whole.Sign() > 0; whole.Sub(whole, one) {
		if !src.expOne() {
			return false
		}
	}
	lo := new(big.Int).And(rest, new(big.Int).SetUint64(^uint64(0))).Uint64()
	return src.expBelowWide(wide{rest.Rsh(rest, 64).Uint64(), lo}, g.den)
}

// isqrt is the integer square root.
func isqrt(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	for x := uint64(1) << ((bits.Len64(n) + 1) / 2); ; {
		next := (x + n/x) / 2
		if next >= x {
			return x
		}
		x = next
	}
}
