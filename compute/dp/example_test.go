package dp_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/compute/dp"
)

// A private table: the cost is known before a record is read, the totals leave
// once and through noise.
func Example() {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "rid", Type: arrow.PrimitiveTypes.Int64}, {Name: "district", Type: arrow.BinaryTypes.String},
	}, nil)
	plan, err := dp.NewPlan(dp.Table{
		Subject:   "rid",
		Groups:    []dp.Group{{Field: "district", Public: []string{"east", "west"}}},
		MaxGroups: 1, MaxRecords: 1,
		Mechanism: dp.GaussianNoise, Rho: 10_000_000, Tau: 60,
	}, schema)
	if err != nil {
		fmt.Println(err)
		return
	}
	epsilon, _ := plan.Cost().Epsilon(dp.DefaultDelta)
	fmt.Println("cost:", plan.Cost().Rho, "billionths of rho; epsilon", epsilon, "millionths")

	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for i := range int64(1000) {
		b.Field(0).(*array.Int64Builder).Append(i)
		b.Field(1).(*array.StringBuilder).Append("east")
	}
	rec := b.NewRecord()
	src, _ := array.NewRecordReader(schema, []arrow.Record{rec})
	totals, err := plan.Bound(context.Background(), src, []byte(strings.Repeat("k", 32)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(totals)

	noise, _ := dp.NewSource(rand.Reader)
	table, err := dp.Release(context.Background(), totals, dp.NewDirect(noise))
	fmt.Println(table.Cells[0].Keys, err)
	_, err = dp.Release(context.Background(), totals, dp.NewDirect(noise))
	fmt.Println(err)
	// Output:
	// cost: 10000000 billionths of rho; epsilon 621693 millionths
	// [bounded aggregates]
	// [east] <nil>
	// release private table: aggregates already released
}
