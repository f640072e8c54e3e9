package he_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// 10,000 additions of the greatest residues pass the point where 64-bit lanes
// would overflow several times.
func TestLanesDoNotOverflow(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	data := bytes.Clone(w.leaf(t, 0, nil).Bytes())
	for i := 110; i < len(data); i++ {
		data[i] = 0xff
	}
	leaf, err := he.ReadVerifiedLeaf(p, data)
	require.NoError(t, err)
	acc := he.NewAccumulator(p, w.key)
	const times = 10_000
	for range times / 10 {
		require.NoError(t, acc.Add(leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf))
	}
	once := he.NewAccumulator(p, w.key)
	require.NoError(t, once.Add(leaf))
	openingBytes(t, p, []he.Term{{Sum: once.Sum(), Mask: p.AllMask()}})
	sum := acc.Sum()
	for _, c := range sum.Limbs {
		for i, q := range p.Q() {
			most := uint64(1)<<[]int{53, 52}[i] - 1
			for j := range p.N() {
				require.Equal(t, most%q*times%q, c.C0.Coeffs[i][j])
				require.Equal(t, most%q*times%q, c.C1.Coeffs[i][j])
			}
		}
	}
}

// One by one, in groups, in another order, on several accumulators, weighted by
// one, repeated: the same bytes.
func TestSumsAreDeterministic(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	leaves := make([]*he.Leaf, 23)
	for i := range leaves {
		leaves[i] = w.leaf(t, i, []int64{int64(i), -int64(i * i)})
	}
	bytesOf := func(accs ...*he.Accumulator) []byte {
		for _, a := range accs[1:] {
			require.NoError(t, accs[0].Merge(a))
		}
		return openingBytes(t, p, []he.Term{{Sum: accs[0].Sum(), Mask: p.AllMask()}})
	}
	one := he.NewAccumulator(p, w.key)
	require.NoError(t, one.Add(leaves...))
	want := bytesOf(one)

	single := he.NewAccumulator(p, w.key)
	for i := range leaves {
		require.NoError(t, single.Add(leaves[len(leaves)-1-i]))
	}
	require.Equal(t, want, bytesOf(single))

	stream := he.NewAccumulator(p, w.key)
	require.NoError(t, stream.AddAll(func(yield func(*he.Leaf, error) bool) {
		for _, l := range leaves {
			if !yield(l, nil) {
				return
			}
		}
	}))
	require.Equal(t, want, bytesOf(stream))
	broken := errors.New("broken source")
	require.ErrorIs(t, stream.AddAll(func(yield func(*he.Leaf, error) bool) { yield(nil, broken) }), broken)
	require.ErrorIs(t, stream.AddAll(func(yield func(*he.Leaf, error) bool) { yield(nil, nil) }), he.ErrMismatch)

	weighted := he.NewAccumulator(p, w.key)
	for _, l := range leaves {
		require.NoError(t, weighted.AddWeighted(l, 3))
		require.NoError(t, weighted.AddWeighted(l, -2))
	}
	require.Equal(t, want, bytesOf(weighted))

	parts := []*he.Accumulator{he.NewAccumulator(p, w.key), he.NewAccumulator(p, w.key), he.NewAccumulator(p, w.key)}
	for i, l := range leaves {
		require.NoError(t, parts[i%3].Add(l))
	}
	require.Equal(t, want, bytesOf(parts...))

	thrice := he.NewAccumulator(p, w.key)
	require.NoError(t, thrice.Add(leaves...))
	require.NoError(t, thrice.Repeat(3))
	again := he.NewAccumulator(p, w.key)
	for range 3 {
		require.NoError(t, again.Add(leaves...))
	}
	require.Equal(t, bytesOf(again), bytesOf(thrice))
}

// Few weights go by shifts, many by a product: the same sample, since extraction
// is linear in the mask.
func TestExtractionByShiftsEqualsProducts(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	acc := he.NewAccumulator(p, w.key)
	values := make([]int64, p.N())
	for j := range values {
		values[j] = int64(j + 1)
	}
	require.NoError(t, acc.Add(w.leaf(t, 0, values)))
	sum := acc.Sum()
	whole := make(he.Mask, p.N())
	var parts []he.Term
	for j := range whole {
		whole[j] = int64(j*j) - 700
		one := make(he.Mask, p.N())
		one[j] = whole[j]
		parts = append(parts, he.Term{Sum: sum, Mask: one})
	}
	require.Equal(t, openingBytes(t, p, []he.Term{{Sum: sum, Mask: whole}}), openingBytes(t, p, parts))
	zero := openingBytes(t, p, []he.Term{{Sum: sum, Mask: make(he.Mask, p.N())}})
	empty := openingBytes(t, p, []he.Term{{Sum: he.NewAccumulator(p, w.key).Sum(), Mask: p.AllMask()}})
	require.Equal(t, zero, empty)
}
