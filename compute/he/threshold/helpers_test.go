package threshold_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func addParams(t testing.TB) *he.Parameters {
	t.Helper()
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	return p
}

func smallParams(t testing.TB) *he.Parameters {
	t.Helper()
	p, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	return p
}

// keySet is a key set in one place, as nobody has it outside tests.
type keySet struct {
	params  *he.Parameters
	sharing threshold.Sharing
	hash    [32]byte
	seeds   []threshold.Seed
	public  *he.PublicKey
	shares  map[int]*threshold.Share
}

func newKeySet(t testing.TB, p *he.Parameters, n, th int, name byte) *keySet {
	t.Helper()
	s, err := threshold.NewSharing(n, th)
	require.NoError(t, err)
	k := &keySet{params: p, sharing: s, hash: [32]byte{name}, shares: map[int]*threshold.Share{}}
	crs := [32]byte{name, 1}
	var parts []ring.Poly
	for c := range s.Components() {
		k.seeds = append(k.seeds, threshold.Seed{name, byte(c), 0xaa})
		part, err := threshold.PublicPart(p, k.seeds[c], crs)
		require.NoError(t, err)
		parts = append(parts, part)
	}
	k.public, err = threshold.SumPublicKey(p, crs, parts)
	require.NoError(t, err)
	for h := 1; h <= n; h++ {
		seeds := map[int]threshold.Seed{}
		for _, c := range s.Of(h) {
			seeds[c] = k.seeds[c]
		}
		k.shares[h], err = threshold.NewShare(p, k.hash, s, h, seeds)
		require.NoError(t, err)
	}
	return k
}

// encrypted is a sum of one batch under the key set.
func (k *keySet) encrypted(t testing.TB, values []int64) *he.Sum {
	t.Helper()
	enc, err := he.NewEncryptor(k.params, k.public, rand.Reader)
	require.NoError(t, err)
	h := he.Header{Key: k.hash, Rows: uint32(k.params.N())}
	leaf, err := enc.Encrypt(nil, h, values, 1<<40)
	require.NoError(t, err)
	acc := he.NewAccumulator(k.params, h.Key)
	require.NoError(t, acc.Add(leaf))
	return acc.Sum()
}

func extract(t testing.TB, p *he.Parameters, terms ...he.Term) []*he.Opening {
	t.Helper()
	openings, err := he.Extract(p, terms)
	require.NoError(t, err)
	return openings
}

func answersOf(t testing.TB, k *keySet, openings []*he.Opening, holders ...int) map[int][]threshold.Answer {
	t.Helper()
	all := map[int][]threshold.Answer{}
	for _, h := range holders {
		a, err := k.shares[h].Open(openings)
		require.NoError(t, err)
		all[h] = a
	}
	return all
}

func ints(v ...int64) []string {
	var s []string
	for _, x := range v {
		s = append(s, big.NewInt(x).String())
	}
	return s
}

func texts(v []*big.Int) []string {
	var s []string
	for _, x := range v {
		s = append(s, x.String())
	}
	return s
}
