package threshold_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func TestSharingMissesExactlyOneComponent(t *testing.T) {
	for n := 2; n <= threshold.MaxHolders; n++ {
		for th := 2; th <= n; th++ {
			s, err := threshold.NewSharing(n, th)
			require.NoError(t, err)
			for set := range 1 << n {
				var holders []int
				for h := 1; h <= n; h++ {
					if set>>(h-1)&1 == 1 {
						holders = append(holders, h)
					}
				}
				missing := 0
				for c := range s.Components() {
					known := false
					for _, h := range holders {
						known = known || s.Knows(h, c)
					}
					if !known {
						missing++
					}
				}
				require.Equal(t, len(holders) >= th, s.Sufficient(holders))
				require.Equal(t, len(holders) >= th, missing == 0)
				if len(holders) == th-1 {
					require.Equal(t, 1, missing)
				}
			}
			for c := range s.Components() {
				require.Len(t, s.Members(c), n-th+1)
				require.Len(t, s.Absentees(c), th-1)
			}
		}
	}
	s, err := threshold.NewSharing(3, 2)
	require.NoError(t, err)
	for c := range 3 {
		require.Equal(t, []int{c + 1}, s.Absentees(c), "named by the absentee, in order")
	}
	require.False(t, s.Knows(0, 0))
	require.False(t, s.Knows(4, 0))
	require.False(t, s.Knows(1, 3))
	require.False(t, s.Sufficient([]int{1, 1, 1, 0, 4}))
	require.False(t, threshold.Sharing{}.Sufficient([]int{1, 2}))
	for _, c := range [][2]int{{3, 1}, {3, 4}, {1, 1}, {8, 2}, {0, 0}, {-3, 2}} {
		_, err := threshold.NewSharing(c[0], c[1])
		require.ErrorIs(t, err, threshold.ErrSharing)
	}
}

func TestCapCountsEachListOnce(t *testing.T) {
	c, err := threshold.NewCap(10, 1)
	require.NoError(t, err)
	require.NoError(t, c.Spend([32]byte{1}, 4))
	require.NoError(t, c.Spend([32]byte{1}, 4), "a repetition is free")
	require.ErrorIs(t, c.Spend([32]byte{1}, 5), threshold.ErrMismatch)
	require.Equal(t, uint64(5), c.Left())
	require.ErrorIs(t, c.Spend([32]byte{2}, 6), threshold.ErrCap)
	require.ErrorIs(t, c.Spend([32]byte{2}, 1<<63), threshold.ErrCap)
	require.ErrorIs(t, c.Spend([32]byte{2}, 0), threshold.ErrCap)
	require.NoError(t, c.Spend([32]byte{2}, 5))
	back, err := threshold.ParseCap(c.Bytes())
	require.NoError(t, err)
	require.Equal(t, c, back)
	require.ErrorIs(t, back.Spend([32]byte{3}, 1), threshold.ErrCap)
	b := c.Bytes()
	for n := range b {
		_, err := threshold.ParseCap(b[:n])
		require.ErrorIs(t, err, threshold.ErrMalformed)
	}
	for _, bad := range [][2]uint64{{0, 0}, {5, 6}, {1 << 33, 0}} {
		_, err := threshold.NewCap(bad[0], bad[1])
		require.ErrorIs(t, err, threshold.ErrCap)
	}
}

func TestSeveralKeySetsAreMaskedOnce(t *testing.T) {
	p := addParams(t)
	a, b, c := newKeySet(t, p, 3, 2, 1), newKeySet(t, p, 3, 2, 2), newKeySet(t, p, 3, 2, 3)
	openings := extract(t, p,
		he.Term{Sum: c.encrypted(t, []int64{1 << 38}), Mask: p.AllMask()},
		he.Term{Sum: a.encrypted(t, []int64{-7, 9}), Mask: p.AllMask()},
		he.Term{Sum: b.encrypted(t, []int64{1000}), Mask: p.AllMask()})
	got, err := threshold.Combine(p, a.sharing, openings, bothAnswer(t, openings, b, c, a), nil)
	require.NoError(t, err)
	require.Equal(t, ints(1<<38+1002), texts(got))
	_, err = a.shares[1].Open(openings)
	require.ErrorIs(t, err, threshold.ErrMismatch)
}
