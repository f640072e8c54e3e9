package deterministic

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

// slow is the construction as the package comment has it, with the library's
// HMAC and CTR.
func slow(t require.TestingT, p Params, v string) string {
	sub := func(use string) []byte {
		h := hmac.New(sm3.New, testKey)
		h.Write([]byte("yumen masking deterministic 1: " + use))
		return h.Sum(nil)
	}
	h := hmac.New(sm3.New, sub("iv"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p.Associated))))
	h.Write([]byte(p.Associated + v))
	out := h.Sum(nil)[:16]
	block, err := sm4.NewCipher(sub("cipher")[:16])
	require.NoError(t, err)
	ct := make([]byte, len(v))
	cipher.NewCTR(block, out).XORKeyStream(ct, []byte(v))
	if p.Encoding == Hex {
		return hex.EncodeToString(append(out, ct...))
	}
	return base64.RawURLEncoding.EncodeToString(append(out, ct...))
}

func textOf(vals []string, valid []bool) *array.String {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(vals, valid)
	return b.NewStringArray()
}

func kernelOf(t require.TestingT, p Params, back bool) kernel.Kernel {
	k, err := open(p, testKey, back)
	require.NoError(t, err)
	return k
}

func TestParameters(t *testing.T) {
	p, err := Parse(map[string]string{"associated": "姓名", "encoding": "hex"})
	require.NoError(t, err)
	require.Equal(t, Params{Associated: "姓名", Encoding: Hex}, p)
	for _, bad := range []map[string]string{{"associated": ""}, {"associated": "\xff"}, {"encoding": "base32"}, {"encoding": ""}, {"key": "x"}} {
		_, err := Parse(bad)
		require.Error(t, err, "%v", bad)
	}
	for _, bad := range []Params{{}, {Associated: strings.Repeat("a", 1025)}, {Associated: "a", Encoding: "raw"}} {
		_, err := New(bad, testKey)
		require.Error(t, err)
	}
	for _, size := range []int{0, 15, 65} {
		_, err := New(Params{Associated: "c"}, make([]byte, size))
		require.Error(t, err)
	}
	_, err = kernelOf(t, p, false).Type(arrow.PrimitiveTypes.Int64)
	require.ErrorIs(t, err, kernel.ErrType)
}

