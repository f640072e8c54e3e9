package perturb

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

// script is noise that was written down, and notes what it was asked for.
type script struct {
	noise    func(i int) int64
	num, den uint64
	drawn    int
	err      error
}

func (s *script) Draw(dst []int64, num, den uint64) error {
	s.num, s.den = num, den
	for i := range dst {
		dst[i] = s.noise(s.drawn)
		s.drawn++
	}
	return s.err
}

func constant(x int64) *script { return &script{noise: func(int) int64 { return x }} }

// geometric is a slow two-sided geometric for the test: the difference of two
// geometric draws.
type geometric struct{ rng *rand.Rand }

func (g geometric) Draw(dst []int64, num, den uint64) error {
	p := math.Exp(-float64(den) / float64(num))
	one := func() int64 { return int64(math.Floor(math.Log(1-g.rng.Float64()) / math.Log(p))) }
	for i := range dst {
		up, down := one(), one()
		dst[i] = up - down
	}
	return nil
}

func parse(t testing.TB, pairs ...string) Params {
	t.Helper()
	m := map[string]string{"epsilon": "1/2", "lower": "0", "upper": "100"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	p, err := Parse(m)
	require.NoError(t, err)
	return p
}

func mask(t testing.TB, p Params, n Noise, in arrow.Array) arrow.Array {
	t.Helper()
	k, err := New(p, n)
	require.NoError(t, err)
	typ, err := k.Type(in.DataType())
	require.NoError(t, err)
	require.Equal(t, in.DataType(), typ)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	out, err := k.Mask(&kernel.Env{Alloc: mem}, in)
	require.NoError(t, err)
	kept, err := kernel.Copy(memory.DefaultAllocator, out)
	require.NoError(t, err)
	out.Release()
	mem.AssertSize(t, 0)
	return kept
}

func integers(vals []int64, valid []bool) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(vals, valid)
	return b.NewArray()
}

// TestAgainstBigIntegers: clamp, add, clamp, for any value and noise.
func TestAgainstBigIntegers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		vals := rapid.SliceOf(rapid.Int64()).Draw(rt, "values")
		noise := rapid.SliceOfN(rapid.Int64(), len(vals), len(vals)).Draw(rt, "noise")
		free := rapid.Bool().Draw(rt, "free")
		output := map[bool]string{false: "clamped", true: "free"}[free]
		out := mask(t, parse(t, "lower", "-7", "output", output), &script{noise: func(i int) int64 { return noise[i] }}, integers(vals, nil)).(*array.Int64)
		for i, v := range vals {
			x := new(big.Int).Add(big.NewInt(max(-7, min(100, v))), big.NewInt(noise[i]))
			low, high := int64(-7), int64(100)
			if free {
				low, high = math.MinInt64, math.MaxInt64
			}
			if x.Cmp(big.NewInt(low)) < 0 {
				x = big.NewInt(low)
			}
			if x.Cmp(big.NewInt(high)) > 0 {
				x = big.NewInt(high)
			}
			require.Equal(rt, x.Int64(), out.Value(i))
		}
	})
}

// TestScaleOfTheNoise: sensitivity in the column's own units over epsilon.
func TestScaleOfTheNoise(t *testing.T) {
	for _, c := range []struct {
		typ      arrow.DataType
		pairs    []string
		num, den uint64
	}{
		{arrow.PrimitiveTypes.Int64, nil, 200, 1},
		{arrow.PrimitiveTypes.Int64, []string{"epsilon", "0.3"}, 1000, 3},
		{arrow.PrimitiveTypes.Int64, []string{"sensitivity", "1", "epsilon", "4"}, 1, 4},
		{&arrow.Decimal128Type{Precision: 10, Scale: 2}, []string{"sensitivity", "0.5", "epsilon", "1"}, 50, 1},
		{arrow.PrimitiveTypes.Float64, []string{"scale", "3", "sensitivity", "0.5", "epsilon", "1"}, 500, 1},
	} {
		p := parse(t, c.pairs...)
		n := constant(0)
		b := array.NewBuilder(memory.DefaultAllocator, c.typ)
		for range 3 {
			require.NoError(t, b.AppendValueFromString("1"))
		}
		b.AppendNull()
		mask(t, p, n, b.NewArray())
		require.Equal(t, []uint64{c.num, c.den}, []uint64{n.num, n.den}, c.pairs)
		require.Equal(t, 3, n.drawn, "one draw for each value")
	}
}

