package threshold_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func bounds(t testing.TB, p *he.Parameters, n, th int) threshold.Bounds {
	t.Helper()
	s, err := threshold.NewSharing(n, th)
	require.NoError(t, err)
	b, err := threshold.NewBounds(p, s)
	require.NoError(t, err)
	return b
}

func TestBoundsOfTheDefault(t *testing.T) {
	p := addParams(t)
	b := bounds(t, p, 3, 2)
	require.Equal(t, uint(66), b.MaskBits)
	require.Equal(t, 69, b.Room.BitLen())
	require.Equal(t, int64(4096*19*3+19+4096*19*3+1), b.Fresh.Int64())
	require.Greater(t, b.MaxRows(), int64(100_000_000_000), "a hundred times 10^9 rows, in the worst case")
	require.NoError(t, b.Check(big.NewInt(1_000_000_000)))
	require.NoError(t, b.Check(b.Weight))
	require.ErrorIs(t, b.Check(new(big.Int).Add(b.Weight, big.NewInt(1))), threshold.ErrNoise)
	require.ErrorIs(t, b.Check(big.NewInt(-1)), threshold.ErrNoise)
	require.NoError(t, b.CheckNoise(b.Headroom))
	require.ErrorIs(t, b.CheckNoise(new(big.Int).Add(b.Headroom, big.NewInt(1))), threshold.ErrNoise)
	honest, worst := b.Distance(1e9)
	require.InDelta(t, -38.3, honest, 0.1)
	require.InDelta(t, -18.3, worst, 0.1)
	honest, _ = b.Distance(1e6)
	require.InDelta(t, -43.3, honest, 0.1)

	mul, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	require.Equal(t, uint(121), bounds(t, mul, 3, 2).MaskBits)
	noise := new(big.Int).Mul(mul.ProductNoise(3), big.NewInt(1_000_000_000/8192+1))
	require.NoError(t, bounds(t, mul, 3, 2).CheckNoise(noise.Add(noise, mul.RelinNoise(3))))
}

// For every sharing: masks and headroom fill the room exactly, and the room is
// what decoding needs, by whole numbers.
func TestBoundsOfEverySharing(t *testing.T) {
	p := addParams(t)
	for n := 2; n <= threshold.MaxHolders; n++ {
		for th := 2; th <= n; th++ {
			s, err := threshold.NewSharing(n, th)
			require.NoError(t, err)
			b := bounds(t, p, n, th)
			c := big.NewInt(int64(s.Components()))
			masks := new(big.Int).Lsh(c, b.MaskBits)
			require.Equal(t, b.Room, new(big.Int).Add(masks, b.Headroom))
			require.Positive(t, b.Headroom.Cmp(new(big.Int).Rsh(b.Room, 4)))
			for _, q := range p.T() {
				tt := new(big.Int).SetUint64(q)
				// |m| + T*Room <= (Q-1)/2
				top := new(big.Int).Mul(tt, b.Room)
				top.Add(top, new(big.Int).Rsh(tt, 1))
				require.LessOrEqual(t, top.Cmp(new(big.Int).Rsh(p.BigQ(), 1)), 0)
			}
		}
	}
}

// Any number with any noise within the room decodes; a little more noise does
// not, somewhere.
func TestRoomIsWhatDecodes(t *testing.T) {
	p := addParams(t)
	room := bounds(t, p, 3, 2).Room
	encode := func(v, e *big.Int) [][]uint64 {
		var phases [][]uint64
		for _, prime := range p.T() {
			tt := new(big.Int).SetUint64(prime)
			m := new(big.Int).Mod(v, tt)
			if new(big.Int).Lsh(m, 1).Cmp(tt) > 0 {
				m.Sub(m, tt)
			}
			x := new(big.Int).ModInverse(tt, p.BigQ())
			x.Mul(x, m).Add(x, e)
			var res []uint64
			for _, q := range p.Q() {
				res = append(res, new(big.Int).Mod(x, new(big.Int).SetUint64(q)).Uint64())
			}
			phases = append(phases, res)
		}
		return phases
	}
	half := new(big.Int).Rsh(p.Capacity(), 1)
	rapid.Check(t, func(t *rapid.T) {
		v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "v"))
		v.Mod(v, p.Capacity()).Sub(v, half)
		if v.CmpAbs(half) >= 0 {
			t.Skip()
		}
		e := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 9, 9).Draw(t, "e"))
		e.Mod(e, new(big.Int).Add(room, big.NewInt(1)))
		if rapid.Bool().Draw(t, "edge") {
			e.Set(room)
		}
		if rapid.Bool().Draw(t, "negative") {
			e.Neg(e)
		}
		got, err := he.Decode(p, encode(v, e), nil)
		require.NoError(t, err)
		require.Equal(t, v.String(), got.String())
	})
	over := new(big.Int).Add(room, new(big.Int).Rsh(room, 20))
	v := new(big.Int).Sub(half, big.NewInt(1))
	got, err := he.Decode(p, encode(v, over), nil)
	require.True(t, err != nil || got.Cmp(v) != 0)
}
