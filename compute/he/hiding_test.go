package he_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// What decodes need not be hidden: a sum whose error is as long as a mask passes
// CheckNoise, and would tell its error.
func TestLongErrorsAreNotHidden(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	one := p.FreshVariance(3)
	rows := func(n, weight int64) *big.Int {
		v := new(big.Int).Mul(one, big.NewInt(n))
		return v.Mul(v, new(big.Int).Mul(big.NewInt(weight), big.NewInt(weight)))
	}
	require.NoError(t, p.CheckHiding(new(big.Int), 3))
	require.NoError(t, p.CheckHiding(rows(1_000_000_000, 1), 3))
	require.NoError(t, p.CheckHiding(rows(1_000_000_000, 1000), 3))
	require.NoError(t, p.CheckHiding(rows(1_000_000, 1<<15), 3))
	require.ErrorIs(t, p.CheckHiding(rows(1_000_000, 1<<17), 3), he.ErrRange)
	require.ErrorIs(t, p.CheckHiding(rows(10, 1<<30), 3), he.ErrRange)
	require.NoError(t, p.CheckNoise(new(big.Int).Mul(p.FreshNoise(3), big.NewInt(10<<30)), 3), "decoding alone would bear it")
	require.ErrorIs(t, p.CheckHiding(one, 0), he.ErrRange)
	require.ErrorIs(t, p.CheckHiding(big.NewInt(-1), 3), he.ErrRange)
	// The bound itself: 32 deviations are at most 2^(67-28).
	edge := new(big.Int).Lsh(big.NewInt(1), 2*(67-28-5))
	require.NoError(t, p.CheckHiding(edge, 3))
	require.ErrorIs(t, p.CheckHiding(edge.Add(edge, big.NewInt(1)), 3), he.ErrRange)

	muls, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	product := new(big.Int).Mul(muls.ProductVariance(3), big.NewInt(1_000_000_000/8192+1))
	require.NoError(t, muls.CheckHiding(product, 3))
}

// The error of single coefficients over several keys has the variance that the
// hiding bound counts with.
func TestFreshVarianceIsThatOfEncryptions(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	var sum, n float64
	for seed := byte(1); seed <= 4; seed++ {
		w := newWorld(t, p, seed)
		acc := he.NewAccumulator(p, w.key)
		require.NoError(t, acc.Add(w.leaf(t, 0, nil)))
		c := acc.Sum().Limbs[0]
		r := p.RingQ()
		phase := r.NewPoly()
		r.NTT(c.C1, phase)
		r.MulCoeffsMontgomery(phase, w.secret.poly, phase)
		r.INTT(phase, phase)
		r.Add(phase, c.C0, phase)
		q := p.Q()[0]
		for _, x := range phase.Coeffs[0] {
			e := float64(x)
			if x > q/2 {
				e = -float64(q - x)
			}
			sum += e * e
			n++
		}
	}
	bound, _ := new(big.Float).SetInt(p.FreshVariance(3)).Float64()
	t.Logf("deviation %.1f, bound %.1f", math.Sqrt(sum/n), math.Sqrt(bound))
	require.InDelta(t, bound, sum/n, 0.1*bound)
}
