package he_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he"
)

// Any integer combination of any coefficients under several keys equals
// arithmetic in the clear, in the order given and in any other.
func TestFunctionalsEqualBigIntegers(t *testing.T) {
	a, b := smallWorld(t, 1, false), smallWorld(t, 2, false)
	p := a.params
	rapid.Check(t, func(r *rapid.T) {
		want := new(big.Int)
		var terms []he.Term
		for _, w := range []*world{a, b}[:rapid.IntRange(1, 2).Draw(r, "keys")] {
			acc := he.NewAccumulator(p, w.key)
			total := make([]*big.Int, p.N())
			for j := range total {
				total[j] = new(big.Int)
			}
			for batch := range rapid.IntRange(0, 6).Draw(r, "batches") {
				values := rapid.SliceOfN(rapid.Int64Range(-1<<50, 1<<50), 0, p.N()).Draw(r, "values")
				weight := rapid.Int64Range(-1000, 1000).Draw(r, "weight")
				leaf := w.leaf(t, batch, values)
				if weight == 1 {
					require.NoError(t, acc.Add(leaf))
				} else {
					require.NoError(t, acc.AddWeighted(leaf, weight))
				}
				for j, v := range values {
					total[j].Add(total[j], new(big.Int).Mul(big.NewInt(v), big.NewInt(weight)))
				}
			}
			mask := he.Mask(rapid.SliceOfN(rapid.Int64Range(-7, 7), p.N(), p.N()).Draw(r, "mask"))
			terms = append(terms, he.Term{Sum: acc.Sum(), Mask: mask})
			for j, m := range mask {
				want.Add(want, new(big.Int).Mul(total[j], big.NewInt(m)))
			}
		}
		require.Equal(t, want.String(), open(t, p, terms, a, b).String())
		forward := openingBytes(t, p, terms)
		for i, j := 0, len(terms)-1; i < j; i, j = i+1, j-1 {
			terms[i], terms[j] = terms[j], terms[i]
		}
		require.Equal(t, forward, openingBytes(t, p, terms))
	})
}

func TestExtremesAreExact(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	w := newWorld(t, p, 4)
	full := func(v int64) []int64 {
		out := make([]int64, p.N())
		for i := range out {
			out[i] = v
		}
		return out
	}
	t1 := int64(p.T()[0])
	for name, c := range map[string]struct {
		values []int64
		times  int64
	}{
		"a billion rows of 2^40":       {full(1 << 40), 244_141},
		"a billion rows of -2^40":      {full(-1 << 40), 244_141},
		"a billion rows of 0":          {full(0), 244_141},
		"one value of 2^62":            {[]int64{he.MaxValue}, 1},
		"one value of -2^62":           {[]int64{-he.MaxValue}, 1},
		"minus one, everywhere":        {full(-1), 1},
		"multiples of the first prime": {[]int64{t1, -t1, 2 * t1, t1 * 4096, t1 + 1, t1 - 1, t1 / 2, t1/2 + 1}, 1},
		"an empty batch":               {nil, 1},
		"cancelling extremes":          {[]int64{he.MaxValue, -he.MaxValue, 1}, 1},
	} {
		acc := he.NewAccumulator(p, w.key)
		require.NoError(t, acc.Add(w.leaf(t, 0, c.values)))
		require.NoError(t, acc.Repeat(c.times))
		want := new(big.Int)
		for _, v := range c.values {
			want.Add(want, big.NewInt(v))
		}
		want.Mul(want, big.NewInt(c.times))
		require.Equal(t, want.String(), open(t, p, []he.Term{{Sum: acc.Sum(), Mask: p.AllMask()}}, w).String(), name)
	}
}

func TestEmptyAccumulatorOpensToZero(t *testing.T) {
	w := smallWorld(t, 1, false)
	sum := he.NewAccumulator(w.params, w.key).Sum()
	require.Zero(t, open(t, w.params, []he.Term{{Sum: sum, Mask: w.params.AllMask()}}, w).Sign())
}

// Groups by position: every group by its own mask, and together the whole.
func TestBucketedLaneGroups(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	values := make([]int64, p.N())
	want := make([]int64, 7)
	for j := range values {
		values[j] = int64(j*j) - 900
		want[j%7] += values[j]
	}
	acc := he.NewAccumulator(p, w.key)
	require.NoError(t, acc.Add(w.leaf(t, 0, values)))
	for g := range want {
		got := open(t, p, []he.Term{{Sum: acc.Sum(), Mask: p.GroupMask(7, g)}}, w)
		require.Equal(t, want[g], got.Int64())
	}
	require.Equal(t, make(he.Mask, p.N()), p.GroupMask(7, 7))
	require.Equal(t, make(he.Mask, p.N()), p.GroupMask(0, 0))
	require.Equal(t, make(he.Mask, p.N()), p.CoefficientMask(-1))
}

// A score of 32 features for one row: weights times lanes, one coefficient.
func TestLinearScoreOfOneRow(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	acc := he.NewAccumulator(p, w.key)
	want := make([]int64, p.N())
	for f := range 32 {
		values := make([]int64, p.N())
		weight := int64(f*f*f) - 5000
		for j := range values {
			values[j] = int64((j+3)*(f+7)%1009) - 500
			want[j] += weight * values[j]
		}
		require.NoError(t, acc.AddWeighted(w.leaf(t, 0, values), weight))
	}
	for _, row := range []int{0, 1, p.N() - 1} {
		got := open(t, p, []he.Term{{Sum: acc.Sum(), Mask: p.CoefficientMask(row)}}, w)
		require.Equal(t, want[row], got.Int64())
	}
}

// A scorecard: indicator lanes of the bins times their points.
func TestScorecard(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	points := []int64{-120, 0, 35, 600}
	acc := he.NewAccumulator(p, w.key)
	for bin, score := range points {
		indicator := make([]int64, p.N())
		for j := range indicator {
			if j%len(points) == bin {
				indicator[j] = 1
			}
		}
		require.NoError(t, acc.AddWeighted(w.leaf(t, 0, indicator), score))
	}
	for row := range 8 {
		got := open(t, p, []he.Term{{Sum: acc.Sum(), Mask: p.CoefficientMask(row)}}, w)
		require.Equal(t, points[row%len(points)], got.Int64())
	}
}

func TestDotProductsEqualBigIntegers(t *testing.T) {
	w := smallWorld(t, 3, true)
	p := w.params
	relin := w.secret.relinKey(t)
	rapid.Check(t, func(r *rapid.T) {
		product, err := he.NewProduct(p, w.key, relin)
		require.NoError(t, err)
		want := new(big.Int)
		for batch := range rapid.IntRange(0, 4).Draw(r, "batches") {
			rows := rapid.IntRange(1, p.N()).Draw(r, "rows")
			x := rapid.SliceOfN(rapid.Int64Range(-1<<30, 1<<30), rows, rows).Draw(r, "x")
			y := rapid.SliceOfN(rapid.Int64Range(-1<<30, 1<<30), rows, rows).Draw(r, "y")
			ly, err := w.enc.EncryptReversed(nil, w.header(batch, rows), y, 1<<30)
			require.NoError(t, err)
			require.NoError(t, product.Add(w.leaf(t, batch, x), ly))
			for i := range x {
				want.Add(want, new(big.Int).Mul(big.NewInt(x[i]), big.NewInt(y[i])))
			}
		}
		sum, err := product.Sum()
		require.NoError(t, err)
		require.Equal(t, want.String(), open(t, p, []he.Term{{Sum: sum, Mask: p.DotMask()}}, w).String())
	})
}
