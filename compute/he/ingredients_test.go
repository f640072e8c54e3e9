package he_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// The statistical bounds below are 6 deviations each: a correct implementation
// misses one of them in fewer than one run of ten million.

// constantKey is a public key of two constants in place of uniform polynomials:
// it protects nothing and so shows what encryption adds.
func constantKey(t *testing.T, p *he.Parameters, constant uint64) *he.Encryptor {
	key := &he.PublicKey{B: p.RingQ().NewPoly(), A: p.RingQ().NewPoly()}
	for i := range p.Q() {
		for j := range p.N() {
			key.B.Coeffs[i][j], key.A.Coeffs[i][j] = constant, constant
		}
	}
	enc, err := he.NewEncryptor(p, key, rand.Reader)
	require.NoError(t, err)
	return enc
}

// polynomials gives the four polynomials of a leaf of zeros, centred, and checks
// that their residues agree.
func polynomials(t *testing.T, p *he.Parameters, enc *he.Encryptor) [][]int64 {
	leaf, err := enc.Encrypt(nil, he.Header{Rows: 1}, nil, 0)
	require.NoError(t, err)
	var out [][]int64
	for limb := range p.Limbs() {
		c, err := leaf.Limb(limb)
		require.NoError(t, err)
		for _, poly := range [][][]uint64{c.C0.Coeffs, c.C1.Coeffs} {
			v := make([]int64, p.N())
			for j := range v {
				v[j] = centred(poly[0][j], p.Q()[0])
				require.Equal(t, v[j], centred(poly[1][j], p.Q()[1]))
			}
			out = append(out, v)
		}
	}
	return out
}

func centred(x, q uint64) int64 {
	if x > q/2 {
		return int64(x) - int64(q)
	}
	return int64(x)
}

func correlation(a, b []int64) float64 {
	var ab, aa, bb float64
	for j := range a {
		ab += float64(a[j] * b[j])
		aa += float64(a[j] * a[j])
		bb += float64(b[j] * b[j])
	}
	return ab / math.Sqrt(aa*bb)
}

// Every polynomial of every limb has an error of its own, of deviation 3.2.
func TestEveryPolynomialHasItsOwnError(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	enc := constantKey(t, p, 0)
	errs := append(polynomials(t, p, enc), polynomials(t, p, enc)...)
	for n, e := range errs {
		var square float64
		for _, x := range e {
			require.LessOrEqual(t, max(x, -x), int64(19))
			square += float64(x * x)
		}
		require.InDelta(t, 10.24, square/float64(len(e)), 6*10.24*math.Sqrt(2/float64(len(e))))
		for _, other := range errs[:n] {
			require.InDelta(t, 0, correlation(e, other), 6/math.Sqrt(float64(len(e))))
		}
	}
}

// Every limb has a ternary mask of its own, the same for its two polynomials.
func TestEveryLimbHasItsOwnMask(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	const constant = 1_000_003
	enc := constantKey(t, p, constant)
	var masks [][]int64
	for _, poly := range append(polynomials(t, p, enc), polynomials(t, p, enc)...) {
		u, counts := make([]int64, len(poly)), map[int64]float64{}
		for j, x := range poly {
			u[j] = int64(math.Round(float64(x) / constant))
			require.LessOrEqual(t, max(x-u[j]*constant, u[j]*constant-x), int64(19))
			counts[u[j]]++
		}
		require.Len(t, counts, 3)
		for x := int64(-1); x <= 1; x++ {
			require.InDelta(t, float64(len(poly))/3, counts[x], 6*math.Sqrt(float64(len(poly))/3))
		}
		masks = append(masks, u)
	}
	for n := 0; n < len(masks); n += 2 {
		require.Equal(t, masks[n], masks[n+1])
		for _, other := range masks[:n] {
			require.InDelta(t, 0, correlation(masks[n], other), 6/math.Sqrt(float64(len(other))))
		}
	}
}

// A batch takes all its randomness from the source that was handed in: the same
// seed gives the same leaf, and without a seed there is none.
func TestEveryBatchIsSeededAnew(t *testing.T) {
	p, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	_, key := newWholeSecret(t, p, 1)
	seeds := append(append(make([]byte, 48), 1), make([]byte, 47+48)...)
	enc, err := he.NewEncryptor(p, key, bytes.NewReader(seeds))
	require.NoError(t, err)
	var leaves [][]byte
	for range 3 {
		leaf, err := enc.Encrypt(nil, he.Header{Rows: 1}, []int64{9}, 9)
		require.NoError(t, err)
		leaves = append(leaves, leaf.Bytes())
	}
	require.NotEqual(t, leaves[0], leaves[1])
	require.Equal(t, leaves[0], leaves[2])
	_, err = enc.Encrypt(nil, he.Header{Rows: 1}, []int64{9}, 9)
	require.ErrorIs(t, err, io.EOF)
}
