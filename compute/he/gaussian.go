package he

import (
	"math/big"
	"sort"
)

const (
	prefixBits = 12
	ambiguous  = -128
)

// gaussian samples the discrete Gaussian of deviation 3.2 on the integers,
// cut at +-19, by inversion of a cumulative table of 63-bit precision. The first
// 12 bits decide nearly always; where they fall on a step of the table the
// other 51 bits are drawn. No floating point is used when sampling.
type gaussian struct {
	steps  [2*errorTail + 1]uint64 // steps[i]: 2^63 * P(x <= i-errorTail)
	prefix [1 << prefixBits]int8
}

func newGaussian() *gaussian {
	g := new(gaussian)
	// exp(-x^2 / (2 sigma^2)) = r^(x^2) with r = exp(-1/20.48), to 256 bits.
	const precision = 256
	r := expInverse(2048, precision) // exp(-100/2048)
	weights := make([]*big.Float, errorTail+1)
	total := new(big.Float).SetPrec(precision)
	for x := range weights {
		w := big.NewFloat(1).SetPrec(precision)
		for range x * x {
			w.Mul(w, r)
		}
		weights[x] = w
		total.Add(total, w)
		if x > 0 {
			total.Add(total, w)
		}
	}
	sum := new(big.Float).SetPrec(precision)
	scale := new(big.Float).SetPrec(precision).SetMantExp(big.NewFloat(1), 63)
	for i := range g.steps {
		x := i - errorTail
		sum.Add(sum, weights[max(x, -x)])
		v := new(big.Float).SetPrec(precision).Mul(sum, scale)
		g.steps[i], _ = v.Quo(v, total).Uint64()
	}
	g.steps[len(g.steps)-1] = 1 << 63
	for b := range g.prefix {
		low := g.find(uint64(b) << (63 - prefixBits))
		high := g.find(uint64(b+1)<<(63-prefixBits) - 1)
		g.prefix[b] = ambiguous
		if low == high {
			g.prefix[b] = low
		}
	}
	return g
}

// expInverse is exp(-100/d) by its power series.
func expInverse(d int64, precision uint) *big.Float {
	x := new(big.Float).SetPrec(precision).Quo(
		new(big.Float).SetPrec(precision).SetInt64(-100), new(big.Float).SetPrec(precision).SetInt64(d))
	sum := new(big.Float).SetPrec(precision).SetInt64(1)
	term := new(big.Float).SetPrec(precision).SetInt64(1)
	for k := int64(1); k < 80; k++ {
		term.Mul(term, x)
		term.Quo(term, new(big.Float).SetPrec(precision).SetInt64(k))
		sum.Add(sum, term)
	}
	return sum
}

// find inverts the table for u below 2^63.
func (g *gaussian) find(u uint64) int8 {
	i := sort.Search(len(g.steps), func(i int) bool { return u < g.steps[i] })
	return int8(i - errorTail)
}

// fill draws one sample per element.
func (g *gaussian) fill(s *source, dst []int8) {
	for i := range dst {
		b := s.take(2)
		head := (uint(b[0]) | uint(b[1])<<8) & (1<<prefixBits - 1)
		x := g.prefix[head]
		if x == ambiguous {
			x = g.find(uint64(head)<<(63-prefixBits) | s.word()>>(64-63+prefixBits))
		}
		dst[i] = x
	}
}
