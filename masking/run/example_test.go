package run_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/run"
)

func Example() {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "name", Type: arrow.BinaryTypes.String}, {Name: "age", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	open := func(context.Context) (array.RecordReader, error) {
		rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"name":"欧阳娜娜","age":34},{"name":"张三","age":61}]`))
		if err != nil {
			return nil, err
		}
		defer rec.Release()
		return array.NewRecordReader(schema, []arrow.Record{rec})
	}
	policy, err := masking.ParsePolicy([]byte(`masking: 1
columns:
  - {name: name, class: direct_identifier, grade: 3, technique: redact, params: {keep_first: 1}, nulls: keep}
  - {name: age, class: quasi_identifier, grade: 2, technique: generalize, params: {to: range, width: 10}, nulls: keep}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range masking.Check(policy, schema) {
		fmt.Println(f.Error())
	}
	m, err := masking.CompileWith(policy, schema, masking.Sources{})
	if err != nil {
		fmt.Println(err)
		return
	}
	place, err := os.MkdirTemp("", "masked")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(place)
	dir := filepath.Join(place, "table")
	if _, err := run.Run(context.Background(), m, run.Input{Open: open, Rows: 2}, run.Options{Dir: dir}); err != nil {
		fmt.Println(err)
		return
	}
	r, manifest, err := run.OpenTable(context.Background(), dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Release()
	for r.Next() {
		for i := range int(r.Record().NumRows()) {
			fmt.Println(r.Record().Column(0).ValueStr(i), r.Record().Column(1).ValueStr(i))
		}
	}
	fmt.Println(manifest.Rows, "rows,", manifest.Dropped, "suppressed")
	// Output:
	// 欧*** [30,40)
	// 张* [60,70)
	// 2 rows, 0 suppressed
}
