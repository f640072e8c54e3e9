package rankswap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/draw"
	"github.com/yumen-project/yumen/masking/kernel"
)

var testKey = []byte("0123456789abcdef")

func build(t testing.TB, p Params) kernel.Kernel {
	t.Helper()
	k, err := New(p, testKey, "c")
	require.NoError(t, err)
	return k
}

func integers(vals []int64, valid []bool) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(vals, valid)
	return b.NewArray()
}

func mask(t testing.TB, k kernel.Kernel, row int64, in arrow.Array) arrow.Array {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	out, err := k.Mask(&kernel.Env{Alloc: mem, Row: row}, in)
	require.NoError(t, err)
	kept, err := kernel.Copy(memory.DefaultAllocator, out)
	require.NoError(t, err)
	out.Release()
	mem.AssertSize(t, 0)
	return kept
}

// slowSwap is the algorithm on one window, by lists.
func slowSwap(vals []int64, percent int, draws *draw.Rows) []int64 {
	n := len(vals)
	ranked := make([]int, n)
	for i := range ranked {
		ranked[i] = i
	}
	sort.SliceStable(ranked, func(a, b int) bool { return vals[ranked[a]] < vals[ranked[b]] })
	out := slices.Clone(vals)
	done := make([]bool, n)
	for i := range n {
		if done[i] {
			continue
		}
		var free []int
		for j := i + 1; j < n && j-i <= max(1, n*percent/100); j++ {
			if !done[j] {
				free = append(free, j)
			}
		}
		if len(free) == 0 {
			continue
		}
		j := free[draws.Below(i, uint64(len(free)))]
		done[i], done[j] = true, true
		out[ranked[i]], out[ranked[j]] = vals[ranked[j]], vals[ranked[i]]
	}
	return out
}

func TestAgainstSlowForm(t *testing.T) {
	s, err := draw.New(testKey, "rankswap", "c")
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		vals := rapid.SliceOfN(rapid.Int64Range(-50, 50), 10, 300).Draw(rt, "values")
		percent := rapid.IntRange(1, 100).Draw(rt, "percent")
		row := rapid.Int64Range(0, 1<<40).Draw(rt, "window") * 512
		k := build(t, Params{Percent: percent, Window: 512})
		got := mask(t, k, row, integers(vals, nil)).(*array.Int64).Int64Values()
		require.Equal(rt, slowSwap(vals, percent, s.Rows(row, len(vals))), got)
	})
}

// TestWindows: the multiset of each window stays, no value moves farther in
// rank than allowed, nulls stay, batches do not matter to whole windows.
func TestWindows(t *testing.T) {
	const window, windows, percent = 100, 5, 15
	rng := rand.New(rand.NewPCG(1, 2))
	vals, valid := make([]int64, window*windows), make([]bool, window*windows)
	for i := range vals {
		vals[i], valid[i] = rng.Int64(), rng.IntN(10) > 0
	}
	k := build(t, Params{Percent: percent, Window: window})
	whole := mask(t, k, 0, integers(vals, valid)).(*array.Int64)
	moved := 0
	for w := range windows {
		var was, is []int64
		for i := w * window; i < (w+1)*window; i++ {
			require.Equal(t, !valid[i], whole.IsNull(i))
			if valid[i] {
				was, is = append(was, vals[i]), append(is, whole.Value(i))
			}
		}
		sorted := slices.Sorted(slices.Values(was))
		require.Equal(t, sorted, slices.Sorted(slices.Values(is)))
		for i := range was {
			a, b := slices.Index(sorted, was[i]), slices.Index(sorted, is[i])
			require.LessOrEqual(t, max(a, b)-min(a, b), len(sorted)*percent/100)
			if a != b {
				moved++
			}
		}
		part := array.NewSlice(integers(vals, valid), int64(w*window), int64((w+1)*window))
		require.True(t, array.Equal(array.NewSlice(whole, int64(w*window), int64((w+1)*window)), mask(t, k, int64(w*window), part)))
	}
	require.Greater(t, moved, window*windows*3/4, "most values move")
}

// TestPartnersAreAsLikely: the lowest of ten ranks with a reach of 5 meets each
// of ranks 1 to 5 alike; 4 degrees of freedom exceed 23.5 once in 10^4.
func TestPartnersAreAsLikely(t *testing.T) {
	const windows = 20000
	vals := make([]int64, 10*windows)
	for i := range vals {
		vals[i] = int64(i % 10)
	}
	out := mask(t, build(t, Params{Percent: 50, Window: 10}), 0, integers(vals, nil)).(*array.Int64)
	var seen [10]int
	for w := range windows {
		seen[out.Value(10*w)]++
	}
	chi := 0.0
	for _, c := range seen[1:6] {
		d := float64(c) - windows/5
		chi += d * d / (windows / 5)
	}
	require.Less(t, chi, 23.5)
	require.Zero(t, seen[0]+seen[6]+seen[7]+seen[8]+seen[9])
}

