package risk_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/risk"
)

// adultTable reads UCI Adult with its nine columns and hierarchies, or skips.
func adultTable(t testing.TB) (*risk.Table, []risk.Quasi) {
	t.Helper()
	dir := os.Getenv("YUMEN_TESTDATA")
	if dir == "" {
		t.Skip("YUMEN_TESTDATA is not set: UCI Adult is not at hand")
	}
	open := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, "adult", name))
		require.NoError(t, err)
		return string(b)
	}
	r := csv.NewReader(strings.NewReader(open("adult.csv")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	require.NoError(t, err)
	var fields []arrow.Field
	var quasi []risk.Quasi
	for _, name := range rows[0] {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
		h, err := risk.ParseHierarchy(strings.NewReader(open("adult_hierarchy_" + name + ".csv")))
		require.NoError(t, err)
		require.Equal(t, 1, h.Tops())
		quasi = append(quasi, risk.Quasi{Column: name, Hierarchy: h})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for _, row := range rows[1:] {
		for i, v := range row {
			b.Field(i).(*array.StringBuilder).Append(v)
		}
	}
	rec := b.NewRecord()
	src, err := array.NewRecordReader(rec.Schema(), []arrow.Record{rec})
	require.NoError(t, err)
	table, err := risk.ReadTable(context.Background(), src, rows[0], 0)
	require.NoError(t, err)
	require.Equal(t, 30162, table.Rows())
	return table, quasi
}

// TestAdultOptimum proves the search's result for all measures by looking at
// every one of the 12,960 recodings.
func TestAdultOptimum(t *testing.T) {
	table, quasi := adultTable(t)
	r, err := risk.Search(context.Background(), table, quasi, risk.Constraints{K: 5}, risk.Loss)
	require.NoError(t, err)
	require.Equal(t, 12960, r.Nodes)
	risk.RequireOptimal(t, table, quasi, risk.Constraints{K: 5})
	risk.RequireOptimal(t, table, quasi, risk.Constraints{K: 5, Suppress: "0.04"})
}

// adultRows reads the table and the hierarchies once more, with nothing of the
// package.
func adultRows(t *testing.T) (rows [][]string, trees []map[string][]string) {
	dir := os.Getenv("YUMEN_TESTDATA")
	lines := func(name string) [][]string {
		b, err := os.ReadFile(filepath.Join(dir, "adult", name))
		require.NoError(t, err)
		var out [][]string
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
			out = append(out, strings.Split(strings.TrimSpace(line), ";"))
		}
		return out
	}
	rows = lines("adult.csv")
	for _, name := range rows[0] {
		tree := map[string][]string{}
		for _, line := range lines("adult_hierarchy_" + name + ".csv") {
			tree[line[0]] = line
		}
		trees = append(trees, tree)
	}
	return rows[1:], trees
}

// slowLattice walks all recodings one column at a time, merging classes in a
// map as it goes: a class is the numbers of its labels.
type slowLattice struct {
	up    [9][]map[uint8]uint8   // by column and level: the label one level up
	under [9][]map[uint8]float64 // by column and level: the leaves of each label
	n     float64
	k     int
	best  []slowBest
	nodes int
}

// slowBest is the best recoding that leaves at most limit records out.
type slowBest struct {
	limit  int
	least  float64
	levels []int
}

// newSlowLattice numbers the labels of each level in the order of the text.
func newSlowLattice(rows [][]string, trees []map[string][]string) (*slowLattice, map[[9]uint8]int) {
	s := &slowLattice{n: float64(len(rows))}
	numbers := make([]map[string]uint8, 9)
	for col, tree := range trees {
		numbers[col] = map[string]uint8{}
		number := func(level int, label string) uint8 {
			key := fmt.Sprint(level, label)
			if _, ok := numbers[col][key]; !ok {
				numbers[col][key] = uint8(len(numbers[col]))
			}
			return numbers[col][key]
		}
		for _, labels := range tree {
			for level, label := range labels {
				if level == len(s.up[col]) {
					s.up[col] = append(s.up[col], map[uint8]uint8{})
					s.under[col] = append(s.under[col], map[uint8]float64{})
				}
				s.under[col][level][number(level, label)]++
				if level+1 < len(labels) {
					s.up[col][level][number(level, label)] = number(level+1, labels[level+1])
				}
			}
		}
	}
	classes := map[[9]uint8]int{}
	for _, row := range rows {
		var key [9]uint8
		for col, v := range row {
			key[col] = numbers[col][fmt.Sprint(0, v)]
		}
		classes[key]++
	}
	return s, classes
}

func (s *slowLattice) walk(col int, levels []int, classes map[[9]uint8]int) {
	if col == 9 {
		s.judge(levels, classes)
		return
	}
	for level := range s.up[col] {
		if level > 0 {
			next := map[[9]uint8]int{}
			for key, n := range classes {
				key[col] = s.up[col][level-1][key[col]]
				next[key] += n
			}
			classes = next
		}
		s.walk(col+1, append(levels[:len(levels):len(levels)], level), classes)
	}
}

func (s *slowLattice) judge(levels []int, classes map[[9]uint8]int) {
	s.nodes++
	out := 0
	for _, n := range classes {
		if n < s.k {
			out += n
		}
	}
	if out > slices.MaxFunc(s.best, func(a, b slowBest) int { return a.limit - b.limit }).limit {
		return
	}
	loss := 0.0
	for col := range 9 {
		leaves := float64(len(s.under[col][0]))
		for key, n := range classes {
			cells := s.under[col][levels[col]][key[col]] - 1
			if n < s.k {
				cells = leaves - 1
			}
			loss += cells / (leaves - 1) * float64(n)
		}
	}
	loss /= s.n * 9
	for i, b := range s.best {
		if out <= b.limit && (b.levels == nil || loss < b.least-1e-12) {
			s.best[i].least, s.best[i].levels = loss, levels
		}
	}
}

// TestAdultSecondOpinion looks at all 12,960 recodings with maps alone and
// finds the same optimum, with and without records left out.
func TestAdultSecondOpinion(t *testing.T) {
	if testing.Short() {
		t.Skip("merges every recoding in maps")
	}
	table, quasi := adultTable(t)
	rows, trees := adultRows(t)
	s, classes := newSlowLattice(rows, trees)
	s.k, s.best = 5, []slowBest{{limit: 0}, {limit: len(rows) / 25}}
	s.walk(0, nil, classes)
	require.Equal(t, 12960, s.nodes)
	for i, suppress := range []string{"", "0.04"} {
		r, err := risk.Search(t.Context(), table, quasi, risk.Constraints{K: 5, Suppress: suppress}, risk.Loss)
		require.NoError(t, err)
		require.InDelta(t, s.best[i].least, r.Value, 1e-12)
		require.Equal(t, fmt.Sprint(s.best[i].levels), levelsOf(r))
	}
}
