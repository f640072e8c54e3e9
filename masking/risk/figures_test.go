package risk_test

import (
	"encoding/json"
	"math"
	"math/big"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/risk"
)

// TestFiguresAgainstDefinitions compares every figure of random tables with
// the second implementation.
func TestFiguresAgainstDefinitions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := draw(rt)
		const threshold = 0.3
		var sensitive []risk.SensitiveColumn
		tree, text := drawTree(rt, 4, "tree")
		sensitive = append(sensitive, risk.SensitiveColumn{Column: "s", Hierarchy: hierarchy(rt, text)}, risk.SensitiveColumn{Column: "n"})
		f, err := d.table.Figures(risk.Options{Quasi: []string{"a", "b", "c"}, Sensitive: sensitive, Threshold: threshold, Population: 1000})
		require.NoError(rt, err)
		classes := d.slow.classes([]int{0, 0, 0})
		n := float64(len(d.slow.rows))
		least, ones, risky, squares := math.Inf(1), 0.0, 0.0, 0.0
		var counts []float64
		for _, rows := range classes {
			size := float64(len(rows))
			counts = append(counts, size)
			least = min(least, size)
			squares += size * size
			if size == 1 {
				ones++
			}
			if 1/size > threshold {
				risky += size
			}
		}
		require.EqualValues(rt, n, f.Rows)
		require.EqualValues(rt, len(classes), f.Classes)
		require.EqualValues(rt, least, f.K)
		require.EqualValues(rt, ones, f.Uniques)
		require.InDelta(rt, ones/n, f.UniqueShare, 1e-12)
		require.InDelta(rt, squares, f.Discernibility, 1e-9)
		require.InDelta(rt, n/float64(len(classes)), f.AverageClass, 1e-12)
		require.InDelta(rt, 1/least, f.Attack.ProsecutorMax, 1e-12)
		require.InDelta(rt, float64(len(classes))/n, f.Attack.ProsecutorAverage, 1e-12)
		require.InDelta(rt, risky/n, f.Attack.ProsecutorAtRisk, 1e-12)
		require.InDelta(rt, float64(len(classes))/n, f.Attack.Marketer, 1e-12)
		require.InDelta(rt, slowZayatz(counts, 1000), f.Population.UniqueIfOne, 1e-9)
		requireSensitive(rt, d, classes, tree, f)
		requireBins(rt, counts, f.Histogram)
	})
}

func requireSensitive(t require.TestingT, d *drawn, classes map[string][]int, tree map[string][]string, f *risk.Figures) {
	whole := shares(d.slow.column(all(len(d.slow.rows)), 3))
	numbers := d.slow.column(all(len(d.slow.rows)), 4)
	rank := ranks(numbers)
	distinct, entropy, c, equal, tall, ordered := math.Inf(1), math.Inf(1), 0.0, 0.0, 0.0, 0.0
	for _, rows := range classes {
		counts := d.slow.column(rows, 3)
		distinct, entropy = min(distinct, float64(len(counts))), min(entropy, entropyOf(counts))
		r := falling(counts)
		tail := 0.0
		for _, x := range r[1:] {
			tail += x
		}
		c = max(c, r[0]/tail)
		equal = max(equal, transport(shares(counts), whole, func(a, b string) float64 {
			if a == b {
				return 0
			}
			return 1
		}))
		tall = max(tall, transport(shares(counts), whole, func(a, b string) float64 {
			for level := range tree[a] {
				if tree[a][level] == tree[b][level] {
					return float64(level) / float64(len(tree[a])-1)
				}
			}
			return 1
		}))
		ordered = max(ordered, transport(shares(d.slow.column(rows, 4)), shares(numbers), func(a, b string) float64 {
			return math.Abs(rank[a]-rank[b]) / max(1, float64(len(rank)-1))
		}))
	}
	s, n := f.Sensitive[0], f.Sensitive[1]
	require.EqualValues(t, distinct, s.Distinct)
	require.InDelta(t, math.Exp(entropy), s.Entropy, 1e-9)
	if math.IsInf(c, 1) {
		require.Nil(t, s.RecursiveC)
	} else {
		require.InDelta(t, c, *s.RecursiveC, 1e-12)
	}
	require.InDelta(t, equal, s.EqualT, 1e-9)
	require.InDelta(t, tall, *s.HierarchicalT, 1e-9)
	require.InDelta(t, ordered, *n.OrderedT, 1e-9)
	require.Nil(t, s.OrderedT)
	require.Nil(t, n.HierarchicalT)
}

