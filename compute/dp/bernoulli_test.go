package dp

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scripted is a source that hands out these words next.
func scripted(words ...uint64) *Source {
	s := &Source{at: sourceBytes - 8*len(words)}
	for i, w := range words {
		binary.LittleEndian.PutUint64(s.buf[s.at+8*i:], w)
	}
	return s
}

func (s *Source) used(of int) int { return of - (sourceBytes-s.at)/8 }

func wideInt(a wide) *big.Int {
	x := new(big.Int).SetUint64(a.hi)
	return x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(a.lo))
}

// TestBelowIsExact: a coin equals the comparison of the real made of its words
// with a/b, also where the first words agree with a/b in every bit, and takes no
// more words than the comparison needs.
func TestBelowIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wideB := rapid.Bool().Draw(t, "wide")
		b := wide{0, rapid.Uint64Min(1).Draw(t, "b")}
		if wideB {
			b.hi = rapid.Uint64Max(1<<63-1).Draw(t, "b.hi")
		}
		n := wideInt(b)
		a := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "a"))
		if rapid.Bool().Draw(t, "edge") {
			a.SetUint64(rapid.Uint64Max(1).Draw(t, "edge a"))
			if rapid.Bool().Draw(t, "top") {
				a.Sub(n, a)
			}
		}
		a.Mod(a, new(big.Int).Add(n, big.NewInt(1)))

		// The words: agreeing with a/b for `agree` words, then free.
		agree := rapid.IntRange(0, 2).Draw(t, "agree")
		words := make([]uint64, 4)
		rest, m64 := new(big.Int).Set(a), new(big.Int).Lsh(big.NewInt(1), 64)
		for i := range words {
			words[i] = rapid.Uint64().Draw(t, "word")
			if i < agree && rest.Cmp(n) < 0 {
				q, r := new(big.Int).QuoRem(new(big.Int).Mul(rest, m64), n, new(big.Int))
				words[i], rest = q.Uint64(), r
			}
		}
		want, decided := false, 0
		for k := 1; k <= len(words) && decided == 0; k++ {
			lo := new(big.Int)
			for _, w := range words[:k] {
				lo.Lsh(lo, 64).Or(lo, new(big.Int).SetUint64(w))
			}
			shift := new(big.Int).Lsh(a, uint(64*k))
			if new(big.Int).Mul(lo, n).Cmp(shift) >= 0 {
				decided = k
			} else if new(big.Int).Mul(lo.Add(lo, big.NewInt(1)), n).Cmp(shift) <= 0 {
				want, decided = true, k
			}
		}
		require.NotZero(t, decided)
		s := scripted(words...)
		aw := wide{new(big.Int).Rsh(a, 64).Uint64(), new(big.Int).And(a, new(big.Int).Sub(m64, big.NewInt(1))).Uint64()}
		if wideB {
			require.Equal(t, want, s.belowWide(aw, b))
		} else {
			require.Equal(t, want, s.below(aw.lo, b.lo))
		}
		require.Equal(t, decided, s.used(len(words)))
	})
}

// TestUniformEdges: the rejection of Lemire's method, word by word.
func TestUniformEdges(t *testing.T) {
	require.Equal(t, uint64(0), scripted(^uint64(0), 0).uniform(1))
	// 2^64 mod 3 = 1: of the products only 0 is rejected.
	require.Equal(t, uint64(2), scripted(0, ^uint64(0)).uniform(3))
	counts := map[uint64]int{}
	src := fixed(t, 1)
	for range 30_000 {
		counts[src.uniform(3)]++
	}
	require.Len(t, counts, 3)
	for _, c := range counts {
		require.InDelta(t, 10_000, c, 500)
	}
}

// fixed is a source from a fixed seed.
func fixed(t require.TestingT, seed byte) *Source {
	s, err := NewSource(bytes.NewReader(bytes.Repeat([]byte{seed}, 2*seedBytes)))
	require.NoError(t, err)
	return s
}

// TestExpCoins: exp(-a/b) within 5 standard deviations (error rate 6e-7 a coin),
// also where the denominators leave the fast path.
func TestExpCoins(t *testing.T) {
	src, n := fixed(t, 2), 400_000
	within := func(p float64, coin func() bool) {
		t.Helper()
		hits := 0
		for range n {
			if coin() {
				hits++
			}
		}
		require.InDelta(t, p*float64(n), hits, 5*300)
	}
	within(0.36787944117144233, src.expOne)
	within(0.36787944117144233, func() bool { return src.expBelow(1, 1) })
	within(1, func() bool { return src.expBelow(0, 7) })
	within(0.6514390575310556, func() bool { return src.expBelow(3, 7) })
	within(0.6065306597126334, func() bool { return src.expBelow(maxExpDen/2, maxExpDen) })
	within(0.6514390575310556, func() bool { return src.expBelowWide(wide{3 << 49, 0}, wide{7 << 49, 0}) })
	within(0.36787944117144233, func() bool { return src.expBelowWide(wide{1 << 54, 0}, wide{1 << 54, 0}) })
}

// TestExpBeyondExactK: after 255 heads the coin of bias a/(b k) is two coins.
func TestExpBeyondExactK(t *testing.T) {
	words := make([]uint64, exactK, exactK+8) // zeros: heads for all k <= 255
	next := append(words, ^uint64(0))         // k = 256: 1/256 fails, 256 is even
	require.False(t, scripted(next...).expBelow(maxExpDen-1, maxExpDen))
	require.False(t, scripted(next...).expBelowWide(wide{1 << 53, 0}, wide{1 << 54, 0}))
	next = append(words, 0, 0, 0, ^uint64(0)) // k = 256 heads twice, k = 257 fails in the second
	require.True(t, scripted(next...).expBelow(maxExpDen-1, maxExpDen))
	require.True(t, scripted(next...).expBelowWide(wide{1 << 53, 0}, wide{1 << 54, 0}))
}

// TestFarDrawsAgree: keep and keepFar decide alike on the same words.
func TestFarDrawsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, err := NewGaussian(Rat{rapid.Uint64Range(1, 1<<56).Draw(t, "n"), rapid.Uint64Range(1, 1<<56).Draw(t, "d")})
		require.NoError(t, err)
		y := rapid.Uint64Max(min(^uint64(0)/g.td, maxDraw)).Draw(t, "y")
		if rapid.Bool().Draw(t, "near") {
			y = min(y, rapid.Uint64Max(8*g.lap.t).Draw(t, "y near"))
		}
		words := expand(rapid.Uint64().Draw(t, "words"))
		one, two := scripted(words...), scripted(words...)
		require.Equal(t, g.keep(one, y), g.keepFar(two, y))
		require.Equal(t, one.at, two.at)
	})
}

// expand makes 600 words of one (splitmix64).
func expand(x uint64) []uint64 {
	out := make([]uint64, 600)
	for i := range out {
		x += 0x9e3779b97f4a7c15
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		out[i] = z ^ z>>31
	}
	return out
}
