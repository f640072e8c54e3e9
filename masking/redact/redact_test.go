package redact

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

// slow is what redaction means, written for reading.
func slow(p Params, v string) string {
	rs := []rune(v)
	k := p.KeepFirst + p.KeepLast
	first, last := p.KeepFirst, p.KeepLast
	if k >= len(rs) || (p.Identifier && 2*k > len(rs)) {
		first, last = 0, 0
	}
	mask := p.Mask
	if mask == 0 {
		mask = '*'
	}
	return string(rs[:first]) + strings.Repeat(string(mask), len(rs)-first-last) + string(rs[len(rs)-last:])
}

func TestAgainstTheSlowForm(t *testing.T) {
	value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[张李王欧阳娜]{1,12}`), rapid.StringMatching(`[0-9]{11}`),
		rapid.StringMatching(`[a-zé吉😀]{0,30}`), rapid.Just(""))
	fixedWidth := rapid.SliceOfN(rapid.StringMatching(`[0-9]{18}`), 1, 40)
	rapid.Check(t, func(rt *rapid.T) {
		p := Params{KeepFirst: rapid.IntRange(0, 3).Draw(rt, "first"), KeepLast: rapid.IntRange(0, 3).Draw(rt, "last"),
			Mask: rapid.SampledFrom([]rune{0, '#', '●', '😀'}).Draw(rt, "mask"), Identifier: rapid.Bool().Draw(rt, "identifier")}
		vals := rapid.OneOf(rapid.SliceOfN(value, 0, 40), fixedWidth).Draw(rt, "values")
		valid := rapid.SliceOfN(rapid.Bool(), len(vals), len(vals)).Draw(rt, "valid")
		if rapid.Bool().Draw(rt, "no nulls") {
			valid = nil
		}
		from := rapid.IntRange(0, len(vals)).Draw(rt, "from")
		k, err := New(p)
		require.NoError(rt, err)
		k.(*redactor).wide = hasLanes() && rapid.Bool().Draw(rt, "wide")
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		b := array.NewStringBuilder(mem)
		defer b.Release()
		b.AppendValues(vals, valid)
		whole := b.NewArray()
		defer whole.Release()
		in := array.NewSlice(whole, int64(from), int64(len(vals)))
		defer in.Release()
		out, err := k.Mask(&kernel.Env{Alloc: mem}, in)
		require.NoError(rt, err)
		defer out.Release()
		require.Equal(rt, len(vals)-from, out.Len())
		for i := range out.Len() {
			require.Equal(rt, in.IsNull(i), out.IsNull(i))
			if !in.IsNull(i) {
				require.Equal(rt, slow(p, vals[from+i]), out.(*array.String).Value(i))
			}
		}
	})
}

func TestNotUTF8(t *testing.T) {
	k, err := New(Params{KeepFirst: 1})
	require.NoError(t, err)
	for _, vals := range [][]string{{"ok", "\xff\xfe\x01"}, {"张三", "李\xe5"}, {"张\xe4", "\xbd\xa0"}, {"abc", "ab\x80"}} {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(vals, nil)
		in := b.NewArray()
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		_, err := k.Mask(&kernel.Env{Alloc: mem}, in)
		var ve *kernel.ValueError
		require.ErrorAs(t, err, &ve)
		mem.AssertSize(t, 0)
		env := &kernel.Env{Alloc: mem, Tolerate: true}
		out, err := k.Mask(env, in)
		require.NoError(t, err)
		require.Contains(t, env.Suppressed(), ve.Row)
		for _, row := range env.Suppressed() {
			require.True(t, out.IsNull(row))
			require.Empty(t, out.(*array.String).Value(row))
		}
		out.Release()
		mem.AssertSize(t, 0)
	}
}

func TestLargeAndFixedAgree(t *testing.T) {
	k, err := New(Params{KeepFirst: 3, KeepLast: 4})
	require.NoError(t, err)
	b := array.NewLargeStringBuilder(memory.DefaultAllocator)
	for range 100 {
		b.Append("220202199003071234")
	}
	b.Append("")
	out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, b.NewArray())
	require.NoError(t, err)
	require.Equal(t, arrow.LARGE_STRING, out.DataType().ID())
	for i := range 100 {
		require.Equal(t, "220***********1234", out.(*array.LargeString).Value(i))
	}
	require.Empty(t, out.(*array.LargeString).Value(100))
}

func FuzzValidText(f *testing.F) {
	f.Add([]byte("吉林省吉林市昌邑区解放路"))
	f.Add([]byte("吉林省吉林市昌\xed\xa0\x80邑区解放路"))
	f.Add([]byte("吉林省吉林市昌\xe0\x80\x80邑区解放路"))
	f.Add([]byte("a\x9e0a00a00a00a00a\x8c0解洪"))
	f.Add([]byte("12345678abcdefgh12345678\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		require.Equal(t, utf8.Valid(b), validText(b))
		if utf8.Valid(b) {
			require.Equal(t, utf8.RuneCount(b), runes(b, 0, len(b)))
		}
	})
}
