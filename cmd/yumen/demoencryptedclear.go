package main

import (
	"context"
	"errors"
	"math/big"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

// clearTotals lets the clear engine add columns, by group where there is one. It gives,
// per group, the count under "" and each column's sum.
func clearTotals(ctx context.Context, groups []string, columns map[string][]int64) (map[string]map[string]*big.Int, error) {
	q := &compute.Query{Dataset: "clear", RowSubjects: true, Measures: []compute.Measure{{Kind: compute.Count}}}
	var fields []arrow.Field
	var names []string
	rows := len(groups)
	for name, v := range columns {
		fields, names, rows = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64}), append(names, name), len(v)
		q.Measures = append(q.Measures, compute.Measure{Kind: compute.Sum, Field: name})
	}
	if groups != nil {
		fields, q.GroupBy = append(fields, arrow.Field{Name: "group", Type: arrow.BinaryTypes.String}), []string{"group"}
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, name := range names {
		b.Field(i).(*array.Int64Builder).AppendValues(columns[name], nil)
	}
	if groups != nil {
		b.Field(len(names)).(*array.StringBuilder).AppendValues(groups, nil)
	}
	if rows == 0 {
		return nil, errors.New("no rows")
	}
	rec := b.NewRecord()
	defer rec.Release()
	plan, err := plain.New(plain.Options{}).Prepare(ctx, q, schema)
	if err != nil {
		return nil, err
	}
	reader, err := array.NewRecordReader(schema, []arrow.Record{rec})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	res, err := plan.Run(ctx, reader)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]*big.Int{}
	for _, cell := range res.Cells {
		label := ""
		if groups != nil {
			label, _ = compute.KeyText(cell.Keys[0])
		}
		out[label] = map[string]*big.Int{}
		for i, m := range res.Measures {
			v, ok := new(big.Int).SetString(cell.Values[i].Text, 10)
			if !ok {
				return nil, errors.New("clear sum not understood")
			}
			out[label][m.Field] = v
		}
	}
	return out, nil
}

func ratio(a, b *big.Int) *big.Rat { return new(big.Rat).SetFrac(a, b) }

// moments are sum, mean and variances of a column, those that are named.
func moments(x []int64, names ...string) func(context.Context) (map[string]*big.Rat, error) {
	return func(ctx context.Context) (map[string]*big.Rat, error) {
		t, err := clearTotals(ctx, nil, map[string][]int64{"x": x, "xx": times(x, x)})
		if err != nil {
			return nil, err
		}
		n, sum := t[""][""], t[""]["x"]
		v := new(big.Rat).Sub(ratio(t[""]["xx"], n), square(ratio(sum, n)))
		all := map[string]*big.Rat{"sum": new(big.Rat).SetInt(sum), "mean": ratio(sum, n), "variance_population": v, "variance_sample": unbiased(v, n)}
		out := map[string]*big.Rat{}
		for _, name := range names {
			out[name] = all[name]
		}
		return out, nil
	}
}

// grouped are sums and means by group, or counts where there is no column.
func grouped(groups []string, x []int64) func(context.Context) (map[string]*big.Rat, error) {
	return func(ctx context.Context) (map[string]*big.Rat, error) {
		columns := map[string][]int64{}
		if x != nil {
			columns["x"] = x
		}
		t, err := clearTotals(ctx, groups, columns)
		if err != nil {
			return nil, err
		}
		out := map[string]*big.Rat{}
		for label, one := range t {
			if x == nil {
				out[label+"/count"] = new(big.Rat).SetInt(one[""])
				continue
			}
			out[label+"/sum"], out[label+"/mean"] = new(big.Rat).SetInt(one["x"]), ratio(one["x"], one[""])
		}
		return out, nil
	}
}

// pairs are means, covariances, variances and the squared correlation of two columns.
func pairs(x, y []int64) func(context.Context) (map[string]*big.Rat, error) {
	return func(ctx context.Context) (map[string]*big.Rat, error) {
		t, err := clearTotals(ctx, nil, map[string][]int64{"x": x, "y": y, "xx": times(x, x), "yy": times(y, y), "xy": times(x, y)})
		if err != nil {
			return nil, err
		}
		one := t[""]
		n := one[""]
		mx, my := ratio(one["x"], n), ratio(one["y"], n)
		cov := new(big.Rat).Sub(ratio(one["xy"], n), new(big.Rat).Mul(mx, my))
		vx, vy := new(big.Rat).Sub(ratio(one["xx"], n), square(mx)), new(big.Rat).Sub(ratio(one["yy"], n), square(my))
		return map[string]*big.Rat{"mean_x": mx, "mean_y": my, "covariance_population": cov, "covariance_sample": unbiased(cov, n), "variance_x": vx, "variance_y": vy,
			"correlation_squared": new(big.Rat).Quo(square(cov), new(big.Rat).Mul(vx, vy))}, nil
	}
}

func square(x *big.Rat) *big.Rat { return new(big.Rat).Mul(x, x) }

// unbiased scales a moment of the population to that of a sample.
func unbiased(v *big.Rat, n *big.Int) *big.Rat {
	return new(big.Rat).Mul(v, ratio(n, new(big.Int).Sub(n, big.NewInt(1))))
}

func times(x, y []int64) []int64 {
	out := make([]int64, len(x))
	for i := range x {
		out[i] = x[i] * y[i]
	}
	return out
}
