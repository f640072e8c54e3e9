package masking_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/kernel"
)

var update = flag.Bool("update", false, "write golden files")

// everyType is each type with five values, the third null.
var everyType = []struct {
	typ  arrow.DataType
	json string
}{
	{arrow.Null, `[null,null,null,null,null]`},
	{boo, `[true,false,null,true,false]`},
	{arrow.PrimitiveTypes.Int8, `[1,2,null,4,5]`},
	{arrow.PrimitiveTypes.Int16, `[1,2,null,4,5]`},
	{i32, `[1,2,null,4,5]`},
	{i64, `[1,2,null,4,5]`},
	{arrow.PrimitiveTypes.Uint8, `[1,2,null,4,5]`},
	{arrow.PrimitiveTypes.Uint16, `[1,2,null,4,5]`},
	{arrow.PrimitiveTypes.Uint32, `[1,2,null,4,5]`},
	{arrow.PrimitiveTypes.Uint64, `[1,2,null,4,5]`},
	{arrow.FixedWidthTypes.Float16, `[1,2,null,4,5]`},
	{arrow.PrimitiveTypes.Float32, `[1,2,null,4,5]`},
	{f64, `[1,2,null,4,5]`},
	{dec, `["1","2",null,"4","5"]`},
	{&arrow.Decimal256Type{Precision: 50, Scale: 2}, `["1","2",null,"4","5"]`},
	{d32, `["2001-01-01","2002-02-02",null,"2004-04-04","2005-05-05"]`},
	{arrow.FixedWidthTypes.Date64, `["2001-01-01","2002-02-02",null,"2004-04-04","2005-05-05"]`},
	{arrow.FixedWidthTypes.Time32s, `["00:00:01","00:00:02",null,"00:00:04","00:00:05"]`},
	{ts, `["2001-01-01","2002-02-02",null,"2004-04-04","2005-05-05"]`},
	{tsCN, `["2001-01-01","2002-02-02",null,"2004-04-04","2005-05-05"]`},
	{str, `["20010101","20020202",null,"20040404","20050505"]`},
	{large, `["20010101","20020202",null,"20040404","20050505"]`},
	{dict, `["20010101","20020202",null,"20040404","20010101"]`},
	{&arrow.DictionaryType{IndexType: i32, ValueType: i64}, `[1,2,null,4,1]`},
	{arrow.BinaryTypes.StringView, ``},
	{arrow.BinaryTypes.Binary, `["YQ==","Yg==",null,"ZA==","ZQ=="]`},
	{arrow.ListOf(i64), `[[1],[2],null,[4],[5]]`},
	{arrow.StructOf(arrow.Field{Name: "a", Type: i64}), `[{"a":1},{"a":2},null,{"a":4},{"a":5}]`},
	{arrow.MapOf(str, i64), `[null,null,null,null,null]`},
}

// everyTechnique is each technique with parameters that suit the most types.
var everyTechnique = []struct {
	name string
	mask masking.Column
}{
	{"keep", column("keep")},
	{"suppress", column("suppress")},
	{"suppress as null", column("suppress", "as", "null")},
	{"suppress as *", column("suppress", "as", "*")},
	{"redact", column("redact", "keep_first", "1")},
	{"generalize to range", column("generalize", "to", "range", "width", "10")},
	{"generalize to range start", column("generalize", "to", "range", "width", "10", "as", "start")},
	{"generalize to clamp", column("generalize", "to", "clamp", "top", "3")},
	{"generalize to round", column("generalize", "to", "round", "unit", "2")},
	{"generalize to year", column("generalize", "to", "year")},
	{"generalize to month start", column("generalize", "to", "month", "as", "start")},
	{"generalize to region", tolerant(column("generalize", "to", "region", "digits", "2"))},
	{"generalize to hierarchy", tolerant(column("generalize", "to", "hierarchy", "level", "1", "table", "1;low\n20010101;old"))},
	{"pseudonym", keyed(column("pseudonym"))},
	{"fpe", keyed(column("fpe"))},
	{"encrypt", keyed(column("encrypt"))},
	{"date_shift", keyed(column("date_shift", "subject", "who", "range", "30"))},
	{"perturb", column("perturb", "epsilon", "1", "lower", "0", "upper", "9", "scale", "2")},
	{"shuffle", keyed(column("shuffle", "least", "2"))},
	{"rank_swap", keyed(column("rank_swap", "percent", "50", "least", "2"))},
	{"pram", keyed(tolerant(column("pram", "categories", "1;2;4;5;true;false;20010101;20020202", "keep", "1/2")))},
	{"microaggregate", column("microaggregate", "k", "2")},
}

// TestEveryTechniqueOnEveryType treats each type on purpose or refuses it on
// purpose: the table of what becomes of what is testdata/types.golden. What is
// treated keeps its nulls, whole and as a slice.
func TestEveryTechniqueOnEveryType(t *testing.T) {
	var table strings.Builder
	for _, tech := range everyTechnique {
		for _, typ := range everyType {
			fmt.Fprintf(&table, "%-26s %-40s %s\n", tech.name, typ.typ, fate(t, tech.mask, typ.typ, typ.json))
		}
	}
	const golden = "testdata/types.golden"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(golden, []byte(table.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), table.String())
}

func fate(t *testing.T, mc masking.Column, typ arrow.DataType, json string) string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	m, schema, err := compile(t, dirty{mem}, col{name: "c", typ: typ, mask: mc}, col{name: "who", typ: str, mask: column("keep")})
	if err != nil {
		var f *masking.Finding
		require.ErrorAs(t, err, &f)
		require.Equal(t, "c", f.Column)
		if errors.Is(err, kernel.ErrType) {
			return "refused"
		}
		return "refused: " + f.Rule.Error()
	}
	c, who := fromJSON(t, mem, typ, json), fromJSON(t, mem, str, `["a","b","a","b","a"]`)
	defer c.Release()
	defer who.Release()
	rec := array.NewRecord(schema, []arrow.Array{c, who}, 5)
	defer rec.Release()
	for _, from := range []int64{0, 1} {
		part := rec.NewSlice(from, 5)
		out, report, err := m.MaskAt(context.Background(), part, 100+from)
		part.Release()
		require.NoError(t, err, "%s of %s", mc.Technique, typ)
		require.EqualValues(t, 5-from, out.NumRows())
		if out.NumCols() == 2 && typ.ID() != arrow.NULL && report.Columns[0].Malformed == 0 && mc.Params["as"] != "null" {
			require.Equal(t, 1, out.Column(0).NullN(), "%s of %s", mc.Technique, typ)
			require.True(t, out.Column(0).IsNull(2-int(from)))
		}
		require.NotContains(t, string(recordBytes(out)), oldSecret[:5], "%s of %s", mc.Technique, typ)
		out.Release()
	}
	if m.Schema().NumFields() == 1 {
		return "left out"
	}
	return m.Schema().Field(0).Type.String()
}
