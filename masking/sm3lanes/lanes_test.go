package sm3lanes

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
	tjfoc "github.com/tjfoc/gmsm/sm3"
	"pgregory.net/rapid"
)

// engines are those this processor has.
func engines() []engine {
	all := []engine{library}
	for e := eight; e <= best(); e++ {
		all = append(all, e)
	}
	return all
}

func newKey(t testing.TB, e engine, key []byte) *Key {
	t.Helper()
	k, err := NewKey(key)
	require.NoError(t, err)
	k.engine = e
	return k
}

// pattern is n bytes of which no two stretches are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// batch lays messages of the lengths given one after the other.
func batch(lengths []int) (data []byte, offsets []int32) {
	offsets = []int32{0}
	n := 0
	for _, l := range lengths {
		n += l
		offsets = append(offsets, int32(n))
	}
	return pattern(n), offsets
}

// requireAll compares every message's code and digest with both libraries.
func requireAll[O Offset](t require.TestingT, e engine, key, data []byte, offsets []O) {
	k, err := NewKey(key)
	require.NoError(t, err)
	n := max(0, len(offsets)-1)
	codes, sums := make([]byte, n*Size), make([]byte, n*Size)
	digests(e, k, codes, data, offsets)
	digests(e, nil, sums, data, offsets)
	one, two := hmac.New(sm3.New, key), hmac.New(tjfoc.New, key)
	for i := range n {
		m := data[offsets[i]:offsets[i+1]]
		one.Reset()
		one.Write(m)
		want := one.Sum(nil)
		two.Reset()
		two.Write(m)
		require.Equal(t, want, two.Sum(nil))
		require.Equal(t, want, codes[i*Size:(i+1)*Size], "engine %d, message %d of %d bytes", e, i, len(m))
		sum := sm3.Sum(m)
		require.Equal(t, sum[:], tjfoc.Sm3Sum(m))
		require.Equal(t, sum[:], sums[i*Size:(i+1)*Size], "engine %d, message %d of %d bytes", e, i, len(m))
	}
}

func TestKnownAnswers(t *testing.T) {
	f, err := os.Open("testdata/sm3.txt")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		m, want, ok := strings.Cut(s.Text(), " ")
		require.True(t, ok)
		one, err := hex.DecodeString(m)
		require.NoError(t, err)
		for _, e := range engines() {
			for _, copies := range []int{1, 7, 8, 9, 16, 33} {
				dst := make([]byte, copies*Size)
				strided(e, nil, dst, bytes.Repeat(one, copies), len(one))
				require.Equal(t, strings.Repeat(want, copies), hex.EncodeToString(dst))
			}
		}
		n++
	}
	require.Equal(t, 2, n)
}

// TestKnownCodes: answers of a third implementation, OpenSSL 3.
func TestKnownCodes(t *testing.T) {
	key := pattern(32)
	for m, want := range map[string]string{
		"":                            "f4e33603bce2a6fae79496426549c89fccb8f6e35f5feb1bff4b62f0413df1fe",
		"11010519491231002X":          "c8f93516cdfcc6ca2e3172b8ee896b6b49fb4424608416f394d4aa100c34c91a",
		strings.Repeat("a", 55) + "b": "14d94a6f3b825034fc7a381a03b875f04a31c8237f3d830687d97367f9c4039a",
	} {
		for _, e := range engines() {
			dst := make([]byte, Size)
			newKey(t, e, key).MAC(dst, []byte(m), []int32{0, int32(len(m))})
			require.Equal(t, want, hex.EncodeToString(dst))
		}
	}
}

// TestEveryLength: every length up to beyond the longest that is grouped, in
// one batch, and neighbours of all block counts mixed.
func TestEveryLength(t *testing.T) {
	var lengths []int
	for l := range maxBlocksTested*blockSize + 70 {
		lengths = append(lengths, l, (l*37)%130)
	}
	data, offsets := batch(lengths)
	for _, e := range engines() {
		requireAll(t, e, pattern(16), data, offsets)
	}
}

const maxBlocksTested = 9

// TestKeys: shorter than a block, a block, longer (which stand for their digest).
func TestKeys(t *testing.T) {
	data, offsets := batch([]int{18, 18, 0, 64, 200})
	for _, n := range []int{16, 17, 32, 63, 64, 65, 100, 1000} {
		for _, e := range engines() {
			requireAll(t, e, pattern(n), data, offsets)
		}
	}
	for n := range MinKey {
		_, err := NewKey(make([]byte, n))
		require.ErrorIs(t, err, ErrKey)
	}
}

