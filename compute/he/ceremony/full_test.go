package ceremony_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// TestKeysOfACeremonyWork: full parameters; what comes out encrypts, sums,
// multiplies and opens, and the stored share is the one that answers.
func TestKeysOfACeremonyWork(t *testing.T) {
	for _, l := range []he.Literal{he.AddLiteral(), he.MulLiteral()} {
		p, err := he.NewParameters(l)
		require.NoError(t, err)
		net := newNetwork(t, p, 3, 2)
		net.run()
		cert := net.agreed(1, 2, 3)
		done := net.results[2]
		hash, err := done.Public.Hash(p)
		require.NoError(t, err)
		require.Equal(t, cert.PublicKey, hash)
		key, err := cert.Hash()
		require.NoError(t, err)
		require.Equal(t, key, done.Share.Key())

		enc, err := he.NewEncryptor(p, done.Public, rand.Reader)
		require.NoError(t, err)
		h := he.Header{Key: key, Rows: 2}
		x, err := enc.Encrypt(nil, h, []int64{3, -1 << 30}, 1<<40)
		require.NoError(t, err)
		y, err := enc.EncryptReversed(nil, h, []int64{5, 1 << 20}, 1<<40)
		require.NoError(t, err)
		acc := he.NewAccumulator(p, key)
		require.NoError(t, acc.Add(x))
		terms, want := []he.Term{{Sum: acc.Sum(), Mask: p.AllMask()}}, []int64{3 - 1<<30}
		if cert.Use == ceremony.UseMul {
			hash, err = done.Relin.Hash(p)
			require.NoError(t, err)
			require.Equal(t, cert.RelinKey, hash)
			product, err := he.NewProduct(p, key, done.Relin)
			require.NoError(t, err)
			require.NoError(t, product.Add(x, y))
			dot, err := product.Sum()
			require.NoError(t, err)
			terms, want = append(terms, he.Term{Sum: dot, Mask: p.DotMask()}), append(want, 15-1<<50)
		}
		for i, term := range terms {
			openings, err := he.Extract(p, []he.Term{term})
			require.NoError(t, err)
			answers := map[int][]threshold.Answer{}
			for _, holder := range []int{2, 3} {
				share, err := threshold.ParseShare(p, net.results[holder].Share.Bytes())
				require.NoError(t, err)
				answers[holder], err = share.Open(openings)
				require.NoError(t, err)
			}
			sharing, err := cert.Sharing()
			require.NoError(t, err)
			got, err := threshold.Combine(p, sharing, openings, answers, nil)
			require.NoError(t, err)
			require.Equal(t, want[i], got[0].Int64())
		}
	}
}