func ranks(counts map[string]float64) map[string]float64 {
	order := map[string]int{"-70": 0, "-3": 1, "0": 2, "12": 3}
	var vs []string
	for v := range counts {
		vs = append(vs, v)
	}
	sort.Slice(vs, func(i, j int) bool { return order[vs[i]] < order[vs[j]] })
	out := map[string]float64{}
	for i, v := range vs {
		out[v] = float64(i)
	}
	return out
}

// slowZayatz uses binomials of whole numbers.
func slowZayatz(counts []float64, population int64) float64 {
	var n int64
	for _, c := range counts {
		n += int64(c)
	}
	once := func(j int64) *big.Rat {
		x := new(big.Int).Binomial(population-j, n-1)
		return new(big.Rat).SetFrac(x.Mul(x, big.NewInt(j)), new(big.Int).Binomial(population, n))
	}
	ones, sum := new(big.Rat), new(big.Rat)
	for _, c := range counts {
		sum.Add(sum, once(int64(c)))
		if c == 1 {
			ones.Add(ones, once(1))
		}
	}
	out, _ := ones.Quo(ones, sum).Float64()
	return out
}

func requireBins(t require.TestingT, counts []float64, bins []risk.Bin) {
	next := int64(1)
	for _, b := range bins {
		require.Equal(t, next, b.From)
		next = b.To + 1
		var classes, records int64
		for _, c := range counts {
			if int64(c) >= b.From && int64(c) <= b.To {
				classes++
				records += int64(c)
			}
		}
		require.Equal(t, classes, b.Classes)
		require.Equal(t, records, b.Records)
	}
	for _, c := range counts {
		require.Less(t, int64(c), next)
	}
}

var townSchema = arrow.NewSchema([]arrow.Field{{Name: "town", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

func towns(t require.TestingT, names string) *risk.Classes {
	c, err := risk.NewClasses(townSchema, []string{"town"})
	require.NoError(t, err)
	var rows []string
	for _, r := range names {
		rows = append(rows, `{"town":"`+string(r)+`"}`)
	}
	rec := recordOf(t, townSchema, "["+strings.Join(rows, ",")+"]")
	defer rec.Release()
	require.NoError(t, c.Add(rec))
	return c
}

func TestAttackFromPopulation(t *testing.T) {
	sample, population := towns(t, "aab"), towns(t, "aaaabbccccc")
	pairs, err := sample.Against(population)
	require.NoError(t, err)
	require.Equal(t, []risk.Pair{{0, 5, 1}, {1, 2, 1}, {2, 4, 1}}, pairs)
	a := risk.AttackFrom(pairs, 0.3)
	require.Equal(t, 1.0, a.ProsecutorMax)
	require.Equal(t, 0.5, a.JournalistMax)
	require.InDelta(t, (2.0/4+1.0/2)/3, a.Marketer, 1e-15)
	require.InDelta(t, max(2.0/6, a.Marketer), a.JournalistAverage, 1e-15)
	require.InDelta(t, 1.0/3, a.JournalistAtRisk, 1e-15)
	require.True(t, a.FromPopulation)
	least, most := risk.Presence(pairs)
	require.Equal(t, []float64{0, 0.5}, []float64{least, most})
	f := &risk.Figures{Attack: risk.Attack{Threshold: 0.3}}
	f.Against(pairs)
	require.Equal(t, a, f.Attack)
	require.Equal(t, &risk.PresenceFigures{Least: 0, Most: 0.5}, f.Presence)
	_, err = population.Against(sample)
	require.ErrorIs(t, err, risk.ErrNotDrawn)
	require.NotContains(t, err.Error(), "ccc")
	least, most = risk.Presence(nil)
	require.Equal(t, []float64{0, 0}, []float64{least, most})
}

// TestAttackAgainstDefinitions joins random samples with their populations.
func TestAttackAgainstDefinitions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		people := rapid.StringOfN(rapid.RuneFrom([]rune("abcde")), 1, 40, -1).Draw(rt, "people")
		in := ""
		for _, r := range people {
			if rapid.Bool().Draw(rt, "in") {
				in += string(r)
			}
		}
		if in == "" {
			in = people[:1]
		}
		pairs, err := towns(rt, in).Against(towns(rt, people))
		require.NoError(rt, err)
		var most, marketer, low, high float64
		low = 1
		for _, r := range people {
			share := float64(strings.Count(in, string(r))) / float64(strings.Count(people, string(r)))
			low, high = min(low, share), max(high, share)
		}
		for _, r := range in {
			p := 1 / float64(strings.Count(people, string(r)))
			most = max(most, p)
			marketer += p / float64(len(in))
		}
		a := risk.AttackFrom(pairs, 0.25)
		require.InDelta(rt, most, a.JournalistMax, 1e-12)
		require.InDelta(rt, marketer, a.Marketer, 1e-12)
		least, greatest := risk.Presence(pairs)
		require.InDelta(rt, low, least, 1e-12)
		require.InDelta(rt, high, greatest, 1e-12)
	})
}

