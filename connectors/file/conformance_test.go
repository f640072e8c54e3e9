package file

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/connectorstest"
)

// TestR2_FilesConform: files are one of the ways in, and keep every promise of
// a connector.
func TestR2_FilesConform(t *testing.T) {
	t.Run("csv", func(t *testing.T) {
		connectorstest.Run(t, func(t *testing.T, f connectorstest.Fixture) connectors.Source {
			return newSource(t, Options{Path: write(t, "a.csv", asCSV(t, f.Stored)), Format: CSV, Header: true, Fields: f.Declared, Alloc: f.Alloc})
		})
	})
	t.Run("csv in a root, with row number", func(t *testing.T) {
		connectorstest.Run(t, func(t *testing.T, f connectorstest.Fixture) connectors.Source {
			p := write(t, "a.csv", asCSV(t, f.Stored))
			return newSource(t, Options{Path: "a.csv", Root: filepath.Dir(p), Format: CSV, Header: true, RowNumber: "行号", Fields: f.Declared, Alloc: f.Alloc})
		})
	})
	for name, props := range writers() {
		t.Run("parquet "+name, func(t *testing.T) {
			connectorstest.Run(t, func(t *testing.T, f connectorstest.Fixture) connectors.Source {
				o := parquetOptions(t, f.Stored, props, f.Declared...)
				o.Alloc = f.Alloc
				return newSource(t, o)
			})
		})
	}
}

func writers() map[string]*parquet.WriterProperties {
	return map[string]*parquet.WriterProperties{
		"plain":         parquet.NewWriterProperties(parquet.WithDictionaryDefault(false)),
		"snappy pages":  parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageSize(500), parquet.WithBatchSize(16)),
		"zstd groups":   parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(400)),
		"gzip v2 pages": parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Gzip), parquet.WithDataPageVersion(parquet.DataPageV2)),
		"snappy v2":     parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDataPageSize(300), parquet.WithBatchSize(16)),
	}
}

func newSource(t testing.TB, o Options) connectors.Source {
	src, err := New(o)
	require.NoError(t, err)
	return src
}

// asCSV writes a record the way other programs do.
func asCSV(t testing.TB, rec arrow.Record) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var names []string
	for _, f := range rec.Schema().Fields() {
		names = append(names, f.Name)
	}
	require.NoError(t, w.Write(names))
	for i := range int(rec.NumRows()) {
		line := make([]string, len(names))
		for c, col := range rec.Columns() {
			if col.IsValid(i) {
				line[c] = cellText(col, i)
			}
		}
		require.NoError(t, w.Write(line))
	}
	w.Flush()
	return b.Bytes()
}

func cellText(col arrow.Array, i int) string {
	switch a := col.(type) {
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10)
	case *array.Float64:
		return strconv.FormatFloat(a.Value(i), 'g', -1, 64)
	case *array.Timestamp:
		return time.UnixMilli(int64(a.Value(i))).In(time.FixedZone("", connectors.BeijingOffset)).Format("2006-01-02 15:04:05.000")
	}
	return col.ValueStr(i)
}

func TestConformanceKeepsNoFilesOpen(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("open files can be counted on Linux only")
	}
	o := csvOptions(t, "a\n1\n2\nx\n", field("a", "int64"))
	before, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for range 50 {
		_, err := readAll(t, o, connectors.Scan{BatchRows: 1})
		require.ErrorIs(t, err, connectors.ErrMalformed)
	}
	after, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	require.Len(t, after, len(before), "files left open")
}
