package file

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

// checked gives an allocator that must be empty at the end of the test.
func checked(t testing.TB) *memory.CheckedAllocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

func write(t testing.TB, name string, content []byte) string {
	p := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(p, content, 0o600))
	return p
}

func csvOptions(t testing.TB, text string, fields ...connectors.Field) Options {
	return Options{Path: write(t, "in.csv", []byte(text)), Format: CSV, Header: true, Fields: fields, Alloc: checked(t)}
}

func field(name, typ string) connectors.Field { return connectors.Field{Name: name, Type: typ} }
func nullable(name, typ string) connectors.Field {
	return connectors.Field{Name: name, Type: typ, Nullable: true}
}

// readAll gives the rows as JSON text, one line a row.
func readAll(t testing.TB, o Options, s connectors.Scan) (string, error) {
	src, err := New(o)
	require.NoError(t, err)
	return drain(src, s)
}

func drain(src connectors.Source, s connectors.Scan) (string, error) {
	r, err := src.Open(context.Background(), s)
	if err != nil {
		return "", err
	}
	defer r.Release()
	var out strings.Builder
	for r.Next() {
		if err := array.RecordToJSON(r.Record(), &out); err != nil {
			return "", err
		}
	}
	return out.String(), r.Err()
}

func mustRead(t testing.TB, o Options) string {
	out, err := readAll(t, o, connectors.Scan{})
	require.NoError(t, err)
	return out
}

// parquetOptions stores a record and gives options that declare the fields.
func parquetOptions(t testing.TB, rec arrow.Record, props *parquet.WriterProperties, fields ...connectors.Field) Options {
	path := filepath.Join(t.TempDir(), "in.parquet")
	f, err := os.Create(path)
	require.NoError(t, err)
	if props == nil {
		props = parquet.NewWriterProperties()
	}
	w, err := pqarrow.NewFileWriter(rec.Schema(), f, props, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	require.NoError(t, err)
	require.NoError(t, w.Write(rec))
	require.NoError(t, w.Close())
	return Options{Path: path, Format: Parquet, Fields: fields, Alloc: checked(t)}
}

// record builds a record from JSON rows.
func record(t testing.TB, sc *arrow.Schema, rows string) arrow.Record {
	rec, _, err := array.RecordFromJSON(memory.NewGoAllocator(), sc, strings.NewReader(rows))
	require.NoError(t, err)
	return rec
}

// highWater remembers the most that was held at once.
type highWater struct {
	memory.Allocator
	held, high int
}

func (h *highWater) add(n int) { h.held += n; h.high = max(h.high, h.held) }

func (h *highWater) Allocate(n int) []byte {
	h.add(n)
	return h.Allocator.Allocate(n)
}

func (h *highWater) Reallocate(n int, b []byte) []byte {
	h.add(n - len(b))
	return h.Allocator.Reallocate(n, b)
}

func (h *highWater) Free(b []byte) {
	h.add(-len(b))
	h.Allocator.Free(b)
}
