package plain

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/stretchr/testify/require"
)

var (
	money = &arrow.Decimal128Type{Precision: 18, Scale: 2}
	local = &arrow.TimestampType{Unit: arrow.Millisecond}
	zoned = &arrow.TimestampType{Unit: arrow.Second, TimeZone: "Asia/Shanghai"}
)

func TestParseLiteral(t *testing.T) {
	for _, c := range []struct {
		name, text string
		dt         arrow.DataType
		want       literal
		err        error
	}{
		{name: "int64 least", dt: arrow.PrimitiveTypes.Int64, text: "-9223372036854775808", want: literal{i: math.MinInt64}},
		{name: "int64 beyond", dt: arrow.PrimitiveTypes.Int64, text: "9223372036854775808", err: errRange},
		{name: "int8 beyond", dt: arrow.PrimitiveTypes.Int8, text: "128", err: errRange},
		{name: "uint32", dt: arrow.PrimitiveTypes.Uint32, text: "4294967295", want: literal{i: math.MaxUint32}},
		{name: "uint8 negative", dt: arrow.PrimitiveTypes.Uint8, text: "-1", err: errRange},
		{name: "plus sign", dt: arrow.PrimitiveTypes.Int64, text: "+1", err: errInteger},
		{name: "blank", dt: arrow.PrimitiveTypes.Int64, text: " 1", err: errInteger},
		{name: "empty", dt: arrow.PrimitiveTypes.Int64, text: "", err: errInteger},
		{name: "underscore", dt: arrow.PrimitiveTypes.Int64, text: "1_0", err: errInteger},
		{name: "full width", dt: arrow.PrimitiveTypes.Int64, text: "１", err: errInteger},
		{name: "uint64 most", dt: arrow.PrimitiveTypes.Uint64, text: "18446744073709551615", want: literal{n: decimal128.FromU64(math.MaxUint64)}},
		{name: "uint64 beyond", dt: arrow.PrimitiveTypes.Uint64, text: "18446744073709551616", err: errRange},
		{name: "bool", dt: arrow.FixedWidthTypes.Boolean, text: "true", want: literal{i: 1}},
		{name: "bool shouted", dt: arrow.FixedWidthTypes.Boolean, text: "TRUE", err: errBool},
		{name: "decimal whole", dt: money, text: "20", want: literal{n: decimal128.FromI64(2000)}},
		{name: "decimal", dt: money, text: "-0.5", want: literal{n: decimal128.FromI64(-50)}},
		{name: "decimal finer", dt: money, text: "20.005", err: errScale},
		{name: "decimal longer", dt: money, text: "10000000000000000", err: errPrecision},
		{name: "decimal zeros in front", dt: money, text: "0000000000000000000001.00", want: literal{n: decimal128.FromI64(100)}},
		{name: "decimal point alone", dt: money, text: ".5", err: errDecimal},
		{name: "decimal point last", dt: money, text: "5.", err: errDecimal},
		{name: "decimal exponent", dt: money, text: "1e3", err: errDecimal},
		{name: "date epoch", dt: arrow.FixedWidthTypes.Date32, text: "1970-01-02", want: literal{i: 1}},
		{name: "date before", dt: arrow.FixedWidthTypes.Date32, text: "1969-12-31", want: literal{i: -1}},
		{name: "date in millis", dt: arrow.FixedWidthTypes.Date64, text: "1970-01-02", want: literal{i: 86400000}},
		{name: "date not in calendar", dt: arrow.FixedWidthTypes.Date32, text: "2026-02-29", err: errDate},
		{name: "date short", dt: arrow.FixedWidthTypes.Date32, text: "2026-2-1", err: errDate},
		{name: "local", dt: local, text: "1970-01-01T00:00:01.5", want: literal{i: 1500}},
		{name: "local finer", dt: local, text: "1970-01-01T00:00:01.0005", err: errFiner},
		{name: "local ten digits", dt: local, text: "1970-01-01T00:00:01.0000000001", err: errFiner},
		{name: "local with offset", dt: local, text: "1970-01-01T00:00:01Z", err: errUnzoned},
		{name: "zoned", dt: zoned, text: "1970-01-01T08:00:01+08:00", want: literal{i: 1}},
		{name: "zoned without offset", dt: zoned, text: "1970-01-01T08:00:01", err: errZoned},
		{name: "nanoseconds beyond", dt: &arrow.TimestampType{Unit: arrow.Nanosecond}, text: "9999-01-01T00:00:00", err: errRange},
		{name: "float", dt: arrow.PrimitiveTypes.Float64, text: "-1.5e-3", want: literal{f: -1.5e-3}},
		{name: "float nan", dt: arrow.PrimitiveTypes.Float64, text: "NaN", err: errFloat},
		{name: "float inf", dt: arrow.PrimitiveTypes.Float64, text: "inf", err: errFloat},
		{name: "float beyond", dt: arrow.PrimitiveTypes.Float64, text: "1e999", err: errFloat},
		{name: "float hexadecimal", dt: arrow.PrimitiveTypes.Float64, text: "0x1p-2", err: errFloat},
		{name: "text", dt: arrow.BinaryTypes.String, text: "", want: literal{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseLiteral(c.dt, c.text)
			require.ErrorIs(t, err, c.err)
			if c.err == nil {
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestKeyTexts(t *testing.T) {
	for _, c := range []struct {
		dt   arrow.DataType
		v    int64
		want string
		err  error
	}{
		{dt: arrow.PrimitiveTypes.Int64, v: math.MinInt64, want: "-9223372036854775808"},
		{dt: arrow.FixedWidthTypes.Boolean, v: 1, want: "true"},
		{dt: arrow.FixedWidthTypes.Date32, v: -719162, want: "0001-01-01"},
		{dt: arrow.FixedWidthTypes.Date32, v: -719163, err: errCalendar},
		{dt: arrow.FixedWidthTypes.Date32, v: 2932896, want: "9999-12-31"},
		{dt: arrow.FixedWidthTypes.Date32, v: math.MaxInt32, err: errCalendar},
		{dt: arrow.FixedWidthTypes.Date64, v: 86400000, want: "1970-01-02"},
		{dt: arrow.FixedWidthTypes.Date64, v: 1, err: errPartDay},
		{dt: local, v: -1, want: "1969-12-31T23:59:59.999"},
		{dt: zoned, v: 0, want: "1970-01-01T00:00:00Z"},
		{dt: zoned, v: math.MinInt64, err: errCalendar},
		{dt: &arrow.TimestampType{Unit: arrow.Nanosecond}, v: math.MaxInt64, want: "2262-04-11T23:47:16.854775807"},
	} {
		got, err := intKey(c.dt, c.v)
		require.ErrorIs(t, err, c.err, "%s %d", c.dt, c.v)
		require.Equal(t, c.want, got)
	}
}

func TestMeanRounding(t *testing.T) {
	for _, c := range []struct {
		sum, n int64
		scale  int
		want   string
	}{
		{1, 2, 0, "0"}, {3, 2, 0, "2"}, {5, 2, 0, "2"}, {-1, 2, 0, "0"}, {-3, 2, 0, "-2"}, {-5, 2, 0, "-2"},
		{2, 3, 0, "1"}, {-2, 3, 0, "-1"}, {0, 7, 0, "0"}, {125, 10, 2, "0.12"}, {135, 10, 2, "0.14"},
	} {
		require.Equal(t, c.want, meanText(big.NewInt(c.sum), c.scale, c.n, c.scale), "%d/%d", c.sum, c.n)
	}
	require.Equal(t, "0.333333", meanText(big.NewInt(1), 0, 3, 6))
}

// TestWide adds the extremes of both widths more often than 128 bits bear.
func TestWide(t *testing.T) {
	least, most := decimal128.New(math.MinInt64, 0), decimal128.New(math.MaxInt64, math.MaxUint64)
	acc, abs := make([]uint64, words), make([]uint64, words)
	want, wantAbs := new(big.Int), new(big.Int)
	add := func(v decimal128.Num) {
		addNum(acc, v)
		hi, lo := absNum(v)
		addMagnitude(abs, hi, lo)
		want.Add(want, v.BigInt())
		wantAbs.Add(wantAbs, new(big.Int).Abs(v.BigInt()))
	}
	for range 1000 {
		add(least)
	}
	require.Equal(t, want, signedBig(acc))
	for range 1003 {
		add(most)
		add(decimal128.FromI64(-1))
	}
	require.Equal(t, want, signedBig(acc))
	require.Equal(t, wantAbs, magnitude(abs).big())
	require.Equal(t, uint64(1)<<63, absInt(math.MinInt64))

	clear(acc)
	want.SetInt64(0)
	for range 1000 {
		addInt(acc, math.MinInt64)
		want.Add(want, big.NewInt(math.MinInt64))
	}
	require.Equal(t, want, signedBig(acc))
}

// FuzzParseLiteral: no input panics; what is accepted for a decimal, an integer
// or a date is the value that text has.
func FuzzParseLiteral(f *testing.F) {
	for _, s := range []string{"1", "-0.50", "2026-10-31", "2026-10-31T00:00:00.5", "2026-10-31T00:00:00+08:00", "1e3", "true"} {
		f.Add(s)
	}
	types := []arrow.DataType{
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint64, money, local, zoned,
		&arrow.TimestampType{Unit: arrow.Nanosecond}, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64,
		arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean, arrow.BinaryTypes.String,
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, dt := range types {
			l, err := parseLiteral(dt, s)
			if err != nil {
				continue
			}
			switch dt {
			case money:
				want, ok := new(big.Rat).SetString(s)
				require.True(t, ok)
				require.Zero(t, want.Cmp(new(big.Rat).SetFrac(l.n.BigInt(), big.NewInt(100))))
			case arrow.PrimitiveTypes.Int64:
				want, err := strconv.ParseInt(s, 10, 64)
				require.NoError(t, err)
				require.Equal(t, want, l.i)
			case arrow.FixedWidthTypes.Date32:
				if key, err := intKey(dt, l.i); err == nil {
					require.Equal(t, s, key)
				}
			}
		}
	})
}
