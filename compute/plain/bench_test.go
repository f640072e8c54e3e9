package plain_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

// BenchmarkTable groups one million records of as many persons by two fields,
// with sum and mean of a decimal and of an integer.
func BenchmarkTable(b *testing.B) {
	const rows = 1_000_000
	for _, dict := range []bool{false, true} {
		schema, recs := benchBatches(rows, dict)
		for _, perRow := range []bool{false, true} {
			for _, field := range []string{"months", "income"} {
				q := &compute.Query{
					Dataset: "city", Subject: "rid", GroupBy: []string{"district", "sex"},
					Measures: []compute.Measure{{Kind: compute.Sum, Field: field}, {Kind: compute.Mean, Field: field}},
				}
				if perRow {
					q.Subject, q.RowSubjects = "", true
				}
				b.Run(fmt.Sprintf("%s/dict=%t/rowsubjects=%t", field, dict, perRow), func(b *testing.B) {
					benchTable(b, q, schema, recs, rows)
				})
			}
		}
		for _, r := range recs {
			r.Release()
		}
	}
}

func benchTable(b *testing.B, q *compute.Query, schema *arrow.Schema, recs []arrow.Record, rows int64) {
	plan, err := plain.New(plain.Options{}).Prepare(context.Background(), q, schema)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		src, err := array.NewRecordReader(schema, recs)
		require.NoError(b, err)
		res, err := plan.Run(context.Background(), src)
		require.NoError(b, err)
		require.Equal(b, rows, res.Rows)
		src.Release()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func benchBatches(rows int, dict bool) (*arrow.Schema, []arrow.Record) {
	var district arrow.DataType = arrow.BinaryTypes.String
	if dict {
		district = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: district}
	}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "rid", Type: arrow.BinaryTypes.String},
		{Name: "district", Type: district},
		{Name: "sex", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "months", Type: arrow.PrimitiveTypes.Int64},
		{Name: "income", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	rnd := rand.New(rand.NewPCG(1, 2))
	var recs []arrow.Record
	for i := range rows {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("2202%014d", rnd.Uint64N(1e14)))
		d := fmt.Sprintf("2202%02d", rnd.IntN(30))
		if dict {
			_ = b.Field(1).(*array.BinaryDictionaryBuilder).AppendString(d)
		} else {
			b.Field(1).(*array.StringBuilder).Append(d)
		}
		b.Field(2).(*array.BooleanBuilder).Append(rnd.IntN(2) == 0)
		b.Field(3).(*array.Int64Builder).Append(rnd.Int64N(480))
		b.Field(4).(*array.Decimal128Builder).Append(decimal128.FromI64(rnd.Int64N(3e7)))
		if i%65536 == 65535 || i == rows-1 {
			recs = append(recs, b.NewRecord())
		}
	}
	return schema, recs
}
