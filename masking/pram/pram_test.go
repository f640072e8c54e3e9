package pram

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/draw"
	"github.com/yumen-project/yumen/masking/kernel"
)

var (
	testKey = []byte("0123456789abcdef")
	letters = []string{"A", "B", "C"}
	bent    = [][]string{{"1/2", "1/3", "1/6"}, {"0", "0.25", "0.75"}, {"1", "0", "0"}}
)

func build(t testing.TB, p Params) kernel.Kernel {
	t.Helper()
	k, err := New(p, testKey, "c")
	require.NoError(t, err)
	return k
}

// certain makes a kernel that New refuses: for tests that foretell a category.
func certain(t testing.TB, p Params) kernel.Kernel {
	t.Helper()
	k, err := open(p, testKey, "c")
	require.NoError(t, err)
	return k
}

// What looks like chance and tells all the same is refused.
func TestCertaintyIsRefused(t *testing.T) {
	two := []string{"A", "B"}
	for _, p := range []Params{
		{Categories: two, Keep: "0"}, {Categories: two, Keep: "0.991"}, {Categories: letters, Keep: "0.99999999999"},
		{Categories: letters, Matrix: [][]string{{"1", "0", "0"}, {"0", "1", "0"}, {"0", "1/2", "1/2"}}},
		{Categories: letters, Matrix: [][]string{{"0", "999/1000", "1/1000"}, {"1", "0", "0"}, {"0", "0", "1"}}},
	} {
		_, err := New(p, testKey, "c")
		require.ErrorContains(t, err, "tells what it was", "%v", p)
	}
	for _, p := range []Params{{Categories: two, Keep: "0.99"}, {Categories: two, Keep: "0.01"}, {Categories: letters, Keep: "0"}, {Categories: letters, Matrix: bent}} {
		_, err := New(p, testKey, "c")
		require.NoError(t, err, "%v", p)
	}
}

func texts(vals []string, valid []bool) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(vals, valid)
	return b.NewArray()
}

func mask(t testing.TB, k kernel.Kernel, env *kernel.Env, in arrow.Array) arrow.Array {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	env.Alloc = mem
	out, err := k.Mask(env, in)
	require.NoError(t, err)
	kept, err := kernel.Copy(memory.DefaultAllocator, out)
	require.NoError(t, err)
	out.Release()
	mem.AssertSize(t, 0)
	return kept
}

// TestAgainstRationals draws by the definition with big rationals: the
// category is the first whose running probability exceeds x / total.
func TestAgainstRationals(t *testing.T) {
	k := build(t, Params{Categories: letters, Matrix: bent})
	s, err := draw.New(testKey, "pram", "c")
	require.NoError(t, err)
	const n = 3000
	vals := make([]string, n)
	for i := range vals {
		vals[i] = letters[i%3]
	}
	out := mask(t, k, &kernel.Env{Row: 17}, texts(vals, nil)).(*array.String)
	draws := s.Rows(17, n)
	totals := []uint64{6, 4, 1}
	for i := range n {
		total := totals[i%3]
		x := new(big.Rat).SetFrac64(int64(draws.Below(i, total)), int64(total))
		sum, want := new(big.Rat), ""
		for b, p := range bent[i%3] {
			r, ok := new(big.Rat).SetString(p)
			require.True(t, ok)
			if sum.Add(sum, r); want == "" && x.Cmp(sum) < 0 {
				want = letters[b]
			}
		}
		require.Equal(t, want, out.Value(i))
	}
}

// frequencies counts what n cells of each category became.
func frequencies(t *testing.T, p Params, n int) [][]float64 {
	t.Helper()
	k := build(t, p)
	m := len(p.Categories)
	vals := make([]string, n*m)
	for i := range vals {
		vals[i] = p.Categories[i%m]
	}
	out := mask(t, k, &kernel.Env{}, texts(vals, nil)).(*array.String)
	seen := make([][]float64, m)
	for i := range seen {
		seen[i] = make([]float64, m)
	}
	for i := range vals {
		seen[i%m][slices.Index(p.Categories, out.Value(i))]++
	}
	return seen
}

// TestFrequencies: 20000 cells of each category; every frequency within 4.5
// standard errors, which all 18 of them keep but for once in 8000 keys.
func TestFrequencies(t *testing.T) {
	const n = 20000
	kept := [][]string{{"3/5", "1/5", "1/5"}, {"1/5", "3/5", "1/5"}, {"1/5", "1/5", "3/5"}}
	for want, p := range map[*[][]string]Params{
		&bent: {Categories: letters, Matrix: bent},
		&kept: {Categories: letters, Keep: "0.6"},
	} {
		for a, row := range frequencies(t, p, n) {
			for b, got := range row {
				r, _ := new(big.Rat).SetString((*want)[a][b])
				f, _ := r.Float64()
				require.LessOrEqual(t, (got-n*f)*(got-n*f), 4.5*4.5*n*f*(1-f), "%d to %d", a, b)
			}
		}
	}
}

