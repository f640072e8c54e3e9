package risk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/risk"
)

// drawTree draws a hierarchy over n values v0..: labels by level, each a
// function of the level below, one top.
func drawTree(t *rapid.T, n int, name string) (map[string][]string, string) {
	height := rapid.IntRange(1, 3).Draw(t, name+" height")
	tree := map[string][]string{}
	var lines []string
	width := n
	at := make([]int, n)
	rows := make([][]string, n)
	for i := range n {
		at[i] = i
		rows[i] = []string{fmt.Sprintf("v%d", i)}
	}
	for level := 1; level <= height; level++ {
		to := make([]int, width)
		next := rapid.IntRange(1, max(1, width-1)).Draw(t, name+" width")
		if level == height {
			next = 1
		}
		for g := range to {
			to[g] = rapid.IntRange(0, next-1).Draw(t, name+" group")
		}
		for i := range n {
			at[i] = to[at[i]]
			rows[i] = append(rows[i], fmt.Sprintf("g%d-%d", level, at[i]))
		}
		width = next
	}
	for i := range n {
		tree[rows[i][0]] = rows[i]
		lines = append(lines, strings.Join(rows[i], ";"))
	}
	return tree, strings.Join(lines, "\n")
}

type drawn struct {
	slow  slow
	table *risk.Table
	quasi []risk.Quasi
	c     risk.Constraints
	apart map[string]func(a, b string) float64
}

var drawnSchema = arrow.NewSchema([]arrow.Field{
	{Name: "a", Type: arrow.BinaryTypes.String}, {Name: "b", Type: dict}, {Name: "c", Type: arrow.BinaryTypes.LargeString},
	{Name: "s", Type: arrow.BinaryTypes.String}, {Name: "n", Type: arrow.PrimitiveTypes.Int16},
}, nil)

// draw makes a random table with three quasi-identifiers, a sensitive text and
// a sensitive number.
func draw(t *rapid.T) *drawn {
	d := &drawn{apart: map[string]func(a, b string) float64{}}
	for _, name := range []string{"a", "b", "c"} {
		tree, text := drawTree(t, rapid.IntRange(1, 5).Draw(t, name+" values"), name)
		d.slow.trees = append(d.slow.trees, tree)
		d.quasi = append(d.quasi, risk.Quasi{Column: name, Hierarchy: hierarchy(t, text)})
	}
	secret, text := drawTree(t, 4, "s")
	n := rapid.IntRange(1, 40).Draw(t, "rows")
	var rows []map[string]any
	numbers := map[string]bool{}
	for range n {
		var row []string
		for c := range 3 {
			row = append(row, fmt.Sprintf("v%d", rapid.IntRange(0, len(d.slow.trees[c])-1).Draw(t, "cell")))
		}
		number := rapid.SampledFrom([]int{-70, -3, 0, 12}).Draw(t, "number")
		row = append(row, fmt.Sprintf("v%d", rapid.IntRange(0, 3).Draw(t, "secret")), fmt.Sprint(number))
		numbers[row[4]] = true
		d.slow.rows = append(d.slow.rows, row)
		rows = append(rows, map[string]any{"a": row[0], "b": row[1], "c": row[2], "s": row[3], "n": number})
	}
	text2, err := json.Marshal(rows)
	require.NoError(t, err)
	d.table = tableOf(t, drawnSchema, string(text2), "a", "b", "c", "s", "n")
	rank := map[string]float64{}
	for _, x := range []string{"-70", "-3", "0", "12"} {
		if numbers[x] {
			rank[x] = float64(len(rank))
		}
	}
	d.c = risk.Constraints{K: rapid.Int64Range(1, 4).Draw(t, "k"), Suppress: rapid.SampledFrom([]string{"", "0.1", "0.3", "1"}).Draw(t, "limit")}
	text3 := risk.Sensitive{Column: "s"}
	number := risk.Sensitive{Column: "n"}
	switch rapid.IntRange(0, 6).Draw(t, "constraint") {
	case 0:
		return d
	case 1:
		text3.Distinct = rapid.IntRange(1, 3).Draw(t, "l")
	case 2:
		text3.Entropy = rapid.SampledFrom([]float64{1.5, 2, 2.7}).Draw(t, "l")
	case 3:
		text3.Recursive = &risk.Recursive{C: rapid.SampledFrom([]float64{0.7, 2, 3}).Draw(t, "c"), L: rapid.IntRange(1, 3).Draw(t, "l")}
	case 4:
		text3.Closeness = &risk.Closeness{T: rapid.SampledFrom([]float64{0, 0.2, 0.45}).Draw(t, "t")}
		d.apart["s"] = func(a, b string) float64 {
			if a == b {
				return 0
			}
			return 1
		}
	case 5:
		text3.Closeness = &risk.Closeness{T: rapid.SampledFrom([]float64{0.1, 0.3}).Draw(t, "t"), Distance: risk.Hierarchical, Hierarchy: hierarchy(t, text)}
		d.apart["s"] = func(a, b string) float64 {
			if a == b {
				return 0
			}
			for level := range secret[a] {
				if secret[a][level] == secret[b][level] {
					return float64(level) / float64(len(secret[a])-1)
				}
			}
			return 1
		}
		number.Distinct = rapid.IntRange(0, 2).Draw(t, "l")
	case 6:
		number.Closeness = &risk.Closeness{T: rapid.SampledFrom([]float64{0.1, 0.3}).Draw(t, "t"), Distance: risk.Ordered}
		d.apart["n"] = func(a, b string) float64 {
			if len(rank) < 2 {
				return 0
			}
			return max(rank[a]-rank[b], rank[b]-rank[a]) / float64(len(rank)-1)
		}
	}
	d.c.Sensitive = []risk.Sensitive{text3, number}
	return d
}

