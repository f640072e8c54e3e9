package file

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestValuesRefused(t *testing.T) {
	for parse, texts := range map[string][]string{
		"int":   {"", "-", "+1", "1.0", "1e3", "0x1", "1_000", " 1", "1 ", "９", "9223372036854775808", "-9223372036854775809", "99999999999999999999999"},
		"float": {"", ".", "-", "e", "1e", "NaN", "nan", "Inf", "-inf", "infinity", "0x1p3", "1_0", "1e999", "-1e999", "1,5", "1.2.3", " 1", "--1"},
		"bool":  {"", "True", "yes", "2", "是的", " 1"},
		"date":  {"", "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01", "2024/01/01", "24-01-01", "2024-1-1", "2024-01-011", "２０２４-01-01"},
		"time": {"", "2024-01-01", "2024-01-01 24:00:00", "2024-01-01 00:60:00", "2024-01-01 00:00:60", "2024-01-01 00:00", "2024-01-01_00:00:00",
			"2024-01-01 00:00:00.", "2024-01-01 00:00:00.1234", "2024-01-01 00:00:00z", "2024-01-01 00:00:00+8", "2024-01-01 00:00:00+19:00", "2024-01-01 00:00:00 +08:00", "2024-01-01 00:00:00.0000000000"},
	} {
		for _, s := range texts {
			var ok bool
			switch parse {
			case "int":
				_, ok = parseInt([]byte(s))
			case "float":
				_, ok = parseFloat([]byte(s))
			case "bool":
				_, ok = parseBool([]byte(s))
			case "date":
				_, ok = parseDate([]byte(s))
			case "time":
				_, ok = parseTimestamp([]byte(s))
			}
			require.False(t, ok, "%s %q", parse, s)
		}
	}
}

func TestIntAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v")
		got, ok := parseInt(strconv.AppendInt(nil, v, 10))
		require.True(t, ok)
		require.Equal(t, v, got)
	})
	for _, v := range []int64{math.MinInt64, math.MaxInt64, 0} {
		got, ok := parseInt(strconv.AppendInt(nil, v, 10))
		require.True(t, ok)
		require.Equal(t, v, got)
	}
}

func TestFloatAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{0,18}(\.[0-9]{0,18})?([eE][-+]?[0-9]{1,3})?`).Draw(t, "s")
		want, err := strconv.ParseFloat(s, 64)
		got, ok := parseFloat([]byte(s))
		require.Equal(t, err == nil, ok, "%q", s)
		if ok {
			require.Equal(t, math.Float64bits(want), math.Float64bits(got), "%q", s)
		}
	})
}

func TestDateAgrees(t *testing.T) {
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		day := first.AddDate(0, 0, rapid.IntRange(0, lastDay-firstDay).Draw(t, "day"))
		got, ok := parseDate([]byte(day.Format("2006-01-02")))
		require.True(t, ok)
		require.Equal(t, arrow.Date32FromTime(day), got)
	})
	for text, want := range map[string]arrow.Date32{"0001-01-01": firstDay, "9999-12-31": lastDay, "1970-01-01": 0, "2000-02-29": 11016} {
		got, ok := parseDate([]byte(text))
		require.True(t, ok)
		require.Equal(t, want, got)
	}
}

func TestTimestampAgrees(t *testing.T) {
	for _, layout := range []string{"2006-01-02T15:04:05.000Z07:00", "2006-01-02 15:04:05.000000Z07:00"} {
		rapid.Check(t, func(t *rapid.T) {
			zone := time.FixedZone("", 60*rapid.IntRange(-18*60, 18*60).Draw(t, "zone"))
			at := time.UnixMilli(rapid.Int64Range(-50e12, 200e12).Draw(t, "ms")).In(zone)
			got, ok := parseTimestamp([]byte(at.Format(layout)))
			require.True(t, ok)
			require.Equal(t, at.UnixMilli(), int64(got))
		})
	}
	got, ok := parseTimestamp([]byte("1970-01-01 08:00:00.5"))
	require.True(t, ok, "without a zone it is Beijing time")
	require.EqualValues(t, 500, got)
}

func TestDecimalAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(1, 38).Draw(t, "p")
		s := rapid.IntRange(0, p).Draw(t, "s")
		text := rapid.StringMatching(`-?[0-9]{1,39}(\.[0-9]{1,20})?`).Draw(t, "text")
		got, rule := parseDecimal([]byte(text), p, s)

		whole, frac, _ := strings.Cut(text, ".")
		want, _ := new(big.Int).SetString(whole+frac+strings.Repeat("0", max(0, s-len(frac))), 10)
		bound := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p)), nil)
		if len(frac) > s || want.CmpAbs(bound) >= 0 {
			require.NotEmpty(t, rule, "%s as decimal(%d,%d)", text, p, s)
			return
		}
		require.Empty(t, rule, "%s as decimal(%d,%d)", text, p, s)
		require.Zero(t, want.Cmp(got.BigInt()), "%s", text)
	})
	for _, text := range []string{"", "-", ".", "1.", ".5", "+1", "1e3", "1,0", "1.2.3", "--1", " 1"} {
		_, rule := parseDecimal([]byte(text), 10, 2)
		require.Equal(t, ruleDecimal, rule, "%q", text)
	}
	_, rule := parseDecimal([]byte("1.200"), 10, 2)
	require.Equal(t, ruleScale, rule, "nothing is rounded, and nothing dropped")
}
