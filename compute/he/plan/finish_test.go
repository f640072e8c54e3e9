package plan_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
)

// formula is a plan of one kind over one atom, for Finish alone.
func formula(t testing.TB, kind plan.Kind, rows uint64, scale uint8, values ...int64) (*plan.Result, error) {
	t.Helper()
	huge := new(big.Int).Lsh(big.NewInt(1), 70)
	p := &plan.Plan{
		Kind: kind, Requester: "bank", Sources: []plan.Source{{Dataset: "a", Version: "1"}}, Scale: [2]uint8{scale, scale},
		Inputs: []plan.Input{{Lane: "v", Degree: 64, Leaves: 1}},
		Folds:  []plan.Fold{{Y: plan.NoInput, Extents: []plan.Extent{{Batches: 1, Positions: 1}}}},
		Parts:  []plan.Part{{Rows: rows}},
	}
	var opened []*big.Int
	for _, v := range values {
		p.Outputs = append(p.Outputs, plan.Output{Terms: []plan.Term{{Groups: 1, Weight: 1}}, Bound: huge})
		opened = append(opened, big.NewInt(v))
	}
	return plan.Finish(p, opened)
}

func TestFiguresKnownAnswers(t *testing.T) {
	for what, c := range map[string]struct {
		kind   plan.Kind
		rows   uint64
		scale  uint8
		values []int64
		name   string
		want   string
	}{
		"sum":                        {plan.Sum, 3, 0, []int64{-5}, "sum", "-5"},
		"sum of cents":               {plan.Sum, 3, 2, []int64{-5}, "sum", "-0.05"},
		"no sum":                     {plan.Sum, 3, 2, []int64{0}, "sum", "0.00"},
		"mean":                       {plan.Mean, 3, 0, []int64{10}, "mean", "3.333333"},
		"mean rounds up":             {plan.Mean, 3, 0, []int64{20}, "mean", "6.666667"},
		"half to even, down":         {plan.Mean, 2_000_000, 0, []int64{1}, "mean", "0.000000"},
		"half to even, up":           {plan.Mean, 2_000_000, 0, []int64{3}, "mean", "0.000002"},
		"half to even, below zero":   {plan.Mean, 2_000_000, 0, []int64{-5}, "mean", "-0.000002"},
		"mean of cents":              {plan.Mean, 3, 2, []int64{1000}, "mean", "3.333333"},
		"mean of nobody":             {plan.Mean, 0, 0, []int64{0}, "mean", ""},
		"population":                 {plan.Variance, 4, 0, []int64{10, 30}, "variance_population", "1.250000"},
		"sample":                     {plan.Variance, 4, 0, []int64{10, 30}, "variance_sample", "1.666667"},
		"sample of one":              {plan.Variance, 1, 0, []int64{10, 100}, "variance_sample", ""},
		"population of cents":        {plan.Variance, 4, 1, []int64{10, 30}, "variance_population", "0.012500"},
		"covariance":                 {plan.Covariance, 3, 0, []int64{6, 12, 28}, "covariance_population", "1.333333"},
		"correlation one":            {plan.Correlation, 3, 0, []int64{6, 12, 28, 14, 56}, "correlation", "1.000000000000"},
		"correlation minus one":      {plan.Correlation, 3, 0, []int64{6, -12, -28, 14, 56}, "correlation", "-1.000000000000"},
		"correlation a half":         {plan.Correlation, 3, 0, []int64{6, 6, 13, 14, 14}, "correlation", "0.500000000000"},
		"correlation of a constant":  {plan.Correlation, 3, 0, []int64{6, 3, 6, 14, 3}, "correlation", ""},
		"correlation is not rounded": {plan.Correlation, 4, 0, []int64{10, 9, 26, 30, 23}, "correlation", "0.943879807449"},
	} {
		r, err := formula(t, c.kind, c.rows, c.scale, c.values...)
		require.NoError(t, err, what)
		require.Equal(t, c.want, figure(t, r, 0, c.name).Text, what)
	}
}

func TestFinishRefusesContradictions(t *testing.T) {
	_, err := formula(t, plan.Variance, 4, 0, 10, 24)
	require.ErrorIs(t, err, plan.ErrInconsistent, "a negative variance")
	_, err = formula(t, plan.Correlation, 3, 0, 6, 12, 40, 14, 56)
	require.ErrorIs(t, err, plan.ErrInconsistent, "a correlation above one")
	_, err = formula(t, plan.Histogram, 3, 0, 4)
	require.ErrorIs(t, err, plan.ErrInconsistent, "another count than signed")
	_, err = plan.Finish(nil, nil)
	require.Error(t, err)

	c := newCity(t)
	p := c.compile(t, ask(plan.Sum, col("age", "age")))
	over := new(big.Int).Add(p.Outputs[0].Bound, big.NewInt(1))
	_, err = plan.Finish(p, []*big.Int{over.Neg(over)})
	require.ErrorIs(t, err, plan.ErrInconsistent)
	require.NotContains(t, err.Error(), over.String())
	_, err = plan.Finish(p, nil)
	require.ErrorIs(t, err, plan.ErrInvalid)
	_, err = plan.Finish(p, []*big.Int{nil})
	require.Error(t, err)
}

