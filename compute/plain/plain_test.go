package plain_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

var homes = arrow.NewSchema([]arrow.Field{
	{Name: "rid", Type: arrow.BinaryTypes.String},
	{Name: "district", Type: arrow.BinaryTypes.String},
	{Name: "area", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}},
	{Name: "built", Type: arrow.FixedWidthTypes.Date32},
	{Name: "seen", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
	{Name: "rate", Type: arrow.PrimitiveTypes.Float64},
	{Name: "big", Type: arrow.PrimitiveTypes.Uint64},
	{Name: "raw", Type: arrow.BinaryTypes.Binary},
	{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)},
}, nil)

const homeRows = `[
 {"rid":"a","district":"x","area":"60.50","built":"1999-12-31","seen":"2026-01-01 00:00:00","rate":0.1,"big":"18446744073709551615"},
 {"rid":"a","district":"x","area":"80.00","built":"2000-01-01","rate":0.2,"big":1},
 {"rid":"b","district":"x","area":null,"built":"2001-05-05","rate":null,"big":2},
 {"rid":"b","district":null,"area":"-10.25","built":null,"rate":0.1,"big":3},
 {"rid":null,"district":"x","area":"999.00","built":"2001-05-05","rate":0.1,"big":4},
 {"rid":"","district":"x","area":"999.00","built":"2001-05-05","rate":0.1,"big":5}]`

func homesQuery(filters ...compute.Filter) *compute.Query {
	return &compute.Query{
		Dataset: "housing", Subject: "rid", Filters: filters, GroupBy: []string{"district"},
		Measures: []compute.Measure{{Kind: compute.Count}, {Kind: compute.Mean, Field: "area"}, {Kind: compute.Sum, Field: "area"}},
	}
}

func TestNullsAndEvidence(t *testing.T) {
	mem := checked(t)
	res, err := run(t, plain.Options{Alloc: mem}, homesQuery(), homes, recordOf(t, mem, homes, homeRows))
	require.NoError(t, err)
	require.Equal(t, []string{
		"total subjects=2 universe=2 rows=4 read=6 lost=2",
		`["\x00null"] subjects=1 records=1 [1 / by 1: 1 1 0] [-10.250000 -10.25/1 by 1: 1025 1025 0] [-10.25 / by 1: 1025 1025 0]`,
		`["x"] subjects=2 records=3 [3 / by 2: 3 2 1] [70.250000 140.50/2 by 1: 14050 14050 0] [140.50 / by 1: 14050 14050 0]`,
	}, flatten(res))
}

// TestFilters counts the records of the table above that each filter keeps.
func TestFilters(t *testing.T) {
	in := func(field string, v ...string) compute.Filter {
		return compute.Filter{Field: field, Op: compute.In, Values: v}
	}
	for _, c := range []struct {
		name string
		f    compute.Filter
		rows int64
	}{
		{"decimal", compute.Filter{Field: "area", Op: ">=", Value: "60.5"}, 2},
		{"decimal null is not unequal", compute.Filter{Field: "area", Op: "!=", Value: "80"}, 2},
		{"decimal set", in("area", "80", "-10.25"), 2},
		{"date", compute.Filter{Field: "built", Op: "<", Value: "2000-01-01"}, 1},
		{"date set", in("built", "2000-01-01", "2001-05-05"), 2},
		{"timestamp", compute.Filter{Field: "seen", Op: "=", Value: "2026-01-01T08:00:00+08:00"}, 1},
		{"float", compute.Filter{Field: "rate", Op: "=", Value: "0.1"}, 2},
		{"float set", in("rate", "0.2"), 1},
		{"uint64", compute.Filter{Field: "big", Op: ">", Value: "9223372036854775808"}, 1},
		{"uint64 set", in("big", "18446744073709551615", "2"), 2},
		{"text", compute.Filter{Field: "district", Op: "<=", Value: "x"}, 3},
		{"text null is not unequal", compute.Filter{Field: "district", Op: "!=", Value: "y"}, 3},
		{"nothing", compute.Filter{Field: "district", Op: "=", Value: ""}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := checked(t)
			res, err := run(t, plain.Options{Alloc: mem}, homesQuery(c.f), homes, recordOf(t, mem, homes, homeRows))
			require.NoError(t, err)
			require.Equal(t, c.rows, res.Rows)
			require.EqualValues(t, 2, res.UniverseSubjects, "the universe is counted before filters")
			if c.rows == 0 {
				require.Empty(t, res.Cells)
			}
		})
	}
}

func TestEmptyInput(t *testing.T) {
	q := homesQuery()
	res, err := run(t, plain.Options{}, q, homes)
	require.NoError(t, err)
	require.Empty(t, res.Cells)
	q.GroupBy = nil
	res, err = run(t, plain.Options{}, q, homes, recordOf(t, memory.DefaultAllocator, homes, `[]`))
	require.NoError(t, err)
	require.Equal(t, []string{
		"total subjects=0 universe=0 rows=0 read=0 lost=0",
		`[] subjects=0 records=0 [0 / by 0: 0 0 0] [ 0.00/0 by 0: 0 0 0] [0.00 / by 0: 0 0 0]`,
	}, flatten(res))
}

