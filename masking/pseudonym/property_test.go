package pseudonym

import (
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

func drawParams(rt *rapid.T) Params {
	return Params{Bits: 8 * rapid.IntRange(MinBits/8, MaxBits/8).Draw(rt, "bytes"),
		Encoding: rapid.SampledFrom([]string{"", Hex, Base32}).Draw(rt, "encoding"),
		Prefix:   rapid.SampledFrom([]string{"", "p", "人"}).Draw(rt, "prefix"),
		Type:     rapid.SampledFrom([]identifier.Kind{"", "", identifier.Opaque, identifier.Mobile}).Draw(rt, "type")}
}

// requireSlow compares a masked column with the slow form of each value.
func requireSlow(t require.TestingT, p Params, env *kernel.Env, in, out arrow.Array, value func(int) string) {
	bad := map[int]bool{}
	for _, r := range env.Suppressed() {
		bad[r] = true
	}
	got := texts(out)
	for i := range in.Len() {
		if in.IsNull(i) {
			require.True(t, out.IsNull(i))
			continue
		}
		v, err := value(i), error(nil)
		if p.Type != "" {
			v, err = identifier.Canonical(p.Type, v)
		}
		require.Equal(t, err != nil, bad[i])
		require.Equal(t, bad[i], out.IsNull(i))
		if err == nil {
			require.Equal(t, slow(p, testKey(), v), got[i])
		}
	}
}

func TestAgainstTheSlowForm(t *testing.T) {
	value := rapid.OneOf(rapid.String(), rapid.StringMatching(`1[3-9][0-9]{9}`), rapid.Just(""), rapid.StringMatching(`[a-z]{50,200}`))
	rapid.Check(t, func(rt *rapid.T) {
		p := drawParams(rt)
		vals := rapid.SliceOfN(value, 0, 60).Draw(rt, "values")
		valid := rapid.SliceOfN(rapid.Bool(), len(vals), len(vals)).Draw(rt, "valid")
		if rapid.Bool().Draw(rt, "no nulls") {
			valid = nil
		}
		from := rapid.IntRange(0, len(vals)).Draw(rt, "from")
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		b := array.NewStringBuilder(mem)
		defer b.Release()
		b.AppendValues(vals, valid)
		whole := b.NewArray()
		defer whole.Release()
		in := array.NewSlice(whole, int64(from), int64(len(vals)))
		defer in.Release()
		env := &kernel.Env{Alloc: mem, Tolerate: true}
		out, err := newKernel(t, p, testKey()).Mask(env, in)
		require.NoError(rt, err)
		defer out.Release()
		requireSlow(rt, p, env, in, out, func(i int) string { return vals[from+i] })
	})
}

func TestIntegers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawParams(rt)
		vals := rapid.SliceOfN(rapid.OneOf(rapid.Int64(), rapid.Int64Range(13000000000, 19999999999)), 1, 40).Draw(rt, "values")
		b := array.NewInt64Builder(memory.DefaultAllocator)
		u := array.NewUint64Builder(memory.DefaultAllocator)
		for _, v := range vals {
			b.Append(v)
			u.Append(uint64(v))
		}
		for in, value := range map[arrow.Array]func(int) string{
			b.NewArray(): func(i int) string { return strconv.FormatInt(vals[i], 10) },
			u.NewArray(): func(i int) string { return strconv.FormatUint(uint64(vals[i]), 10) },
		} {
			env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
			out, err := newKernel(t, p, testKey()).Mask(env, in)
			require.NoError(rt, err)
			requireSlow(rt, p, env, in, out, value)
		}
	})
}

// TestTwoKeysCannotBeJoined: the same persons under two keys have no pseudonym
// in common, nor a part of one, and under one key each has its own.
func TestTwoKeysCannotBeJoined(t *testing.T) {
	in := residents(t, 4000)
	persons := map[string]bool{}
	for i := range in.Len() {
		persons[in.Value(i)] = true
	}
	rapid.Check(t, func(rt *rapid.T) {
		one := rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(rt, "one")
		two := append([]byte{}, one...)
		two[rapid.IntRange(0, len(two)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		seen := map[string]bool{}
		parts := map[string]bool{}
		for k, key := range [][]byte{one, two} {
			out, err := newKernel(t, Params{Bits: MinBits}, key).Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			require.NoError(rt, err)
			for i := range out.Len() {
				v := out.(*array.String).Value(i)
				seen[strings.Clone(v)] = true
				head := strings.Clone(v[:12]) // 48 bits: by chance shared with a probability of 10^-7
				require.False(rt, k == 1 && parts[head])
				if k == 0 {
					parts[head] = true
				}
			}
		}
		require.Len(rt, seen, 2*len(persons))
	})
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("11010519491231002X张三"), []byte{18, 0, 6}, uint8(3), "resident_id")
	f.Add([]byte("13800138000"), []byte{11}, uint8(0), "")
	f.Fuzz(func(t *testing.T, data, lengths []byte, nulls uint8, kind string) {
		p := Params{Type: identifier.Kind(kind)}
		k, err := New(p, testKey())
		if err != nil || len(lengths) > 300 {
			return
		}
		b := array.NewStringBuilder(memory.DefaultAllocator)
		var vals []string
		for i, l := range lengths {
			n := min(int(l), len(data))
			v := string(data[:n])
			data = data[n:]
			vals = append(vals, v)
			if nulls != 0 && i%int(nulls) == 0 {
				b.AppendNull()
			} else {
				b.Append(v)
			}
		}
		in := b.NewArray()
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		env := &kernel.Env{Alloc: mem, Tolerate: true}
		out, err := kernel.Apply(k, env, in)
		require.NoError(t, err)
		requireSlow(t, p, env, in, out, func(i int) string { return vals[i] })
		out.Release()
		mem.AssertSize(t, 0)
	})
}
