package threshold_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func TestEveryQuorumOpens(t *testing.T) {
	p := addParams(t)
	for _, c := range [][2]int{{3, 2}, {2, 2}, {5, 3}, {4, 4}} {
		k := newKeySet(t, p, c[0], c[1], 9)
		openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{-5, 1 << 39, 7}), Mask: p.AllMask()})
		answers := answersOf(t, k, openings, k.sharing.Quorums()[0]...)
		for h := range c[0] {
			answers[h+1] = answersOf(t, k, openings, h+1)[h+1]
		}
		for _, q := range k.sharing.Quorums() {
			some := map[int][]threshold.Answer{}
			for _, h := range q {
				some[h] = answers[h]
			}
			got, err := threshold.Combine(p, k.sharing, openings, some, nil)
			require.NoError(t, err, q)
			require.Equal(t, ints(1<<39+2), texts(got))
			delete(some, q[0])
			_, err = threshold.Combine(p, k.sharing, openings, some, nil)
			require.ErrorIs(t, err, threshold.ErrTooFew)
		}
	}
}

// BenchmarkOpen100 is one holder of three answering 100 scalars of two limbs.
func BenchmarkOpen100(b *testing.B) {
	p := addParams(b)
	k := newKeySet(b, p, 3, 2, 9)
	openings := extract(b, p, he.Term{Sum: k.encrypted(b, []int64{-5, 1 << 39, 7}), Mask: p.AllMask()})
	var all []*he.Opening
	for i := range 200 { // each its own memory, as in earnest
		o := *openings[i%2]
		o.A = []ring.Poly{*o.A[0].CopyNew()}
		all = append(all, &o)
	}
	for b.Loop() {
		answers, err := k.shares[1].Open(all)
		require.NoError(b, err)
		require.Len(b, answers, 200)
	}
}
