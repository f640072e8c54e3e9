package masking_test

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/kernel"
)

func with(c masking.Column, change func(*masking.Column)) masking.Column {
	change(&c)
	return c
}

func TestCompileRefuses(t *testing.T) {
	keep := column("keep")
	gen := func(p ...string) masking.Column { return column("generalize", p...) }
	cases := []struct {
		name, says string
		typ        arrow.DataType
		mask       masking.Column
	}{
		{"no class", "class", str, with(keep, func(c *masking.Column) { c.Class = "" })},
		{"no grade", "grade", str, with(keep, func(c *masking.Column) { c.Grade = "" })},
		{"grade 5", "grade", str, with(keep, func(c *masking.Column) { c.Grade = "5" })},
		{"no nulls", "nulls", str, with(keep, func(c *masking.Column) { c.Nulls = "" })},
		{"no nulls, suppressed", "nulls", str, with(column("suppress"), func(c *masking.Column) { c.Nulls = "" })},
		{"malformed word", "malformed", str, with(keep, func(c *masking.Column) { c.Malformed = "keep" })},
		{"contradiction", "nulls: refuse", str, with(keep, func(c *masking.Column) { c.Malformed, c.Nulls = "suppress", "refuse" })},
		{"no technique", "technique", str, column("")},
		{"unknown technique", "unknown", str, column("hash")},
		{"direct kept", "may not be kept", str, direct(keep)},
		{"direct generalised", "direct identifier", str, direct(gen("to", "region", "digits", "2"))},
		{"direct 6 and 4", "direct identifier", str, direct(column("redact", "keep_first", "6", "keep_last", "4"))},
		{"direct 3 and 4", "direct identifier", str, direct(column("redact", "keep_first", "3", "keep_last", "4"))},
		{"keep parameter", "no parameters", str, column("keep", "x", "y")},
		{"redact parameter", "unknown", str, column("redact", "keep", "1")},
		{"redact sign", "whole number", str, column("redact", "keep_first", "+1")},
		{"redact mask", "one character", str, column("redact", "mask", "**")},
		{"redact mask control", "printable", str, column("redact", "mask", "\n")},
		{"redact number", "not text", i64, column("redact")},
		{"suppress as", "as", str, column("suppress", "as", "x")},
		{"star number", "cannot hold", i64, column("suppress", "as", "*")},
		{"year of number", "not a date", i64, gen("to", "year")},
		{"start of text", "start", str, gen("to", "year", "as", "start")},
		{"start in a zone", "zone", tsCN, gen("to", "year", "as", "start")},
		{"unknown zone", "zone", &arrow.TimestampType{TimeZone: "No/Where"}, gen("to", "year")},
		{"range of text", "not a number", str, gen("to", "range", "width", "1")},
		{"range of halves", "not a number", arrow.FixedWidthTypes.Float16, gen("to", "range", "width", "1")},
		{"range width", "width", i64, gen("to", "range", "width", "0")},
		{"range width missing", "width", i64, gen("to", "range")},
		{"range fraction", "digits", i64, gen("to", "range", "width", "0.5")},
		{"range off grid", "multiple of width", i64, gen("to", "range", "width", "10", "top", "95")},
		{"range order", "below top", i64, gen("to", "range", "width", "10", "bottom", "50", "top", "20")},
		{"range long", "18 digits", i64, gen("to", "range", "width", "1", "origin", "1234567890123456789")},
		{"range stray", "means nothing", i64, gen("to", "range", "width", "1", "level", "1")},
		{"clamp empty", "bottom or top", i64, gen("to", "clamp")},
		{"round unit", "unit", i64, gen("to", "round", "unit", "-1")},
		{"region digits", "digits", str, gen("to", "region", "digits", "6")},
		{"region type", "not text", i64, gen("to", "region", "digits", "2")},
		{"hierarchy level", "level", str, gen("to", "hierarchy", "level", "2", "table", "a;b")},
		{"hierarchy of itself", "stay as it is", str, gen("to", "hierarchy", "level", "1", "table", "a;a\nb;b")},
		{"range of one", "alone in its range", i64, gen("to", "range", "width", "1")},
		{"range of one, start", "alone in its range", i64, gen("to", "range", "width", "1", "as", "start")},
		{"range of a cent", "alone in its range", dec, gen("to", "range", "width", "0.01")},
		{"round to one", "stay as it is", i64, gen("to", "round", "unit", "1")},
		{"round to a cent", "stay as it is", dec, gen("to", "round", "unit", "0.01")},
		{"noise that is none", "at most 10", i64, column("perturb", "epsilon", "999999999", "lower", "0", "upper", "99")},
		{"chance that is none", "tells what it was", str, keyed(column("pram", "categories", "a;b", "keep", "0.999999"))},
		{"exchange of two", "tells what it was", str, keyed(column("pram", "categories", "a;b", "keep", "0"))},
		{"one row, no group", "k", i64, column("microaggregate", "k", "1")},
		{"no shift", "range", arrow.FixedWidthTypes.Date32, keyed(column("date_shift", "range", "0"))},
		{"hierarchy level 0", "level", str, gen("to", "hierarchy", "level", "0", "table", "a;b")},
		{"hierarchy type", "neither", f64, gen("to", "hierarchy", "level", "1", "table", "a;b")},
		{"to", "parameter to", str, gen("to", "week")},
		{"list", "not supported", arrow.ListOf(str), keep},
		{"struct", "not supported", arrow.StructOf(arrow.Field{Name: "a", Type: str}), keep},
		{"list suppressed", "not supported", arrow.ListOf(str), column("suppress")},
		{"binary", "not supported", arrow.BinaryTypes.Binary, keep},
		{"view", "not supported", arrow.BinaryTypes.StringView, keep},
		{"dictionary of numbers", "not supported", &arrow.DictionaryType{IndexType: i32, ValueType: i64}, keep},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := compile(t, nil, col{name: "c", typ: c.typ, mask: c.mask}, col{name: "other", typ: i64, mask: keep})
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, `"c"`)
		})
	}
}