func TestAgainstTheSlowForm(t *testing.T) {
	value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9]{18}`), rapid.StringMatching(`[张李王]{0,200}`))
	rapid.Check(t, func(rt *rapid.T) {
		p := Params{Associated: rapid.StringN(1, 20, 60).Draw(rt, "ad"), Encoding: rapid.SampledFrom([]string{"", Base64, Hex}).Draw(rt, "encoding")}
		vals := rapid.SliceOfN(value, 1, 60).Draw(rt, "vals")
		valid := rapid.SliceOfN(rapid.Bool(), len(vals), len(vals)).Draw(rt, "valid")
		from := rapid.IntRange(0, len(vals)).Draw(rt, "from")
		in := array.NewSlice(textOf(vals, valid), int64(from), int64(len(vals)))
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		sealed, err := kernelOf(rt, p, false).Mask(&kernel.Env{Alloc: mem}, in)
		require.NoError(rt, err)
		defer sealed.Release()
		opened, err := kernelOf(rt, p, true).Mask(&kernel.Env{Alloc: mem}, sealed)
		require.NoError(rt, err)
		defer opened.Release()
		for i := range in.Len() {
			require.Equal(rt, in.IsNull(i), sealed.IsNull(i))
			if in.IsValid(i) {
				require.Equal(rt, slow(rt, p, vals[from+i]), sealed.(*array.String).Value(i))
				require.Equal(rt, vals[from+i], opened.(*array.String).Value(i))
			}
		}
	})
}

// Chunks end by count and by bytes; a value of a megabyte passes, one byte
// more does not.
func TestLongColumnsAndValues(t *testing.T) {
	p := Params{Associated: "c"}
	var vals []string
	for i := range 1300 {
		vals = append(vals, fmt.Sprint("v", i))
	}
	vals = append(vals, strings.Repeat("a", maxValue), "x", strings.Repeat("b", 100000), strings.Repeat("c", 300000), "y")
	b := array.NewLargeStringBuilder(memory.DefaultAllocator)
	b.AppendValues(vals, nil)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	out, err := kernelOf(t, p, false).Mask(&kernel.Env{Alloc: mem}, b.NewArray())
	require.NoError(t, err)
	defer out.Release()
	back, err := kernelOf(t, p, true).Mask(&kernel.Env{Alloc: mem}, out)
	require.NoError(t, err)
	defer back.Release()
	for i, v := range vals {
		require.True(t, back.(*array.LargeString).Value(i) == v)
		if len(v) < 100 {
			require.Equal(t, slow(t, p, v), out.(*array.LargeString).Value(i))
		}
	}
	_, err = kernelOf(t, p, false).Mask(&kernel.Env{Alloc: mem}, textOf([]string{strings.Repeat("a", maxValue+1)}, nil))
	require.ErrorContains(t, err, ruleLong)
}

// The counter runs over all 128 bits.
func TestCounterCarries(t *testing.T) {
	block, err := sm4.NewCipher(testKey[:16])
	require.NoError(t, err)
	for _, iv := range [][]byte{bytes.Repeat([]byte{0xff}, 16), append(make([]byte, 8), bytes.Repeat([]byte{0xff}, 8)...)} {
		w := &worker{keys: &keys{block: block}}
		w.count(iv, 50)
		w.encipher()
		want := make([]byte, 64)
		cipher.NewCTR(block, iv).XORKeyStream(want, want)
		require.Equal(t, want, w.stream)
	}
}

func TestForgeriesAreMalformed(t *testing.T) {
	p := Params{Associated: "c", Encoding: Hex}
	good := slow(t, p, "王小明")
	bad := []string{"", "zz", good[:len(good)-1], good[:len(good)-2], good + "00", strings.ToUpper(good), good[:31], good[:32],
		slow(t, Params{Associated: "d", Encoding: Hex}, "王小明"), slow(t, Params{Associated: "c"}, "王小明"), "王小明"}
	for i := range len(good) {
		c := byte('0')
		if good[i] == '0' {
			c = '1'
		}
		bad = append(bad, good[:i]+string(c)+good[i+1:])
	}
	vals := append(append([]string{}, bad...), good)
	k := kernelOf(t, p, true)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	_, err := k.Mask(&kernel.Env{Alloc: mem}, textOf(vals, nil))
	require.ErrorContains(t, err, "row 0")
	env := &kernel.Env{Alloc: mem, Tolerate: true}
	out, err := k.Mask(env, textOf(vals, nil))
	require.NoError(t, err)
	defer out.Release()
	require.Len(t, env.Suppressed(), len(bad))
	require.Equal(t, "王小明", out.(*array.String).Value(len(bad)))
	b64 := Params{Associated: "c"}
	_, err = kernelOf(t, b64, true).Mask(&kernel.Env{Alloc: mem}, textOf([]string{slow(t, b64, "a")[:8] + "\n" + slow(t, b64, "a")[8:]}, nil))
	require.ErrorContains(t, err, ruleOpen)
}

func TestOnlyEqualityShows(t *testing.T) {
	in := textOf([]string{"张三", "李四", "张三"}, nil)
	a, err := kernelOf(t, Params{Associated: "a"}, false).Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.NoError(t, err)
	b, err := kernelOf(t, Params{Associated: "b"}, false).Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.NoError(t, err)
	require.Equal(t, a.ValueStr(0), a.ValueStr(2))
	require.NotEqual(t, a.ValueStr(0), a.ValueStr(1))
	require.NotEqual(t, a.ValueStr(0), b.ValueStr(0))
}

func TestNotUTF8(t *testing.T) {
	_, err := kernelOf(t, Params{Associated: "a"}, false).Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, textOf([]string{"ok", "\xff\xfe"}, nil))
	var ve *kernel.ValueError
	require.ErrorAs(t, err, &ve)
	require.Equal(t, kernel.ValueError{Row: 1, Rule: ruleUTF8}, *ve)
}

// dirty is an allocator that hands out memory full of an old secret.
type dirty struct{ inner memory.Allocator }

func (d dirty) Allocate(n int) []byte { return stain(d.inner.Allocate(n), 0) }

func (d dirty) Reallocate(n int, b []byte) []byte {
	old := len(b)
	return stain(d.inner.Reallocate(n, b), old)
}

func (d dirty) Free(b []byte) { d.inner.Free(b) }

func stain(b []byte, from int) []byte {
	for i := from; i < len(b); i++ {
		b[i] = "CANARYBIRD"[i%10]
	}
	return b
}

// everyByte gives all bytes an array holds on to.
func everyByte(a arrow.Array) string {
	var all []byte
	for _, b := range a.Data().Buffers() {
		if b != nil {
			buf := b.Buf()
			all = append(append(all, buf[:cap(buf)]...), 0)
		}
	}
	if d, ok := a.(*array.Dictionary); ok {
		return string(all) + everyByte(d.Dictionary())
	}
	return string(all)
}

func TestNoByteOfAValueSurvives(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	vals := []string{"CANARYBIRD", "CANARYBIRD1", "CANARYBIRD\xff", "CANARYBIRD22", "CANARYBIRD"}
	words := textOf(vals, nil)
	text := array.NewSlice(textOf(vals, []bool{true, true, true, false, true}), 1, 4)
	idx := array.NewInt8Builder(memory.DefaultAllocator)
	idx.AppendValues([]int8{1, 2, 0}, []bool{true, true, false})
	coded := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, idx.NewArray(), words)
	for _, in := range []arrow.Array{text, coded} {
		for _, back := range []bool{false, true} {
			env := &kernel.Env{Alloc: dirty{mem}, Tolerate: true}
			out, err := kernel.Apply(kernelOf(t, Params{Associated: "c"}, back), env, in)
			require.NoError(t, err)
			all := everyByte(out)
			for n := 4; n <= 10; n++ {
				require.NotContains(t, all, "CANARYBIRD"[:n])
			}
			require.True(t, out.IsNull(1) && out.IsNull(2))
			out.Release()
		}
	}
}

// FuzzOpen: nothing but what was sealed opens, and no input panics.
func FuzzOpen(f *testing.F) {
	p := Params{Associated: "c"}
	f.Add(slow(f, p, "abc"))
	f.Add("")
	f.Add("====")
	f.Fuzz(func(t *testing.T, s string) {
		env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
		out, err := kernelOf(t, p, true).Mask(env, textOf([]string{s}, nil))
		require.NoError(t, err)
		if out.IsValid(0) {
			require.Equal(t, s, slow(t, p, out.(*array.String).Value(0)))
		}
	})
}

// BenchmarkSeal compares a column of resident numbers with the library called
// row by row.
func BenchmarkSeal(b *testing.B) {
	const n = 1 << 14
	p := Params{Associated: "c"}
	col := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range n {
		col.Append(fmt.Sprintf("2202021990%08d", i))
	}
	in, k := col.NewStringArray(), kernelOf(b, p, false)
	rate := func(b *testing.B) { b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mrows/s") }
	b.Run("kernel", func(b *testing.B) {
		for b.Loop() {
			out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			require.NoError(b, err)
			out.Release()
		}
		rate(b)
	})
	b.Run("row by row", func(b *testing.B) {
		keys := k.(*sealer).keys
		h := hmac.New(sm3.New, labelled(testKey, "iv"))
		for b.Loop() {
			out := array.NewStringBuilder(memory.DefaultAllocator)
			for i := range n {
				h.Reset()
				h.Write(keys.prefix)
				h.Write([]byte(in.Value(i)))
				raw := append(h.Sum(nil)[:16], in.Value(i)...)
				cipher.NewCTR(keys.block, raw[:16]).XORKeyStream(raw[16:], raw[16:])
				out.Append(base64.RawURLEncoding.EncodeToString(raw))
			}
			out.NewArray().Release()
		}
		rate(b)
	})
}
