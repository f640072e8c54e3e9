package dp

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// prec is the precision of the oracle, in bits.
const prec = 256

func newFloat() *big.Float { return new(big.Float).SetPrec(prec) }

// expOf is exp(x) to the precision of the oracle: Taylor after halving.
func expOf(x *big.Rat) *big.Float {
	f := newFloat().SetRat(x)
	halvings := max(0, f.MantExp(nil)+8)
	f.SetMantExp(f, -halvings)
	sum, term := newFloat().SetInt64(1), newFloat().SetInt64(1)
	for k := int64(1); k < 80; k++ {
		term.Mul(term, f).Quo(term, newFloat().SetInt64(k))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// laplaceMass and gaussianMass are the exact masses at |x| <= reach, and what
// lies on each side beyond.
func laplaceMass(b Rat, reach int64) (mass []float64, beyond float64) {
	q := expOf(big.NewRat(-int64(b.Den), int64(b.Num)))
	one := newFloat().SetInt64(1)
	norm := newFloat().Quo(newFloat().Sub(one, q), newFloat().Add(one, q))
	w := newFloat().Set(norm)
	mass = make([]float64, reach+1)
	for x := range mass {
		mass[x], _ = w.Float64()
		w.Mul(w, q)
	}
	beyond, _ = w.Quo(w, newFloat().Sub(one, q)).Float64()
	return mass, beyond
}

func gaussianMass(sigma2 Rat, reach int64) (mass []float64, beyond float64) {
	all := 60 * int64(math.Sqrt(float64(sigma2.Num)/float64(sigma2.Den))+1)
	weights := make([]*big.Float, all+1)
	norm, tail := newFloat(), newFloat()
	// exp(-(x+1)^2/2s) = exp(-x^2/2s) * exp(-1/2s) * exp(-1/s)^x
	e := big.NewRat(-int64(sigma2.Den), int64(sigma2.Num))
	step, w := expOf(e), newFloat().SetInt64(1)
	ratio := expOf(new(big.Rat).Quo(e, big.NewRat(2, 1)))
	for x := range all + 1 {
		weights[x] = newFloat().Set(w)
		w.Mul(w, ratio)
		ratio.Mul(ratio, step)
	}
	for x := all; x >= 0; x-- {
		norm.Add(norm, weights[x])
		if x > 0 {
			norm.Add(norm, weights[x])
		}
		if x > reach {
			tail.Add(tail, weights[x])
		}
	}
	for x := range reach + 1 {
		m, _ := newFloat().Quo(weights[x], norm).Float64()
		mass = append(mass, m)
	}
	beyond, _ = tail.Quo(tail, norm).Float64()
	return mass, beyond
}

// chiSquare compares draws with masses, cells of less than 20 expected draws
// joined with their outer neighbours. It fails a right sampler with probability
// 1e-6 (quantile by Wilson and Hilferty); seeds are fixed, so it does so never or
// always.
func chiSquare(t *testing.T, n int, mass []float64, beyond float64, draw func() int64) {
	t.Helper()
	reach := int64(len(mass) - 1)
	counts := map[int64]float64{}
	for range n {
		counts[max(-reach-1, min(reach+1, draw()))]++
	}
	var stat, expected, observed float64
	cells := 0
	for x := -reach - 1; x <= reach+1; x++ {
		p := beyond
		if x >= -reach && x <= reach {
			p = mass[max(x, -x)]
		}
		expected, observed = expected+p*float64(n), observed+counts[x]
		if expected >= 20 {
			stat += (observed - expected) * (observed - expected) / expected
			expected, observed = 0, 0
			cells++
		}
	}
	require.Greater(t, cells, 2)
	k, z := float64(cells-1), 4.7534
	limit := k * math.Pow(1-2/(9*k)+z*math.Sqrt(2/(9*k)), 3)
	require.Less(t, stat, limit+20, "chi-square over %d cells", cells)
}

func TestLaplaceFit(t *testing.T) {
	for i, b := range []Rat{{1, 1}, {1, 3}, {1, 20}, {5, 2}, {2, 7}, {20, 1}, {1 << 56, 1<<56 - 1}, {123456789, 10000001}} {
		t.Run(fmt.Sprintf("%d over %d", b.Num, b.Den), func(t *testing.T) {
			l, err := NewLaplace(b)
			require.NoError(t, err)
			src := fixed(t, byte(10+i))
			mass, beyond := laplaceMass(b, 60)
			if b.Num/b.Den == 0 && b.Den/b.Num >= 20 { // nearly always zero: too few cells
				for range 100_000 {
					if l.Sample(src) != 0 {
						t.Fatal("a draw of probability 4e-9")
					}
				}
				return
			}
			chiSquare(t, 300_000, mass, beyond, func() int64 { return l.Sample(src) })
		})
	}
}

func TestGaussianFit(t *testing.T) {
	for i, s := range []Rat{{1, 1}, {1, 4}, {1, 2}, {5, 2}, {25, 1}, {400, 1}, {1<<56 - 1, 1 << 52}, {1 << 50, 1<<48 + 1}} {
		t.Run(fmt.Sprintf("%d over %d", s.Num, s.Den), func(t *testing.T) {
			g, err := NewGaussian(s)
			require.NoError(t, err)
			src := fixed(t, byte(30+i))
			mass, beyond := gaussianMass(s, 60)
			chiSquare(t, 300_000, mass, beyond, func() int64 { return g.Sample(src) })
		})
	}
}

// TestLargeScales: at scales where single masses are too small to test, the
// draws divided into 64 equal slices of the limit law fit it. The discretisation
// moves a slice's mass by less than 1e-6.
func TestLargeScales(t *testing.T) {
	flat := func(t *testing.T, cdf func(float64) float64, draw func() int64) {
		n, cells := 200_000, make([]float64, 64)
		for range n {
			cells[min(63, int(64*cdf(float64(draw()))))]++
		}
		var stat float64
		for _, c := range cells {
			e := float64(n) / 64
			stat += (c - e) * (c - e) / e
		}
		require.Less(t, stat, 127.8) // 63 degrees, error rate about 3e-6
	}
	for i, b := range []Rat{{1 << 48, 1}, {12345678901234, 10}, {1<<56 - 1, 1<<9 + 1}} {
		l, err := NewLaplace(b)
		require.NoError(t, err)
		src, scale := fixed(t, byte(50+i)), float64(b.Num)/float64(b.Den)
		flat(t, func(x float64) float64 {
			if x < 0 {
				return math.Exp(x/scale) / 2
			}
			return 1 - math.Exp(-x/scale)/2
		}, func() int64 { return l.Sample(src) })
	}
	for i, s := range []Rat{{1 << 56, 1}, {1<<56 - 1, 7}, {1<<50 + 1, 3}} {
		g, err := NewGaussian(s)
		require.NoError(t, err)
		src, sigma := fixed(t, byte(60+i)), math.Sqrt(float64(s.Num)/float64(s.Den))
		flat(t, func(x float64) float64 { return math.Erfc(-x/sigma/math.Sqrt2) / 2 }, func() int64 { return g.Sample(src) })
	}
}

func TestScaleRefusals(t *testing.T) {
	for _, r := range []Rat{{}, {0, 1}, {1, 0}, {1<<56 + 1, 1}, {1, 1<<56 + 1}} {
		_, err := NewLaplace(r)
		require.ErrorIs(t, err, ErrParameter)
		_, err = NewGaussian(r)
		require.ErrorIs(t, err, ErrParameter)
	}
	_, err := NewLaplace(Rat{1<<48 + 1, 1})
	require.ErrorIs(t, err, ErrParameter)
	_, err = NewLaplace(Rat{1 << 60, 1 << 30}) // 2^30 in lowest terms
	require.NoError(t, err)
}

func TestSourceFails(t *testing.T) {
	_, err := NewSource(nil)
	require.ErrorIs(t, err, ErrParameter)
	_, err = NewSource(errReader{})
	require.ErrorContains(t, err, "seed noise source")
	s := fixed(t, 1)
	require.NoError(t, s.Reseed())
	before := *s
	require.Error(t, s.Reseed(), "the seed is used up")
	require.Equal(t, before, *s)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), "buf")
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, fmt.Errorf("no entropy") }

// TestSourceForgets: read words and spent keys are zero, words do not repeat, and
// a reseed changes what follows.
func TestSourceForgets(t *testing.T) {
	s, seen := fixed(t, 3), map[uint64]bool{}
	for range 5000 {
		w := s.word()
		require.False(t, seen[w])
		seen[w] = true
		if s.at%800 == seedBytes%800 {
			require.Empty(t, bytes.Trim(s.buf[seedBytes:s.at], "\x00"))
		}
	}
	a, b := fixed(t, 3), fixed(t, 3)
	require.Equal(t, a.word(), b.word())
	require.NoError(t, b.Reseed())
	require.NotEqual(t, a.word(), b.word())
}
