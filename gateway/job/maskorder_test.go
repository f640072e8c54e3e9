package job

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/stretchr/testify/require"
)

// chain is a source of bytes that repeats itself.
type chain byte

func (c chain) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c) + byte(i)
	}
	return len(b), nil
}

func scatter(t *testing.T, seed byte, rows int) []int64 {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, dataName)
	out, err := newScattered(&parquetFile{path: path}, filepath.Join(dir, "heaps"), chain(seed))
	require.NoError(t, err)
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	for at := 0; at < rows; at += 1000 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := at; i < min(at+1000, rows); i++ {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
			if i%7 == 0 {
				b.Field(1).AppendNull()
			} else {
				b.Field(1).(*array.StringBuilder).Append(string(rune('a' + i%26)))
			}
		}
		rec := b.NewRecord()
		require.NoError(t, out.write(rec))
		rec.Release()
		b.Release()
	}
	require.NoError(t, out.close(nil))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "heaps do not stay")
	return firstColumn(t, path)
}

// firstColumn gives it and holds the second to it: records stay whole.
func firstColumn(t *testing.T, path string) []int64 {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	table, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(raw), parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	require.NoError(t, err)
	defer table.Release()
	column := func(i int) arrow.Array {
		a, err := array.Concatenate(table.Column(i).Data().Chunks(), memory.DefaultAllocator)
		require.NoError(t, err)
		return a
	}
	n, s := column(0).(*array.Int64), column(1).(*array.String)
	var out []int64
	for i := range n.Len() {
		v := n.Value(i)
		out = append(out, v)
		require.Equal(t, v%7 == 0, s.IsNull(i))
		if s.IsValid(i) {
			require.Equal(t, string(rune('a'+v%26)), s.Value(i))
		}
	}
	return out
}

// Two tables of one register cannot be joined by the place of a record, nor does the place say where it
// stood in the register.
func TestMaskedRecordsStandInAnOrderOfTheirOwn(t *testing.T) {
	const rows = 20_000
	a, b := scatter(t, 1, rows), scatter(t, 2, rows)
	same, kept, near := 0, 0, 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
		if a[i] == int64(i) {
			kept++
		}
		if i > 0 && a[i] == a[i-1]+1 {
			near++
		}
	}
	require.Less(t, same, 12, "one is expected: more than 12 has a chance below 1e-9")
	require.Less(t, kept, 12)
	require.Less(t, near, 12)
	slices.Sort(a)
	for i := range a {
		require.EqualValues(t, i, a[i], "every record once")
	}
	require.Equal(t, []int64{0}, scatter(t, 3, 1))
}

func TestScatteredAfterAnErrorLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	out, err := newScattered(&parquetFile{path: filepath.Join(dir, dataName)}, filepath.Join(dir, "heaps"), chain(1))
	require.NoError(t, err)
	require.ErrorIs(t, out.close(context.Canceled), context.Canceled)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}