// The whole-number square root agrees with floating point as far as that goes.
func TestCorrelationAgreesWithFloats(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(r, "rows")
		xs := rapid.SliceOfN(rapid.Int64Range(-1000, 1000), n, n).Draw(r, "x")
		ys := rapid.SliceOfN(rapid.Int64Range(-1000, 1000), n, n).Draw(r, "y")
		var s [5]int64
		for i := range xs {
			for k, v := range []int64{xs[i], ys[i], xs[i] * ys[i], xs[i] * xs[i], ys[i] * ys[i]} {
				s[k] += v
			}
		}
		res, err := formula(t, plan.Correlation, uint64(n), 0, s[:]...)
		require.NoError(t, err)
		text := figure(t, res, 0, "correlation").Text
		m := int64(n)
		d := float64(m*s[3]-s[0]*s[0]) * float64(m*s[4]-s[1]*s[1])
		if d == 0 {
			require.Empty(t, text)
			return
		}
		got, _, err := big.ParseFloat(text, 10, 64, big.ToNearestEven)
		require.NoError(t, err)
		f, _ := got.Float64()
		require.InDelta(t, float64(m*s[2]-s[0]*s[1])/math.Sqrt(d), f, 1e-11)
	})
}

// Random lanes with the greatest and least numbers, over real encryption.
func TestRandomSumsEqualBigIntegers(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "a")
	rapid.Check(t, func(r *rapid.T) {
		bound := rapid.SampledFrom([]int64{0, 1, 1 << 20, 1 << 40, he.MaxValue}).Draw(r, "bound")
		edge := rapid.SampledFrom([]int64{-bound, bound, 0})
		values := rapid.SliceOfN(rapid.OneOf(edge, rapid.Int64Range(-bound, bound)), 1, 200).Draw(r, "values")
		s := newStore()
		m := build(t, s, one("a", uint64(bound), k, plan.Value), rowsV(t, values), k)
		weight := rapid.SampledFrom([]int64{-7, -1, 1, 3}).Draw(r, "weight")
		p, err := plan.Compile(ask(plan.Score, plan.Column{Dataset: "a", Field: "v", Lane: "v", Weight: weight}), []*plan.Manifest{m}, []plan.Cert{k.cert})
		require.NoError(t, err)
		want := new(big.Int)
		for _, v := range values {
			want.Add(want, new(big.Int).Mul(big.NewInt(v), big.NewInt(weight)))
		}
		require.Equal(t, want.String(), figure(t, answer(t, p, s, k), 0, "sum").Text)
	})
}

func TestScoreOfSeveralLanes(t *testing.T) {
	c := newCity(t)
	q := ask(plan.Score, plan.Column{Dataset: "people", Field: "age", Lane: "age", Weight: 3})
	q.Columns = append(q.Columns, plan.Column{Dataset: "people", Field: "owner", Lane: "owner", Weight: -40})
	_, err := plan.Compile(q, []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
	requireRule(t, err, plan.RuleAligned) // owners of unknown age count in one lane only
	q.Columns[1] = plan.Column{Dataset: "people", Field: "income", Lane: "income", Weight: -40}
	_, err = plan.Compile(q, []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
	requireRule(t, err, plan.RuleScale)
	for kind, columns := range map[plan.Kind][]plan.Column{
		plan.Sum: {col("bysex", "income")}, plan.Variance: {col("age", "age")}, plan.GroupSum: {col("sexes", "sex")},
		plan.Histogram: {col("bysex", "income")}, plan.Covariance: {col("age", "age"), col("income", "income")},
		plan.Correlation: {col("age", "age"), col("income", "income"), col("ageincome", "age"), col("age2", "age")},
	} {
		_, err := plan.Compile(ask(kind, columns...), []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
		requireRule(t, err, plan.RuleShape)
	}
	_, err = plan.Compile(ask(plan.Variance, col("age", "age"), col("income2", "income")), []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
	requireRule(t, err, plan.RuleShape)
	g := ask(plan.GroupSum, col("bysex", "income"))
	g.Groups = []string{"y"}
	_, err = plan.Compile(g, []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
	requireRule(t, err, plan.RuleUnknown)
	g.Groups = []string{"x"}
	_, err = plan.Compile(g, []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
	requireRule(t, err, plan.RuleEmpty)
}

func TestWords(t *testing.T) {
	q := ask(plan.GroupMean, col("bysex", "income"))
	q.Sections = []string{"east"}
	require.Equal(t, `"bank" asks for the registered aggregate "a1" under scenario "s1", purpose: "research".
It asks for the means by group of "income" of dataset "people" (lane "bysex").
Over whole sections only, of "people" version "2026-01"; sections: "east".
One number for each group; groups: all.
Asked at 2026-05-28 20:26 UTC, void from 2026-05-28 21:26 UTC.`, q.Words("en"))
	require.Equal(t, `"bank" 在场景 "s1" 下申请已登记的聚合 "a1",用途:"research"。
所求:数据集"people"的"income"(密文列"bysex") 的分组平均值。
只涉及完整分段:"people" 版本 "2026-01";分段:"east"。
每组一个数;分组:全部。
提出于 2026-05-28 20:26 UTC,自 2026-05-28 21:26 UTC 起作废。`, q.Words("zh-CN"))
	for _, k := range plan.Kinds() {
		q.Kind = k
		for _, lang := range []string{"zh", "en", ""} {
			require.False(t, strings.Contains(q.Words(lang), "%!"), "%s", k)
		}
	}
}
