package risk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/risk"
)

func TestTableOfSlicesAndDictionaries(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := record(t, mem, six)
	defer rec.Release()
	other := record(t, mem, `[{"sex":"zz","age":1,"city":"q","ill":"x"},{"sex":"f","age":30,"city":"a","ill":"x"}]`)
	defer other.Release()
	tail := rec.NewSlice(2, 6) // f 30, null null, null null, m 31
	defer tail.Release()
	one := other.NewSlice(1, 2) // f 30, with another dictionary
	defer one.Release()
	src := reader(t, tail, one)
	defer src.Release()
	table, err := risk.ReadTable(context.Background(), src, []string{"sex", "age"}, 5)
	require.NoError(t, err)
	require.Equal(t, 5, table.Rows())
	require.Equal(t, []string{"sex", "age"}, table.Columns())
	require.Equal(t, []int{3, 3, 0}, []int{table.Distinct("sex"), table.Distinct("age"), table.Distinct("no")})
	f, err := table.Figures(risk.Options{Quasi: []string{"sex", "age"}})
	require.NoError(t, err)
	require.Equal(t, []risk.Bin{{From: 1, To: 1, Classes: 1, Records: 1}, {From: 2, To: 2, Classes: 2, Records: 4}}, f.Histogram)
}

func TestTableRefuses(t *testing.T) {
	rec := record(t, memory.DefaultAllocator, six)
	read := func(columns []string, most int64) error {
		_, err := risk.ReadTable(context.Background(), reader(t, rec), columns, most)
		return err
	}
	require.ErrorContains(t, read([]string{"sex"}, 5), "more than 5 records")
	require.ErrorContains(t, read([]string{"no"}, 0), `column "no"`)
	require.ErrorContains(t, read([]string{"sex", "sex"}, 0), "exactly once")
	require.Error(t, read([]string{"sex"}, -1))
	require.NoError(t, read(nil, 6))
	b, err := risk.NewTableBuilder(schema, []string{"sex"}, 0)
	require.NoError(t, err)
	require.Error(t, b.Add(recordOf(t, townSchema, `[{"town":"a"}]`)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = risk.ReadTable(ctx, reader(t, rec), []string{"sex"}, 0)
	require.ErrorIs(t, err, context.Canceled)
	_, err = risk.ReadTable(context.Background(), &broken{reader(t, rec)}, []string{"sex"}, 0)
	require.ErrorIs(t, err, errBroken)
}

var errBroken = errors.New("broken")

// broken fails after its batches.
type broken struct{ array.RecordReader }

func (b *broken) Err() error { return errBroken }

func TestValueMissingFromHierarchy(t *testing.T) {
	table := tableOf(t, schema, `[{"sex":"m","age":30},{"sex":"CANARY","age":31},{"sex":"m","age":99}]`, "sex", "age")
	quasi := []risk.Quasi{{Column: "sex"}, {Column: "age", Hierarchy: hierarchy(t, ages)}}
	_, err := risk.Search(t.Context(), table, quasi, risk.Constraints{K: 1}, risk.Loss)
	require.EqualError(t, err, `search recoding: column "age" at row 2: the value is not in the hierarchy`)
	_, err = risk.Search(t.Context(), table, []risk.Quasi{{Column: "sex", Hierarchy: hierarchy(t, "m;*")}}, risk.Constraints{K: 1}, risk.Loss)
	require.EqualError(t, err, `search recoding: column "sex" at row 1: the value is not in the hierarchy`)
}

func TestConstraintsRefuse(t *testing.T) {
	table := tableOf(t, schema, six, "sex", "age", "ill")
	quasi := []risk.Quasi{{Column: "sex"}}
	bad := func(c risk.Constraints, s ...risk.Sensitive) {
		t.Helper()
		c.Sensitive = s
		_, err := risk.Search(t.Context(), table, quasi, c, risk.Loss)
		require.Error(t, err)
		require.NotErrorIs(t, err, risk.ErrNoRecoding)
	}
	one := risk.Constraints{K: 1}
	bad(risk.Constraints{})
	bad(risk.Constraints{K: 1, Suppress: "1.5"})
	bad(risk.Constraints{K: 1, Suppress: "1/2"})
	bad(risk.Constraints{K: 1, Suppress: "1e-999999999"})
	bad(one, risk.Sensitive{Column: "none"})
	bad(one, risk.Sensitive{Column: "sex"})
	bad(one, risk.Sensitive{Column: "ill", Distinct: -1})
	bad(one, risk.Sensitive{Column: "ill", Entropy: 0.5})
	bad(one, risk.Sensitive{Column: "ill", Recursive: &risk.Recursive{C: 0, L: 2}})
	bad(one, risk.Sensitive{Column: "ill", Closeness: &risk.Closeness{T: -1}})
	bad(one, risk.Sensitive{Column: "ill", Closeness: &risk.Closeness{Distance: 9}})
	bad(one, risk.Sensitive{Column: "ill", Closeness: &risk.Closeness{Distance: risk.Ordered}})
	bad(one, risk.Sensitive{Column: "age", Closeness: &risk.Closeness{Distance: risk.Ordered}}) // has nulls
	bad(one, risk.Sensitive{Column: "ill", Closeness: &risk.Closeness{Distance: risk.Hierarchical}})
	bad(one, risk.Sensitive{Column: "ill", Closeness: &risk.Closeness{Distance: risk.Hierarchical, Hierarchy: hierarchy(t, "x;*")}})
	bad(one, risk.Sensitive{Column: "ill", Closeness: &risk.Closeness{Distance: risk.Hierarchical, Hierarchy: hierarchy(t, "x;1\ny;2\nz;2")}})
	_, err := risk.Search(t.Context(), table, append(quasi, quasi...), one, risk.Loss)
	require.Error(t, err)
	_, err = risk.Search(t.Context(), table, quasi, one, risk.Measure(77))
	require.Error(t, err)
	_, err = risk.ParseMeasure("nothing")
	require.Error(t, err)
	m, err := risk.ParseMeasure("discernibility_star")
	require.NoError(t, err)
	require.Equal(t, risk.DiscernibilityStar, m)
	require.Equal(t, "unknown", risk.Measure(-1).String())
}

// TestNullsGeneralise: null is alone until the one label at the top.
func TestNullsGeneralise(t *testing.T) {
	table := tableOf(t, schema, `[{"age":30},{"age":null},{"age":31},{"age":null}]`, "age")
	quasi := []risk.Quasi{{Column: "age", Hierarchy: hierarchy(t, ages)}}
	r, err := risk.Search(t.Context(), table, quasi, risk.Constraints{K: 2}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, 1, r.Levels[0].Level)
	require.InDelta(t, (2*(1.0/4))/4, r.Value, 1e-15, "null is a fifth leaf")
	after, _ := r.Apply()
	require.Equal(t, 2, after.Distinct("age"))
	r, err = risk.Search(t.Context(), table, quasi, risk.Constraints{K: 3}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, 2, r.Levels[0].Level)
	split := []risk.Quasi{{Column: "age", Hierarchy: hierarchy(t, "30;a\n31;b")}}
	_, err = risk.Search(t.Context(), table, split, risk.Constraints{K: 3}, risk.Loss)
	require.ErrorIs(t, err, risk.ErrNoRecoding, "two labels at the top and null")
}

// many makes a table of columns with values of their own.
func many(t require.TestingT, columns, rows int, cell func(col, row int) int) (*risk.Table, []risk.Quasi) {
	var fields []arrow.Field
	var names []string
	var quasi []risk.Quasi
	for c := range columns {
		name := fmt.Sprintf("c%d", c)
		names = append(names, name)
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64})
		quasi = append(quasi, risk.Quasi{Column: name})
	}
	var objects []map[string]int
	for r := range rows {
		o := map[string]int{}
		for c, name := range names {
			o[name] = cell(c, r)
		}
		objects = append(objects, o)
	}
	text, err := json.Marshal(objects)
	require.NoError(t, err)
	return tableOf(t, arrow.NewSchema(fields, nil), string(text), names...), quasi
}