// TestTypes: reach of one rank on a sorted column swaps neighbours, whatever
// the type; that needs the order to be right.
func TestTypes(t *testing.T) {
	for _, typ := range []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
		arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64,
		arrow.FixedWidthTypes.Timestamp_ns, &arrow.Decimal128Type{Precision: 38, Scale: 3},
	} {
		k := build(t, Params{Percent: 1})
		_, err := k.Type(typ)
		require.NoError(t, err)
		b := array.NewBuilder(memory.DefaultAllocator, typ)
		for i := range 12 {
			ascending(b, i)
		}
		in := b.NewArray()
		out := mask(t, k, 0, in)
		for i := range 12 {
			require.Equal(t, in.ValueStr(i^1), out.ValueStr(i), "%s row %d", typ, i)
		}
	}
	for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean, arrow.Null} {
		_, err := build(t, Params{Percent: 5}).Type(typ)
		require.ErrorIs(t, err, kernel.ErrType)
	}
}

// ascending appends the i-th of twelve values, of which half are below zero
// where the type has any.
func ascending(b array.Builder, i int) {
	v := int64(i - 6)
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(v) * 21)
	case *array.Uint8Builder:
		b.Append(uint8(i) * 23)
	case *array.Int16Builder:
		b.Append(int16(v) * 5000)
	case *array.Uint16Builder:
		b.Append(uint16(i) * 5900)
	case *array.Int32Builder:
		b.Append(int32(v) * (1 << 28))
	case *array.Uint32Builder:
		b.Append(uint32(i) * (1 << 28))
	case *array.Int64Builder:
		b.Append(v << 60)
	case *array.Uint64Builder:
		b.Append(uint64(i) << 60)
	case *array.Float32Builder:
		b.Append(float32(v) + 0.5)
	case *array.Float64Builder:
		b.Append([]float64{math.Inf(-1), -1e300, -2, -1e-300, -5e-324, 0, 5e-324, 1, 2, 1e300, math.MaxFloat64, math.Inf(1)}[i])
	case *array.Date32Builder:
		b.Append(arrow.Date32(v))
	case *array.Date64Builder:
		b.Append(arrow.Date64(v * 86400000))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v << 59))
	case *array.Decimal128Builder:
		b.Append(decimal128.New(int64(i/2-3), uint64(i&1)<<63+1))
	}
}

// TestHostile: NaN has no rank; few values have no window.
func TestHostile(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	for i := range 20 {
		b.Append(float64(i))
	}
	b.Append(math.NaN())
	in := b.NewArray()
	k := build(t, Params{Percent: 20})
	_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.Equal(t, &kernel.ValueError{Row: 20, Rule: ruleRank}, err)
	env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
	out, err := k.Mask(env, in)
	require.NoError(t, err)
	require.True(t, out.IsNull(20))
	require.Equal(t, 1, out.NullN())
	require.Zero(t, out.(*array.Float64).Float64Values()[20])

	few := array.NewSlice(in, 15, 21)
	env = &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
	out, err = k.Mask(env, few)
	require.NoError(t, err)
	require.Equal(t, 6, out.NullN())
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, env.Suppressed())
	for _, b := range out.Data().Buffers()[1].Bytes() {
		require.Zero(t, b)
	}
	_, err = k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, few)
	require.ErrorContains(t, err, "at row 0")
}

// TestNothingHidden: bytes under nulls and beyond the slice stay behind.
func TestNothingHidden(t *testing.T) {
	const canary = 0x4352494143595242
	vals, valid := make([]int64, 64), make([]bool, 64)
	for i := range vals {
		vals[i], valid[i] = int64(i), i%5 != 0
		if !valid[i] || i < 8 || i >= 56 {
			vals[i] = canary
		}
	}
	in := integers(vals, valid)
	copy(in.Data().Buffers()[1].Bytes(), arrow.Int64Traits.CastToBytes(vals))
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	out, err := build(t, Params{Percent: 10}).Mask(&kernel.Env{Alloc: mem}, array.NewSlice(in, 8, 56))
	require.NoError(t, err)
	defer out.Release()
	for _, v := range out.(*array.Int64).Int64Values() {
		require.NotEqualValues(t, canary, v)
	}
}

func TestTally(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 7, 8, 9, 100} {
		left := newTally(n)
		for _, gone := range rng.Perm(n) {
			var want []int
			for i := range n {
				require.Equal(t, len(want), left.below(i))
				if left.has(i) {
					want = append(want, i)
				}
			}
			for k, i := range want {
				require.Equal(t, i, left.find(k))
			}
			left.remove(gone)
		}
	}
}

func TestParameters(t *testing.T) {
	for _, p := range []Params{{}, {Percent: 101}, {Percent: 5, Window: 1}, {Percent: 5, Window: MaxWindow + 1}, {Percent: 5, Window: 4, Least: 5}, {Percent: 5, Least: 1}} {
		_, err := New(p, testKey, "c")
		require.Error(t, err, fmt.Sprint(p))
	}
	_, err := New(Params{Percent: 5}, nil, "c")
	require.Error(t, err)
	p, err := Parse(map[string]string{"percent": "5", "window": "100", "least": "20"})
	require.NoError(t, err)
	require.Equal(t, Params{Percent: 5, Window: 100, Least: 20}, p)
}

func FuzzParse(f *testing.F) {
	f.Add("percent", "15")
	f.Add("window", "4294967296")
	f.Fuzz(func(t *testing.T, name, value string) {
		p, err := Parse(map[string]string{name: value})
		if err == nil {
			require.True(t, p.Percent > 0 || p.Window > 0 || p.Least > 0)
		}
	})
}
