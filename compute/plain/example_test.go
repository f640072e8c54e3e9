package plain_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

func Example() {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "rid", Type: arrow.BinaryTypes.String},
		{Name: "district", Type: arrow.BinaryTypes.String},
		{Name: "area", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.NewGoAllocator(), schema, strings.NewReader(`[
		{"rid": "a", "district": "220202", "area": "60.50"},
		{"rid": "b", "district": "220202", "area": "80.25"},
		{"rid": "b", "district": "220203", "area": "19.99"}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rec.Release()
	src, err := array.NewRecordReader(schema, []arrow.Record{rec})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Release()

	ctx := context.Background()
	plan, err := plain.New(plain.Options{}).Prepare(ctx, &compute.Query{
		Dataset: "housing", Subject: "rid", GroupBy: []string{"district"},
		Filters:  []compute.Filter{{Field: "area", Op: compute.Ge, Value: "20"}},
		Measures: []compute.Measure{{Kind: compute.Count}, {Kind: compute.Mean, Field: "area"}},
	}, schema)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := plan.Run(ctx, src)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range res.Cells {
		fmt.Println(c.Keys, c.Values[0].Text, c.Values[1].Text, "of", c.Subjects, "subjects")
	}
	// Output: [220202] 2 70.375000 of 2 subjects
}