func TestWhatTheLedgerIsTold(t *testing.T) {
	p := parse(t, "epsilon", "0.50", "lower", "-10", "upper", "15.5", "sensitivity", "0.5")
	num, den := p.Epsilon()
	require.Equal(t, []uint64{1, 2}, []uint64{num, den})
	units, scale := p.Sensitivity()
	require.Equal(t, []int64{5, 1}, []int64{units, int64(scale)})
	num, den = p.WholeRange()
	require.Equal(t, []uint64{51, 2}, []uint64{num, den}, "51 steps of a half, at a half each")
	p = parse(t)
	num, den = p.WholeRange()
	require.Equal(t, []uint64{1, 2}, []uint64{num, den})
	units, scale = p.Sensitivity()
	require.EqualValues(t, 100, units)
	require.Zero(t, scale)
}

// TestFloatUnits compares with exact rationals, halves away from zero.
func TestFloatUnits(t *testing.T) {
	value := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1e6, 1e6), rapid.Float64Range(-1e-9, 1e-9),
		rapid.SampledFrom([]float64{0, 0.5, -0.5, 1.5, 2.5, 5e-324, 1 << 52, 1 << 53, 1<<53 - 1, 1 << 54, -(1 << 53), 0.125, math.MaxFloat64}))
	rapid.Check(t, func(rt *rapid.T) {
		v, scale := value.Draw(rt, "v"), rapid.IntRange(0, MaxScale).Draw(rt, "scale")
		r, ok := new(big.Rat).SetString(big.NewFloat(math.Abs(v)).Text('g', 1100))
		require.True(rt, ok)
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		r.Add(r, big.NewRat(1, 2))
		whole := new(big.Int).Div(r.Num(), r.Denom())
		want := int64(exactFloat)
		if whole.Cmp(big.NewInt(exactFloat)) < 0 {
			want = whole.Int64()
		}
		if math.Signbit(v) {
			want = -want
		}
		require.Equal(rt, want, floatUnits(math.Float64bits(v), scale))
	})
}

// TestFloatsComeOutOnTheGrid: a float is the one nearest to its decimal and
// tells nothing of the low bits of what went in.
func TestFloatsComeOutOnTheGrid(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues([]float64{12.3456789, 12.3400000001, -5, 1e300, 0.005}, nil)
	out := mask(t, parse(t, "scale", "2"), constant(1), b.NewArray()).(*array.Float64)
	require.Equal(t, []float64{12.36, 12.35, 0.01, 100, 0.02}, out.Float64Values())
	f := array.NewFloat32Builder(memory.DefaultAllocator)
	f.AppendValues([]float32{0.1, 99.97, math.MaxFloat32}, nil)
	require.Equal(t, []float32{0.3, 100, 100}, mask(t, parse(t, "scale", "1"), constant(2), f.NewArray()).(*array.Float32).Float32Values())
	k, err := New(parse(t, "scale", "1"), constant(0))
	require.NoError(t, err)
	b.AppendValues([]float64{1, math.NaN(), math.Inf(1)}, nil)
	in := b.NewArray()
	_, err = k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.Equal(t, &kernel.ValueError{Row: 1, Rule: "not a finite number"}, err)
	out2, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}, in)
	require.NoError(t, err)
	require.Equal(t, "[1 (null) (null)]", out2.String())
}

