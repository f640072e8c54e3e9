package risk_test

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/risk"
)

func hierarchy(t require.TestingT, table string) *risk.Hierarchy {
	h, err := risk.ParseHierarchy(strings.NewReader(table))
	require.NoError(t, err)
	return h
}

func tableOf(t require.TestingT, schema *arrow.Schema, rows string, columns ...string) *risk.Table {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	rec, _, err := array.RecordFromJSON(mem, schema, strings.NewReader(rows))
	require.NoError(t, err)
	src, err := array.NewRecordReader(schema, []arrow.Record{rec})
	require.NoError(t, err)
	table, err := risk.ReadTable(context.Background(), src, columns, 0)
	require.NoError(t, err)
	src.Release()
	rec.Release()
	if tt, ok := t.(*testing.T); ok {
		mem.AssertSize(tt, 0)
	}
	return table
}

const ages = "30;30-31;*\n31;30-31;*\n40;40-41;*\n41;40-41;*\n"

func TestSearchByHand(t *testing.T) {
	table := tableOf(t, schema, `[
{"sex":"m","age":30,"ill":"x"},{"sex":"m","age":31,"ill":"y"},
{"sex":"f","age":40,"ill":"x"},{"sex":"f","age":41,"ill":"x"},
{"sex":"f","age":40,"ill":"x"}]`, "sex", "age", "ill")
	quasi := []risk.Quasi{{Column: "sex"}, {Column: "age", Hierarchy: hierarchy(t, ages)}}
	r, err := risk.Search(context.Background(), table, quasi, risk.Constraints{K: 2}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, []risk.Level{{"sex", 0, 1}, {"age", 1, 2}}, r.Levels)
	require.InDelta(t, (0+1.0/3)/2, r.Value, 1e-15)
	after, mask := r.Apply()
	require.Equal(t, []bool{true, true, true, true, true}, mask)
	f, err := after.Figures(risk.Options{Quasi: []string{"sex", "age"}, Sensitive: []risk.SensitiveColumn{{Column: "ill"}}})
	require.NoError(t, err)
	require.EqualValues(t, 2, f.K)
	require.EqualValues(t, 1, f.Sensitive[0].Distinct)
	r, err = risk.Search(context.Background(), table, quasi,
		risk.Constraints{K: 2, Sensitive: []risk.Sensitive{{Column: "ill", Distinct: 2}}}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, 1, r.Classes)
	_, err = risk.Search(context.Background(), table, quasi, risk.Constraints{K: 6}, risk.Loss)
	require.ErrorIs(t, err, risk.ErrNoRecoding)
}
