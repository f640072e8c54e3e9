package pqwrite

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/kernel"
)

// stored is the JSON of a column and the type a reader gives it back in.
var stored = []struct {
	typ, back arrow.DataType
	json      string
}{
	{arrow.BinaryTypes.String, nil, `["a",null,"","张三","b"]`},
	{arrow.BinaryTypes.LargeString, arrow.BinaryTypes.String, `["a",null,"","张三","b"]`},
	{arrow.FixedWidthTypes.Boolean, nil, `[true,null,false,true,true]`},
	{arrow.PrimitiveTypes.Int8, nil, `[-128,null,127,0,1]`},
	{arrow.PrimitiveTypes.Int16, nil, `[-32768,null,32767,0,1]`},
	{arrow.PrimitiveTypes.Int32, nil, `[-2147483648,null,2147483647,0,1]`},
	{arrow.PrimitiveTypes.Int64, nil, `[-9223372036854775808,null,9223372036854775807,0,1]`},
	{arrow.PrimitiveTypes.Uint8, nil, `[255,null,0,1,2]`},
	{arrow.PrimitiveTypes.Uint16, nil, `[65535,null,0,1,2]`},
	{arrow.PrimitiveTypes.Uint32, nil, `[4294967295,null,0,1,2]`},
	{arrow.PrimitiveTypes.Uint64, nil, `[18446744073709551615,null,0,1,2]`},
	{arrow.PrimitiveTypes.Float32, nil, `[1.5,null,-2.25,0,1]`},
	{arrow.PrimitiveTypes.Float64, nil, `[1.5,null,-2.25,0,1e300]`},
	{arrow.FixedWidthTypes.Date32, nil, `["1990-01-31",null,"0001-01-01","1969-12-31","2024-02-29"]`},
	{arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Date32, `["1990-01-31",null,"0001-01-01","1969-12-31","2024-02-29"]`},
	{&arrow.TimestampType{Unit: arrow.Second}, &arrow.TimestampType{Unit: arrow.Millisecond}, `["1990-01-31T10:00:00",null,"1969-12-31T23:59:59","1970-01-01","2024-02-29"]`},
	{&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, nil, `["1990-01-31T10:00:00Z",null,"1969-12-31T23:59:59.001Z","1970-01-01Z","2024-02-29Z"]`},
	{&arrow.TimestampType{Unit: arrow.Microsecond}, nil, `["1990-01-31T10:00:00.000001",null,"1969-12-31T23:59:59","1970-01-01","2024-02-29"]`},
	{&arrow.TimestampType{Unit: arrow.Nanosecond}, nil, `["1990-01-31T10:00:00.000000001",null,"1969-12-31T23:59:59","1970-01-01","2024-02-29"]`},
	{&arrow.Decimal128Type{Precision: 38, Scale: 2}, nil, `["-123456789012345678901234567890.12",null,"0.01","-0.01","99.99"]`},
	{&arrow.Decimal128Type{Precision: 10, Scale: 0}, nil, `["-1",null,"0","1","9999999999"]`},
}

func TestEveryTypeComesBack(t *testing.T) {
	for _, c := range stored {
		if c.back == nil {
			c.back = c.typ
		}
		t.Run(c.typ.String(), func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			in, _, err := array.FromJSON(mem, c.typ, strings.NewReader(c.json))
			require.NoError(t, err)
			defer in.Release()
			for from := range in.Len() {
				part := array.NewSlice(in, int64(from), int64(in.Len()))
				got := roundTrip(t, part)
				require.True(t, arrow.TypeEqual(c.back, got.DataType()), got.DataType().String())
				for i := range part.Len() {
					require.Equal(t, part.IsNull(i), got.IsNull(i))
					if !part.IsNull(i) && part.DataType().ID() != arrow.DATE64 {
						require.Equal(t, strings.TrimSuffix(part.ValueStr(i), "Z"), strings.TrimSuffix(got.ValueStr(i), "Z"))
					}
				}
				part.Release()
			}
		})
	}
}

func TestDaysOfMilliseconds(t *testing.T) {
	in, _, err := array.FromJSON(memory.DefaultAllocator, arrow.FixedWidthTypes.Date64, strings.NewReader(`["1969-12-31","1990-01-31"]`))
	require.NoError(t, err)
	got := roundTrip(t, in).(*array.Date32)
	require.Equal(t, []arrow.Date32{-1, 7335}, got.Date32Values())
}

func TestDictionaryBecomesText(t *testing.T) {
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	in, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(`["a","b",null,"a"]`))
	require.NoError(t, err)
	got := roundTrip(t, in).(*array.String)
	require.Equal(t, []string{"a", "b", "", "a"}, []string{got.Value(0), got.Value(1), got.Value(2), got.Value(3)})
	require.True(t, got.IsNull(2))
}

func roundTrip(t require.TestingT, a arrow.Array) arrow.Array {
	schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: a.DataType(), Nullable: true}}, nil)
	rec := array.NewRecord(schema, []arrow.Array{a}, int64(a.Len()))
	defer rec.Release()
	raw := write(t, schema, rec)
	r, err := file.NewParquetReader(bytes.NewReader(raw))
	require.NoError(t, err)
	require.Nil(t, r.MetaData().KeyValueMetadata())
	chunk, err := r.MetaData().RowGroup(0).ColumnChunk(0)
	require.NoError(t, err)
	set, err := chunk.StatsSet()
	require.NoError(t, err)
	require.False(t, set)
	fr, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	require.NoError(t, err)
	table, err := fr.ReadTable(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, a.Len(), table.NumRows())
	got, err := array.Concatenate(table.Column(0).Data().Chunks(), memory.DefaultAllocator)
	require.NoError(t, err)
	return got
}

