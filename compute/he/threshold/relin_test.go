package threshold_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// A holder that is set back before the second round and then told another sum of
// first contributions must not say sigma times a known difference: here the sums
// differ by 1, so with equal errors the difference of its words would be sigma.
func TestSecondRoundOfAnotherSumHasOtherErrors(t *testing.T) {
	p, err := he.InsecureTestParameters(6, true)
	require.NoError(t, err)
	seed, crs := threshold.Seed{1}, [32]byte{2}
	one, err := threshold.RelinRoundOne(p, seed, crs)
	require.NoError(t, err)
	other, err := threshold.ParseRelinPart(p, one.Bytes())
	require.NoError(t, err)
	r := p.RLWE().RingQP()
	for i := range other.H0 {
		for _, poly := range []ringqp.Poly{other.H0[i], other.H1[i]} {
			r.RingQ.AddScalar(poly.Q, 1, poly.Q) // the NTT of 1 is 1 everywhere
			r.RingP.AddScalar(poly.P, 1, poly.P)
		}
	}
	a, err := threshold.RelinRoundTwo(p, seed, crs, one)
	require.NoError(t, err)
	b, err := threshold.RelinRoundTwo(p, seed, crs, other)
	require.NoError(t, err)
	again, err := threshold.RelinRoundTwo(p, seed, crs, one)
	require.NoError(t, err)
	require.Equal(t, a.Bytes(), again.Bytes())

	sigma, err := threshold.SecretForTest(p, seed)
	require.NoError(t, err)
	for i := range a.H0 {
		difference := p.RingQ().NewPoly()
		p.RingQ().Sub(b.H0[i].Q, a.H0[i].Q, difference)
		p.RingQ().INTT(difference, difference)
		q, equal := p.Q()[0], 0
		for j, x := range difference.Coeffs[0] {
			if x == (uint64(int64(sigma[j]))+q)%q {
				equal++
			}
		}
		require.Less(t, equal, p.N()/2, "digit %d: the difference is the secret", i)
	}
}

func TestSecondRoundRefusesSumsOfAnotherForm(t *testing.T) {
	p, err := he.InsecureTestParameters(6, true)
	require.NoError(t, err)
	one, err := threshold.RelinRoundOne(p, threshold.Seed{1}, [32]byte{})
	require.NoError(t, err)
	short := &threshold.RelinPart{H0: one.H0, H1: one.H1[1:]}
	large, err := threshold.ParseRelinPart(p, one.Bytes())
	require.NoError(t, err)
	large.H1[0].P.Coeffs[0][3] = 1 << 60
	for _, sum := range []*threshold.RelinPart{nil, {}, short, large} {
		_, err := threshold.RelinRoundTwo(p, threshold.Seed{1}, [32]byte{}, sum)
		require.ErrorIs(t, err, threshold.ErrMismatch)
	}
	_, err = threshold.RelinRoundTwo(smallParams(t), threshold.Seed{1}, [32]byte{}, one)
	require.ErrorIs(t, err, threshold.ErrMismatch)
}
