package plan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/plain"
)

var people = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "district", Type: arrow.BinaryTypes.String},
	{Name: "sex", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
	{Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "income", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}},
	{Name: "owner", Type: arrow.FixedWidthTypes.Boolean},
}, nil)

type person struct {
	ID       string `json:"id"`
	District string `json:"district"`
	Sex      string `json:"sex"`
	Age      *int64 `json:"age"`
	Income   string `json:"income"`
	Owner    bool   `json:"owner"`
	cents    int64
}

// crowd makes n people of two districts from a simple recurrence.
func crowd(n int) []person {
	out := make([]person, n)
	x := uint64(12345)
	next := func(m uint64) int64 { x = x*6364136223846793005 + 1442695040888963407; return int64(x >> 33 % m) }
	for i := range out {
		age := next(90)
		p := person{ID: fmt.Sprint("p", i), District: []string{"east", "west"}[2*i/n], Sex: []string{"f", "m"}[next(2)], Age: &age, Owner: next(3) == 0}
		p.cents = next(200_000) - 50_000
		if i%11 == 0 {
			p.Age = nil
		}
		sign := ""
		if p.cents < 0 {
			sign = "-"
		}
		p.Income = fmt.Sprintf("%s%d.%02d", sign, max(p.cents, -p.cents)/100, max(p.cents, -p.cents)%100)
		out[i] = p
	}
	return out
}

func rowsOf(t testing.TB, list any) string {
	b, err := json.Marshal(list)
	require.NoError(t, err)
	return string(b)
}

func peopleSpec(k *keys) plan.Spec {
	n := k.params.N()
	age := []string{"age"}
	return plan.Spec{
		Dataset: "people", Version: "2026-01", Provider: "bureau", Subject: "id", Section: "district", HashKey: [32]byte{9},
		Lanes: []plan.LaneSpec{
			{Name: "age", Kind: plan.Value, Columns: age, Bounds: []uint64{120}, SkipNulls: true, Present: []string{"income"}, Key: k.hash, Degree: n},
			{Name: "age2", Kind: plan.Square, Columns: age, Bounds: []uint64{120}, SkipNulls: true, Present: []string{"income"}, Key: k.hash, Degree: n},
			{Name: "income", Kind: plan.Value, Columns: []string{"income"}, Bounds: []uint64{1 << 30}, SkipNulls: true, Present: age, Key: k.hash, Degree: n},
			{Name: "income2", Kind: plan.Square, Columns: []string{"income"}, Bounds: []uint64{1 << 30}, SkipNulls: true, Present: age, Key: k.hash, Degree: n},
			{Name: "ageincome", Kind: plan.Product, Columns: []string{"age", "income"}, Bounds: []uint64{120, 1 << 30}, SkipNulls: true, Key: k.hash, Degree: n},
			{Name: "bysex", Kind: plan.Bucketed, Columns: []string{"income"}, Bounds: []uint64{1 << 30}, SkipNulls: true, Present: age, GroupBy: "sex", Groups: []string{"m", "f", "x"}, Key: k.hash, Degree: n},
			{Name: "sexes", Kind: plan.Bucketed, GroupBy: "sex", Groups: []string{"f", "m"}, Key: k.hash, Degree: n},
			{Name: "owner", Kind: plan.Value, Columns: []string{"owner"}, Bounds: []uint64{1}, Key: k.hash, Degree: n},
		},
	}
}

func ask(kind plan.Kind, columns ...plan.Column) *plan.Query {
	q := &plan.Query{
		Kind: kind, Aggregate: "a1", Scenario: "s1", Requester: "bank", Purpose: "research", Time: now, Expiry: expiry, Columns: columns,
	}
	for _, c := range columns {
		if q.Version(c.Dataset) == "" {
			q.Datasets = append(q.Datasets, plan.Ref{Dataset: c.Dataset, Version: "2026-01"})
		}
	}
	return q
}

func col(lane, field string) plan.Column {
	return plan.Column{Dataset: "people", Field: field, Lane: lane}
}

