package he_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// noise gives |T*phase - v| / T of one limb's opening, v the number it holds:
// the error, carry of T included.
func noise(t *testing.T, p *he.Parameters, w *world, sum *he.Sum, mask he.Mask, want *big.Int) *big.Int {
	openings, err := he.Extract(p, []he.Term{{Sum: sum, Mask: mask}})
	require.NoError(t, err)
	worst := new(big.Int)
	for limb, phase := range phases(p, openings, map[[32]byte]*wholeSecret{w.key: w.secret}) {
		x, modulus := new(big.Int), big.NewInt(1)
		for i, q := range p.Q() {
			prime := new(big.Int).SetUint64(q)
			step := new(big.Int).Sub(new(big.Int).SetUint64(phase[i]), x)
			step.Mul(step, new(big.Int).ModInverse(modulus, prime)).Mod(step, prime)
			x.Add(x, step.Mul(step, modulus))
			modulus.Mul(modulus, prime)
		}
		prime := new(big.Int).SetUint64(p.T()[limb])
		x.Mul(x, prime).Sub(x, want).Mod(x, modulus)
		if new(big.Int).Lsh(x, 1).Cmp(modulus) > 0 {
			x.Sub(x, modulus)
		}
		e, rest := new(big.Int).QuoRem(x, prime, new(big.Int))
		require.Zero(t, rest.Sign(), "not a multiple of T: another number")
		if e.CmpAbs(worst) > 0 {
			worst.Abs(e)
		}
	}
	return worst
}

func TestFreshNoiseIsWithinItsBound(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	w := newWorld(t, p, 1)
	values := make([]int64, p.N())
	for j := range values {
		values[j] = int64(j) << 24
	}
	acc := he.NewAccumulator(p, w.key)
	require.NoError(t, acc.Add(w.leaf(t, 0, values)))
	bound := p.FreshNoise(3)
	for _, j := range []int{0, 1, 77, p.N() / 2, p.N() - 1} {
		e := noise(t, p, w, acc.Sum(), p.CoefficientMask(j), big.NewInt(values[j]))
		require.Negative(t, e.Cmp(bound))
		require.Positive(t, e.Sign())
		// About 410 deviation: far from the worst case, not absent either.
		require.Less(t, e.Int64(), int64(10*410))
	}
}

func TestProductNoiseIsWithinItsBound(t *testing.T) {
	p, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	w := newWorld(t, p, 1)
	values, want := make([]int64, p.N()), new(big.Int)
	for j := range values {
		values[j] = int64(p.T()[0]/2) - int64(j)
		want.Add(want, new(big.Int).Mul(big.NewInt(values[j]), big.NewInt(values[j])))
	}
	want.Mod(want, p.Capacity())
	product, err := he.NewProduct(p, w.key, w.secret.relinKey(t))
	require.NoError(t, err)
	y, err := w.enc.EncryptReversed(nil, w.header(0, p.N()), values, he.MaxValue)
	require.NoError(t, err)
	require.NoError(t, product.Add(w.leaf(t, 0, values), y))
	sum, err := product.Sum()
	require.NoError(t, err)
	e := noise(t, p, w, sum, p.DotMask(), want)
	bound := new(big.Int).Add(p.ProductNoise(3), p.RelinNoise(3))
	require.Negative(t, e.Cmp(bound))
	t.Logf("product error of %d bits, bound %d, relinearisation %d", e.BitLen(), bound.BitLen(), p.RelinNoise(3).BitLen())
}

// The room that the design counts on: a billion rows in the worst case, with the
// smudging of three components.
func TestABillionRowsHaveRoom(t *testing.T) {
	adds, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	require.Equal(t, 66, adds.SmudgeBits(3))
	worst := new(big.Int).Mul(adds.FreshNoise(3), big.NewInt(1<<30))
	require.Less(t, worst.BitLen(), 50)
	require.NoError(t, adds.CheckNoise(worst, 3))
	require.ErrorIs(t, adds.CheckNoise(new(big.Int).Lsh(worst, 18), 3), he.ErrRange)
	require.ErrorIs(t, adds.CheckNoise(worst, 0), he.ErrRange)

	muls, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	require.Equal(t, 121, muls.SmudgeBits(3))
	worst = new(big.Int).Mul(muls.ProductNoise(3), big.NewInt(1<<17))
	worst.Add(worst, muls.RelinNoise(3))
	require.NoError(t, muls.CheckNoise(worst, 3))
}

func TestDecodeRefusesWhatIsOutOfRange(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	acc := he.NewAccumulator(p, w.key)
	require.NoError(t, acc.Add(w.leaf(t, 0, []int64{1000})))
	openings, err := he.Extract(p, []he.Term{{Sum: acc.Sum(), Mask: p.AllMask()}})
	require.NoError(t, err)
	in := phases(p, openings, map[[32]byte]*wholeSecret{w.key: w.secret})
	v, err := he.Decode(p, in, big.NewInt(1001))
	require.NoError(t, err)
	require.EqualValues(t, 1000, v.Int64())
	_, err = he.Decode(p, in, big.NewInt(1000))
	require.ErrorIs(t, err, he.ErrRange)
	_, err = he.Decode(p, in[:1], nil)
	require.ErrorIs(t, err, he.ErrMismatch)
	_, err = he.Decode(p, [][]uint64{{0}, {0}}, nil)
	require.ErrorIs(t, err, he.ErrMismatch)
	_, err = he.Decode(p, [][]uint64{{p.Q()[0], 0}, {0, 0}}, nil)
	require.ErrorIs(t, err, he.ErrMalformed)
	// One foreign residue: a number far beyond any planned bound.
	in[0][0] = (in[0][0] + 1<<40) % p.Q()[0]
	_, err = he.Decode(p, in, big.NewInt(1<<40))
	require.ErrorIs(t, err, he.ErrRange)
}