// TestKeyIsCopied: what the caller does to the key afterwards does not matter.
func TestKeyIsCopied(t *testing.T) {
	key := pattern(32)
	k, err := NewKey(key)
	require.NoError(t, err)
	before, after := make([]byte, Size), make([]byte, Size)
	k.MAC(before, []byte("x"), []int32{0, 1})
	clear(key)
	k.MAC(after, []byte("x"), []int32{0, 1})
	require.Equal(t, before, after)
}

func TestEnginesAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), MinKey, 130).Draw(rt, "key")
		length := rapid.OneOf(rapid.IntRange(0, 60), rapid.IntRange(0, 700), rapid.SampledFrom([]int{55, 56, 63, 64, 119, 120, 503, 504}))
		lengths := rapid.SliceOfN(length, 0, 80).Draw(rt, "lengths")
		data, offsets := batch(lengths)
		large := make([]int64, len(offsets))
		skip := rapid.IntRange(0, 9).Draw(rt, "skip")
		data = append(pattern(skip), data...)
		for i := range offsets {
			offsets[i] += int32(skip)
			large[i] = int64(offsets[i])
		}
		for _, e := range engines() {
			requireAll(rt, e, key, data, offsets)
			requireAll(rt, e, key, data, large)
		}
	})
}

func TestStrided(t *testing.T) {
	key := pattern(32)
	for _, width := range []int{0, 1, 18, 55, 56, 64, 130, 600} {
		for _, n := range []int{0, 1, 15, 16, 17, 255, 256, 257, 600} {
			data := pattern(width * n)
			for _, e := range engines() {
				k := newKey(t, e, key)
				got, want := make([]byte, n*Size), make([]byte, n*Size)
				k.MACStrided(got, data, width)
				offsets := make([]int64, n+1)
				for i := range offsets {
					offsets[i] = int64(i * width)
				}
				newKey(t, library, key).MACLarge(want, data, offsets)
				require.Equal(t, want, got, "%d messages of %d bytes", n, width)
				strided(e, nil, got, data, width)
				SumLarge(want, data, offsets)
				require.Equal(t, want, got)
			}
		}
	}
}

// TestNothingElseIsTouched: bytes before, between groups and after stay.
func TestNothingElseIsTouched(t *testing.T) {
	data, offsets := batch([]int{18, 70, 18, 200, 18, 0, 600, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18})
	kept := bytes.Clone(data)
	for _, e := range engines() {
		n := (len(offsets) - 1) * Size
		buf := bytes.Repeat([]byte{0xa5}, n+2*Size)
		newKey(t, e, pattern(16)).MAC(buf[Size:Size+n:Size+n], data, offsets)
		require.Equal(t, bytes.Repeat([]byte{0xa5}, Size), buf[:Size])
		require.Equal(t, bytes.Repeat([]byte{0xa5}, Size), buf[Size+n:])
		require.Equal(t, kept, data)
	}
}

// TestOutOfBounds: wrong sizes stop at Go's own bounds, before any vector code.
func TestOutOfBounds(t *testing.T) {
	for _, e := range engines() {
		k := newKey(t, e, pattern(16))
		require.Panics(t, func() { k.MAC(make([]byte, 31), make([]byte, 18), []int32{0, 18}) })
		require.Panics(t, func() { k.MAC(make([]byte, 32), make([]byte, 17), []int32{0, 18}) })
		require.Panics(t, func() { k.MAC(make([]byte, 64), make([]byte, 18), []int32{0, 18, 9}) })
		require.Panics(t, func() { k.MAC(make([]byte, 32), make([]byte, 18), []int32{-1, 18}) })
		require.Panics(t, func() { k.MACStrided(make([]byte, 64), make([]byte, 18), 18) })
		require.NotPanics(t, func() { k.MAC(nil, nil, nil); k.MAC(nil, nil, []int32{5}); k.MACStrided(nil, nil, 18) })
	}
}

func FuzzEngines(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("11010519491231002X"), []byte{18, 0, 255})
	f.Add(pattern(65), pattern(700), []byte{55, 56, 57, 64, 119, 120})
	f.Fuzz(func(t *testing.T, key, data, lengths []byte) {
		if len(key) < MinKey || len(data) > 1<<14 || len(lengths) > 200 {
			return
		}
		offsets := []int32{0}
		at := 0
		for _, l := range lengths {
			at = min(at+int(l)*int(l)/50, len(data))
			offsets = append(offsets, int32(at))
		}
		for _, e := range engines() {
			requireAll(t, e, key, data, offsets)
		}
	})
}
