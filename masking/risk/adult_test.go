package risk_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/risk"
)

// adultTable reads UCI Adult with its nine columns and hierarchies, or skips.
func adultTable(t testing.TB) (*risk.Table, []risk.Quasi) {
	t.Helper()
	dir := os.Getenv("YUMEN_TESTDATA")
	if dir == "" {
		t.Skip("YUMEN_TESTDATA is not set: UCI Adult is not at hand")
	}
	open := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, "adult", name))
		require.NoError(t, err)
		return string(b)
	}
	r := csv.NewReader(strings.NewReader(open("adult.csv")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	require.NoError(t, err)
	var fields []arrow.Field
	var quasi []risk.Quasi
	for _, name := range rows[0] {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
		h, err := risk.ParseHierarchy(strings.NewReader(open("adult_hierarchy_" + name + ".csv")))
		require.NoError(t, err)
		require.Equal(t, 1, h.Tops())
		quasi = append(quasi, risk.Quasi{Column: name, Hierarchy: h})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for _, row := range rows[1:] {
		for i, v := range row {
			b.Field(i).(*array.StringBuilder).Append(v)
		}
	}
	rec := b.NewRecord()
	src, err := array.NewRecordReader(rec.Schema(), []arrow.Record{rec})
	require.NoError(t, err)
	table, err := risk.ReadTable(context.Background(), src, rows[0], 0)
	require.NoError(t, err)
	require.Equal(t, 30162, table.Rows())
	return table, quasi
}

func BenchmarkAdultSearch(b *testing.B) {
	table, quasi := adultTable(b)
	for name, c := range map[string]risk.Constraints{
		"k5":          {K: 5},
		"k5-suppress": {K: 5, Suppress: "0.04"},
	} {
		for _, m := range []risk.Measure{risk.Loss, risk.Entropy, risk.Height, risk.Discernibility, risk.DiscernibilityStar, risk.AverageClass} {
			b.Run(name+"/"+m.String(), func(b *testing.B) {
				var r *risk.Recoding
				for b.Loop() {
					var err error
					r, err = risk.Search(context.Background(), table, quasi, c, m)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(r.Checked), "checks")
				b.Logf("%+v %v %v", r.Levels, r.Value, r.Suppressed)
			})
		}
	}
}

// TestAdultOptimum proves the search's result for all measures by looking at
// every one of the 12,960 recodings.
func TestAdultOptimum(t *testing.T) {
	table, quasi := adultTable(t)
	r, err := risk.Search(context.Background(), table, quasi, risk.Constraints{K: 5}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, 12960, r.Nodes)
	risk.RequireOptimal(t, table, quasi, risk.Constraints{K: 5})
	risk.RequireOptimal(t, table, quasi, risk.Constraints{K: 5, Suppress: "0.04"})
}