func TestCompileColumnsMustMatch(t *testing.T) {
	keep := column("keep")
	keep.Name = "a"
	b := keep
	b.Name = "b"
	fa, fb := arrow.Field{Name: "a", Type: i64}, arrow.Field{Name: "b", Type: i64}
	for name, c := range map[string]struct {
		columns []masking.Column
		fields  []arrow.Field
	}{
		"not in the policy":   {[]masking.Column{keep}, []arrow.Field{fa, fb}},
		"not in the schema":   {[]masking.Column{keep, b}, []arrow.Field{fa}},
		"twice in the policy": {[]masking.Column{keep, keep}, []arrow.Field{fa}},
		"twice in the schema": {[]masking.Column{keep}, []arrow.Field{fa, fa}},
		"policy and schema":   {nil, nil},
	} {
		_, err := masking.Compile(&masking.Policy{Columns: c.columns}, arrow.NewSchema(c.fields, nil), nil, nil)
		if name == "policy and schema" {
			_, err = masking.Compile(nil, nil, nil, nil)
		}
		require.ErrorContains(t, err, name)
	}
	_, _, err := compile(t, nil, col{name: "a", typ: str, mask: column("suppress")})
	require.ErrorContains(t, err, "no column is left")
}

func TestErrorsNameColumnAndRowNeverTheValue(t *testing.T) {
	gen := func(p ...string) masking.Column { return column("generalize", p...) }
	refuse := with(column("keep"), func(c *masking.Column) { c.Nulls = "refuse" })
	cases := []struct {
		name string
		typ  arrow.DataType
		in   string
		mask masking.Column
	}{
		{"null", str, `["SECRET",null]`, refuse},
		{"null in a dictionary", dict, `["SECRET",null]`, refuse},
		{"region", str, `["220203","SECRET"]`, gen("to", "region", "digits", "2")},
		{"region length", str, `["220203","2202031"]`, gen("to", "region", "digits", "2")},
		{"date", str, `["1990-01-01","1990-02-30"]`, gen("to", "year")},
		{"date form", str, `["1990-01-01","SECRET-long"]`, gen("to", "year")},
		{"far date", d32, `["1990-01-01",null]`, refuse},
		{"hierarchy", str, `["a","SECRET"]`, gen("to", "hierarchy", "level", "1", "table", "a;b")},
		{"hierarchy in a dictionary", dict, `["a","SECRET","SECRET"]`, gen("to", "hierarchy", "level", "1", "table", "a;b")},
		{"huge decimal", dec, `["1","12345678901234567890123456.00"]`, gen("to", "range", "width", "10")},
		{"overflow", i64, `[1,9223372036854775807]`, gen("to", "round", "unit", "1000")},
		{"int32 overflow", i32, `[1,2147483647]`, gen("to", "round", "unit", "1000")},
		{"huge float", f64, `[1,1e300]`, gen("to", "range", "width", "10")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			_, err := maskOne(t, mem, c.typ, c.in, c.mask)
			var re *masking.RowError
			require.ErrorAs(t, err, &re)
			require.Equal(t, "c", re.Column)
			require.EqualValues(t, 2, re.Row)
			for _, value := range []string{"SECRET", "2202031", "1990", "123456", "9223", "21474", "1e300"} {
				require.NotContains(t, err.Error(), value)
			}
		})
	}
}