func TestAssessmentHoldsNoValue(t *testing.T) {
	table := tableOf(t, schema, `[{"sex":"CANARYm","age":30,"ill":"CANARYx"},{"sex":"CANARYm","age":31,"ill":null},
{"sex":null,"age":40,"ill":"CANARYx"}]`, "sex", "age", "ill")
	r, err := risk.Search(t.Context(), table, []risk.Quasi{{Column: "sex"}, {Column: "age", Hierarchy: hierarchy(t, ages)}},
		risk.Constraints{K: 2, Suppress: "0.34"}, risk.Loss)
	require.NoError(t, err)
	a, err := r.Assess(risk.Options{Sensitive: []risk.SensitiveColumn{{Column: "ill"}}, Population: 100})
	require.NoError(t, err)
	require.EqualValues(t, 1, a.Suppressed)
	require.InDelta(t, r.Value, a.Utility.Loss, 1e-12)
	require.EqualValues(t, 2, a.After.K)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	for _, no := range []string{"CANARY", "30-31", "40"} {
		require.NotContains(t, string(text), no)
	}
	for _, name := range []string{"quasi", "before", "after", "prosecutor_max", "histogram", "granularity", "levels", "distinct_l", "population"} {
		require.Contains(t, string(text), `"`+name+`"`)
	}
}

func TestEmptyTable(t *testing.T) {
	table := tableOf(t, schema, `[]`, "sex", "age", "ill")
	f, err := table.Figures(risk.Options{Quasi: []string{"sex"}, Sensitive: []risk.SensitiveColumn{{Column: "age"}}, Population: 10})
	require.NoError(t, err)
	require.Zero(t, f.K)
	_, err = json.Marshal(f)
	require.NoError(t, err)
	_, err = risk.Search(t.Context(), table, []risk.Quasi{{Column: "sex"}}, risk.Constraints{K: 1}, risk.Loss)
	require.ErrorContains(t, err, "empty")
	_, err = risk.Mondrian(t.Context(), table, []risk.Quasi{{Column: "sex"}}, risk.Constraints{K: 1}, true)
	require.ErrorContains(t, err, "empty")
}

func recordOf(t require.TestingT, schema *arrow.Schema, rows string) arrow.Record {
	return recordWith(t, memory.DefaultAllocator, schema, rows)
}
