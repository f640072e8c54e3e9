package plain_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

// person is one record of the random tables; nil is null.
type person struct {
	rid  *string
	area *string // dictionary-coded
	job  *string
	n    *int64
	d    *big.Int // decimal(38,2), unscaled
	ok   *bool
}

var oracleSchema = arrow.NewSchema([]arrow.Field{
	{Name: "pad", Type: arrow.PrimitiveTypes.Int8},
	{Name: "rid", Type: arrow.BinaryTypes.String},
	{Name: "area", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String}},
	{Name: "job", Type: arrow.BinaryTypes.LargeString},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64},
	{Name: "d", Type: &arrow.Decimal128Type{Precision: 38, Scale: 2}},
	{Name: "ok", Type: arrow.FixedWidthTypes.Boolean},
}, nil)

func opt[T any](t *rapid.T, g *rapid.Generator[T], name string) *T {
	if rapid.IntRange(0, 7).Draw(t, name+" null") == 0 {
		return nil
	}
	v := g.Draw(t, name)
	return &v
}

func drawPeople(t *rapid.T) []person {
	names := rapid.SampledFrom([]string{"", "a", "b", "c", "甲", "\x00null", "\x00", "null"})
	ids := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "id")) })
	ints := rapid.OneOf(rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64}))
	limit := new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil), big.NewInt(1))
	decs := rapid.Custom(func(t *rapid.T) big.Int {
		switch rapid.IntRange(0, 3).Draw(t, "dec") {
		case 0:
			return *limit
		case 1:
			return *new(big.Int).Neg(limit)
		}
		return *big.NewInt(rapid.Int64Range(-500, 500).Draw(t, "dec small"))
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) person {
		return person{
			rid: opt(t, ids, "rid"), area: opt(t, names, "area"), job: opt(t, names, "job"),
			n: opt(t, ints, "n"), d: opt(t, decs, "d"), ok: opt(t, rapid.Bool(), "ok"),
		}
	}), 0, 40).Draw(t, "people")
}

// batchOf builds one batch with before and after extra records that are sliced
// away again.
func batchOf(mem memory.Allocator, people []person, before, after int) arrow.Record {
	b := array.NewRecordBuilder(mem, oracleSchema)
	defer b.Release()
	junk, num, yes := "junk", int64(77), true
	extra := person{rid: &junk, area: &junk, job: &junk, n: &num, d: big.NewInt(9), ok: &yes}
	all := slices.Concat(slices.Repeat([]person{extra}, before), people, slices.Repeat([]person{extra}, after))
	for _, p := range all {
		b.Field(0).(*array.Int8Builder).Append(1)
		put(b.Field(1), p.rid, b.Field(1).(*array.StringBuilder).Append)
		put(b.Field(2), p.area, func(v string) { _ = b.Field(2).(*array.BinaryDictionaryBuilder).AppendString(v) })
		put(b.Field(3), p.job, b.Field(3).(*array.LargeStringBuilder).Append)
		put(b.Field(4), p.n, b.Field(4).(*array.Int64Builder).Append)
		put(b.Field(5), p.d, func(v big.Int) { b.Field(5).(*array.Decimal128Builder).Append(decimal128.FromBigInt(&v)) })
		put(b.Field(6), p.ok, b.Field(6).(*array.BooleanBuilder).Append)
	}
	whole := b.NewRecord()
	defer whole.Release()
	return whole.NewSlice(int64(before), int64(before+len(people)))
}

func put[T any](b array.Builder, v *T, add func(T)) {
	if v == nil {
		b.AppendNull()
		return
	}
	add(*v)
}

func drawQuery(t *rapid.T) *compute.Query {
	q := &compute.Query{Dataset: "people", Subject: "rid"}
	if rapid.Bool().Draw(t, "rows") {
		q.Subject, q.RowSubjects = "", true
	}
	q.GroupBy = rapid.SampledFrom([][]string{nil, {"area"}, {"job"}, {"ok", "area"}, {"n"}, {"d", "ok"}, {"job", "ok", "area", "n"}}).Draw(t, "group by")
	q.Measures = []compute.Measure{
		{Kind: compute.Count}, {Kind: compute.Subjects}, {Kind: compute.Sum, Field: "n"},
		{Kind: compute.Mean, Field: "n"}, {Kind: compute.Sum, Field: "d"}, {Kind: compute.Mean, Field: "d"},
	}
	ops := rapid.SampledFrom([]compute.Op{compute.Eq, compute.Ne, compute.Lt, compute.Le, compute.Gt, compute.Ge})
	if rapid.Bool().Draw(t, "filter n") {
		q.Filters = append(q.Filters, compute.Filter{Field: "n", Op: ops.Draw(t, "op n"), Value: "1"})
	}
	if rapid.Bool().Draw(t, "filter d") {
		q.Filters = append(q.Filters, compute.Filter{Field: "d", Op: ops.Draw(t, "op d"), Value: "-1.5"})
	}
	if rapid.Bool().Draw(t, "filter area") {
		q.Filters = append(q.Filters, compute.Filter{Field: "area", Op: ops.Draw(t, "op area"), Value: "b"})
	}
	if rapid.Bool().Draw(t, "filter job") {
		q.Filters = append(q.Filters, compute.Filter{Field: "job", Op: compute.In, Values: []string{"", "a", "甲"}})
	}
	return q
}

// TestAgainstNaive runs random queries over random tables, cut and sliced at
// random, against an interpreter on Go maps and math/big.
func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people, q := drawPeople(t), drawQuery(t)
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		var recs []arrow.Record
		for rest := people; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			recs = append(recs, batchOf(mem, rest[:n], rapid.IntRange(0, 9).Draw(t, "before"), rapid.IntRange(0, 3).Draw(t, "after")))
			rest = rest[n:]
		}
		got := mustRun(t, mem, q, recs)
		require.Equal(t, naive(q, people), flatten(got))
		require.Zero(t, mem.CurrentAlloc())
	})
}

func mustRun(t require.TestingT, mem memory.Allocator, q *compute.Query, recs []arrow.Record) *compute.Result {
	plan, err := plain.New(plain.Options{Alloc: mem}).Prepare(context.Background(), q, oracleSchema)
	require.NoError(t, err)
	src, err := array.NewRecordReader(oracleSchema, recs)
	require.NoError(t, err)
	for _, r := range recs {
		r.Release()
	}
	defer src.Release()
	res, err := plan.Run(context.Background(), src)
	require.NoError(t, err)
	return res
}
