package microaggregate

import (
	"fmt"
	"math"
	"math/big"
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

	"github.com/yumen-project/yumen/masking/kernel"
)

func build(t testing.TB, p Params) kernel.Kernel {
	t.Helper()
	k, err := New(p)
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

// slowMean is the mean by rationals, halves up.
func slowMean(vals []int64) int64 {
	sum := new(big.Int)
	for _, v := range vals {
		sum.Add(sum, big.NewInt(v))
	}
	n := big.NewInt(int64(2 * len(vals)))
	sum.Lsh(sum, 1).Add(sum, big.NewInt(int64(len(vals))))
	return new(big.Int).Div(sum, n).Int64() // Euclidean: down, for a positive divisor
}

// slow groups one window by the definition.
func slow(vals []int64, k int) (out []int64, within, total float64) {
	order := make([]int, len(vals))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return vals[order[a]] < vals[order[b]] })
	out = make([]int64, len(vals))
	mean := 0.0
	for _, v := range vals {
		mean += float64(v) / float64(len(vals))
	}
	for len(order) > 0 {
		n := k
		if len(order) < 2*k {
			n = len(order)
		}
		var group []int64
		for _, i := range order[:n] {
			group = append(group, vals[i])
		}
		m := slowMean(group)
		for _, i := range order[:n] {
			out[i] = m
			within += (float64(vals[i]) - float64(m)) * (float64(vals[i]) - float64(m))
			total += (float64(vals[i]) - mean) * (float64(vals[i]) - mean)
		}
		order = order[n:]
	}
	return out, within, total
}

func TestAgainstSlowForm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := rapid.IntRange(2, 12).Draw(rt, "k")
		vals := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-1e9, 1e9)), k, 200).Draw(rt, "values")
		a := build(t, Params{K: k, Window: 256})
		want, within, total := slow(vals, k)
		got := mask(t, a, 0, integers(vals, nil)).(*array.Int64).Int64Values()
		require.Equal(rt, want, got)
		l := a.(Measured).Loss()
		require.EqualValues(rt, len(vals), l.Cells)
		require.EqualValues(rt, len(vals)/k, l.Groups)
		require.InDelta(rt, within, l.Within, 1e-9*(1+within))
		require.InDelta(rt, total, l.Total, 1e-6*(1+total))
		require.InDelta(rt, within/max(total, 1e-300), l.Ratio(), 1e-6)
		seen := map[int64]int{}
		for _, v := range got {
			seen[v]++
		}
		for _, n := range seen {
			require.GreaterOrEqual(rt, n, k, "every value is shown by k cells at least")
		}
	})
}

func TestMeansOfLargeNumbers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		vals := rapid.SliceOfN(rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, -1})), 1, 20).Draw(rt, "values")
		rows := make([]int, len(vals))
		for i := range rows {
			rows[i] = i
		}
		require.Equal(rt, slowMean(vals), intMean(vals, rows))
	})
}

// TestFloatMeans: within two units in the last place of the exact mean, and
// between the least and the greatest value.
func TestFloatMeans(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		vals := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1e18, 1e18), rapid.Float64Range(-1, 1),
			rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, 5e-324, 0})), 1, 30).Draw(rt, "values")
		rows := make([]int, len(vals))
		sum := new(big.Float).SetPrec(3000)
		for i, v := range vals {
			rows[i] = i
			sum.Add(sum, new(big.Float).SetPrec(3000).SetFloat64(v))
		}
		want, _ := sum.Quo(sum, big.NewFloat(float64(len(vals)))).Float64()
		got := floatMean(vals, rows)
		require.GreaterOrEqual(rt, got, slices.Min(vals))
		require.LessOrEqual(rt, got, slices.Max(vals))
		size := 0.0
		for _, v := range vals {
			size = max(size, math.Abs(v))
		}
		require.LessOrEqual(rt, math.Abs(got-want), 4e-16*size+1e-323)
	})
}

// TestWindows: whole windows do not depend on batches, a short last one joins
// the one before it, nulls stay and count for nothing.
func TestWindows(t *testing.T) {
	const window, windows = 50, 6
	rng := rand.New(rand.NewPCG(5, 6))
	vals, valid := make([]int64, window*windows+3), make([]bool, window*windows+3)
	for i := range vals {
		vals[i], valid[i] = rng.Int64N(1e6), rng.IntN(6) > 0 || i >= window*windows
	}
	in := integers(vals, valid)
	a := build(t, Params{K: 5, Window: window})
	whole := mask(t, a, 0, in).(*array.Int64)
	for w := range windows - 1 {
		part := array.NewSlice(in, int64(w*window), int64((w+1)*window))
		require.True(t, array.Equal(array.NewSlice(whole, int64(w*window), int64((w+1)*window)), mask(t, a, int64(w*window), part)))
	}
	var tail []int64
	for i := (windows - 1) * window; i < len(vals); i++ {
		require.Equal(t, !valid[i], whole.IsNull(i))
		if valid[i] {
			tail = append(tail, vals[i])
		}
	}
	want, _, _ := slow(tail, 5)
	var got []int64
	for i := (windows - 1) * window; i < len(vals); i++ {
		if valid[i] {
			got = append(got, whole.Value(i))
		} else {
			require.Zero(t, whole.Value(i))
		}
	}
	require.Equal(t, want, got)
}

