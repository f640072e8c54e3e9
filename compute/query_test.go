package compute_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute"
)

func good() *compute.Query {
	return &compute.Query{
		Dataset: "housing", Subject: "rid",
		Filters: []compute.Filter{{Field: "area", Op: compute.Ge, Value: "20"}, {Field: "use", Op: compute.In, Values: []string{"a", ""}}},
		GroupBy: []string{"district", "year"},
		Measures: []compute.Measure{
			{Kind: compute.Count}, {Kind: compute.Subjects}, {Kind: compute.Mean, Field: "area"}, {Kind: compute.Sum, Field: "area"},
		},
	}
}

func TestValidate(t *testing.T) {
	require.NoError(t, good().Validate())
	require.ErrorIs(t, (*compute.Query)(nil).Validate(), compute.ErrQuery)
	rows := good()
	rows.Subject, rows.RowSubjects = "", true
	require.NoError(t, rows.Validate())

	for name, edit := range map[string]func(*compute.Query){
		"no data set":             func(q *compute.Query) { q.Dataset = "" },
		"no subject":              func(q *compute.Query) { q.Subject = "" },
		"two kinds of subject":    func(q *compute.Query) { q.RowSubjects = true },
		"long subject":            func(q *compute.Query) { q.Subject = strings.Repeat("x", 257) },
		"name not UTF-8":          func(q *compute.Query) { q.GroupBy[0] = "\xff" },
		"five groups":             func(q *compute.Query) { q.GroupBy = []string{"a", "b", "c", "d", "e"} },
		"group twice":             func(q *compute.Query) { q.GroupBy[1] = q.GroupBy[0] },
		"group by subject":        func(q *compute.Query) { q.GroupBy[1] = "rid" },
		"filter by subject":       func(q *compute.Query) { q.Filters[0].Field = "rid" },
		"sum of subject":          func(q *compute.Query) { q.Measures[3].Field = "rid" },
		"no measure":              func(q *compute.Query) { q.Measures = nil },
		"seventeen measures":      func(q *compute.Query) { q.Measures = slices.Repeat(q.Measures, 5) },
		"measure twice":           func(q *compute.Query) { q.Measures[1] = q.Measures[0] },
		"unknown measure":         func(q *compute.Query) { q.Measures[0].Kind = "median" },
		"count of a field":        func(q *compute.Query) { q.Measures[0].Field = "area" },
		"sum of nothing":          func(q *compute.Query) { q.Measures[3].Field = "" },
		"unknown operator":        func(q *compute.Query) { q.Filters[0].Op = "like" },
		"no operator":             func(q *compute.Query) { q.Filters[0].Op = "" },
		"values without in":       func(q *compute.Query) { q.Filters[0].Values = []string{"1"} },
		"value with in":           func(q *compute.Query) { q.Filters[1].Value = "secret" },
		"in without values":       func(q *compute.Query) { q.Filters[1].Values = nil },
		"in with too many values": func(q *compute.Query) { q.Filters[1].Values = make([]string, compute.MaxValues+1) },
		"long literal":            func(q *compute.Query) { q.Filters[0].Value = strings.Repeat("1", 5000) },
		"literal not UTF-8":       func(q *compute.Query) { q.Filters[1].Values[1] = "secret\xff" },
		"thirty-three filters":    func(q *compute.Query) { q.Filters = slices.Repeat(q.Filters[:1], 33) },
	} {
		t.Run(name, func(t *testing.T) {
			q := good()
			edit(q)
			err := q.Validate()
			require.ErrorIs(t, err, compute.ErrQuery)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

// TestKeysDoNotCollide: every text comes back from its key, and none is taken
// for a null.
func TestKeysDoNotCollide(t *testing.T) {
	_, null := compute.KeyText(compute.NullKey)
	require.True(t, null)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\x00", "\x00null", "\x00\x00null", "null"})).Draw(t, "text")
		key := compute.TextKey(text)
		require.NotEqual(t, compute.NullKey, key)
		back, null := compute.KeyText(key)
		require.False(t, null)
		require.Equal(t, text, back)
	})
}

func TestSortCells(t *testing.T) {
	cells := []compute.Cell{{Keys: []string{"b", "a"}}, {Keys: []string{"a", "b"}}, {Keys: []string{"a", compute.NullKey}}}
	compute.SortCells(cells)
	require.Equal(t, []compute.Cell{{Keys: []string{"a", compute.NullKey}}, {Keys: []string{"a", "b"}}, {Keys: []string{"b", "a"}}}, cells)
}
