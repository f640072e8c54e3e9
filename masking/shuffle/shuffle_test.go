package shuffle

import (
	"fmt"
	"slices"
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

func build(t testing.TB, p Params, column string) kernel.Kernel {
	t.Helper()
	k, err := New(p, testKey, column)
	require.NoError(t, err)
	return k
}

func integers(vals []int64, valid []bool) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(vals, valid)
	return b.NewArray()
}

func count(n int) []int64 {
	vals := make([]int64, n)
	for i := range vals {
		vals[i] = int64(i)
	}
	return vals
}

func mask(t testing.TB, k kernel.Kernel, row int64, in arrow.Array) *array.Int64 {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	out, err := k.Mask(&kernel.Env{Alloc: mem, Row: row}, in)
	require.NoError(t, err)
	kept, err := kernel.Copy(memory.DefaultAllocator, out)
	require.NoError(t, err)
	out.Release()
	mem.AssertSize(t, 0)
	return kept.(*array.Int64)
}

// TestAgainstSlowForm moves values by the definition, from the draws.
func TestAgainstSlowForm(t *testing.T) {
	const n, window = 1000, 64
	k := build(t, Params{Window: window}, "c")
	s, err := draw.New(testKey, "shuffle", "c")
	require.NoError(t, err)
	const row = 5 * window
	want := count(n)
	for at := 0; at < n; at += window {
		end := min(at+window, n)
		draws := s.Rows(int64(row+at), end-at)
		for i := end - at - 1; i > 0; i-- {
			j := int(draws.Below(i, uint64(i+1)))
			want[at+i], want[at+j] = want[at+j], want[at+i]
		}
	}
	require.Equal(t, want, mask(t, k, row, integers(count(n), nil)).Int64Values())
}

// TestWindowsKeepTheirValues: the multiset of each window stays, nulls stay in
// their rows, and no whole window depends on the batches.
func TestWindowsKeepTheirValues(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.IntRange(2, 40).Draw(rt, "window")
		k := build(t, Params{Window: window, Least: 2}, "c")
		windows := rapid.IntRange(1, 8).Draw(rt, "windows")
		n := window * windows
		valid := make([]bool, n)
		for i := range valid {
			valid[i] = i%window < 2 || rapid.Float64().Draw(rt, "v") < 0.8
		}
		first := int64(window) * rapid.Int64Range(0, 1<<30).Draw(rt, "first")
		whole := mask(t, k, first, integers(count(n), valid))
		for w := range windows {
			var was, is []int64
			for i := w * window; i < (w+1)*window; i++ {
				require.Equal(rt, !valid[i], whole.IsNull(i))
				if valid[i] {
					was, is = append(was, int64(i)), append(is, whole.Value(i))
				} else {
					require.Zero(rt, whole.Value(i), "nothing lies under a null")
				}
			}
			slices.Sort(is)
			require.Equal(rt, was, is)
		}
		cut := window * rapid.IntRange(0, windows-1).Draw(rt, "cut")
		part := array.NewSlice(integers(count(n), valid), int64(cut), int64(n))
		require.True(rt, array.Equal(array.NewSlice(whole, int64(cut), int64(n)), mask(t, k, first+int64(cut), part)))
	})
}

// TestEveryOrderIsAsLikely: 24 orders of windows of 4, chi-squared with 23
// degrees of freedom, which a fair shuffle exceeds 58.6 with once in 10^4.
func TestEveryOrderIsAsLikely(t *testing.T) {
	const windows = 24000
	k := build(t, Params{Window: 4}, "c")
	out := mask(t, k, 0, integers(count(4*windows), nil))
	seen := map[[4]int64]int{}
	for w := range windows {
		var order [4]int64
		for i := range order {
			order[i] = out.Value(4*w+i) - int64(4*w)
		}
		seen[order]++
	}
	require.Len(t, seen, 24)
	chi := 0.0
	for _, c := range seen {
		d := float64(c) - windows/24.0
		chi += d * d / (windows / 24.0)
	}
	require.Less(t, chi, 58.6)
}

func TestColumnsAndKeysMoveApart(t *testing.T) {
	in := integers(count(500), nil)
	a := mask(t, build(t, Params{}, "a"), 0, in)
	require.True(t, array.Equal(a, mask(t, build(t, Params{}, "a"), 0, in)))
	require.False(t, array.Equal(a, mask(t, build(t, Params{}, "b"), 0, in)))
	other, err := New(Params{}, []byte("another key of 16+"), "a")
	require.NoError(t, err)
	require.False(t, array.Equal(a, mask(t, other, 0, in)))
	require.False(t, array.Equal(a, mask(t, build(t, Params{}, "a"), DefaultWindow, in)))
}