// TestTypes: three values of every type and the mean they must have.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		typ  arrow.DataType
		vals []string
		want string
	}{
		{arrow.PrimitiveTypes.Int8, []string{"-128", "127", "127"}, "42"},
		{arrow.PrimitiveTypes.Uint8, []string{"255", "255", "254"}, "255"},
		{arrow.PrimitiveTypes.Int16, []string{"-3", "-4", "-4"}, "-4"},
		{arrow.PrimitiveTypes.Uint16, []string{"65535", "0", "0"}, "21845"},
		{arrow.PrimitiveTypes.Int32, []string{"1", "2", "2"}, "2"},
		{arrow.PrimitiveTypes.Uint32, []string{"4294967295", "4294967295", "4294967294"}, "4294967295"},
		{arrow.PrimitiveTypes.Uint64, []string{"18446744073709551615", "18446744073709551613", "18446744073709551612"}, "18446744073709551613"},
		{arrow.PrimitiveTypes.Float32, []string{"0.5", "1", "3"}, "1.5"},
		{arrow.PrimitiveTypes.Float64, []string{"1e308", "1e308", "1e308"}, "1e+308"},
		{arrow.FixedWidthTypes.Date32, []string{"1990-01-01", "1990-01-03", "1990-01-04"}, "1990-01-03"},
		{arrow.FixedWidthTypes.Date64, []string{"1960-01-01", "1960-01-03", "1960-01-04"}, "1960-01-03"},
		{&arrow.TimestampType{Unit: arrow.Second}, []string{"1990-01-01 00:00:00", "1990-01-01 00:00:02", "1990-01-01 00:00:02"}, "1990-01-01 00:00:01Z"},
		{&arrow.Decimal128Type{Precision: 10, Scale: 2}, []string{"-1.00", "2.00", "2.01"}, "1"},
	} {
		b := array.NewBuilder(memory.DefaultAllocator, c.typ)
		for _, v := range c.vals {
			require.NoError(t, b.AppendValueFromString(v))
		}
		a := build(t, Params{K: 3})
		_, err := a.Type(c.typ)
		require.NoError(t, err)
		out := mask(t, a, 0, b.NewArray())
		for i := range 3 {
			require.Equal(t, c.want, out.ValueStr(i), c.typ)
		}
	}
	for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean, arrow.Null} {
		_, err := build(t, Params{K: 3}).Type(typ)
		require.ErrorIs(t, err, kernel.ErrType)
	}
}

func TestHostile(t *testing.T) {
	a := build(t, Params{K: 3})
	f := array.NewFloat64Builder(memory.DefaultAllocator)
	f.AppendValues([]float64{1, math.NaN(), 2, math.Inf(1), 6}, nil)
	in := f.NewArray()
	_, err := a.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.Equal(t, &kernel.ValueError{Row: 1, Rule: ruleFinite}, err)
	env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
	out, err := a.Mask(env, in)
	require.NoError(t, err)
	require.Equal(t, "[3 (null) 3 (null) 3]", out.String())
	out, err = a.Mask(&kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}, array.NewSlice(in, 0, 4))
	require.NoError(t, err)
	require.Equal(t, 4, out.NullN())
	_, err = a.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, integers([]int64{1, 2}, nil))
	require.ErrorContains(t, err, "fewer values")

	d := array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: 38})
	d.AppendValues([]decimal128.Num{decimal128.New(1, 0), decimal128.New(-1, 1<<63-1), decimal128.FromI64(-5)}, nil)
	_, err = a.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, d.NewArray())
	require.Equal(t, &kernel.ValueError{Row: 0, Rule: ruleRange}, err)
	e := array.NewDate64Builder(memory.DefaultAllocator)
	e.AppendValues([]arrow.Date64{0, 1, 86400000, 0}, nil)
	_, err = a.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, e.NewArray())
	require.Equal(t, &kernel.ValueError{Row: 1, Rule: ruleDay}, err)
}

// TestNothingHidden: no byte of an input value in any output buffer.
func TestNothingHidden(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	vals, valid := make([]int64, 200), make([]bool, 200)
	was := map[int64]bool{}
	for i := range vals {
		vals[i], valid[i] = rng.Int64(), i%9 != 4
		was[vals[i]] = true
	}
	in := integers(vals, valid)
	copy(in.Data().Buffers()[1].Bytes(), arrow.Int64Traits.CastToBytes(vals))
	out := mask(t, build(t, Params{K: 4}), 0, array.NewSlice(in, 20, 180))
	for _, v := range out.(*array.Int64).Int64Values() {
		require.False(t, was[v])
	}
}

func TestParameters(t *testing.T) {
	for _, p := range []Params{{}, {K: 1}, {K: 5, Window: 4}, {K: 5, Window: MaxWindow + 1}, {K: MaxWindow + 1}, {K: -3}} {
		_, err := New(p)
		require.Error(t, err, fmt.Sprint(p))
	}
	p, err := Parse(map[string]string{"k": "5", "window": "100"})
	require.NoError(t, err)
	require.Equal(t, Params{K: 5, Window: 100}, p)
	_, err = New(Params{K: 2 * DefaultWindow})
	require.NoError(t, err)
}

func FuzzParse(f *testing.F) {
	f.Add("k", "5")
	f.Add("window", "-0")
	f.Fuzz(func(t *testing.T, name, value string) {
		p, err := Parse(map[string]string{name: value})
		if err == nil {
			require.True(t, p.K > 0 || p.Window > 0)
		}
	})
}