// TestKeepIsAMatrix: keep and its matrix give, of their totals, equal shares.
func TestKeepIsAMatrix(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.IntRange(2, 6).Draw(rt, "categories")
		den := rapid.IntRange(1, 12).Draw(rt, "den")
		num := rapid.IntRange(0, den-1).Draw(rt, "num")
		u, err := newUniform(fmt.Sprintf("%d/%d", num, den), m)
		require.NoError(rt, err)
		for from := range m {
			counts := make([]uint64, m)
			for x := range u.total(from) {
				counts[u.to(from, x)]++
			}
			for to, c := range counts {
				want := big.NewRat(int64(num), int64(den))
				if to != from {
					want = big.NewRat(int64(den-num), int64(den*(m-1)))
				}
				require.Zero(rt, want.Cmp(big.NewRat(int64(c), int64(u.total(from)))))
			}
		}
	})
}

// TestBatchesDoNotMatter: any cut of a read gives the same cells.
func TestBatchesDoNotMatter(t *testing.T) {
	vals := make([]string, 300)
	for i := range vals {
		vals[i] = letters[i*i%3]
	}
	k := build(t, Params{Categories: letters, Keep: "1/2"})
	whole := mask(t, k, &kernel.Env{}, texts(vals, nil))
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.IntRange(0, 299).Draw(rt, "from")
		to := rapid.IntRange(from, 300).Draw(rt, "to")
		part := mask(t, k, &kernel.Env{Row: int64(from)}, array.NewSlice(texts(vals, nil), int64(from), int64(to)))
		require.True(rt, array.Equal(array.NewSlice(whole, int64(from), int64(to)), part))
	})
	other, err := New(Params{Categories: letters, Keep: "1/2"}, testKey, "d")
	require.NoError(t, err)
	require.False(t, array.Equal(whole, mask(t, other, &kernel.Env{}, texts(vals, nil))))
}

// TestTypesAgree: the same cells as text, large text, dictionary, integers of
// every width and booleans change alike; nulls stay.
func TestTypesAgree(t *testing.T) {
	categories := []string{"0", "1", "7"}
	types := []arrow.DataType{
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString,
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String},
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String},
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
	}
	k := build(t, Params{Categories: categories, Keep: "0.3"})
	var want []string
	for _, typ := range types {
		b := array.NewBuilder(memory.DefaultAllocator, typ)
		for i := range 200 {
			if i%11 == 5 {
				b.AppendNull()
				continue
			}
			require.NoError(t, b.AppendValueFromString(categories[i%3]))
		}
		out := mask(t, k, &kernel.Env{Row: 3}, array.NewSlice(b.NewArray(), 1, 190))
		outType, err := k.Type(typ)
		require.NoError(t, err)
		require.True(t, arrow.TypeEqual(outType, out.DataType()), typ)
		var got []string
		for i := range out.Len() {
			got = append(got, out.ValueStr(i))
		}
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, typ)
	}
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Boolean,
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int64}} {
		_, err := k.Type(typ)
		require.ErrorIs(t, err, kernel.ErrType, typ)
	}
	_, err := certain(t, Params{Categories: []string{"300", "1"}, Keep: "0"}).Type(arrow.PrimitiveTypes.Uint8)
	require.ErrorIs(t, err, kernel.ErrType)
	_, err = certain(t, Params{Categories: []string{"01", "1"}, Keep: "0"}).Type(arrow.PrimitiveTypes.Int64)
	require.ErrorIs(t, err, kernel.ErrType)
}