// Everything that is opened equals what the clear engine computes.
func TestResultsEqualTheClearEngine(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "people")
	s, list := newStore(), crowd(500)
	m := build(t, s, peopleSpec(k), table(t, people, rowsOf(t, list)), k)
	require.NoError(t, m.Validate(plan.Limits{}))
	run := func(q *plan.Query) *plan.Result {
		p, err := plan.Compile(q, []*plan.Manifest{m}, []plan.Cert{k.cert})
		require.NoError(t, err)
		return answer(t, p, s, k)
	}
	clear := func(group string, filter []compute.Filter, measure compute.MeasureKind, field string) *compute.Result {
		q := &compute.Query{Dataset: "people", Subject: "id", Filters: filter, Measures: []compute.Measure{{Kind: measure, Field: field}}}
		if group != "" {
			q.GroupBy = []string{group}
		}
		pl, err := plain.New(plain.Options{}).Prepare(context.Background(), q, people)
		require.NoError(t, err)
		res, err := pl.Run(context.Background(), table(t, people, rowsOf(t, list)))
		require.NoError(t, err)
		return res
	}
	hasAge := []compute.Filter{{Field: "age", Op: compute.Ge, Value: "0"}}
	east := []compute.Filter{{Field: "district", Op: compute.Eq, Value: "east"}}

	require.Equal(t, clear("", nil, compute.Sum, "age").Cells[0].Values[0].Text, figure(t, run(ask(plan.Sum, col("age", "age"))), 0, "sum").Text)
	mean := run(ask(plan.Mean, col("income", "income")))
	require.Equal(t, clear("", hasAge, compute.Mean, "income").Cells[0].Values[0].Text, figure(t, mean, 0, "mean").Text)
	q := ask(plan.Sum, col("age", "age"))
	q.Sections = []string{"east"}
	require.Equal(t, clear("", east, compute.Sum, "age").Cells[0].Values[0].Text, figure(t, run(q), 0, "sum").Text)
	q = ask(plan.KindCount, col("sexes", "sex"))
	require.Equal(t, clear("", nil, compute.Count, "").Cells[0].Values[0].Text, figure(t, run(q), 0, "count").Text)

	bySex, want := run(ask(plan.GroupMean, col("bysex", "income"))), clear("sex", hasAge, compute.Mean, "income")
	require.Equal(t, []string{"m", "f", "x"}, []string{bySex.Lines[0].Label, bySex.Lines[1].Label, bySex.Lines[2].Label})
	require.Equal(t, want.Cells[1].Values[0].Text, figure(t, bySex, 0, "mean").Text)
	require.Equal(t, want.Cells[0].Values[0].Text, figure(t, bySex, 1, "mean").Text)
	require.Nil(t, figure(t, bySex, 2, "mean").Exact, "an empty group has no mean")
	require.Equal(t, "0.00", figure(t, bySex, 2, "sum").Text)
	hist, want := run(ask(plan.Histogram, col("sexes", "sex"))), clear("sex", nil, compute.Count, "")
	for g := range 2 {
		require.Equal(t, want.Cells[g].Values[0].Text, figure(t, hist, g, "count").Text)
	}

	// Moments by brute force.
	n, sx, sy, sxx, syy, sxy := new(big.Int), new(big.Int), new(big.Int), new(big.Int), new(big.Int), new(big.Int)
	for _, p := range list {
		if p.Age == nil {
			continue
		}
		x, y := big.NewInt(*p.Age), big.NewInt(p.cents)
		n.Add(n, big.NewInt(1))
		sx.Add(sx, x)
		sy.Add(sy, y)
		sxx.Add(sxx, new(big.Int).Mul(x, x))
		syy.Add(syy, new(big.Int).Mul(y, y))
		sxy.Add(sxy, new(big.Int).Mul(x, y))
	}
	moment := func(ab, a, b *big.Int) *big.Int {
		return new(big.Int).Sub(new(big.Int).Mul(n, ab), new(big.Int).Mul(a, b))
	}
	n2 := new(big.Int).Mul(n, n)
	variance := run(ask(plan.Variance, col("age", "age"), col("age2", "age")))
	require.Zero(t, new(big.Rat).SetFrac(moment(sxx, sx, sx), n2).Cmp(figure(t, variance, 0, "variance_population").Exact))
	pair := run(ask(plan.Correlation, col("age", "age"), col("income", "income"), col("ageincome", "age"), col("age2", "age"), col("income2", "income")))
	xy := new(big.Rat).SetFrac(moment(sxy, sx, sy), new(big.Int).Mul(n2, big.NewInt(100)))
	require.Zero(t, xy.Cmp(figure(t, pair, 0, "covariance_population").Exact))
	square := moment(sxy, sx, sy)
	product := new(big.Int).Mul(moment(sxx, sx, sx), moment(syy, sy, sy))
	require.Zero(t, new(big.Rat).SetFrac(square.Mul(square, square), product).Cmp(figure(t, pair, 0, "correlation_squared").Exact))
}
