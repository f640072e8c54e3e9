package file

import (
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/connectors"
)

// slowColumn copies value by value; "" is no rule broken.
func slowColumn(t testing.TB, c *storedColumn, want arrow.DataType, at, n, cell int) (arrow.Array, string) {
	conv, rule := newConverter(c.arr.DataType(), want)
	require.Empty(t, rule)
	to := array.NewBuilder(memory.DefaultAllocator, want)
	defer to.Release()
	add := conv(c.arr)
	for i := at; i < at+n; i++ {
		switch {
		case c.arr.IsNull(i) && c.field.Nullable:
			to.AppendNull()
		case c.arr.IsNull(i):
			return nil, ruleNull
		case c.text != nil && c.text.ValueLen(i) > cell:
			return nil, ruleCellSize
		default:
			if rule := add(i, to); rule != "" {
				return nil, rule
			}
		}
	}
	return to.NewArray(), ""
}

// What is copied in one piece is what is copied value by value; what breaks a rule is never copied in one piece.
func TestACopyInOnePieceIsTheCopyValueByValue(t *testing.T) {
	texts := rapid.SampledFrom([]string{"", "a", "王小明", "\xe4", "\xb8\xad", "\xff", "x\x00y", "a longer text than a cell", "zz"})
	floats := rapid.SampledFrom([]float64{0, -1.5, math.MaxFloat64, math.NaN(), math.Inf(1)})
	dates := rapid.SampledFrom([]arrow.Date32{0, firstDay, lastDay, firstDay - 1, lastDay + 1})
	rapid.Check(t, func(rt *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		size := rapid.IntRange(1, 20).Draw(rt, "size")
		var b array.Builder
		var set func()
		switch rapid.IntRange(0, 3).Draw(rt, "type") {
		case 0:
			x := array.NewStringBuilder(memory.DefaultAllocator)
			b, set = x, func() { x.Append(texts.Draw(rt, "text")) }
		case 1:
			x := array.NewFloat64Builder(memory.DefaultAllocator)
			b, set = x, func() { x.Append(floats.Draw(rt, "float")) }
		case 2:
			x := array.NewDate32Builder(memory.DefaultAllocator)
			b, set = x, func() { x.Append(dates.Draw(rt, "date")) }
		default:
			x := array.NewInt64Builder(memory.DefaultAllocator)
			b, set = x, func() { x.Append(rapid.Int64().Draw(rt, "int")) }
		}
		for range size {
			if rapid.IntRange(0, 3).Draw(rt, "null") == 0 {
				b.AppendNull()
			} else {
				set()
			}
		}
		arr := b.NewArray()
		defer arr.Release()
		at := rapid.IntRange(0, size-1).Draw(rt, "at")
		n := rapid.IntRange(1, size-at).Draw(rt, "n")
		const cell = 12
		c := &storedColumn{arr: arr, field: connectors.Field{Name: "x", Nullable: rapid.Bool().Draw(rt, "nullable")}}
		c.text, _ = arr.(array.StringLike)
		want, rule := slowColumn(t, c, arr.DataType(), at, n, cell)
		got := bulkColumn(mem, c, arr.DataType(), at, n, cell)
		if rule != "" {
			require.Nil(rt, got, rule)
			return
		}
		defer want.Release()
		if got == nil {
			require.NotEqual(rt, arrow.INT64, arr.DataType().ID())
			return
		}
		defer got.Release()
		require.True(rt, array.Equal(want, got))
		for i := range n {
			if got.IsNull(i) && got.DataType().ID() == arrow.INT64 {
				require.Zero(rt, got.(*array.Int64).Value(i), "nothing lies under a null")
			}
		}
	})
}