// TestDictionariesByRow: through kernel.Apply, equal cells of a dictionary
// change apart.
func TestDictionariesByRow(t *testing.T) {
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	k := build(t, Params{Categories: letters, Keep: "1/2"})
	outType, err := kernel.OutputType(k, typ)
	require.NoError(t, err)
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	for range 100 {
		require.NoError(t, b.AppendValueFromString("A"))
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	out, err := kernel.Apply(k, &kernel.Env{Alloc: mem}, b.NewArray())
	require.NoError(t, err)
	defer out.Release()
	require.True(t, arrow.TypeEqual(outType, out.DataType()))
	seen := map[string]int{}
	for i := range 100 {
		seen[out.ValueStr(i)]++
	}
	require.Len(t, seen, 3)
}

func TestBooleansAndNegatives(t *testing.T) {
	flip := certain(t, Params{Categories: []string{"true", "false"}, Keep: "0"})
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	b.AppendValues([]bool{true, false, true, true, false}, []bool{true, true, true, false, true})
	_, err := flip.Type(arrow.FixedWidthTypes.Boolean)
	require.NoError(t, err)
	out := mask(t, flip, &kernel.Env{}, array.NewSlice(b.NewArray(), 1, 5))
	require.Equal(t, "[true false (null) true]", out.String())
	turn := certain(t, Params{Categories: []string{"-1", "1"}, Keep: "0"})
	n := array.NewInt16Builder(memory.DefaultAllocator)
	n.AppendValues([]int16{-1, 1, -1}, nil)
	require.Equal(t, "[1 -1 1]", mask(t, turn, &kernel.Env{}, n.NewArray()).String())
}

// TestUnlisted: a value that is no category is malformed; hidden ones are not
// looked at, and none of them comes out.
func TestUnlisted(t *testing.T) {
	k := build(t, Params{Categories: letters, Keep: "0.5"})
	in := array.NewSlice(texts([]string{"CANARY", "A", "B", "CANARY", "C"}, []bool{true, true, true, true, true}), 1, 5)
	_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.Equal(t, &kernel.ValueError{Row: 2, Rule: ruleListed}, err)
	require.NotContains(t, err.Error(), "CANARY")
	env := &kernel.Env{Tolerate: true}
	out := mask(t, k, env, in)
	require.Equal(t, []int{2}, env.Suppressed())
	require.True(t, out.IsNull(2))
	for _, b := range out.Data().Buffers() {
		if b != nil {
			require.NotContains(t, string(b.Buf()), "CANARY")
		}
	}
	_, err = k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, array.NewSlice(texts([]string{"X", "A"}, nil), 1, 2))
	require.NoError(t, err)
}

func TestParameters(t *testing.T) {
	p, err := Parse(map[string]string{"categories": "A;B;C", "matrix": "1/2 1/3 1/6; 0 0.25  0.75;1 0 0"})
	require.NoError(t, err)
	require.Equal(t, Params{Categories: letters, Matrix: bent}, p)
	build(t, p)
	p, err = Parse(map[string]string{"categories": "A,;B", "separator": "|", "keep": "0.9"})
	require.NoError(t, err)
	require.Equal(t, []string{"A,;B"}, p.Categories)
	many := strings.Split(strings.Repeat("x,", MaxCategories)+"x", ",")
	for _, p := range []Params{
		{}, {Categories: []string{"A"}, Keep: "0.5"}, {Categories: []string{"A", "A"}, Keep: "0.5"}, {Categories: []string{"A", ""}, Keep: "0.5"},
		{Categories: many, Keep: "0.5"}, {Categories: letters}, {Categories: letters, Keep: "1"}, {Categories: letters, Keep: "1.0"},
		{Categories: letters, Keep: "-0.5"}, {Categories: letters, Keep: "3/2"}, {Categories: letters, Keep: "1/0"}, {Categories: letters, Keep: "1e-1"},
		{Categories: letters, Keep: "0.5", Matrix: bent}, {Categories: letters, Matrix: bent[:2]},
		{Categories: letters, Matrix: [][]string{{"1", "0", "0"}, {"0", "1", "0"}, {"0", "0", "1"}}},
		{Categories: letters, Matrix: [][]string{{"0", "1", "0"}, {"0", "0", "1"}, {"1", "0", "0"}}},
		{Categories: letters[:2], Matrix: [][]string{{"1/2", "1/3"}, {"0", "1"}}},
		{Categories: letters[:2], Matrix: [][]string{{"1/2", "2/3"}, {"0", "1"}}},
		{Categories: letters[:2], Matrix: [][]string{{"1/999999999999989", "1/999999999999947"}, {"0", "1"}}},
	} {
		_, err := New(p, testKey, "c")
		require.Error(t, err, fmt.Sprint(p.Keep, p.Matrix))
	}
	_, err = New(Params{Categories: letters, Keep: "0.5"}, testKey[:3], "c")
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	f.Add("A;B", "1/2", "", ";")
	f.Add("A|B", "", "1/2 1/2|0 1", "|")
	f.Fuzz(func(t *testing.T, categories, keep, matrix, separator string) {
		m := map[string]string{"categories": categories, "separator": separator}
		if keep != "" {
			m["keep"] = keep
		}
		if matrix != "" {
			m["matrix"] = matrix
		}
		p, err := Parse(m)
		if err != nil {
			return
		}
		k, err := New(p, testKey, "c")
		if err != nil {
			return
		}
		c := k.(*randomizer).chances
		for a := range p.Categories {
			total := c.total(a)
			require.LessOrEqual(t, total, uint64(maxTotal))
			for _, x := range []uint64{0, total / 2, total - 1} {
				b := c.to(a, x)
				require.True(t, b >= 0 && b < len(p.Categories))
			}
		}
	})
}
