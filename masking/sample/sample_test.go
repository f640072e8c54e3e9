package sample

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"hash"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

var key = []byte("a lineage key of this length....")

// slow is membership as the package comment says it.
func slow(subject string, rate *big.Rat, key []byte) bool {
	h := hmac.New(func() hash.Hash { return sm3.New() }, key)
	h.Write([]byte(subject))
	first := new(big.Int).SetUint64(binary.BigEndian.Uint64(h.Sum(nil)))
	return new(big.Rat).SetFrac(first, new(big.Int).Lsh(big.NewInt(1), 64)).Cmp(rate) < 0
}

func sampler(t require.TestingT, rate, kind string, key []byte) *Sampler {
	p, err := Parse(rate, kind)
	require.NoError(t, err)
	s, err := New(p, key)
	require.NoError(t, err)
	return s
}

func text(vals []string, valid []bool) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(vals, valid)
	return b.NewArray()
}

func TestAgainstTheSlowForm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{1,20}`).Draw(rt, "rate")
		rate, _ := new(big.Rat).SetString("0." + digits)
		if rate.Sign() == 0 {
			return
		}
		k := rapid.SliceOfN(rapid.Byte(), MinKey, 100).Draw(rt, "key")
		vals := rapid.SliceOfN(rapid.StringN(1, 30, 30), 0, 30).Draw(rt, "subjects")
		valid := rapid.SliceOfN(rapid.Bool(), len(vals), len(vals)).Draw(rt, "valid")
		in := text(vals, valid)
		rows, err := sampler(rt, "0."+digits, "", k).Members(in)
		require.NoError(rt, err)
		var want []int
		for i, v := range vals {
			if valid[i] && slow(v, rate, k) {
				want = append(want, i)
			}
		}
		require.Equal(rt, want, rows)
	})
}

// TestEverySpellingAndTypeAgrees: the same persons whatever the column is like.
func TestEverySpellingAndTypeAgrees(t *testing.T) {
	var plain, spelt []string
	nums := array.NewInt64Builder(memory.DefaultAllocator)
	large := array.NewLargeStringBuilder(memory.DefaultAllocator)
	dict := array.NewBuilder(memory.DefaultAllocator, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16,
		ValueType: arrow.BinaryTypes.String}).(*array.BinaryDictionaryBuilder)
	for i := range 300 {
		v := fmt.Sprintf("138%08d", i*7919)
		plain = append(plain, v)
		spelt = append(spelt, v[:3]+" "+v[3:7]+"-"+v[7:])
		nums.Append(13800000000 + int64(i*7919))
		large.Append(v)
		require.NoError(t, dict.AppendString(v))
	}
	s := sampler(t, "0.25", "mobile", key)
	want, err := s.Members(text(plain, nil))
	require.NoError(t, err)
	require.InDelta(t, 75, len(want), 30)
	for _, in := range []arrow.Array{text(spelt, nil), nums.NewArray(), large.NewArray(), dict.NewArray()} {
		got, err := s.Members(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for at := range 300 {
		got, err := s.Members(array.NewSlice(text(plain, nil), int64(at), int64(at+1)))
		require.NoError(t, err)
		require.Equal(t, len(got) == 1, contains(want, at))
	}
	fewer, err := sampler(t, "0.1", "mobile", key).Members(text(plain, nil))
	require.NoError(t, err)
	require.Subset(t, want, fewer, "a smaller sample is a part of a larger")
	other, err := sampler(t, "0.25", "mobile", append([]byte("x"), key...)).Members(text(plain, nil))
	require.NoError(t, err)
	require.NotEqual(t, want, other)
}

func contains(rows []int, at int) bool {
	for _, r := range rows {
		if r == at {
			return true
		}
	}
	return false
}

func TestWithoutASubjectNobodyIsAMember(t *testing.T) {
	s := sampler(t, "0.99999999999999999999", "resident_id", key)
	rows, err := s.Members(text([]string{"", "123", "abc", ""}, []bool{true, true, true, false}))
	require.NoError(t, err)
	require.Empty(t, rows)
	bare := sampler(t, "0.99999999999999999999", "", key)
	rows, err = bare.Members(text([]string{"a", "", ""}, []bool{true, true, false}))
	require.NoError(t, err)
	require.Equal(t, []int{0}, rows)
}

func TestRefused(t *testing.T) {
	for _, rate := range []string{"", "0", "0.0", "1", "1.5", "-0.1", "1/2", "1e-3", "0x1p-2", ".", "0.1.1", " 0.1", "+0.1", "0." + strings.Repeat("1", 40)} {
		_, err := Parse(rate, "")
		require.ErrorContains(t, err, "rate", rate)
	}
	_, err := Parse("0.1", "shoe")
	require.ErrorContains(t, err, "kind")
	p, err := Parse("0.5", "")
	require.NoError(t, err)
	require.EqualValues(t, uint64(1)<<63, p.Below)
	_, err = New(p, key[:15])
	require.ErrorContains(t, err, "key")
	s := sampler(t, "0.1", "", key)
	for _, f := range []string{"%v", "%s", "%+v", "%#v"} {
		require.Equal(t, "[key]", fmt.Sprintf(f, s))
	}
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.ListOf(arrow.BinaryTypes.String), arrow.PrimitiveTypes.Int32,
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int64}} {
		require.ErrorIs(t, Type(typ), kernel.ErrType)
	}
	off := arrow.Int32Traits.CastToBytes([]int32{0, 5, 2})
	corrupt := array.NewStringData(array.NewData(arrow.BinaryTypes.String, 2, []*memory.Buffer{nil, memory.NewBufferBytes(off), memory.NewBufferBytes([]byte("ab"))}, nil, 0, 0))
	_, err = s.Members(corrupt)
	require.ErrorIs(t, err, kernel.ErrCorrupt)
}

func FuzzParse(f *testing.F) {
	f.Add("0.01", "resident_id")
	f.Add("0.00000000000000000001", "")
	f.Fuzz(func(t *testing.T, rate, kind string) {
		if p, err := Parse(rate, kind); err == nil {
			require.Less(t, len(rate), maxRate+1)
			_ = p
		}
	})
}
