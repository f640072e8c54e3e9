package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
)

var testSchema = arrow.NewSchema([]arrow.Field{
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "city", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, Nullable: true},
}, nil)

// table makes a table of rows 0..n-1 in batches of a size.
func table(t testing.TB, mem memory.Allocator, n, size int) Open {
	t.Helper()
	return func(context.Context) (array.RecordReader, error) {
		b := array.NewRecordBuilder(mem, testSchema)
		defer b.Release()
		var recs []arrow.Record
		for i := range n {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("人%d", i))
			if i%5 == 3 {
				b.Field(1).AppendNull()
			} else {
				b.Field(1).(*array.Int64Builder).Append(int64(i % 90))
			}
			if err := b.Field(2).(*array.BinaryDictionaryBuilder).AppendString([]string{"昌邑", "龙潭", "船营"}[i%3]); err != nil {
				return nil, err
			}
			if (i+1)%size == 0 || i+1 == n {
				recs = append(recs, b.NewRecord())
			}
		}
		defer func() {
			for _, r := range recs {
				r.Release()
			}
		}()
		return array.NewRecordReader(testSchema, recs)
	}
}

func testPolicy() *masking.Policy {
	c := func(name, class, technique, nulls string, params map[string]string) masking.Column {
		return masking.Column{Name: name, Class: class, Grade: "2", Technique: technique, Nulls: nulls, Params: params}
	}
	return &masking.Policy{Name: "t", Columns: []masking.Column{
		c("name", masking.ClassDirect, "redact", "keep", map[string]string{"keep_first": "1"}),
		c("age", masking.ClassQuasi, "generalize", "suppress", map[string]string{"to": "range", "width": "10"}),
		c("city", masking.ClassQuasi, "keep", "keep", nil),
	}}
}

func testMasker(t testing.TB, mem memory.Allocator) masking.Masker {
	t.Helper()
	m, err := masking.Compile(testPolicy(), testSchema, nil, mem)
	require.NoError(t, err)
	return m
}

// cells reads a finished table back.
func cells(t testing.TB, dir string) []string {
	t.Helper()
	r, m, err := OpenTable(context.Background(), dir)
	require.NoError(t, err)
	defer r.Release()
	var out []string
	for r.Next() {
		for i := range int(r.Record().NumRows()) {
			line := ""
			for _, c := range r.Record().Columns() {
				line += c.ValueStr(i) + "|"
			}
			out = append(out, line)
		}
	}
	require.NoError(t, r.Err())
	require.EqualValues(t, len(out), m.Rows)
	return out
}

// wanted is what testPolicy makes of table.
func wanted(n int) []string {
	var out []string
	for i := range n {
		if i%5 == 3 {
			continue
		}
		low := i % 90 / 10 * 10
		hidden := ""
		for range len(fmt.Sprint(i)) {
			hidden += "*"
		}
		first := "人"
		if len(hidden) < 1 {
			first = "*"
		}
		out = append(out, fmt.Sprintf("%s%s|[%d,%d)|%s|", first, hidden, low, low+10, []string{"昌邑", "龙潭", "船营"}[i%3]))
	}
	return out
}

func TestRun(t *testing.T) {
	for _, f := range []Format{Parquet, Arrow} {
		for _, n := range []int{0, 1, 1000} {
			t.Run(fmt.Sprintf("%s %d", f, n), func(t *testing.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				defer mem.AssertSize(t, 0)
				dir := filepath.Join(t.TempDir(), "out")
				in := Input{Open: table(t, mem, n, 70), Digest: [32]byte{1}, Rows: int64(n)}
				last := Progress{}
				m, err := Run(context.Background(), testMasker(t, mem), in, Options{Dir: dir, Format: f, PartRows: 300, Workers: 3,
					Progress: func(p Progress) { last = p }, Measure: countRows})
				require.NoError(t, err)
				require.True(t, m.Complete)
				require.EqualValues(t, n, m.RowsRead)
				require.EqualValues(t, n, last.Rows)
				require.EqualValues(t, len(wanted(n)), last.Written)
				require.Equal(t, len(wanted(n)), len(cells(t, dir)))
				if n > 0 {
					require.Equal(t, wanted(n), cells(t, dir))
				}
				require.Equal(t, float64(n), m.Before["rows"])
				require.Equal(t, float64(len(wanted(n))), m.After["rows"])
				loaded, err := Load(dir)
				require.NoError(t, err)
				require.Equal(t, m, loaded)
				entries, err := os.ReadDir(dir)
				require.NoError(t, err)
				require.Len(t, entries, len(m.Parts)+1)
				_, err = Run(context.Background(), testMasker(t, mem), in, Options{Dir: dir, Format: f})
				require.ErrorIs(t, err, ErrExists)
			})
		}
	}
}

func countRows(ctx context.Context, _ Stage, read Open) (map[string]float64, error) {
	r, err := read(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	n := int64(0)
	for r.Next() {
		n += r.Record().NumRows()
	}
	return map[string]float64{"rows": float64(n)}, r.Err()
}

func compileTest(p *masking.Policy) (masking.Masker, error) { return compileOver(p, testSchema) }

func compileOver(p *masking.Policy, s *arrow.Schema) (masking.Masker, error) {
	return masking.Compile(p, s, nil, nil)
}
