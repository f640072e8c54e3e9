package disclosure

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Every operation equals arbitrary precision.
func TestFieldEqualsBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, err := drawField(seeded(byte(rapid.IntRange(0, 255).Draw(t, "seed"))))
		require.NoError(t, err)
		p := new(big.Int).SetUint64(f.p)
		require.Equal(t, 61, p.BitLen())
		require.True(t, p.ProbablyPrime(20))
		element := rapid.OneOf(rapid.Uint64Range(0, f.p-1), rapid.Uint64Range(f.p-3, f.p-1), rapid.Uint64Range(0, 2))
		a, b := element.Draw(t, "a"), element.Draw(t, "b")
		x, y := new(big.Int).SetUint64(a), new(big.Int).SetUint64(b)
		mod := func(z *big.Int) uint64 { return z.Mod(z, p).Uint64() }
		require.Equal(t, mod(new(big.Int).Add(x, y)), f.add(a, b))
		require.Equal(t, mod(new(big.Int).Sub(x, y)), f.sub(a, b))
		require.Equal(t, mod(new(big.Int).Mul(x, y)), f.mul(a, b))
		require.Equal(t, f.mul(a, b), mod(new(big.Int).Lsh(new(big.Int).SetUint64(f.mont(a, b)), 64)))
		if a != 0 {
			require.Equal(t, uint64(1), f.mul(a, f.inverse(a)))
		}
		v := rapid.SliceOfN(element, 0, 200).Draw(t, "v")
		sum := new(big.Int)
		acc := newLazy(f, len(v))
		want := make([]uint64, len(v))
		for i := range v {
			sum.Add(sum, new(big.Int).Mul(new(big.Int).SetUint64(v[i]), new(big.Int).SetUint64(v[len(v)-1-i])))
			acc.addMul(v[i], v)
			for j := range v {
				want[j] = f.add(want[j], f.mul(v[i], v[j]))
			}
		}
		back := make([]uint64, len(v))
		for i := range v {
			back[i] = v[len(v)-1-i]
			require.Equal(t, want[i], acc.at(i))
		}
		require.Equal(t, mod(sum), f.dot(v, back))
	})
}