// TestWideKeys searches with keys of two words, and beyond.
func TestWideKeys(t *testing.T) {
	for seed := 1; seed <= 3; seed++ {
		table, quasi := many(t, 7, 580, func(c, r int) int {
			if r < 530 {
				return r * seed // 10 bits a column: 70 in all
			}
			return (r*seed + c*c) % (c + 2)
		})
		risk.RequireOptimal(t, table, quasi, risk.Constraints{K: 3})
		risk.RequireOptimal(t, table, quasi, risk.Constraints{K: 3, Suppress: "0.95"})
	}
	table, quasi := many(t, 19, 100, func(c, r int) int { return r })
	_, err := risk.Search(t.Context(), table, quasi, risk.Constraints{K: 1}, risk.Loss)
	require.ErrorContains(t, err, "the packed key exceeds 128 bits")
	table, quasi = many(t, 23, 2, func(c, r int) int { return r })
	_, err = risk.Search(t.Context(), table, quasi, risk.Constraints{K: 1}, risk.Loss)
	require.ErrorContains(t, err, "recodings")
	local, err := risk.Mondrian(t.Context(), table, quasi, risk.Constraints{K: 1}, false)
	require.NoError(t, err)
	require.Equal(t, 2, local.Groups())
}

func TestWideHierarchyIsRefused(t *testing.T) {
	var lines []string
	for i := range 128 { // at each level four join the one group: three bits a level
		row := []string{fmt.Sprint(i)}
		for level := 1; level <= 31; level++ {
			label := i
			if i/4 < level {
				label = 0
			}
			row = append(row, fmt.Sprint(label))
		}
		lines = append(lines, strings.Join(append(row, "*"), ";"))
	}
	table, _ := many(t, 1, 128, func(_, r int) int { return r })
	_, err := risk.Search(t.Context(), table, []risk.Quasi{{Column: "c0", Hierarchy: hierarchy(t, strings.Join(lines, "\n"))}},
		risk.Constraints{K: 2}, risk.Loss)
	require.ErrorContains(t, err, `column "c0": its hierarchy needs a key of`)
}

func TestOneRow(t *testing.T) {
	table := tableOf(t, schema, `[{"sex":null,"age":30,"ill":"x"}]`, "sex", "age", "ill")
	for m := risk.Loss; m <= risk.AverageClass; m++ {
		r, err := risk.Search(t.Context(), table, []risk.Quasi{{Column: "sex"}, {Column: "age"}}, risk.Constraints{K: 1}, m)
		require.NoError(t, err)
		require.Equal(t, "[0 0]", levelsOf(r))
		_, err = risk.Search(t.Context(), table, []risk.Quasi{{Column: "sex"}}, risk.Constraints{K: 2}, m)
		require.ErrorIs(t, err, risk.ErrNoRecoding)
		r, err = risk.Search(t.Context(), table, []risk.Quasi{{Column: "sex"}}, risk.Constraints{K: 2, Suppress: "1"}, m)
		require.NoError(t, err)
		require.EqualValues(t, 1, r.Suppressed)
		after, mask := r.Apply()
		require.Equal(t, []bool{false}, mask)
		require.Zero(t, after.Rows())
	}
	r, err := risk.Search(t.Context(), table, nil, risk.Constraints{K: 1}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, 1, r.Nodes)
}
