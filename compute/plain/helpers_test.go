package plain_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

// checked is an allocator that must be back at zero when the test ends.
func checked(t testing.TB) *memory.CheckedAllocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { require.Zero(t, mem.CurrentAlloc(), "bytes not given back") })
	return mem
}

// recordOf builds a batch from a JSON array of objects.
func recordOf(t testing.TB, mem memory.Allocator, schema *arrow.Schema, rows string) arrow.Record {
	var objects []json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(rows), &objects))
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for _, o := range objects {
		require.NoError(t, b.UnmarshalJSON(o)) // a field left out is null
	}
	return b.NewRecord()
}

// run prepares and runs q over batches, which it releases.
func run(t testing.TB, o plain.Options, q *compute.Query, schema *arrow.Schema, recs ...arrow.Record) (*compute.Result, error) {
	plan, err := plain.New(o).Prepare(context.Background(), q, schema)
	require.NoError(t, err)
	return runPlan(t, plan, schema, recs...)
}

func runPlan(t testing.TB, plan compute.Plan, schema *arrow.Schema, recs ...arrow.Record) (*compute.Result, error) {
	src, err := array.NewRecordReader(schema, recs)
	require.NoError(t, err)
	defer src.Release()
	for _, r := range recs {
		r.Release()
	}
	return plan.Run(context.Background(), src)
}
