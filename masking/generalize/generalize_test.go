package generalize

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

// TestCivil compares every day of ten thousand years with package time.
func TestCivil(t *testing.T) {
	at := time.Unix(minDay*secondsPerDay, 0).UTC()
	require.Equal(t, "0000-01-01", at.Format(time.DateOnly))
	for day := int32(minDay); day <= maxDay; day++ {
		y, m, d := at.Date()
		year, month := civil(day)
		if int(year) != y || int(month) != int(m) || dayOf(year, month)+int32(d)-1 != day {
			require.FailNow(t, "calendar", "day %d", day)
		}
		at = at.AddDate(0, 0, 1)
	}
	require.Equal(t, 10000, at.Year())
}

// TestRangesAgainstRationals: the label's interval holds the value, has the
// width and lies on the grid.
func TestRangesAgainstRationals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		width := rapid.Int64Range(2, 1e12).Draw(rt, "width")
		origin := rapid.Int64Range(-1e12, 1e12).Draw(rt, "origin")
		v := rapid.Int64Range(-1<<62, 1<<62).Draw(rt, "v")
		k, err := New(Params{To: "range", Width: fmt.Sprint(width), Origin: fmt.Sprint(origin)})
		require.NoError(rt, err)
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.Append(v)
		out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, b.NewArray())
		require.NoError(rt, err)
		var low, high int64
		_, err = fmt.Sscanf(out.ValueStr(0), "[%d,%d)", &low, &high)
		require.NoError(rt, err)
		require.True(rt, low <= v && v < high && high-low == width)
		diff := new(big.Int).Sub(big.NewInt(low), big.NewInt(origin))
		require.Zero(rt, diff.Mod(diff, big.NewInt(width)).Sign())
	})
}

// TestRoundIsNearest checks rounding against big integers.
func TestRoundIsNearest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := step{unit: rapid.Int64Range(1, 1e15).Draw(rt, "unit")}
		v := rapid.Int64().Draw(rt, "v")
		got, rule := s.integer(v, inside)
		unit, twice := big.NewInt(s.unit), big.NewInt(2)
		abs := new(big.Int).Abs(big.NewInt(v))
		want := new(big.Int).Mul(abs, twice)
		want.Add(want, unit).Div(want, new(big.Int).Mul(unit, twice)).Mul(want, unit)
		if v < 0 {
			want.Neg(want)
		}
		if !want.IsInt64() {
			require.NotEmpty(rt, rule)
			return
		}
		if rule == "" {
			require.Equal(rt, want.Int64(), got)
		}
	})
}

func TestFloatsNotFinite(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	zero := 0.0
	b.AppendValues([]float64{1, zero / zero, 1 / zero}, nil)
	in := b.NewArray()
	for _, p := range []Params{{To: "range", Width: "1"}, {To: "clamp", Top: "1"}, {To: "round", Unit: "1"}} {
		k, err := New(p)
		require.NoError(t, err)
		env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
		out, err := k.Mask(env, in)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2}, env.Suppressed())
		require.Equal(t, 2, out.NullN())
	}
}

func TestTimestampEnds(t *testing.T) {
	typ := &arrow.TimestampType{Unit: arrow.Nanosecond}
	b := array.NewTimestampBuilder(memory.DefaultAllocator, typ)
	b.Append(-1 << 63)
	k, err := New(Params{To: "decade", As: "start"})
	require.NoError(t, err)
	_, err = k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, b.NewArray())
	require.ErrorContains(t, err, ruleDate)
	sec := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Second})
	sec.AppendValues([]arrow.Timestamp{-1 << 63, 1<<63 - 1, -1}, nil)
	env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
	out, err := k.Mask(env, sec.NewArray())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, env.Suppressed())
	require.Equal(t, "1960-01-01 00:00:00", out.(*array.Timestamp).Value(2).ToTime(arrow.Second).Format(time.DateTime))
}

func TestParseHierarchyRefuses(t *testing.T) {
	for says, table := range map[string]string{
		"empty":         "",
		"want 2":        "a",
		"wrong number":  "a;b\nc;d;e",
		"appears twice": "a;b\na;b",
		"is empty":      "a;",
		"another label": "a;X;1\nb;X;2",
		"UTF-8":         "a;\xff",
		`bare "`:        `a"b;c`,
	} {
		_, err := ParseHierarchy(table, ';')
		require.ErrorContains(t, err, says)
	}
	h, err := ParseHierarchy("a;X;*\r\nb;Y;*", ';')
	require.NoError(t, err)
	require.Equal(t, 2, h.Levels())
	label, ok := h.Label("b", 1)
	require.True(t, ok)
	require.Equal(t, "Y", label)
	_, ok = h.Label("b", 3)
	require.False(t, ok)
}

func FuzzParseHierarchy(f *testing.F) {
	f.Add("a;X;*\nb;Y;*\n")
	f.Add("\"a;b\";c\n\n\n;;;")
	f.Fuzz(func(t *testing.T, table string) {
		h, err := ParseHierarchy(table, ';')
		if err != nil {
			return
		}
		for value := range h.rows {
			for level := range h.Levels() + 1 {
				label, ok := h.Label(value, level)
				require.True(t, ok)
				require.NotEmpty(t, label)
			}
		}
	})
}

func FuzzParseDay(f *testing.F) {
	f.Add("2024-02-29")
	f.Add("19000229")
	f.Add("0000-01-01")
	f.Fuzz(func(t *testing.T, s string) {
		want := int32(noDay)
		for _, form := range []string{time.DateOnly, "20060102"} {
			if d, err := time.Parse(form, s); err == nil && len(s) == len(form) {
				want = int32(floorDiv(d.Unix(), secondsPerDay))
			}
		}
		require.Equal(t, want, parseDay([]byte(s)))
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1", "-0.50", "123456789012345678", ".5", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDecimal(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		require.True(t, ok)
		text := string(appendUnits(nil, d.units, d.scale))
		got, ok := new(big.Rat).SetString(text)
		require.True(t, ok, text)
		require.Zero(t, want.Cmp(got))
	})
}
