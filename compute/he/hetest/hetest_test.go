package hetest_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func TestKeysOpenASumAndAProduct(t *testing.T) {
	p, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	set := hetest.New(t, hetest.Literal{Params: p})
	require.NoError(t, ceremony.VerifyCert(set.Cert, ceremony.Trust{
		Parameters: []*he.Parameters{p}, Holders: set.Cert.Holders, Authority: "authority", Now: time.Unix(1, 0),
	}, hetest.Verify))
	key, err := set.Cert.Hash()
	require.NoError(t, err)
	enc, err := he.NewEncryptor(p, set.Public, rand.Reader)
	require.NoError(t, err)
	h := he.Header{Key: key, Rows: 3}
	x, err := enc.Encrypt(nil, h, []int64{1, -2, 3 << 20}, 1<<40)
	require.NoError(t, err)
	y, err := enc.EncryptReversed(nil, h, []int64{5, 7, 1 << 30}, 1<<40)
	require.NoError(t, err)
	product, err := he.NewProduct(p, key, set.Relin)
	require.NoError(t, err)
	require.NoError(t, product.Add(x, y))
	dot, err := product.Sum()
	require.NoError(t, err)
	acc := he.NewAccumulator(p, key)
	require.NoError(t, acc.Add(x))
	for _, c := range []struct {
		sum  *he.Sum
		mask he.Mask
		want int64
	}{{dot, p.DotMask(), 5 - 14 + 3<<50}, {acc.Sum(), p.AllMask(), 3<<20 - 1}} {
		openings, err := he.Extract(p, []he.Term{{Sum: c.sum, Mask: c.mask}})
		require.NoError(t, err)
		answers := map[int][]threshold.Answer{}
		for _, holder := range []int{1, 3} {
			answers[holder], err = set.Shares[holder].Open(openings)
			require.NoError(t, err)
		}
		sharing, err := set.Cert.Sharing()
		require.NoError(t, err)
		got, err := threshold.Combine(p, sharing, openings, answers, nil)
		require.NoError(t, err)
		require.Equal(t, c.want, got[0].Int64())
	}
}
