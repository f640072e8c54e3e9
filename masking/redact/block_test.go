package redact

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

// pieces are alphabets of a block: one script throughout, or one that is
// broken by the others now and then.
var pieces = [][]string{
	{"a", "7", "-", "Z"},
	{"张", "李", "王", "欧"},
	{"张", "李", "王", "吉"},
	{"é", "·"},
	{"😀", "ࠀ", "퀀", "힣"},
}

// column draws long columns, so that whole blocks are of one script.
func blockColumn(rt *rapid.T) (vals []string, valid []bool) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
	n := rapid.IntRange(1, 4*blockRows).Draw(rt, "rows")
	longest := rapid.SampledFrom([]int{1, 4, 7, 20, 60}).Draw(rt, "longest")
	script := rapid.IntRange(0, len(pieces)-1).Draw(rt, "script")
	strangers := rapid.SampledFrom([]int{0, 0, 1, 300}).Draw(rt, "strangers in ten thousand")
	nulls := rapid.SampledFrom([]int{0, 0, 1, 10}).Draw(rt, "nulls in a hundred")
	for range n {
		var b strings.Builder
		for range rng.IntN(longest + 1) {
			from := pieces[script]
			if rng.IntN(10000) < strangers {
				from = pieces[rng.IntN(len(pieces))]
			}
			b.WriteString(from[rng.IntN(len(from))])
		}
		vals = append(vals, b.String())
		valid = append(valid, rng.IntN(100) >= nulls)
	}
	return vals, valid
}

// TestBlocksAgainstTheSlowForm is TestAgainstTheSlowForm on columns of several
// blocks, with and without bytes under nulls, on dirty memory.
func TestBlocksAgainstTheSlowForm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Params{KeepFirst: rapid.IntRange(0, 9).Draw(rt, "first"), KeepLast: rapid.SampledFrom([]int{0, 0, 1, 2, 3, 4, 7, 8, 9}).Draw(rt, "last"),
			Mask: rapid.SampledFrom([]rune{0, '#', '●'}).Draw(rt, "mask"), Identifier: rapid.Bool().Draw(rt, "identifier")}
		if p.Identifier && p.KeepFirst+p.KeepLast > MaxKept {
			p.KeepFirst, p.KeepLast = p.KeepFirst%3, p.KeepLast%4
		}
		vals, valid := blockColumn(rt)
		k, err := New(p)
		require.NoError(rt, err)
		k.(*redactor).wide = hasLanes() && rapid.Bool().Draw(rt, "wide")
		b := array.NewStringBuilder(memory.DefaultAllocator)
		under := rapid.Bool().Draw(rt, "bytes under nulls")
		for i, v := range vals {
			if valid[i] || under {
				b.Append(v)
			} else {
				b.AppendNull()
			}
		}
		whole := b.NewArray()
		if under {
			whole = withNulls(whole, valid)
		}
		from := rapid.IntRange(0, len(vals)).Draw(rt, "from")
		in := array.NewSlice(whole, int64(from), int64(len(vals)))
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		out, err := k.Mask(&kernel.Env{Alloc: soiled{mem}}, in)
		require.NoError(rt, err)
		defer out.Release()
		text := out.(*array.String)
		size := 0
		for i := range out.Len() {
			require.Equal(rt, !valid[from+i], out.IsNull(i))
			want := ""
			if valid[from+i] {
				want = slow(p, vals[from+i])
			}
			if text.Value(i) != want {
				require.Equal(rt, want, text.Value(i), "row %d", i)
			}
			size += len(want)
		}
		data := out.Data().Buffers()[2]
		require.Equal(rt, size, data.Len())
		for _, c := range data.Buf()[size:cap(data.Buf())] {
			require.Zero(rt, c)
		}
	})
}

// soiled hands out memory that is full of something.
type soiled struct{ memory.Allocator }

func (s soiled) Allocate(n int) []byte {
	b := s.Allocator.Allocate(n)
	for i := range b {
		b[i] = 0xA5
	}
	return b
}

// withNulls declares rows null and leaves their bytes.
func withNulls(a arrow.Array, valid []bool) arrow.Array {
	bits := memory.NewResizableBuffer(memory.DefaultAllocator)
	bits.Resize((len(valid) + 7) / 8)
	nulls := 0
	for i, v := range valid {
		bitutil.SetBitTo(bits.Bytes(), i, v)
		if !v {
			nulls++
		}
	}
	bufs := a.Data().Buffers()
	return array.MakeFromData(array.NewData(a.DataType(), a.Len(), []*memory.Buffer{bits, bufs[1], bufs[2]}, nil, nulls, 0))
}

// FuzzThrees compares the vectors with plain Go and with the standard library.
func FuzzThrees(f *testing.F) {
	f.Add([]byte("吉林省吉林市昌邑区"), 0, byte(0))
	f.Add([]byte("吉"), 100, byte(0xE0))
	f.Add([]byte("张李王"), 64, byte(0xBF))
	f.Fuzz(func(t *testing.T, piece []byte, at int, odd byte) {
		if len(piece) == 0 || len(piece) > 300 {
			return
		}
		b := bytes.Repeat(piece, 1+300/len(piece))
		if at >= 0 && odd != 0 {
			b[at%len(b)] = odd
		}
		want := threes(b, false)
		require.Equal(t, want, threes(b, hasLanes()))
		if want {
			require.True(t, utf8.Valid(b))
			require.Equal(t, len(b), 3*utf8.RuneCount(b))
		}
	})
}

// TestOffsetsThatStepBack: wherever it is, and whatever engine looks.
func TestOffsetsThatStepBack(t *testing.T) {
	for at := range 40 {
		for _, bad := range []int32{-1, math.MinInt32, math.MaxInt32} {
			off := make([]int32, 41)
			for i := range off {
				off[i] = int32(3 * i)
			}
			s := kernel.Strings[int32]{N: 40, Off: off}
			for _, wide := range []bool{false, hasLanes()} {
				require.NoError(t, check(&redactor{wide: wide}, s))
			}
			if at == 0 {
				continue // the first and the last are checked when the array is opened
			}
			off[at] = bad
			for _, wide := range []bool{false, hasLanes()} {
				require.ErrorIs(t, check(&redactor{wide: wide}, s), kernel.ErrCorrupt)
			}
		}
	}
}

// TestBlocksRefuse: one bad byte in a block of good ones, wherever it lies.
func TestBlocksRefuse(t *testing.T) {
	k, err := New(Params{KeepFirst: 1})
	require.NoError(t, err)
	for _, good := range []string{"张三", "ann-marie"} {
		for _, bad := range []string{"\xff", "张\xe4\xbd", "\x80张", "\xed\xa0\x80", "\xe0\x80\x80"} {
			vals := slices.Repeat([]string{good}, 3*blockRows)
			vals[300] = bad
			b := array.NewStringBuilder(memory.DefaultAllocator)
			b.AppendValues(vals, nil)
			_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, b.NewArray())
			require.Equal(t, &kernel.ValueError{Row: 300, Rule: ruleUTF8}, err)
		}
		// A character cut in two by an offset: good as a whole, bad in parts.
		vals := slices.Repeat([]string{"张三"}, 3*blockRows)
		vals[300], vals[301] = "张\xe4\xb8", "\x89"
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(vals, nil)
		_, err = k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, b.NewArray())
		require.Equal(t, &kernel.ValueError{Row: 300, Rule: ruleUTF8}, err)
	}
}
