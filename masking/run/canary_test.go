package run

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
)

const canary = "CANARYBIRD"

type everyKey struct{}

func (everyKey) Key(purpose, name string) ([]byte, error) {
	sum := sm3.Sum([]byte(purpose + name))
	return sum[:], nil
}

// planted is a column of 40 rows of which the visible ones are given by value,
// with a canary before and behind the slice, under every null, and in entries
// of the dictionary that no row uses.
func planted(t *testing.T, typ arrow.DataType, visible func(i int) string) arrow.Array {
	t.Helper()
	const n = 40
	off, data := []int32{0}, []byte{}
	bits := make([]byte, (n+2+7)/8)
	for i := range n + 2 {
		v := canary + "hidden"
		if i > 0 && i <= n && i%4 != 0 {
			v = visible(i - 1)
			bits[i/8] |= 1 << (i % 8)
		}
		data = append(data, v...)
		off = append(off, int32(len(data)))
	}
	valid := memory.NewBufferBytes(bits)
	text := array.NewData(arrow.BinaryTypes.String, n+2, []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(off)),
		memory.NewBufferBytes(data)}, nil, 0, 0)
	switch typ.ID() {
	case arrow.STRING:
		d := array.NewData(typ, n+2, append([]*memory.Buffer{valid}, text.Buffers()[1:]...), nil, array.UnknownNullCount, 0)
		return array.NewSlice(array.MakeFromData(d), 1, n+1)
	case arrow.DICTIONARY:
		idx := make([]int32, n+2)
		for i := range idx {
			idx[i] = int32(i)
		}
		d := array.NewData(arrow.PrimitiveTypes.Int32, n+2, []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(idx))}, nil, array.UnknownNullCount, 0)
		return array.NewSlice(array.NewDictionaryArray(typ, array.MakeFromData(d), array.MakeFromData(text)), 1, n+1)
	}
	width := typ.(arrow.FixedWidthDataType).Bytes()
	raw := bytes.Repeat([]byte(canary), (n+2)*width/len(canary)+1)[:(n+2)*width]
	for i := 1; i <= n; i++ {
		if i%4 != 0 {
			clear(raw[i*width : (i+1)*width])
			raw[i*width] = byte(i)
		}
	}
	d := array.NewData(typ, n+2, []*memory.Buffer{valid, memory.NewBufferBytes(raw)}, nil, array.UnknownNullCount, 0)
	return array.NewSlice(array.MakeFromData(d), 1, n+1)
}

// TestNoCanaryInAnyFile runs every technique into files of both formats and
// looks for planted bytes in every file, the manifest included. Techniques
// that hide values get them in the open; those that keep or move values get
// them in hidden places.
func TestNoCanaryInAnyFile(t *testing.T) {
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	str, i64, day := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Date32
	cases := []struct {
		types  []arrow.DataType
		open   bool // the visible values are canaries too
		mask   string
		params map[string]string
		key    string
	}{
		{[]arrow.DataType{str, dict, i64, day}, false, "keep", nil, ""},
		{[]arrow.DataType{str, dict, i64, day}, true, "suppress", map[string]string{"as": "null"}, ""},
		{[]arrow.DataType{str, dict}, true, "suppress", map[string]string{"as": "*"}, ""},
		{[]arrow.DataType{str, dict}, true, "redact", map[string]string{"keep_first": "2"}, ""},
		{[]arrow.DataType{str, dict}, true, "generalize", map[string]string{"to": "hierarchy", "level": "1", "table": canary + "1;x"}, ""},
		{[]arrow.DataType{i64}, false, "generalize", map[string]string{"to": "range", "width": "10"}, ""},
		{[]arrow.DataType{day}, false, "generalize", map[string]string{"to": "month"}, ""},
		{[]arrow.DataType{str, dict, i64}, true, "pseudonym", nil, "k"},
		{[]arrow.DataType{str, dict}, true, "fpe", map[string]string{"alphabet": "custom", "symbols": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}, "k"},
		{[]arrow.DataType{str, dict}, true, "encrypt", nil, "k"},
		{[]arrow.DataType{day}, false, "date_shift", map[string]string{"subject": "who", "range": "30"}, "k"},
		{[]arrow.DataType{i64}, false, "microaggregate", map[string]string{"k": "3"}, ""},
		{[]arrow.DataType{str, dict, i64, day}, false, "shuffle", map[string]string{"least": "2"}, "k"},
		{[]arrow.DataType{i64, day}, false, "rank_swap", map[string]string{"percent": "20", "least": "2"}, "k"},
		{[]arrow.DataType{str, dict}, false, "pram", map[string]string{"categories": "v0;v1;v2", "keep": "1/2"}, "k"},
	}
	for _, c := range cases {
		for _, typ := range c.types {
			for _, f := range []Format{Parquet, Arrow} {
				t.Run(fmt.Sprintf("%s %v %s %s", c.mask, c.params["to"], typ, f), func(t *testing.T) {
					col := planted(t, typ, func(i int) string {
						if c.open {
							return fmt.Sprintf("%s%d", canary, i)
						}
						return fmt.Sprintf("v%d", i%3)
					})
					who, _, err := array.FromJSON(memory.DefaultAllocator, str, strings.NewReader("["+strings.Repeat(`"w",`, 39)+`"w"]`))
					require.NoError(t, err)
					meta := arrow.NewMetadata([]string{canary}, []string{canary})
					schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ, Nullable: true, Metadata: meta}, {Name: "who", Type: str, Nullable: true}}, &meta)
					p := &masking.Policy{Columns: []masking.Column{
						{Name: "c", Class: "attribute", Grade: "2", Technique: c.mask, Params: c.params, Key: c.key, Nulls: "keep", Malformed: "suppress"},
						{Name: "who", Class: "attribute", Grade: "2", Technique: "keep", Nulls: "keep"},
					}}
					m, err := masking.CompileWith(p, schema, masking.Sources{Keys: everyKey{}})
					require.NoError(t, err)
					rec := array.NewRecord(schema, []arrow.Array{col, who}, 40)
					open := func(context.Context) (array.RecordReader, error) {
						return array.NewRecordReader(schema, []arrow.Record{rec})
					}
					dir := filepath.Join(t.TempDir(), "out")
					out, err := Run(context.Background(), m, Input{Open: open}, Options{Dir: dir, Format: f})
					require.NoError(t, err)
					require.EqualValues(t, 40, out.Rows)
					require.EqualValues(t, 10, out.Columns[0].Nulls)
					requireNoCanary(t, dir)
				})
			}
		}
	}
}

func requireNoCanary(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		for from := 0; from+5 <= len(canary); from++ {
			require.NotContains(t, string(raw), canary[from:from+5], e.Name())
		}
	}
}