func write(t require.TestingT, schema *arrow.Schema, recs ...arrow.Record) []byte {
	s, err := NewSchema(schema)
	require.NoError(t, err)
	var out bytes.Buffer
	w, err := NewWriter(&out, s)
	require.NoError(t, err)
	for _, rec := range recs {
		p, err := s.Encode(rec)
		require.NoError(t, err)
		require.NoError(t, w.Write(p))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// TestManyBatches goes over several row groups, nulls anywhere, and batches of
// any size, one of more than a page.
func TestManyBatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		schema := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
			{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 7, 100, 70000}), 1, 6).Draw(rt, "sizes")
		every := rapid.IntRange(1, 9).Draw(rt, "every")
		var recs []arrow.Record
		var want []string
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, n := range sizes {
			for range n {
				at := len(want)
				if at%every == 1 {
					b.Field(0).AppendNull()
					b.Field(1).AppendNull()
					want = append(want, "-")
					continue
				}
				v := strings.Repeat("x", at%13)
				b.Field(0).(*array.StringBuilder).Append(v)
				b.Field(1).(*array.Int64Builder).Append(int64(at))
				want = append(want, v)
			}
			recs = append(recs, b.NewRecord())
		}
		raw := write(rt, schema, recs...)
		table, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(raw), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		require.NoError(rt, err)
		require.EqualValues(rt, len(want), table.NumRows())
		at := 0
		for _, c := range table.Column(0).Data().Chunks() {
			for i := range c.Len() {
				if got := c.(*array.String); got.IsNull(i) != (want[at] == "-") || (!got.IsNull(i) && got.Value(i) != want[at]) {
					rt.Fatalf("row %d differs", at)
				}
				at++
			}
		}
	})
}

func TestRefused(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.ListOf(arrow.BinaryTypes.String), arrow.BinaryTypes.Binary, arrow.FixedWidthTypes.Time32s,
		&arrow.Decimal128Type{Precision: 3, Scale: 4}, &arrow.Decimal256Type{Precision: 40}} {
		_, err := NewSchema(arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ}}, nil))
		require.ErrorIs(t, err, kernel.ErrType)
		require.ErrorContains(t, err, `"c"`)
	}
	far, _, err := array.FromJSON(memory.DefaultAllocator, arrow.PrimitiveTypes.Int64, strings.NewReader(`[9223372036854775807]`))
	require.NoError(t, err)
	typ := &arrow.TimestampType{Unit: arrow.Second}
	d := array.NewData(typ, 1, far.Data().Buffers(), nil, 0, 0)
	schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ}}, nil)
	s, err := NewSchema(schema)
	require.NoError(t, err)
	_, err = s.Encode(array.NewRecord(schema, []arrow.Array{array.MakeFromData(d)}, 1))
	require.ErrorIs(t, err, errTime)
}

// failing takes so many bytes and then fails, or lies about what it took.
type failing struct {
	left  int
	short bool
}

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if len(b) <= f.left {
		f.left -= len(b)
		return len(b), nil
	}
	n := f.left
	f.left = 0
	if f.short {
		return n, nil
	}
	return n, errFull
}

func TestEveryFailureOfTheWriterIsNoticed(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: arrow.BinaryTypes.String}}, nil)
	a, _, err := array.FromJSON(memory.DefaultAllocator, arrow.BinaryTypes.String, strings.NewReader(`["abc","def"]`))
	require.NoError(t, err)
	rec := array.NewRecord(schema, []arrow.Array{a}, 2)
	s, err := NewSchema(schema)
	require.NoError(t, err)
	whole := len(write(t, schema, rec))
	for room := range whole {
		for _, short := range []bool{true, false} {
			w, err := NewWriter(&failing{left: room, short: short}, s)
			if err == nil {
				p, e := s.Encode(rec)
				require.NoError(t, e)
				require.NoError(t, w.Write(p))
				err = w.Close()
			}
			require.Error(t, err)
		}
	}
}

// TestPagesThatDoNotShrink come back too, and cost a few bytes at most.
func TestPagesThatDoNotShrink(t *testing.T) {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	x := uint64(1)
	for range 60000 {
		x = x*6364136223846793005 + 1442695040888963407
		b.Append(int64(x ^ x>>29))
	}
	in := b.NewArray()
	require.True(t, array.Equal(in, roundTrip(t, in)))
	s, err := NewSchema(arrow.NewSchema([]arrow.Field{{Name: "c", Type: in.DataType()}}, nil))
	require.NoError(t, err)
	src := in.Data().Buffers()[1].Bytes()[:in.Len()*8]
	packed := pack(s.codec, make([]byte, s.codec.CompressBound(int64(len(src)))), src)
	require.Less(t, len(packed), len(src)+10)
	require.Equal(t, src, s.codec.Decode(nil, packed))
	same := make([]byte, 1<<20)
	require.Less(t, len(pack(s.codec, make([]byte, s.codec.CompressBound(1<<20)), same)), 1<<17)
}