func TestMalformedSuppressed(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	table := []string{"to", "hierarchy", "level", "1", "table", "a;X\nb;Y"}
	cell := with(column("generalize", table...), func(c *masking.Column) { c.Malformed = "suppress" })
	row := with(cell, func(c *masking.Column) { c.Nulls = "suppress" })
	for _, typ := range []arrow.DataType{str, large, dict} {
		out, err := maskOne(t, mem, typ, `["a","SECRET",null,"SECRET","b"]`, cell)
		require.NoError(t, err)
		require.Equal(t, []string{"X", "-", "-", "-", "Y"}, valuesOf(out.Column(0)))
		require.NotContains(t, string(recordBytes(out)), "SECRET")
		out.Release()
		out, err = maskOne(t, mem, typ, `["a","SECRET",null,"SECRET","b"]`, row)
		require.NoError(t, err)
		require.Equal(t, []string{"X", "Y"}, valuesOf(out.Column(0)))
		require.NotContains(t, string(recordBytes(out)), "SECRET")
		out.Release()
	}
}

func TestReport(t *testing.T) {
	cell := with(column("generalize", "to", "region", "digits", "2"), func(c *masking.Column) { c.Malformed, c.Nulls = "suppress", "suppress" })
	m, schema, err := compile(t, nil, col{name: "id", typ: i64, mask: column("suppress")}, col{name: "r", typ: str, mask: cell})
	require.NoError(t, err)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema,
		strings.NewReader(`[{"id":1,"r":"220203"},{"id":null,"r":"x"},{"id":3,"r":null}]`))
	require.NoError(t, err)
	out, err := m.Mask(context.Background(), rec)
	require.NoError(t, err)
	require.EqualValues(t, 1, out.NumRows())
	require.EqualValues(t, 1, out.NumCols())
	rep := m.Report()
	require.EqualValues(t, 3, rep.Rows)
	require.EqualValues(t, 2, rep.Dropped)
	require.Equal(t, masking.ColumnReport{Name: "id", Technique: "suppress", Nulls: 1}, rep.Columns[0])
	require.Equal(t, masking.ColumnReport{Name: "r", Technique: "generalize", Left: true, Nulls: 1, Malformed: 1}, rep.Columns[1])
	require.NotZero(t, rep.Policy)
}

func TestMaskRefusesAnotherSchema(t *testing.T) {
	m, _, err := compile(t, nil, col{name: "c", typ: str, mask: column("keep")})
	require.NoError(t, err)
	for _, f := range []arrow.Field{{Name: "d", Type: str}, {Name: "c", Type: large}} {
		rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{f}, nil), strings.NewReader(`[]`))
		require.NoError(t, err)
		_, err = m.Mask(context.Background(), rec)
		require.ErrorContains(t, err, "differs")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "c", Type: str}}, nil), strings.NewReader(`[]`))
	require.NoError(t, err)
	_, err = m.Mask(ctx, rec)
	require.ErrorIs(t, err, context.Canceled)
}

// TestCorruptArrays hands kernels arrays whose buffers lie.
func TestCorruptArrays(t *testing.T) {
	text := func(offsets []int32, data string) arrow.Array {
		d := array.NewData(str, len(offsets)-1, []*memory.Buffer{nil,
			memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes([]byte(data))}, nil, 0, 0)
		return array.NewStringData(d)
	}
	coded := func(codes ...byte) arrow.Array {
		idx := array.NewInt8Data(array.NewData(arrow.PrimitiveTypes.Int8, len(codes),
			[]*memory.Buffer{nil, memory.NewBufferBytes(codes)}, nil, 0, 0))
		return array.NewDictionaryArray(dict, idx, text([]int32{0, 1}, "a"))
	}
	for name, a := range map[string]arrow.Array{
		"backwards":      text([]int32{0, 4, 2, 4}, "abcd"),
		"beyond":         text([]int32{0, 400, 4}, "abcd"),
		"negative":       text([]int32{0, -4, 4}, "abcd"),
		"negative start": text([]int32{-4, 0, 4}, "abcd"),
		"index beyond":   coded(0, 1),
		"index negative": coded(0, 0xff),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []masking.Column{column("keep"), column("redact", "keep_first", "1"),
				column("generalize", "to", "region", "digits", "2"), column("generalize", "to", "hierarchy", "level", "1", "table", "a;b")} {
				m, schema, err := compile(t, nil, col{name: "c", typ: a.DataType(), mask: c})
				require.NoError(t, err)
				_, err = m.Mask(context.Background(), array.NewRecord(schema, []arrow.Array{a}, int64(a.Len())))
				require.ErrorIs(t, err, kernel.ErrCorrupt)
			}
		})
	}
}
