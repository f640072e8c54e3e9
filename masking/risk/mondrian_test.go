package risk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/risk"
)

var people = arrow.NewSchema([]arrow.Field{
	{Name: "age", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "pay", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "job", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "ill", Type: arrow.BinaryTypes.String},
}, nil)

var jobs = map[string][]string{"v0": {"v0", "x", "*"}, "v1": {"v1", "x", "*"}, "v2": {"v2", "y", "*"}, "v3": {"v3", "y", "*"}}

const jobTable = "v0;x;*\nv1;x;*\nv2;y;*\nv3;y;*"

// TestMondrian checks on random tables what any right partition must hold:
// classes satisfy, ranges cover, and strict parts tell equal records never
// apart and cannot be cut at any value into two that satisfy.
func TestMondrian(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(rt, "rows")
		var rows []map[string]any
		for range n {
			row := map[string]any{"ill": rapid.SampledFrom([]string{"p", "q"}).Draw(rt, "ill")}
			for name, values := range map[string][]any{"age": {nil, -5, 0, 3, 4, 9, 80}, "pay": {nil, -1.5, 0.25, 1e9}, "job": {nil, "v0", "v1", "v2", "v3"}} {
				row[name] = rapid.SampledFrom(values).Draw(rt, name)
			}
			rows = append(rows, row)
		}
		text, err := json.Marshal(rows)
		require.NoError(rt, err)
		table := tableOf(rt, people, string(text), "age", "pay", "job", "ill")
		c := risk.Constraints{K: rapid.Int64Range(1, 5).Draw(rt, "k")}
		l := rapid.IntRange(0, 2).Draw(rt, "l")
		if l > 0 {
			c.Sensitive = []risk.Sensitive{{Column: "ill", Distinct: l}}
		}
		relaxed := rapid.Bool().Draw(rt, "relaxed")
		quasi := []risk.Quasi{{Column: "age"}, {Column: "pay"}, {Column: "job", Hierarchy: hierarchy(rt, jobTable)}}
		local, err := risk.Mondrian(context.Background(), table, quasi, c, relaxed)
		if err != nil {
			require.ErrorIs(rt, err, risk.ErrNoRecoding)
			require.False(rt, good(rows, all(n), c.K, l))
			return
		}
		groups := map[int][]int{}
		same := map[string]int{}
		for i, row := range rows {
			g := local.Group(i)
			groups[g] = append(groups[g], i)
			for col, name := range []string{"age", "pay", "job"} {
				requireCovers(rt, local.Range(g, col), row[name], name == "job")
			}
			key := fmt.Sprint(row["age"], row["pay"], row["job"])
			if first, ok := same[key]; ok && !relaxed {
				require.Equal(rt, first, g)
			}
			same[key] = g
		}
		require.Len(rt, groups, local.Groups())
		for _, members := range groups {
			require.True(rt, good(rows, members, c.K, l))
		}
		f, err := local.Apply().Figures(risk.Options{Quasi: local.Columns})
		require.NoError(rt, err)
		require.GreaterOrEqual(rt, f.K, c.K)
		require.GreaterOrEqual(rt, local.Loss(), 0.0)
		require.LessOrEqual(rt, local.Loss(), 1.0)
	})
}

func good(rows []map[string]any, members []int, k int64, l int) bool {
	ills := map[any]bool{}
	for _, i := range members {
		ills[rows[i]["ill"]] = true
	}
	return int64(len(members)) >= k && len(ills) >= l
}

func requireCovers(t require.TestingT, r risk.Range, v any, label bool) {
	switch v := v.(type) {
	case nil:
		require.True(t, r.Null || r.Low == "*", r)
	case string:
		require.Contains(t, jobs[v], r.Low)
	default:
		require.False(t, label)
		x, err := strconv.ParseFloat(fmt.Sprint(v), 64)
		require.NoError(t, err)
		low, err := strconv.ParseFloat(r.Low, 64)
		require.NoError(t, err)
		high, err := strconv.ParseFloat(r.High, 64)
		require.NoError(t, err)
		require.True(t, low <= x && x <= high, r)
	}
}

func TestMondrianByHand(t *testing.T) {
	table := tableOf(t, people, `[{"age":20,"job":"v0","ill":"p"},{"age":21,"job":"v0","ill":"q"},
{"age":60,"job":"v2","ill":"p"},{"age":70,"job":"v3","ill":"p"},{"age":70,"job":"v3","ill":"q"}]`, "age", "job", "ill")
	quasi := []risk.Quasi{{Column: "age"}, {Column: "job", Hierarchy: hierarchy(t, jobTable)}}
	local, err := risk.Mondrian(context.Background(), table, quasi, risk.Constraints{K: 2}, false)
	require.NoError(t, err)
	require.Equal(t, 2, local.Groups())
	var labels []string
	for g := range 2 {
		labels = append(labels, local.Range(g, 0).String(), local.Range(g, 1).String())
	}
	require.Equal(t, []string{"[20, 60]", "*", "70", "v3"}, labels)
	a, err := local.Assess(risk.Options{Sensitive: []risk.SensitiveColumn{{Column: "ill"}}})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2}, []int64{a.Before.K, a.After.K})
	require.Equal(t, &risk.LocalFigures{Groups: 2, Loss: local.Loss()}, a.Local)
	require.InDelta(t, ((2.0/3+1)*3+0)/10, local.Loss(), 1e-15)
	_, err = risk.Mondrian(context.Background(), table, quasi, risk.Constraints{K: 2, Suppress: "0.1"}, false)
	require.Error(t, err)
	_, err = risk.Mondrian(context.Background(), table, append(quasi, quasi[0]), risk.Constraints{K: 2}, false)
	require.Error(t, err)
	_, err = risk.Mondrian(context.Background(), table, quasi, risk.Constraints{K: 6}, false)
	require.ErrorIs(t, err, risk.ErrNoRecoding)
}
