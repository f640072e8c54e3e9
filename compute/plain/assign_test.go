package plain_test

import (
	"context"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

// What Assign says of each record adds up to what Run says of each cell.
func TestAssign_AddsUpToTheResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		people := drawPeople(t)
		q := drawQuery(t)
		cut := rapid.IntRange(0, len(people)).Draw(t, "cut")
		recs := []arrow.Record{batchOf(mem, people[:cut], 0, 0), batchOf(mem, people[cut:], 0, 0)}
		want := flatten(mustRun(t, mem, q, recs))
		recs = []arrow.Record{batchOf(mem, people[:cut], 0, 0), batchOf(mem, people[cut:], 0, 0)}
		schema := recs[0].Schema()
		plan, err := plain.New(plain.Options{Alloc: mem}).Prepare(context.Background(), q, schema)
		require.NoError(t, err)
		src, err := array.NewRecordReader(schema, recs)
		require.NoError(t, err)
		a, err := plain.Assign(context.Background(), plan, src)
		src.Release()
		for _, r := range recs {
			r.Release()
		}
		require.NoError(t, err)
		require.Equal(t, want, flatten(a.Result))
		requireAddsUp(t, a, len(people))
		require.Zero(t, mem.CurrentAlloc())
	})
}

func requireAddsUp(t *rapid.T, a *plain.Assignment, rows int) {
	require.Len(t, a.Subject, rows)
	require.Len(t, a.Cell, rows)
	records := make([]int64, len(a.Result.Cells))
	subjects := make([]map[uint32]bool, len(records))
	all := map[uint32]bool{}
	for i, c := range a.Cell {
		if a.Subject[i] != plain.None {
			all[a.Subject[i]] = true
		}
		if c == plain.None {
			continue
		}
		require.NotEqual(t, plain.None, a.Subject[i])
		if subjects[c] == nil {
			subjects[c] = map[uint32]bool{}
		}
		records[c]++
		subjects[c][a.Subject[i]] = true
	}
	require.EqualValues(t, a.Result.UniverseSubjects, len(all))
	for i := range a.Result.Cells {
		c := &a.Result.Cells[i]
		require.Equal(t, c.Records, records[i])
		require.EqualValues(t, c.Subjects, len(subjects[i]))
	}
	for _, v := range a.Valued {
		require.Len(t, v, rows)
		require.Contains(t, v, false)
	}
}

// A plan of another engine is refused, not taken for one of ours.
func TestAssign_RefusesAForeignPlan(t *testing.T) {
	_, err := plain.Assign(context.Background(), foreignPlan{}, nil)
	require.ErrorIs(t, err, compute.ErrQuery)
}

type foreignPlan struct{ compute.Plan }
