package draw

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/emmansun/gmsm/sm4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

var testKey = []byte("0123456789abcdef")

func stream(t testing.TB, column string) *Stream {
	t.Helper()
	s, err := New(testKey, "test", column)
	require.NoError(t, err)
	return s
}

func TestKeys(t *testing.T) {
	_, err := New(testKey[:15], "test", "c")
	require.Error(t, err)
	s := stream(t, "c")
	for _, text := range []string{s.String(), fmt.Sprintf("%v %+v %#v %s", s, s, s, s), s.LogValue().String()} {
		require.Contains(t, text, "[key]")
		require.NotContains(t, text, "0123")
	}
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, `"[key]"`, string(b))
}

// TestDrawsAreTheCounterKeystream: block (attempt, row), for each row.
func TestDrawsAreTheCounterKeystream(t *testing.T) {
	s := stream(t, "c")
	r := s.Rows(1000, 40)
	for i := range 40 {
		var in, out [sm4.BlockSize]byte
		binary.BigEndian.PutUint64(in[8:], uint64(1000+i))
		s.block.Encrypt(out[:], in[:])
		require.Equal(t, out[:], r.words[i*16:(i+1)*16])
	}
}

// TestDrawsDoNotSeeBatches: any cut of the read gives the same draws; another
// column, technique or key gives others.
func TestDrawsDoNotSeeBatches(t *testing.T) {
	s := stream(t, "c")
	whole := s.Rows(7, 200)
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.IntRange(0, 199).Draw(rt, "from")
		n := rapid.IntRange(1, 200-from).Draw(rt, "n")
		limit := rapid.Uint64Range(1, math.MaxUint64).Draw(rt, "limit")
		part := s.Rows(7+int64(from), n)
		for i := range n {
			require.Equal(rt, whole.Below(from+i, limit), part.Below(i, limit))
			require.Less(rt, part.Below(i, limit), limit)
		}
	})
	other, err := New(testKey, "tes", "tc")
	require.NoError(t, err)
	for _, o := range []*Stream{stream(t, "d"), other} {
		require.False(t, bytes.Equal(whole.words, o.Rows(7, 200).words))
	}
}

// TestBelowIsUniform: chi-squared over 7 cells, fixed key; 6 degrees of freedom
// exceed 27.9 once in 10^4 for a good generator.
func TestBelowIsUniform(t *testing.T) {
	const n, cells = 70000, 7
	r := stream(t, "u").Rows(0, n)
	var seen [cells]int
	for i := range n {
		seen[r.Below(i, cells)]++
	}
	chi := 0.0
	for _, c := range seen {
		d := float64(c) - n/cells
		chi += d * d / (n / cells)
	}
	require.Less(t, chi, 27.9)
}

// TestBelowRejects counts by hand: with n = 3 * 2^62, a quarter of all words
// must be refused, and the row goes on to later blocks.
func TestBelowRejects(t *testing.T) {
	const n = 3 << 62
	s := stream(t, "r")
	r := s.Rows(0, 2000)
	refused, later := 0, 0
	for i := range 2000 {
		if _, ok := below(binary.BigEndian.Uint64(r.words[i*16:]), n); !ok {
			refused++
			if _, ok := below(binary.BigEndian.Uint64(r.words[i*16+8:]), n); !ok {
				later++
			}
		}
		require.Less(t, r.Below(i, n), uint64(n))
	}
	require.InDelta(t, 500, refused, 100)
	require.Positive(t, later)
}

// TestBelowIsExact: over all words of a small model the map is even. Here the
// real one on its edges: the lowest and highest words of each result.
func TestBelowEdges(t *testing.T) {
	x, ok := below(0, 1)
	require.True(t, ok)
	require.Zero(t, x)
	_, ok = below(0, 3) // 2^64 mod 3 = 1: the word 0 is one too many
	require.False(t, ok)
	x, ok = below(math.MaxUint64, 3)
	require.True(t, ok)
	require.EqualValues(t, 2, x)
}

// slowWindows is the rule of Windows written for reading.
func slowWindows(first int64, rows []int, size, least int) [][]int {
	var groups [][]int
	open := []int{}
	for i, r := range rows {
		if i > 0 && (first+int64(r))/int64(size) != (first+int64(rows[i-1]))/int64(size) && len(open) >= least {
			groups = append(groups, open)
			open = nil
		}
		open = append(open, r)
	}
	if len(open) > 0 && len(open) < least && len(groups) > 0 {
		groups[len(groups)-1] = append(groups[len(groups)-1], open...)
		return groups
	}
	if len(open) > 0 {
		groups = append(groups, open)
	}
	return groups
}

func TestWindows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rows []int
		for i := range rapid.IntRange(0, 120).Draw(rt, "n") {
			if rapid.Bool().Draw(rt, "present") {
				rows = append(rows, i)
			}
		}
		first := rapid.Int64Range(0, 1<<40).Draw(rt, "first")
		size := rapid.IntRange(1, 50).Draw(rt, "size")
		least := rapid.IntRange(1, size).Draw(rt, "least")
		got := Windows(first, rows, size, least)
		require.Equal(rt, slowWindows(first, rows, size, least), got)
		require.Equal(rt, len(rows), len(slices.Concat(got...)))
		for _, g := range got {
			require.True(rt, len(g) >= least || len(got) == 1)
		}
	})
}

func TestScarce(t *testing.T) {
	groups, err := Scarce(&kernel.Env{}, [][]int{{1, 3}}, 3, []int{2}, "odd")
	var ve *kernel.ValueError
	require.ErrorAs(t, err, &ve)
	require.Equal(t, &kernel.ValueError{Row: 1, Rule: ruleScarce}, ve)
	require.Nil(t, groups)
	env := &kernel.Env{Tolerate: true}
	groups, err = Scarce(env, [][]int{{1, 3}}, 3, []int{0, 2}, "odd")
	require.NoError(t, err)
	require.Empty(t, groups)
	require.Equal(t, []int{0, 1, 2, 3}, env.Suppressed())
	groups, err = Scarce(&kernel.Env{}, [][]int{{1, 3, 4}}, 3, nil, "")
	require.NoError(t, err)
	require.Len(t, groups, 1)
}