// TestSearchAgainstDefinitions compares with the second implementation: the
// least value over all nodes that satisfy, and what the result leaves out.
func TestSearchAgainstDefinitions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := draw(rt)
		m := risk.Measure(rapid.IntRange(0, 5).Draw(rt, "measure"))
		got, err := risk.Search(context.Background(), d.table, d.quasi, d.c, m)
		if err != nil {
			require.ErrorIs(rt, err, risk.ErrNoRecoding)
		}
		share := map[string]float64{"": 0, "0.1": 0.1, "0.3": 0.3, "1": 1}[d.c.Suppress]
		at := map[string]int{"s": 3, "n": 4}
		least, some := 0.0, false
		d.nodes(nil, func(levels []int) {
			classes := d.slow.classes(levels)
			kept := map[string]bool{}
			out := 0
			for key, rows := range classes {
				kept[key] = d.slow.satisfies(d.c, rows, at, d.apart)
				if !kept[key] {
					out += len(rows)
				}
			}
			if float64(out) > share*float64(len(d.slow.rows))+1e-9 {
				return
			}
			v := d.slow.value(m, levels, classes, kept)
			if !some || v < least {
				least, some = v, true
			}
			if got != nil && fmt.Sprint(levels) == levelsOf(got) {
				require.EqualValues(rt, out, got.Suppressed)
				require.InDelta(rt, v, got.Value, 1e-5)
			}
		})
		require.Equal(rt, some, err == nil)
		if some {
			require.InDelta(rt, least, got.Value, 1e-5)
		}
	})
}

func levelsOf(r *risk.Recoding) string {
	var levels []int
	for _, l := range r.Levels {
		levels = append(levels, l.Level)
	}
	return fmt.Sprint(levels)
}

func (d *drawn) nodes(levels []int, visit func([]int)) {
	if len(levels) == len(d.quasi) {
		visit(levels)
		return
	}
	for level := 0; level <= d.quasi[len(levels)].Hierarchy.Height(); level++ {
		d.nodes(append(levels[:len(levels):len(levels)], level), visit)
	}
}

// TestSearchAgainstExhaustive compares ties and all, every measure.
func TestSearchAgainstExhaustive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := draw(rt)
		risk.RequireOptimal(rt, d.table, d.quasi, d.c)
	})
}

func TestSearchStops(t *testing.T) {
	table := tableOf(t, schema, `[{"sex":"m"}]`, "sex")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := risk.Search(ctx, table, []risk.Quasi{{Column: "sex"}}, risk.Constraints{K: 1}, risk.Loss)
	require.True(t, errors.Is(err, context.Canceled))
}