// TestTypes shuffles every type that can be copied, a slice with hidden values
// around it, and finds the values again and the hidden ones nowhere.
func TestTypes(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	for _, typ := range []arrow.DataType{
		arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Timestamp_us,
		&arrow.Decimal128Type{Precision: 20, Scale: 2}, arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, dict, arrow.Null,
	} {
		b := array.NewBuilder(memory.DefaultAllocator, typ)
		for i := range 60 {
			appendValue(t, b, i)
		}
		in := array.NewSlice(b.NewArray(), 10, 50)
		k := build(t, Params{}, "c")
		got, err := k.Type(typ)
		require.NoError(t, err)
		require.Equal(t, typ, got)
		out, err := kernel.Apply(k, &kernel.Env{Alloc: mem}, in)
		require.NoError(t, err, typ)
		was, is := make([]string, 40), make([]string, 40)
		for i := range was {
			require.Equal(t, in.IsNull(i), out.IsNull(i))
			was[i], is[i] = shown(in, i), shown(out, i)
		}
		if typ.ID() != arrow.NULL {
			require.NotEqual(t, was, is, typ)
		}
		slices.Sort(was)
		slices.Sort(is)
		require.Equal(t, was, is)
		for _, buf := range out.Data().Buffers() {
			if buf != nil {
				require.NotContains(t, string(buf.Buf()[:cap(buf.Buf())]), "hidden")
			}
		}
		out.Release()
	}
	_, err := build(t, Params{}, "c").Type(arrow.ListOf(arrow.PrimitiveTypes.Int8))
	require.ErrorIs(t, err, kernel.ErrType)
}

func shown(a arrow.Array, i int) string {
	if d, ok := a.(*array.Dictionary); ok && !a.IsNull(i) {
		return d.Dictionary().ValueStr(d.GetValueIndex(i))
	}
	return a.ValueStr(i)
}

func appendValue(t *testing.T, b array.Builder, i int) {
	t.Helper()
	name := fmt.Sprintf("v%d", i)
	if i < 10 || i >= 50 {
		name = "hidden"
	}
	if i%7 == 3 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(i%3 == 0)
	case *array.StringBuilder:
		b.Append(name)
	case *array.LargeStringBuilder:
		b.Append(name)
	case *array.BinaryDictionaryBuilder:
		require.NoError(t, b.AppendString(name))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(int64(i)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(i))
	case *array.Date32Builder:
		b.Append(arrow.Date32(i))
	default:
		require.NoError(t, b.AppendValueFromString(fmt.Sprint(i)))
	}
}

func TestTooFew(t *testing.T) {
	k := build(t, Params{}, "c")
	in := integers(count(9), nil)
	_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	var ve *kernel.ValueError
	require.ErrorAs(t, err, &ve)
	require.Zero(t, ve.Row)
	env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
	out, err := k.Mask(env, in)
	require.NoError(t, err)
	require.Equal(t, 9, out.NullN())
	require.Len(t, env.Suppressed(), 9)
	for _, n := range []int{0, 3} { // no value at all is nothing to hide
		out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, integers(make([]int64, n), make([]bool, n)))
		require.NoError(t, err)
		require.Equal(t, n, out.NullN())
	}
}

func TestParameters(t *testing.T) {
	for _, p := range []Params{{Window: 1}, {Window: -1}, {Window: MaxWindow + 1}, {Window: 8, Least: 9}, {Least: 1}, {Least: -1}} {
		_, err := New(p, testKey, "c")
		require.Error(t, err, p)
	}
	_, err := New(Params{}, nil, "c")
	require.Error(t, err)
	for _, m := range []map[string]string{{"window": "0"}, {"window": "-2"}, {"window": "+2"}, {"window": ""}, {"least": "1e3"}, {"size": "4"}} {
		_, err := Parse(m)
		require.Error(t, err, m)
	}
	p, err := Parse(map[string]string{"window": "100", "least": "5"})
	require.NoError(t, err)
	require.Equal(t, Params{Window: 100, Least: 5}, p)
}

func FuzzParse(f *testing.F) {
	f.Add("window", "4096")
	f.Add("least", "00")
	f.Fuzz(func(t *testing.T, name, value string) {
		p, err := Parse(map[string]string{name: value})
		if err != nil {
			return
		}
		if _, err := New(p, testKey, "c"); err == nil {
			require.LessOrEqual(t, p.Window, MaxWindow)
		}
	})
}