func TestPrepareRefuses(t *testing.T) {
	measure := func(kind compute.MeasureKind, field string) func(*compute.Query) {
		return func(q *compute.Query) { q.Measures = []compute.Measure{{Kind: kind, Field: field}} }
	}
	filter := func(field string, op compute.Op, v string) func(*compute.Query) {
		return func(q *compute.Query) { q.Filters = []compute.Filter{{Field: field, Op: op, Value: v}} }
	}
	for _, c := range []struct {
		name string
		edit func(*compute.Query)
		want error
		says string
	}{
		{"unknown field", measure(compute.Sum, "nothing"), compute.ErrSchema, `field "nothing"`},
		{"sum of floats", measure(compute.Sum, "rate"), compute.ErrQuery, "not exact"},
		{"mean of floats", measure(compute.Mean, "rate"), compute.ErrQuery, "register the field as a decimal"},
		{"sum of dates", measure(compute.Sum, "built"), compute.ErrQuery, "integers and decimals"},
		{"sum of text", measure(compute.Sum, "district"), compute.ErrQuery, "integers and decimals"},
		{"groups of floats", func(q *compute.Query) { q.GroupBy = []string{"rate"} }, compute.ErrQuery, "floats make no group keys"},
		{"groups of lists", func(q *compute.Query) { q.GroupBy = []string{"list"} }, compute.ErrQuery, "not computed on"},
		{"groups of bytes", func(q *compute.Query) { q.GroupBy = []string{"raw"} }, compute.ErrQuery, "subject only"},
		{"subject a date", func(q *compute.Query) { q.Subject = "built" }, compute.ErrQuery, "text or an integer"},
		{"literal", filter("area", ">", "1.234"), compute.ErrQuery, `filter 1, field "area"`},
		{"form", func(q *compute.Query) { q.Measures = nil }, compute.ErrQuery, "measures"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := homesQuery()
			c.edit(q)
			_, err := plain.New(plain.Options{}).Prepare(context.Background(), q, homes)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "1.234", "an error never repeats a literal")
		})
	}
	_, err := plain.New(plain.Options{}).Prepare(context.Background(), homesQuery(), nil)
	require.ErrorIs(t, err, compute.ErrSchema)
	twice := arrow.NewSchema(append(homes.Fields(), homes.Field(1)), nil)
	_, err = plain.New(plain.Options{}).Prepare(context.Background(), homesQuery(), twice)
	require.ErrorContains(t, err, "more than once")
}

func TestSchemaDrift(t *testing.T) {
	mem := checked(t)
	plan, err := plain.New(plain.Options{Alloc: mem}).Prepare(context.Background(), homesQuery(), homes)
	require.NoError(t, err)
	drifted := arrow.NewSchema([]arrow.Field{homes.Field(0), homes.Field(1), {Name: "area", Type: &arrow.Decimal128Type{Precision: 18, Scale: 4}}}, nil)
	_, err = runPlan(t, plan, drifted, recordOf(t, mem, drifted, `[{"rid":"a","district":"x","area":"1.0000"}]`))
	require.ErrorIs(t, err, compute.ErrSchema)
	short := arrow.NewSchema([]arrow.Field{homes.Field(1), homes.Field(0)}, nil)
	_, err = runPlan(t, plan, short, recordOf(t, mem, short, `[{"rid":"a","district":"x"}]`))
	require.ErrorIs(t, err, compute.ErrSchema)
}

func TestCanonicalSubjects(t *testing.T) {
	mem := checked(t)
	canon := func(dst, v []byte) ([]byte, error) {
		switch {
		case len(v) > 1:
			return nil, errors.New("too long")
		case v[0] >= 'x':
			return v, nil // shares the batch's bytes
		}
		return append(dst, strings.ToUpper(string(v))...), nil
	}
	const rows = `[{"rid":"a"},{"rid":"A"},{"rid":"b"},{"rid":"long"},{"rid":"x"},{"rid":"y"},{"rid":"x"}]`
	q := &compute.Query{Dataset: "d", Subject: "rid", Measures: []compute.Measure{{Kind: compute.Subjects}}}
	res, err := run(t, plain.Options{Alloc: mem, Subject: canon}, q, homes, recordOf(t, mem, homes, rows), recordOf(t, mem, homes, rows))
	require.NoError(t, err)
	require.Equal(t, "4", res.Cells[0].Values[0].Text)
	require.EqualValues(t, 2, res.Unattributed)
}

func TestIntegerAndBinarySubjects(t *testing.T) {
	mem := checked(t)
	for _, subject := range []string{"big", "raw"} {
		q := &compute.Query{Dataset: "d", Subject: subject, Measures: []compute.Measure{{Kind: compute.Subjects}}}
		rec := recordOf(t, mem, homes, `[{"big":1,"raw":"/w=="},{"big":"18446744073709551615","raw":"AA=="},{"big":1,"raw":"/w=="},{}]`)
		res, err := run(t, plain.Options{Alloc: mem}, q, homes, rec)
		require.NoError(t, err)
		require.Equal(t, "2", res.Cells[0].Values[0].Text)
		require.EqualValues(t, 1, res.Unattributed)
	}
}

type failing struct {
	array.RecordReader
	err error
}

func (f failing) Next() bool { return false }
func (f failing) Err() error { return f.err }

func TestReaderErrorIsNoResult(t *testing.T) {
	plan, err := plain.New(plain.Options{}).Prepare(context.Background(), homesQuery(), homes)
	require.NoError(t, err)
	broken := errors.New("source went away")
	res, err := plan.Run(context.Background(), failing{err: broken})
	require.ErrorIs(t, err, broken)
	require.Nil(t, res)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	res, err = plan.Run(ctx, failing{})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, res)
}
