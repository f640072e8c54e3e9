package masking_test

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
)

var (
	str   = arrow.BinaryTypes.String
	large = arrow.BinaryTypes.LargeString
	dict  = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: str}
	i32   = arrow.PrimitiveTypes.Int32
	i64   = arrow.PrimitiveTypes.Int64
	f64   = arrow.PrimitiveTypes.Float64
	d32   = arrow.FixedWidthTypes.Date32
	boo   = arrow.FixedWidthTypes.Boolean
	dec   = &arrow.Decimal128Type{Precision: 38, Scale: 2}
	ts    = &arrow.TimestampType{Unit: arrow.Millisecond}
	tsCN  = &arrow.TimestampType{Unit: arrow.Second, TimeZone: "+08:00"}
)

// direct makes the column a direct identifier.
func direct(c masking.Column) masking.Column {
	c.Class = masking.ClassDirect
	return c
}

func TestTechniques(t *testing.T) {
	cases := []struct {
		name string
		typ  arrow.DataType
		in   string
		mask masking.Column
		want []string
	}{
		{"redact names", str, `["张三","欧阳娜娜",null,"李","","Ann"]`, column("redact", "keep_first", "1"),
			[]string{"张*", "欧***", "-", "*", "", "A**"}},
		{"redact short value whole", str, `["ab","abc","abcd"]`, column("redact", "keep_first", "1", "keep_last", "2"),
			[]string{"**", "***", "a*cd"}},
		{"redact fixed", str, `["13800138000",null,"13912345678"]`, column("redact", "keep_first", "3", "keep_last", "4"),
			[]string{"138****8000", "-", "139****5678"}},
		{"redact wide mask", large, `["abc","张三丰"]`, column("redact", "keep_last", "1", "mask", "●"),
			[]string{"●●c", "●●丰"}},
		{"redact dictionary", dict, `["张三","张四",null,"张三"]`, column("redact", "keep_first", "1"),
			[]string{"张*", "张*", "-", "张*"}},
		{"identifier half rule", str, `["张三","1234567","12345678901"]`, direct(column("redact", "keep_first", "3", "keep_last", "1")),
			[]string{"**", "*******", "123*******1"}},
		{"keep bool", boo, `[true,false,null]`, column("keep"), []string{"true", "false", "-"}},
		{"keep decimal", dec, `["1.20",null]`, column("keep"), []string{"1.2", "-"}},
		{"null cells", i64, `[1,2,null]`, column("suppress", "as", "null"), []string{"-", "-", "-"}},
		{"stars", str, `["a","bb",null]`, column("suppress", "as", "*"), []string{"*", "*", "-"}},
		{"star dictionary", dict, `["a","bb",null]`, column("suppress", "as", "*"), []string{"*", "*", "-"}},
		{"range", i64, `[19,20,29,-1,null]`, column("generalize", "to", "range", "width", "10"),
			[]string{"[10,20)", "[20,30)", "[20,30)", "[-10,0)", "-"}},
		{"range ends", i32, `[5,18,89,90,120]`, column("generalize", "to", "range", "width", "9", "bottom", "18", "top", "90"),
			[]string{"<18", "[18,27)", "[81,90)", ">=90", ">=90"}},
		{"range origin start", i64, `[4,5,14,15]`, column("generalize", "to", "range", "width", "10", "origin", "5", "as", "start"),
			[]string{"-5", "5", "5", "15"}},
		{"range start ends", i64, `[1,22,999]`, column("generalize", "to", "range", "width", "10", "bottom", "10", "top", "90", "as", "start"),
			[]string{"10", "20", "90"}},
		{"range decimal", dec, `["12.34","-0.01","0.50"]`, column("generalize", "to", "range", "width", "0.5"),
			[]string{"[12,12.5)", "[-0.5,0)", "[0.5,1)"}},
		{"range float on a boundary", f64, `[0.3,0.7,0.29,-0.1]`, column("generalize", "to", "range", "width", "0.1"),
			[]string{"[0.3,0.4)", "[0.7,0.8)", "[0.2,0.3)", "[-0.1,0)"}},
		{"range of bytes", arrow.PrimitiveTypes.Int8, `[-128,127,null]`, column("generalize", "to", "range", "width", "10"),
			[]string{"[-130,-120)", "[120,130)", "-"}},
		{"start that a byte cannot hold", arrow.PrimitiveTypes.Int8, `[-128,127]`, tolerant(column("generalize", "to", "range", "width", "10", "as", "start")),
			[]string{"-", "120"}},
		{"range of all unsigned", arrow.PrimitiveTypes.Uint64, `[0,9,18446744073709551615]`, column("generalize", "to", "range", "width", "10", "top", "90"),
			[]string{"[0,10)", "[0,10)", ">=90"}},
		{"round bytes", arrow.PrimitiveTypes.Uint8, `[0,14,255]`, tolerant(column("generalize", "to", "round", "unit", "10")),
			[]string{"0", "10", "-"}},
		{"clamp words", arrow.PrimitiveTypes.Uint16, `[0,14,65535]`, column("generalize", "to", "clamp", "bottom", "10", "top", "60000"),
			[]string{"10", "14", "60000"}},
		{"short floats lie where they are shown", arrow.PrimitiveTypes.Float32, `[0.3,0.7,0.29,-0.1]`,
			column("generalize", "to", "range", "width", "0.1"), []string{"[0.3,0.4)", "[0.7,0.8)", "[0.2,0.3)", "[-0.1,0)"}},
		{"round short floats", arrow.PrimitiveTypes.Float32, `[0.35,2.5]`, column("generalize", "to", "round", "unit", "0.25"), []string{"0.25", "2.5"}},
		{"date64", arrow.FixedWidthTypes.Date64, `["1990-06-30","2024-02-29"]`, column("generalize", "to", "quarter", "as", "start"),
			[]string{"1990-04-01", "2024-01-01"}},
		{"hierarchy of unsigned", arrow.PrimitiveTypes.Uint64, `[1,9223372036854775808]`,
			column("generalize", "to", "hierarchy", "level", "1", "table", "1;low\n9223372036854775808;high"), []string{"low", "high"}},
		{"clamp", i32, `[1,50,99]`, column("generalize", "to", "clamp", "bottom", "10", "top", "90"), []string{"10", "50", "90"}},
		{"clamp float", f64, `[1.5,0.1,7]`, column("generalize", "to", "clamp", "top", "2.5"), []string{"1.5", "0.1", "2.5"}},
		{"clamp huge decimal", dec, `["99999999999999999999.00","-99999999999999999999.00","5"]`,
			column("generalize", "to", "clamp", "bottom", "0", "top", "100"), []string{"100", "0", "5"}},
		{"round", i64, `[1499,1500,-1500,-1499,0]`, column("generalize", "to", "round", "unit", "1000"),
			[]string{"1000", "2000", "-2000", "-1000", "0"}},
		{"round decimal", dec, `["12.35","-12.34"]`, column("generalize", "to", "round", "unit", "0.1"), []string{"12.4", "-12.3"}},
		{"round float", f64, `[0.35,2.5]`, column("generalize", "to", "round", "unit", "0.25"), []string{"0.25", "2.5"}},
		{"year", d32, `["1990-03-07",null,"0000-01-01","9999-12-31"]`, column("generalize", "to", "year"),
			[]string{"1990", "-", "0000", "9999"}},
		{"decade", d32, `["1999-12-31","2000-01-01"]`, column("generalize", "to", "decade"), []string{"1990s", "2000s"}},
		{"quarter", ts, `["1990-03-31T23:59:59","1990-04-01T00:00:00"]`, column("generalize", "to", "quarter"),
			[]string{"1990Q1", "1990Q2"}},
		{"month in its zone", tsCN, `["2024-02-29T15:59:59","2024-02-29T16:00:00"]`, column("generalize", "to", "month"),
			[]string{"2024-02", "2024-03"}},
		{"month of text", str, `["2024-02-29","20231201"]`, column("generalize", "to", "month"), []string{"2024-02", "2023-12"}},
		{"first day of quarter", d32, `["1990-06-30","2024-02-29"]`, column("generalize", "to", "quarter", "as", "start"),
			[]string{"1990-04-01", "2024-01-01"}},
		{"region", str, `["220203","110101"]`, column("generalize", "to", "region", "digits", "4"), []string{"220200", "110100"}},
		{"province", large, `["220203",null]`, column("generalize", "to", "region", "digits", "2"), []string{"220000", "-"}},
		{"hierarchy", str, `["a","b",null,"c"]`, column("generalize", "to", "hierarchy", "level", "1", "table", "a;X;*\nb;X;*\nc;Y;*\n"),
			[]string{"X", "X", "-", "Y"}},
		{"hierarchy of numbers", i64, `[1,2]`, column("generalize", "to", "hierarchy", "level", "2", "table", "1,low,*\n2,high,*\n", "separator", ","),
			[]string{"*", "*"}},
		{"hierarchy of a dictionary", dict, `["a","b","a"]`, column("generalize", "to", "hierarchy", "level", "1", "table", "a;X\nb;X"),
			[]string{"X", "X", "X"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			out, err := maskOne(t, dirty{mem}, c.typ, c.in, c.mask)
			require.NoError(t, err)
			defer out.Release()
			require.Equal(t, c.want, valuesOf(out.Column(0)))
			require.NotContains(t, string(recordBytes(out)), oldSecret[:4])
		})
	}
}
