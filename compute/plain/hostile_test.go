package plain_test

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

func buf[T arrow.FixedWidthType](v ...T) *memory.Buffer {
	return memory.NewBufferBytes(arrow.GetBytes(v))
}

func dictOf(index []byte) arrow.Array {
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	values := array.NewData(arrow.BinaryTypes.String, 2, []*memory.Buffer{nil, buf[int32](0, 1, 2), memory.NewBufferBytes([]byte("ab"))}, nil, 0, 0)
	return array.NewDictionaryData(array.NewDataWithDictionary(dt, len(index), []*memory.Buffer{nil, memory.NewBufferBytes(index)}, 0, 0, values))
}

// TestHostileBatches hands in arrays whose buffers contradict their type; each
// ends with ErrData that names field and row and repeats no value.
func TestHostileBatches(t *testing.T) {
	text := func(data string, offs ...int32) arrow.Array {
		return array.MakeFromData(array.NewData(arrow.BinaryTypes.String, len(offs)-1,
			[]*memory.Buffer{nil, buf(offs...), memory.NewBufferBytes([]byte(data))}, nil, 0, 0))
	}
	for _, c := range []struct {
		name string
		arr  arrow.Array
		says string
	}{
		{"offsets backwards", text("secret", 0, 5, 2, 6), "offsets run backwards"},
		{"offset negative", text("secret", -1, 1, 2, 3), "offsets run backwards"},
		{"not UTF-8", text("se\xffret", 0, 1, 3, 6), "row 2"},
		{"no buffer of values", array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Int64, 3, []*memory.Buffer{nil, nil}, nil, 0, 0)), "shorter than the batch"},
		{"short bits of booleans", array.MakeFromData(array.NewData(arrow.FixedWidthTypes.Boolean, 3, []*memory.Buffer{nil, nil}, nil, 0, 0)), "shorter than the batch"},
		{"date outside the calendar", array.MakeFromData(array.NewData(arrow.FixedWidthTypes.Date32, 3, []*memory.Buffer{nil, buf[int32](0, 1, 1<<30)}, nil, 0, 0)), "row 3"},
		{"position outside", dictOf([]byte{0, 1, 2}), "points outside"},
		{"position negative", dictOf([]byte{0, 255, 1}), "points outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: c.arr.DataType(), Nullable: true}}, nil)
			q := &compute.Query{Dataset: "d", RowSubjects: true, GroupBy: []string{"k"}, Measures: []compute.Measure{{Kind: compute.Count}}}
			mem := checked(t)
			res, err := run(t, plain.Options{Alloc: mem}, q, schema, array.NewRecord(schema, []arrow.Array{c.arr}, 3))
			require.ErrorIs(t, err, compute.ErrData)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, `"k"`)
			require.NotContains(t, err.Error(), "se\xff")
			require.NotContains(t, err.Error(), "secret")
			require.Nil(t, res)
		})
	}
}

// TestNullsUnderTheBitmap puts values under null positions, of the dictionary
// and of the column, which must show nowhere.
func TestNullsUnderTheBitmap(t *testing.T) {
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint64, ValueType: arrow.BinaryTypes.LargeString}
	values := array.NewData(arrow.BinaryTypes.LargeString, 3,
		[]*memory.Buffer{memory.NewBufferBytes([]byte{0b011}), buf[int64](0, 1, 2, 8), memory.NewBufferBytes([]byte("absecret"))}, nil, 1, 0)
	keys := array.NewDictionaryData(array.NewDataWithDictionary(dt, 4,
		[]*memory.Buffer{memory.NewBufferBytes([]byte{0b1011}), buf[uint64](0, 2, 1<<63, 1)}, 1, 0, values))
	sums := array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Int64, 4,
		[]*memory.Buffer{memory.NewBufferBytes([]byte{0b1101}), buf[int64](1, 1<<62, 4, 8)}, nil, 1, 0))
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: dt}, {Name: "v", Type: arrow.PrimitiveTypes.Int64}}, nil)
	q := &compute.Query{Dataset: "d", RowSubjects: true, GroupBy: []string{"k"}, Measures: []compute.Measure{{Kind: compute.Sum, Field: "v"}}}
	res, err := run(t, plain.Options{}, q, schema, array.NewRecord(schema, []arrow.Array{keys, sums}, 4))
	require.NoError(t, err)
	require.Equal(t, []string{
		"total subjects=4 universe=4 rows=4 read=4 lost=0",
		`["\x00null"] subjects=2 records=2 [4 / by 1: 4 4 0]`,
		`["a"] subjects=1 records=1 [1 / by 1: 1 1 0]`,
		`["b"] subjects=1 records=1 [8 / by 1: 8 8 0]`,
	}, flatten(res))
}
