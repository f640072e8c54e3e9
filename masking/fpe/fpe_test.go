package fpe

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

func TestParameters(t *testing.T) {
	p, err := Parse(map[string]string{"type": "resident", "region": "same", "old": "upgrade", "domain": "1",
		"from": "1950-01-01", "to": "2020-12-31", "tweak": "户籍"})
	require.NoError(t, err)
	require.Equal(t, Params{Type: TypeResident, Region: RegionSame, Old: "upgrade", Domain: "1", From: "1950-01-01",
		To: "2020-12-31", Tweak: "户籍"}, p)
	_, err = New(p, testKey)
	require.NoError(t, err)
	p, err = Parse(map[string]string{"alphabet": "custom", "symbols": "甲乙丙", "pass": "-·", "keep_first": "1", "keep_last": "2"})
	require.NoError(t, err)
	require.Equal(t, Params{Alphabet: "custom", Symbols: "甲乙丙", Pass: "-·", KeepFirst: 1, KeepLast: 2}, p)
	for _, bad := range []map[string]string{{"radix": "10"}, {"keep_first": "-1"}, {"keep_first": "65"}, {"keep_last": "1.0"},
		{"keep_last": "01"}, {"tweak": ""}, {"pass": "\xff"}, {"type": ""}} {
		_, err := Parse(bad)
		require.Error(t, err, "%v", bad)
	}
}

func TestHostileParameters(t *testing.T) {
	many := ""
	for r := rune(0x4e00); r < 0x4e00+65; r++ {
		many += string(r)
	}
	for _, bad := range []Params{
		{Type: "face"}, {Alphabet: "hex"}, {Alphabet: "custom"}, {Alphabet: "custom", Symbols: "a"}, {Symbols: "abc"},
		{Alphabet: "custom", Symbols: many}, {Alphabet: "custom", Symbols: "aba"}, {Alphabet: "custom", Symbols: "a\x00"},
		{Alphabet: "custom", Symbols: "ab\xff"}, {Alphabet: "custom", Symbols: "ab\n"},
		{Pass: "5"}, {Pass: "--"}, {Pass: "\x7f"}, {KeepFirst: -1}, {KeepLast: 65}, {Identifier: true, KeepFirst: 4, KeepLast: 3},
		{Tweak: strings.Repeat("t", 257)}, {Tweak: "\xff"}, {Region: "any"}, {From: "1950-01-01"}, {Old: "refuse"}, {Domain: "1"},
		{Type: TypeResident, Region: "moon"}, {Type: TypeResident, Old: "yes"}, {Type: TypeResident, Domain: "0"},
		{Type: TypeResident, From: "1950-02-30"}, {Type: TypeResident, From: "1799-12-31"}, {Type: TypeResident, To: "2100-01-01"},
		{Type: TypeResident, From: "2000-01-02", To: "2000-01-01"}, {Type: TypeResident, Alphabet: "digits"},
		{Type: TypeResident, Region: RegionSame, From: "2000-01-01", To: "2001-01-01"}, {Type: TypeResident, KeepFirst: 1},
		{Type: TypePhone, Region: "any"}, {Type: TypePhone, Pass: "-"},
	} {
		_, err := New(bad, testKey)
		require.Error(t, err, "%+v", bad)
		_, err = NewDecrypter(bad, testKey)
		require.Error(t, err)
	}
	for _, size := range []int{0, 15, 65} {
		_, err := New(Params{}, make([]byte, size))
		require.Error(t, err)
	}
}

func TestTypesOfColumn(t *testing.T) {
	for _, p := range []Params{{}, {Type: TypeResident}, {Type: TypePhone}} {
		k, err := New(p, testKey)
		require.NoError(t, err)
		for _, typ := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString} {
			out, err := k.Type(typ)
			require.NoError(t, err)
			require.Equal(t, typ, out)
		}
		_, err = k.Type(arrow.PrimitiveTypes.Int64)
		require.ErrorIs(t, err, kernel.ErrType)
	}
}

