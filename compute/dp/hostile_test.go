package dp

import (
	"context"
	"math"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute"
)

// TestFiltersAgainstNaive: what remains is what a plain loop keeps.
func TestFiltersAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		op := rapid.SampledFrom([]compute.Op{compute.Eq, compute.Ne, compute.Lt, compute.Le, compute.Gt, compute.Ge, compute.In}).Draw(t, "op")
		w := rapid.Int64Range(-5, 120).Draw(t, "w")
		num := compute.Filter{Field: "area", Op: op, Value: strconv.FormatInt(w, 10)}
		if op == compute.In {
			num.Value, num.Values = "", []string{"3", strconv.FormatInt(w, 10)}
		}
		text := compute.Filter{Field: "district", Op: rapid.SampledFrom([]compute.Op{compute.Eq, compute.Ne}).Draw(t, "text op"), Value: "east"}
		lit := everything()
		lit.Filters = []compute.Filter{num, text}
		filtered, err := NewPlan(lit, testSchema)
		require.NoError(t, err)
		whole, err := NewPlan(everything(), testSchema)
		require.NoError(t, err)
		var kept []row
		for _, r := range rows {
			if r.area == nil || r.district == nil || (*r.district == "east") != (text.Op == compute.Eq) {
				continue
			}
			v := *r.area
			if map[compute.Op]bool{compute.Eq: v == w, compute.Ne: v != w, compute.Lt: v < w, compute.Le: v <= w, compute.Gt: v > w, compute.Ge: v >= w, compute.In: v == w || v == 3}[op] {
				kept = append(kept, r)
			}
		}
		require.Equal(t, bound(t, whole, kept, 9).totals, bound(t, filtered, rows, 9).totals)
	})
}

func TestFiltersRefused(t *testing.T) {
	for name, f := range map[string]compute.Filter{
		"no field":     {Op: compute.Eq},
		"unknown":      {Field: "xx", Op: compute.Eq, Value: "1"},
		"by subject":   {Field: "rid", Op: compute.Eq, Value: "secret"},
		"text order":   {Field: "district", Op: compute.Lt, Value: "secret"},
		"no number":    {Field: "area", Op: compute.Eq, Value: "secret"},
		"a fraction":   {Field: "area", Op: compute.Eq, Value: "1.5"},
		"an exponent":  {Field: "area", Op: compute.Eq, Value: "1e3"},
		"a quotient":   {Field: "area", Op: compute.Eq, Value: "1/1"},
		"beyond range": {Field: "area", Op: compute.Lt, Value: strconv.FormatInt(math.MaxInt64, 10)},
		"no operator":  {Field: "area", Value: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			lit := everything()
			lit.Filters = []compute.Filter{f}
			_, err := NewPlan(lit, testSchema)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

// TestNumberOf: a trailing zero is the same number, a lost digit is none.
func TestNumberOf(t *testing.T) {
	n, ok := numberOf("-12.50", 2)
	require.True(t, ok)
	require.Equal(t, int64(-1250), n)
	_, ok = numberOf("12.505", 2)
	require.False(t, ok)
}

// TestBrokenBatches: buffers that lie about themselves end in an error, not in a
// read outside them.
func TestBrokenBatches(t *testing.T) {
	data := func(dt arrow.DataType, n, nulls int, bufs ...*memory.Buffer) arrow.ArrayData {
		return array.NewData(dt, n, bufs, nil, nulls, 0)
	}
	raw := func(n int) *memory.Buffer { return memory.NewBufferBytes(make([]byte, n)) }
	offs := func(v ...int32) *memory.Buffer { return memory.NewBufferBytes(arrow.GetBytes(v)) }
	words := func(dt arrow.DataType, bufs ...*memory.Buffer) *array.Dictionary {
		values := array.NewStringData(data(arrow.BinaryTypes.String, 1, 0, nil, offs(0, 1), raw(1)))
		return array.NewDictionaryArray(&arrow.DictionaryType{IndexType: dt, ValueType: arrow.BinaryTypes.String}, array.MakeFromData(data(dt, 2, 0, bufs...)), values)
	}
	for name, make := range map[string]func() arrow.Array{
		"short bitmap": func() arrow.Array {
			return array.NewInt64Data(data(arrow.PrimitiveTypes.Int64, 20, 1, raw(1), raw(160)))
		},
		"offsets back": func() arrow.Array {
			return array.NewStringData(data(arrow.BinaryTypes.String, 2, 0, nil, offs(0, 5, 3), raw(5)))
		},
		"offsets below zero": func() arrow.Array {
			return array.NewStringData(data(arrow.BinaryTypes.String, 2, 0, nil, offs(-1, 0, 3), raw(5)))
		},
		"position outside": func() arrow.Array {
			return words(arrow.PrimitiveTypes.Int8, nil, memory.NewBufferBytes([]byte{0, 1}))
		},
		"position below zero": func() arrow.Array {
			return words(arrow.PrimitiveTypes.Int8, nil, memory.NewBufferBytes([]byte{0, 0xff}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var arr arrow.Array
			func() {
				defer func() {
					if recover() != nil {
						arr = nil // the library refuses to build it
					}
				}()
				arr = make()
			}()
			if arr == nil {
				t.Skip("refused by the library")
			}
			c := column{name: "x", dt: arr.DataType()}
			require.ErrorIs(t, c.begin(arr), compute.ErrData)
		})
	}
}

// TestOtherSchemaRefused: a source that changed since the plan was made.
func TestOtherSchemaRefused(t *testing.T) {
	p, err := NewPlan(everything(), testSchema)
	require.NoError(t, err)
	other := arrow.NewSchema([]arrow.Field{{Name: "rid", Type: arrow.PrimitiveTypes.Uint64}}, nil)
	src, err := array.NewRecordReader(other, nil)
	require.NoError(t, err)
	defer src.Release()
	_, err = p.Bound(context.Background(), src, testKey)
	require.ErrorIs(t, err, compute.ErrQuery, "beyond int64 two subjects would be one")
}
