package he

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
)

// gaussianDigest is SM3 of the printed table.
const gaussianDigest = "92b70f490f1c50422fc40d1468a14ceb35f3f61c46867cd74ac36d4b7c2f6a0a"

func fixedSource(t *testing.T, seed byte) *source {
	s := new(source)
	require.NoError(t, s.seed(bytes.NewReader(bytes.Repeat([]byte{seed}, 48))))
	return s
}

// The table against floating point, to the precision of the latter.
func TestGaussianTable(t *testing.T) {
	g := newGaussian()
	total := 0.0
	for x := -errorTail; x <= errorTail; x++ {
		total += math.Exp(-float64(x*x) / 20.48)
	}
	sum := 0.0
	for i, step := range g.steps {
		x := i - errorTail
		sum += math.Exp(-float64(x*x) / 20.48)
		require.InDelta(t, sum/total, float64(step)/(1<<63), 1e-15)
	}
	decided := 0
	for _, x := range g.prefix {
		if x != ambiguous {
			decided++
		}
	}
	require.Greater(t, decided, len(g.prefix)*98/100)
	require.EqualValues(t, -errorTail, g.find(0))
	require.EqualValues(t, errorTail, g.find(1<<63-1))
	// The same bits on every machine.
	h := sm3.New()
	fmt.Fprint(h, g.steps)
	require.Equal(t, gaussianDigest, hex.EncodeToString(h.Sum(nil)))
}

// Chi-square over 4 million samples with a fixed seed; the bound is exceeded with
// probability below 10^-6 by a correct sampler, here never: the seed is fixed.
func TestGaussianDistribution(t *testing.T) {
	g, s := newGaussian(), fixedSource(t, 1)
	const n = 1 << 22
	counts := map[int8]int{}
	buf := make([]int8, 4096)
	for range n / len(buf) {
		g.fill(s, buf)
		for _, x := range buf {
			counts[x]++
		}
	}
	chi, before, cells := 0.0, uint64(0), 0
	for i, step := range g.steps {
		expected := float64(step-before) / (1 << 63) * n
		before = step
		if expected < 10 {
			continue
		}
		cells++
		d := float64(counts[int8(i-errorTail)]) - expected
		chi += d * d / expected
	}
	require.Greater(t, cells, 25)
	require.Less(t, chi, float64(cells)+6*math.Sqrt(2*float64(cells)))
	for x := range counts {
		require.LessOrEqual(t, int(x), errorTail)
		require.GreaterOrEqual(t, int(x), -errorTail)
	}
}

func TestTernaryDistribution(t *testing.T) {
	s := fixedSource(t, 2)
	buf := make([]int8, 1<<20)
	s.ternary(buf)
	counts := map[int8]float64{}
	pairs := map[[2]int8]float64{}
	for i, x := range buf {
		counts[x]++
		if i > 0 {
			pairs[[2]int8{buf[i-1], x}]++
		}
	}
	require.Len(t, counts, 3)
	require.Len(t, pairs, 9)
	for _, c := range counts {
		require.InDelta(t, float64(len(buf))/3, c, 6*math.Sqrt(float64(len(buf))/3))
	}
	for _, c := range pairs {
		require.InDelta(t, float64(len(buf))/9, c, 6*math.Sqrt(float64(len(buf))/9))
	}
}

func TestSourceNeedsItsWholeSeed(t *testing.T) {
	require.Error(t, new(source).seed(bytes.NewReader(make([]byte, 47))))
}

// Sources of different seeds differ, and one never repeats a block.
func TestSourceGoesOn(t *testing.T) {
	a, b := fixedSource(t, 1), fixedSource(t, 2)
	seen := map[uint64]bool{}
	for range 4096 {
		x, y := a.word(), b.word()
		require.False(t, seen[x] || seen[y] || x == y)
		seen[x], seen[y] = true, true
	}
}

func TestPackingAtEveryWidth(t *testing.T) {
	s := fixedSource(t, 3)
	for b := uint(minPrimeBits); b <= maxPrimeBits; b++ {
		v := make([]uint64, 128)
		for i := range v {
			v[i] = s.word() >> (64 - b)
		}
		v[0], v[7], v[127] = 1<<b-1, 1<<b-1, 1<<b-1
		packed := make([]byte, len(v)/8*int(b))
		pack(packed, v, b)
		back := make([]uint64, len(v))
		unpack(back, packed, b)
		require.Equal(t, v, back)
		for range 2 {
			unpackAdd(back, packed, b)
		}
		addFour(back, &[4][]byte{packed, packed, packed, packed}, b)
		for i := range v {
			require.Equal(t, v[i]*7, back[i], "width %d", b)
		}
		require.True(t, canonical(packed, b, 1<<b, make([]uint64, 64)))
		require.False(t, canonical(packed, b, 1<<b-1, make([]uint64, 64)))
	}
}

// The phase of a number of at most half T is T^-1 times the signed number itself,
// without a carry that would tell its sign.
func TestResiduesAreCentred(t *testing.T) {
	p, err := NewParameters(AddLiteral())
	require.NoError(t, err)
	for limb, prime := range p.t {
		half := int64(prime / 2)
		values := []int64{0, 1, -1, half, -half, half + 1, -half - 1, MaxValue, -MaxValue}
		dst, noise := make([]uint64, p.N()), make([]int8, p.N())
		residues(dst, noise, values, prime, false)
		for i, v := range values {
			x := new(big.Int).SetUint64(dst[i])
			x.Add(x, new(big.Int).Mul(big.NewInt(int64(noise[i])), new(big.Int).SetUint64(prime)))
			require.LessOrEqual(t, x.CmpAbs(big.NewInt(half)), 0)
			if i < 5 {
				require.Equal(t, v, x.Int64(), "limb %d", limb)
			}
			x.Sub(x, big.NewInt(v))
			require.Zero(t, x.Mod(x, new(big.Int).SetUint64(prime)).Sign())
		}
	}
}