// What stays stays where it is; the rest is of the alphabet.
func TestKeptAndPassedCharacters(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Params{Pass: "-—", KeepFirst: rapid.IntRange(0, 3).Draw(rt, "first"), KeepLast: rapid.IntRange(0, 3).Draw(rt, "last")}
		v := rapid.StringMatching(`[京沪粤a]{3}[-—0-9]{2}[0-9]{4,12}-[0-9]{4}—[0-9][京沪粤b]{3}`).Draw(rt, "v")
		if p.KeepFirst < 3 || p.KeepLast < 3 {
			v = rapid.StringMatching(`[0-9]{4,30}[-—][0-9]{10}`).Draw(rt, "plain")
		}
		k, err := New(p, testKey)
		require.NoError(rt, err)
		got := enciphered(t, k, v)[0]
		in, out := []rune(v), []rune(got)
		require.Equal(rt, len(in), len(out))
		for i := range in {
			if i < p.KeepFirst || i >= len(in)-p.KeepLast || in[i] == '-' || in[i] == '—' {
				require.Equal(rt, in[i], out[i])
			} else {
				require.True(rt, out[i] >= '0' && out[i] <= '9')
			}
		}
		back, err := NewDecrypter(p, testKey)
		require.NoError(rt, err)
		require.Equal(rt, v, enciphered(t, back, got)[0])
	})
}

func TestMalformedText(t *testing.T) {
	for _, c := range []struct {
		p    Params
		v    string
		rule string
	}{
		{Params{}, "", ruleDomain}, {Params{}, "12345", ruleDomain}, {Params{}, "12345a", ruleSymbol}, {Params{}, "１２３４５６７８", ruleSymbol},
		{Params{Pass: "-"}, "1-2-3-4-5", ruleDomain}, {Params{KeepFirst: 3}, "12345678", ruleDomain}, {Params{KeepFirst: 9}, "123", ruleDomain},
		{Params{KeepFirst: 1}, "\xff12345678", ruleUTF8}, {Params{}, "123456\xff", ruleSymbol}, {Params{Alphabet: "alnum"}, "abcABC", ruleSymbol},
		{Params{}, strings.Repeat("7", 1025), ruleLong}, {Params{Alphabet: "custom", Symbols: "01"}, strings.Repeat("1", 19), ruleDomain},
		{Params{Type: TypePhone}, "12345678901", rulePhone}, {Params{Type: TypePhone}, "1380013800a", rulePhone},
		{Params{Type: TypeResident}, "11010519491231002X0", ruleResident}, {Params{Type: TypeResident}, "110105194912310021", ruleResident},
		{Params{Type: TypeResident}, "110105491231002", ruleOld}, {Params{Type: TypeResident, From: "1950-01-01"}, "11010519491231002X", ruleBirthday},
		{Params{Type: TypeResident, To: "1949-12-30"}, "11010519491231002X", ruleBirthday},
	} {
		k, err := New(c.p, testKey)
		require.NoError(t, err)
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		in := stringsOf(memory.DefaultAllocator, c.v)
		_, err = k.Mask(&kernel.Env{Alloc: mem}, in)
		var ve *kernel.ValueError
		require.ErrorAs(t, err, &ve, "%+v", c)
		require.Equal(t, kernel.ValueError{Row: 0, Rule: c.rule}, *ve)
		env := &kernel.Env{Alloc: mem, Tolerate: true}
		out, err := k.Mask(env, in)
		require.NoError(t, err)
		require.True(t, out.IsNull(0))
		require.Equal(t, []int{0}, env.Suppressed())
		out.Release()
		mem.AssertSize(t, 0)
	}
	k, err := New(Params{}, testKey)
	require.NoError(t, err)
	longest := strings.Repeat("7", 1024)
	require.Len(t, enciphered(t, k, longest)[0], 1024)
}

func TestKeysAndTweaksSeparate(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range []Params{{}, {Tweak: "a"}, {Tweak: "b"}, {Type: TypePhone}, {Type: TypePhone, Tweak: "a"}, {KeepFirst: 1}} {
		for _, key := range []string{"0123456789abcdef", "0123456789abcdeg"} {
			k, err := New(p, []byte(key))
			require.NoError(t, err)
			got := strings.Join(enciphered(t, k, "13800138000", "13900139000"), " ")
			require.False(t, seen[got])
			seen[got] = true
		}
	}
}

// dirty is an allocator that hands out memory full of an old secret.
type dirty struct{ inner memory.Allocator }

const canary = "CANARYBIRD"

func (d dirty) Allocate(n int) []byte { return stain(d.inner.Allocate(n), 0) }

func (d dirty) Reallocate(n int, b []byte) []byte {
	old := len(b)
	return stain(d.inner.Reallocate(n, b), old)
}