// TestWidths: every type, with values and noise at its ends.
func TestWidths(t *testing.T) {
	for _, c := range []struct {
		typ          arrow.DataType
		lower, upper string
		value        string
		noise        int64
		output, want string
	}{
		{arrow.PrimitiveTypes.Int8, "-128", "127", "127", 5, "free", "127"},
		{arrow.PrimitiveTypes.Int8, "-100", "100", "-128", -50, "free", "-128"},
		{arrow.PrimitiveTypes.Uint8, "0", "200", "255", 100, "free", "255"},
		{arrow.PrimitiveTypes.Uint8, "0", "200", "3", -100, "free", "0"},
		{arrow.PrimitiveTypes.Int16, "-1000", "1000", "7", -8, "clamped", "-1"},
		{arrow.PrimitiveTypes.Uint16, "0", "65535", "7", 8, "clamped", "15"},
		{arrow.PrimitiveTypes.Int32, "-5", "5", "-2147483648", 3, "clamped", "-2"},
		{arrow.PrimitiveTypes.Uint32, "0", "4294967295", "4294967295", 3, "free", "4294967295"},
		{arrow.PrimitiveTypes.Uint64, "0", "10", "18446744073709551615", -1, "clamped", "9"},
		{&arrow.Decimal128Type{Precision: 5, Scale: 2}, "0", "999.99", "5.25", 99990000, "free", "999.99"},
		{&arrow.Decimal128Type{Precision: 38, Scale: 2}, "-1", "1", "123456789012345678901234567890.00", -1, "clamped", "0.99"},
		{&arrow.Decimal128Type{Precision: 38, Scale: 2}, "-1", "1", "-123456789012345678901234567890.00", 0, "clamped", "-1"},
	} {
		b := array.NewBuilder(memory.DefaultAllocator, c.typ)
		require.NoError(t, b.AppendValueFromString(c.value))
		out := mask(t, parse(t, "lower", c.lower, "upper", c.upper, "output", c.output), constant(c.noise), b.NewArray())
		require.Equal(t, c.want, out.ValueStr(0), "%s %s", c.typ, c.value)
	}
}

func TestTypesRefused(t *testing.T) {
	refuse := func(p Params, types ...arrow.DataType) {
		k, err := New(p, constant(0))
		require.NoError(t, err)
		for _, typ := range types {
			_, err := k.Type(typ)
			require.ErrorIs(t, err, kernel.ErrType, typ)
		}
	}
	refuse(parse(t), arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean,
		arrow.FixedWidthTypes.Date32, arrow.Null, &arrow.Decimal128Type{Precision: 4, Scale: 2}, &arrow.Decimal128Type{Precision: 38, Scale: -1})
	refuse(parse(t, "upper", "0.5"), arrow.PrimitiveTypes.Int64)
	refuse(parse(t, "upper", "128"), arrow.PrimitiveTypes.Int8)
	refuse(parse(t, "lower", "-1"), arrow.PrimitiveTypes.Uint64)
	refuse(parse(t, "scale", "15"), arrow.PrimitiveTypes.Float64)
}

// TestDistance: on a small range the exact probabilities of two ends, from the
// noise's own formula, keep the promised ratio at every output.
func TestDistance(t *testing.T) {
	const lower, upper = 0, 4
	n := constant(0)
	p := parse(t, "lower", "0", "upper", "4", "epsilon", "1")
	mask(t, p, n, integers([]int64{1}, nil))
	b := float64(n.num) / float64(n.den)
	probability := func(x, out int64) (sum float64) {
		for noise := int64(-2000); noise <= 2000; noise++ {
			if min(upper, max(lower, x+noise)) == out {
				sum += math.Exp(-math.Abs(float64(noise)) / b)
			}
		}
		return sum
	}
	for out := int64(lower); out <= upper; out++ {
		ratio := probability(lower, out) / probability(upper, out)
		require.LessOrEqual(t, math.Abs(math.Log(ratio)), 1+1e-12)
	}
}

