package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/dp"
)

// neighbours tells two datasets apart that differ in one person, from fresh runs of the private table. A
// fresh gateway for each run would take hours, so the runs are of compute/dp, which the gateway calls with
// the same plan: bound, draw, release. The gateway's own share, one draw for all repeats, is tried by
// privateRepeats.
func (c *campaign) neighbours(ctx context.Context) error {
	for _, mechanism := range []dp.Mechanism{dp.GaussianNoise, dp.LaplaceNoise} {
		if err := c.distinguish(ctx, mechanism); err != nil {
			return err
		}
	}
	return nil
}

var housing = arrow.NewSchema([]arrow.Field{
	{Name: "rid", Type: arrow.PrimitiveTypes.Int64}, {Name: "district", Type: arrow.BinaryTypes.String}, {Name: "value", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// homes has 60 owners of cheap homes in one district; the target owns two of the dearest.
func homes(target bool) arrow.Record {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), housing)
	defer b.Release()
	add := func(rid int64, value int64) {
		b.Field(0).(*array.Int64Builder).Append(rid)
		b.Field(1).(*array.StringBuilder).Append("220202")
		b.Field(2).(*array.Int64Builder).Append(value)
	}
	for i := range int64(60) {
		add(i, 0)
	}
	if target {
		add(1000, 3000)
		add(1000, 3000)
	}
	return b.NewRecord()
}

// distinguish trains a threshold on one half of the runs and judges it on the other.
func (c *campaign) distinguish(ctx context.Context, mechanism dp.Mechanism) error {
	plan, err := dp.NewPlan(dp.Table{
		Subject: "rid", Groups: []dp.Group{{Field: "district", Public: []string{compute.TextKey("220202"), compute.TextKey("220203")}}},
		MaxGroups: 1, MaxRecords: 2, Mechanism: mechanism, Rho: 5_000_000, Tau: 50,
		Measures: []dp.Measure{{Kind: compute.Count, Rho: 5_000_000}, {Kind: compute.Mean, Field: "value", Low: 0, High: 3000, Rho: 20_000_000}},
	}, housing)
	if err != nil {
		return err
	}
	source, err := dp.NewSource(rand.Reader)
	if err != nil {
		return err
	}
	noise := dp.NewDirect(source)
	n := c.size.fresh
	runs := [2][][]float64{}
	for world := range 2 {
		rec := homes(world == 1)
		for range n {
			seen, err := fresh(ctx, plan, rec, noise)
			if err != nil {
				rec.Release()
				return err
			}
			runs[world] = append(runs[world], seen)
		}
	}
	epsilon, err := plan.Cost().Epsilon(dp.DefaultDelta)
	if err != nil {
		return err
	}
	e, delta := math.Exp(float64(epsilon)/1e6), float64(dp.DefaultDelta)/1e12
	allowed := (e + delta) / (1 + e)
	right, test := 0.0, 0.0
	score := discriminant(runs[0][:n/2], runs[1][:n/2])
	for world := range 2 {
		for _, seen := range runs[world][n/2:] {
			test++
			if (score(seen) > 0) == (world == 1) {
				right++
			}
		}
	}
	sampling := 4 * math.Sqrt(.25/test)
	c.r.found(fmt.Sprintf("neighbours %s", map[dp.Mechanism]string{dp.GaussianNoise: "gaussian", dp.LaplaceNoise: "laplace"}[mechanism]), right/test, allowed+sampling,
		"share of right guesses which of two neighbouring datasets was asked; (e^eps + delta)/(1 + e^eps) = %.4f at epsilon %.4f and %.4f of sampling; %d fresh runs each",
		allowed, float64(epsilon)/1e6, sampling, n)
	return nil
}

// fresh is what one run shows: whether the cell was shown, its subjects, records and mean.
func fresh(ctx context.Context, plan *dp.Plan, rec arrow.Record, noise dp.Noise) ([]float64, error) {
	reader, err := array.NewRecordReader(housing, []arrow.Record{rec})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	totals, err := plan.Bound(ctx, reader, key)
	if err != nil {
		return nil, err
	}
	table, err := dp.Release(ctx, totals, noise)
	if err != nil {
		return nil, err
	}
	out := make([]float64, 5)
	for _, cell := range table.Cells {
		if !slices.Equal(cell.Keys, []string{compute.TextKey("220202")}) {
			continue
		}
		out[0], out[1] = 1, float64(cell.Subjects)
		for i, f := range cell.Figures {
			if v, err := strconv.ParseFloat(f.Text, 64); err == nil && 2+i < len(out) {
				out[2+i] = v
			}
		}
		out[4] = out[1] * out[3] // about the noisy sum
	}
	return out, nil
}

// discriminant is a linear score from the two samples: the difference of means over pooled variances,
// cut halfway.
func discriminant(a, b [][]float64) func([]float64) float64 {
	ma, va := moments(a)
	mb, vb := moments(b)
	return func(x []float64) float64 {
		s := 0.0
		for k := range x {
			if v := va[k] + vb[k]; v > 0 {
				s += (mb[k] - ma[k]) / v * (x[k] - (ma[k]+mb[k])/2)
			}
		}
		return s
	}
}

func moments(rows [][]float64) (mean, variance []float64) {
	mean, variance = make([]float64, len(rows[0])), make([]float64, len(rows[0]))
	for _, r := range rows {
		for k, v := range r {
			mean[k] += v / float64(len(rows))
		}
	}
	for _, r := range rows {
		for k, v := range r {
			variance[k] += (v - mean[k]) * (v - mean[k]) / float64(len(rows))
		}
	}
	return mean, variance
}