func (d dirty) Free(b []byte) { d.inner.Free(b) }

func stain(b []byte, from int) []byte {
	for i := from; i < len(b); i++ {
		b[i] = canary[i%len(canary)]
	}
	return b
}

// everyByte gives all bytes an array holds on to, to the capacity of each
// buffer, its dictionary included.
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

// planted is a column of five rows: 0 lies outside the slice, 2 is malformed,
// 3 is null with bytes under it.
func planted(large bool, good string) arrow.Array {
	vals := []string{canary, good, canary + "吉吉", canary, good}
	valid := []bool{true, true, true, true, true}
	var whole arrow.Array
	if large {
		b := array.NewLargeStringBuilder(memory.DefaultAllocator)
		b.AppendValues(vals, valid)
		whole = b.NewArray()
	} else {
		whole = stringsOf(memory.DefaultAllocator, vals...)
	}
	bits := memory.NewBufferBytes([]byte{0b10111})
	bufs := whole.Data().Buffers()
	d := array.NewData(whole.DataType(), 5, []*memory.Buffer{bits, bufs[1], bufs[2]}, nil, 1, 0)
	return array.NewSlice(array.MakeFromData(d), 1, 5)
}

func TestNoByteOfAValueSurvives(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for _, c := range []struct {
		p    Params
		good string
	}{
		{Params{Alphabet: "upper"}, canary}, {Params{Alphabet: "upper", KeepFirst: 1, KeepLast: 1}, canary},
		{Params{Alphabet: "upper", Pass: "-"}, "CANARY-BIRD-" + strings.Repeat("Q", 40)}, {Params{Type: TypeResident}, "11010519491231002X"},
		{Params{Type: TypeResident, Region: RegionAny}, "11010519491231002X"}, {Params{Type: TypePhone}, "13800138000"},
	} {
		idx := array.NewInt8Builder(memory.DefaultAllocator)
		idx.AppendValues([]int8{1, 0, 0, 1}, []bool{true, true, false, true})
		coded := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
			idx.NewArray(), stringsOf(memory.DefaultAllocator, "CANARYBIRD吉吉", c.good, "CANARYBIRDUNUSED"))
		for _, in := range []arrow.Array{planted(false, c.good), planted(true, c.good), coded} {
			k, err := New(c.p, testKey)
			require.NoError(t, err)
			env := &kernel.Env{Alloc: dirty{mem}, Tolerate: true}
			out, err := kernel.Apply(k, env, in)
			require.NoError(t, err)
			require.Contains(t, env.Suppressed(), 1)
			require.Equal(t, []bool{false, true, true, false}, []bool{out.IsNull(0), out.IsNull(1), out.IsNull(2), out.IsNull(3)})
			all := everyByte(out)
			for n := 5; n <= len(canary); n++ {
				require.NotContains(t, all, canary[:n], "%+v %s", c, in.DataType())
			}
			require.NotContains(t, all, c.good)
			require.NotContains(t, all, c.good[1:9])
			out.Release()
		}
	}
}

func TestOffsetsThatStepBack(t *testing.T) {
	off := memory.NewBufferBytes(arrow.GetBytes([]int32{0, 11, 5, 22}))
	data := memory.NewBufferBytes([]byte("1380013800013900139000"))
	d := array.NewData(arrow.BinaryTypes.String, 3, []*memory.Buffer{nil, off, data}, nil, 0, 0)
	in := array.MakeFromData(d)
	for _, p := range []Params{{}, {Type: TypeResident}, {Type: TypePhone}} {
		k, err := New(p, testKey)
		require.NoError(t, err)
		_, err = k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}, in)
		require.ErrorIs(t, err, kernel.ErrCorrupt)
	}
}

// Kernels are shared by batches: two goroutines, one kernel.
func TestOneKernelForManyBatches(t *testing.T) {
	k, err := New(Params{}, testKey)
	require.NoError(t, err)
	in := stringsOf(memory.DefaultAllocator, "13800138000", "13900139000")
	outs := make(chan arrow.Array, 8)
	for range cap(outs) {
		go func() {
			out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			if err != nil {
				out = nil
			}
			outs <- out
		}()
	}
	first := <-outs
	require.NotNil(t, first)
	for range cap(outs) - 1 {
		require.True(t, array.Equal(first, <-outs))
	}
}
