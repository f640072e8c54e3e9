package he_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

func TestSumOfABatchOpens(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	secret, key := newWholeSecret(t, p, 7)
	enc, err := he.NewEncryptor(p, key, rand.Reader)
	require.NoError(t, err)
	values := make([]int64, p.N())
	want := new(big.Int)
	for i := range values {
		values[i] = int64(i-2000) * 1_000_003
		want.Add(want, big.NewInt(values[i]))
	}
	h := he.Header{Key: [32]byte{1}, Rows: uint32(p.N())}
	leaf, err := enc.Encrypt(nil, h, values, 1<<40)
	require.NoError(t, err)
	leaf, err = he.ParseLeafAs(p, h, leaf.Bytes())
	require.NoError(t, err)
	acc := he.NewAccumulator(p, h.Key)
	require.NoError(t, acc.Add(leaf))
	openings, err := he.Extract(p, []he.Term{{Sum: acc.Sum(), Mask: p.AllMask()}})
	require.NoError(t, err)
	got, err := he.Decode(p, phases(p, openings, map[[32]byte]*wholeSecret{h.Key: secret}), nil)
	require.NoError(t, err)
	require.Equal(t, want.String(), got.String())
}
