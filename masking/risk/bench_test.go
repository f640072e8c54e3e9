package risk_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/risk"
)

// On one core, with YUMEN_TESTDATA naming the folder that holds adult/:
//
//	GOMAXPROCS=1 go test -run '^$' -bench . -benchtime 10x ./masking/risk

// BenchmarkAdultSearch is the whole of Search after load: nine
// quasi-identifiers, 30,162 records, 12,960 recodings.
func BenchmarkAdultSearch(b *testing.B) {
	table, quasi := adultTable(b)
	for _, c := range []risk.Constraints{{K: 5}, {K: 5, Suppress: "0.04"}} {
		for m := risk.Loss; m <= risk.AverageClass; m++ {
			name := "k5/" + m.String()
			if c.Suppress != "" {
				name = "k5-suppress-" + c.Suppress + "/" + m.String()
			}
			b.Run(name, func(b *testing.B) {
				var r *risk.Recoding
				for b.Loop() {
					var err error
					r, err = risk.Search(b.Context(), table, quasi, c, m)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(r.Checked), "checks")
			})
		}
	}
}

// BenchmarkAdultDiverse adds a sensitive column to eight quasi-identifiers.
func BenchmarkAdultDiverse(b *testing.B) {
	table, quasi := adultTable(b)
	eight := append(quasi[:7:7], quasi[8])
	for name, s := range map[string]risk.Sensitive{
		"distinct-l":  {Column: "occupation", Distinct: 5},
		"t-closeness": {Column: "occupation", Closeness: &risk.Closeness{T: 0.2}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := risk.Search(b.Context(), table, eight, risk.Constraints{K: 5, Suppress: "0.04", Sensitive: []risk.Sensitive{s}}, risk.Loss)
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkAdultMondrian recodes locally, age as a hierarchy of text.
func BenchmarkAdultMondrian(b *testing.B) {
	table, quasi := adultTable(b)
	for b.Loop() {
		_, err := risk.Mondrian(b.Context(), table, quasi, risk.Constraints{K: 5}, false)
		require.NoError(b, err)
	}
}

// BenchmarkAdultFigures measures the table.
func BenchmarkAdultFigures(b *testing.B) {
	table, quasi := adultTable(b)
	var names []string
	for _, q := range quasi[:8] {
		names = append(names, q.Column)
	}
	for b.Loop() {
		_, err := table.Figures(risk.Options{Quasi: names, Sensitive: []risk.SensitiveColumn{{Column: "salary-class"}}})
		require.NoError(b, err)
	}
}

// BenchmarkRead codes batches of 4096 records of three columns: text, a
// dictionary and a number.
func BenchmarkRead(b *testing.B) {
	s := arrow.NewSchema([]arrow.Field{{Name: "t", Type: arrow.BinaryTypes.String}, {Name: "d", Type: dict}, {Name: "n", Type: arrow.PrimitiveTypes.Int32}}, nil)
	rows := make([]string, 4096)
	for i := range rows {
		rows[i] = []string{`{"t":"alpha","d":"x","n":17}`, `{"t":"beta","d":"y","n":44}`, `{"t":"gamma","d":"x","n":-3}`}[i%3]
	}
	rec := recordWith(b, memory.DefaultAllocator, s, "["+strings.Join(rows, ",")+"]")
	defer rec.Release()
	batches := make([]arrow.Record, 64)
	for i := range batches {
		batches[i] = rec
	}
	for b.Loop() {
		src, err := array.NewRecordReader(s, batches)
		require.NoError(b, err)
		_, err = risk.ReadTable(b.Context(), src, []string{"t", "d", "n"}, 0)
		require.NoError(b, err)
		src.Release()
	}
	b.ReportMetric(float64(b.N)*64*4096/b.Elapsed().Seconds(), "rows/s")
}
