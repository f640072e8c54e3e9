package file

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	arrowcsv "github.com/apache/arrow/go/v17/arrow/csv"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

const benchRows = 200_000

func benchFields() []connectors.Field {
	return []connectors.Field{
		field("id", "string"), field("name", "string"), field("age", "int64"),
		field("income", "float64"), field("born", "date"), field("local", "bool"),
	}
}

func benchCSV() []byte {
	var b bytes.Buffer
	b.WriteString("id,name,age,income,born,local\n")
	for i := range benchRows {
		fmt.Fprintf(&b, "%018d,王小明%d,%d,%d.%02d,19%02d-%02d-%02d,%t\n",
			i*7919, i%1000, i%100, i%90000, i%100, i%100, i%12+1, i%28+1, i%2 == 0)
	}
	return b.Bytes()
}

// BenchmarkCSV compares this package with arrow/csv on the same six columns.
func BenchmarkCSV(b *testing.B) {
	data := benchCSV()
	path := write(b, "bench.csv", data)
	schema, err := connectors.Schema(benchFields())
	require.NoError(b, err)
	b.Run("yumen", func(b *testing.B) {
		src := newSource(b, Options{Path: path, Format: CSV, Header: true, Fields: benchFields()})
		countRows(b, data, func() (array.RecordReader, error) { return src.Open(context.Background(), connectors.Scan{}) })
	})
	b.Run("arrow", func(b *testing.B) {
		countRows(b, data, func() (array.RecordReader, error) {
			f, err := os.Open(path)
			require.NoError(b, err)
			b.Cleanup(func() { f.Close() })
			return arrowcsv.NewReader(f, schema, arrowcsv.WithHeader(true), arrowcsv.WithChunk(connectors.DefaultBatchRows)), nil
		})
	})
}

func BenchmarkParquet(b *testing.B) {
	data := benchCSV()
	src := newSource(b, Options{Path: write(b, "bench.csv", data), Format: CSV, Header: true, Fields: benchFields()})
	r, err := src.Open(context.Background(), connectors.Scan{BatchRows: benchRows, MaxBatchBytes: 1 << 28})
	require.NoError(b, err)
	defer r.Release()
	require.True(b, r.Next())
	o := parquetOptions(b, r.Record(), nil, benchFields()...)
	o.Alloc = memory.DefaultAllocator
	pq := newSource(b, o)
	countRows(b, data, func() (array.RecordReader, error) { return pq.Open(context.Background(), connectors.Scan{}) })
}

func countRows(b *testing.B, data []byte, open func() (array.RecordReader, error)) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := open()
		require.NoError(b, err)
		var n int64
		for r.Next() {
			n += r.Record().NumRows()
		}
		require.NoError(b, r.Err())
		r.Release()
		require.EqualValues(b, benchRows, n)
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