// TestMean: free output is unbiased; 40000 cells of scale 20 have a standard
// error of 0.14, and 4.5 of them are left once in 10^5 seeds.
func TestMean(t *testing.T) {
	const n = 40000
	vals := make([]int64, n)
	for i := range vals {
		vals[i] = 30
	}
	g := geometric{rand.New(rand.NewPCG(9, 10))}
	out := mask(t, parse(t, "epsilon", "5", "output", "free"), g, integers(vals, nil)).(*array.Int64)
	sum := 0.0
	for _, v := range out.Int64Values() {
		sum += float64(v)
	}
	require.InDelta(t, 30, sum/n, 4.5*math.Sqrt(2)*20/math.Sqrt(n))
}

// TestNothingHidden: bytes under nulls and beyond the slice stay behind, and
// values beyond the clamp leave no byte.
func TestNothingHidden(t *testing.T) {
	const canary = 0x4352494143595242
	vals, valid := make([]int64, 30), make([]bool, 30)
	for i := range vals {
		vals[i], valid[i] = canary, i%3 != 0
	}
	in := integers(vals, valid)
	copy(in.Data().Buffers()[1].Bytes(), arrow.Int64Traits.CastToBytes(vals))
	out := mask(t, parse(t), constant(-1), array.NewSlice(in, 5, 25)).(*array.Int64)
	for i, v := range out.Int64Values() {
		if valid[5+i] {
			require.EqualValues(t, 99, v)
		} else {
			require.Zero(t, v)
		}
	}
	d := array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: 38})
	d.Append(decimal128.New(canary, canary))
	require.Equal(t, "100", mask(t, parse(t), constant(0), d.NewArray()).ValueStr(0))
}

func TestNoNoise(t *testing.T) {
	n := constant(0)
	n.err = errors.New("dry")
	k, err := New(parse(t), n)
	require.NoError(t, err)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	_, err = k.Mask(&kernel.Env{Alloc: mem}, integers([]int64{1}, nil))
	require.ErrorIs(t, err, n.err)
	mem.AssertSize(t, 0)
	_, err = New(parse(t), nil)
	require.Error(t, err)
	_, err = New(Params{}, n)
	require.Error(t, err)
}

func TestParameters(t *testing.T) {
	for _, bad := range [][]string{
		{"epsilon", ""}, {"epsilon", "0"}, {"epsilon", "-1"}, {"epsilon", "1/0"}, {"epsilon", "1e-3"}, {"epsilon", "0.0000000001"},
		{"epsilon", "1/2.5"}, {"epsilon", "inf"}, {"lower", ""}, {"upper", ""}, {"lower", "100"}, {"lower", "101"}, {"upper", "1e5"},
		{"sensitivity", "0"}, {"sensitivity", "-1"}, {"sensitivity", "100.5"}, {"scale", "16"}, {"scale", "-1"}, {"scale", "01"},
		{"output", "both"}, {"delta", "1"}, {"upper", "123456789012345678"}, {"lower", "0.00000000000000001", "upper", "12345678901234567"},
	} {
		m := map[string]string{"epsilon": "1", "lower": "0", "upper": "100"}
		for i := 0; i < len(bad); i += 2 {
			m[bad[i]] = bad[i+1]
		}
		_, err := Parse(m)
		require.Error(t, err, bad)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1/2", "0", "100", "", "")
	f.Add("0.5", "-1.25", "99999999999999999", "0.01", "2")
	f.Add("999999999", "-99999999999999999", "99999999999999999", "0.00000000000000001", "15")
	types := []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Float64, &arrow.Decimal128Type{Precision: 38, Scale: 9}}
	f.Fuzz(func(t *testing.T, epsilon, lower, upper, sensitivity, scale string) {
		m := map[string]string{"epsilon": epsilon, "lower": lower, "upper": upper}
		if sensitivity != "" {
			m["sensitivity"] = sensitivity
		}
		if scale != "" {
			m["scale"] = scale
		}
		p, err := Parse(m)
		if err != nil {
			return
		}
		num, den := p.WholeRange()
		require.True(t, num > 0 && den > 0)
		for _, typ := range types {
			if c, err := p.column(typ); err == nil {
				require.True(t, c.lower < c.upper && c.least <= c.lower && c.upper <= c.most && c.noise.num > 0 && c.noise.den > 0)
			}
		}
	})
}
