package plain_test

import (
	"context"
	"encoding/csv"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

// adult reads the UCI Adult file by encoding/csv: header names, then records.
func adult(t *testing.T) (names []string, rows [][]string) {
	dir := os.Getenv("YUMEN_TESTDATA")
	if dir == "" {
		t.Skip("YUMEN_TESTDATA is not set: no UCI Adult file")
	}
	f, err := os.Open(filepath.Join(dir, "adult", "adult.csv"))
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = ';'
	all, err := r.ReadAll()
	require.NoError(t, err)
	for _, n := range all[0] {
		names = append(names, strings.TrimSpace(n))
	}
	return names, all[1:]
}

// TestUCIAdult holds grouped counts, sums and mean ages against a computation
// of its own over maps, to the last digit.
func TestUCIAdult(t *testing.T) {
	names, rows := adult(t)
	require.Len(t, rows, 30162)
	mem := checked(t)
	schema, recs := adultBatches(t, names, rows, mem)
	q := &compute.Query{
		Dataset: "adult", RowSubjects: true,
		Filters: []compute.Filter{{Field: "age", Op: compute.Ge, Value: "25"}, {Field: "race", Op: compute.In, Values: []string{"White", "Black"}}},
		GroupBy: []string{"sex", "education"},
		Measures: []compute.Measure{
			{Kind: compute.Count}, {Kind: compute.Mean, Field: "age"}, {Kind: compute.Sum, Field: "age"},
		},
	}
	plan, err := plain.New(plain.Options{Alloc: mem}).Prepare(context.Background(), q, schema)
	require.NoError(t, err)
	require.Equal(t, []string{"age", "race", "sex", "education"}, plan.Columns())
	res, err := runPlan(t, plan, schema, recs...)
	require.NoError(t, err)

	col := func(name string) int { return slices.Index(names, name) }
	count, sum := map[[2]string]int64{}, map[[2]string]int64{}
	for _, r := range rows {
		age, err := strconv.ParseInt(r[col("age")], 10, 64)
		require.NoError(t, err)
		if race := r[col("race")]; age < 25 || race != "White" && race != "Black" {
			continue
		}
		k := [2]string{r[col("sex")], r[col("education")]}
		count[k]++
		sum[k] += age
	}
	require.Len(t, res.Cells, len(count))
	require.EqualValues(t, 30162, res.UniverseSubjects)
	var total int64
	for _, c := range res.Cells {
		k := [2]string(c.Keys)
		total += count[k]
		require.Equal(t, strconv.FormatInt(count[k], 10), c.Values[0].Text)
		require.Equal(t, count[k], c.Subjects)
		require.Equal(t, strconv.FormatInt(sum[k], 10), c.Values[2].Text)
		require.Equal(t, strconv.FormatInt(sum[k], 10), c.Values[1].Numerator)
		require.Equal(t, halfEven(big.NewRat(sum[k], count[k]), 6), c.Values[1].Text)
	}
	require.Equal(t, total, res.Rows)
}

func adultBatches(t *testing.T, names []string, rows [][]string, mem memory.Allocator) (*arrow.Schema, []arrow.Record) {
	fields := make([]arrow.Field, len(names))
	for i, n := range names {
		fields[i] = arrow.Field{Name: n, Type: arrow.BinaryTypes.String}
		if n == "age" {
			fields[i].Type = arrow.PrimitiveTypes.Int64
		}
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	var recs []arrow.Record
	for i, r := range rows {
		for k, v := range r {
			require.NoError(t, b.Field(k).AppendValueFromString(v))
		}
		if i%4000 == 3999 || i == len(rows)-1 {
			recs = append(recs, b.NewRecord())
		}
	}
	return schema, recs
}

// halfEven rounds by rationals: floor of twice the value decides, independent
// of the engine's own way.
func halfEven(v *big.Rat, digits int) string {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	scaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(unit))
	floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Euclidean: denominators are positive
	diff := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor))
	switch diff.Cmp(big.NewRat(1, 2)) {
	case 1:
		floor.Add(floor, big.NewInt(1))
	case 0:
		if floor.Bit(0) == 1 {
			floor.Add(floor, big.NewInt(1))
		}
	}
	return new(big.Rat).SetFrac(floor, unit).FloatString(digits)
}
