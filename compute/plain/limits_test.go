package plain_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
)

var wideSchema = arrow.NewSchema([]arrow.Field{
	{Name: "rid", Type: arrow.PrimitiveTypes.Int64},
	{Name: "g", Type: arrow.PrimitiveTypes.Int32},
	{Name: "h", Type: arrow.BinaryTypes.String},
	{Name: "v", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// wideBatch has n records: rid i mod subjects, g i mod groups, h i mod 7, v i.
func wideBatch(mem memory.Allocator, n, subjects, groups int) arrow.Record {
	b := array.NewRecordBuilder(mem, wideSchema)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i % subjects))
		b.Field(1).(*array.Int32Builder).Append(int32(i % groups))
		b.Field(2).(*array.StringBuilder).Append(strconv.Itoa(i % 7))
		b.Field(3).(*array.Int64Builder).Append(int64(i))
	}
	return b.NewRecord()
}

func wideQuery(groupBy ...string) *compute.Query {
	return &compute.Query{
		Dataset: "wide", Subject: "rid", GroupBy: groupBy,
		Measures: []compute.Measure{{Kind: compute.Count}, {Kind: compute.Sum, Field: "v"}, {Kind: compute.Mean, Field: "v"}},
	}
}

// TestManyWindows crosses windows, table growth and many cells per subject, and
// does so again with the same records cut into other batches.
func TestManyWindows(t *testing.T) {
	const n, subjects, groups = 100_000, 997, 101
	mem := checked(t)
	res, err := run(t, plain.Options{Alloc: mem}, wideQuery("g", "h"), wideSchema, wideBatch(mem, n, subjects, groups))
	require.NoError(t, err)
	require.Len(t, res.Cells, groups*7)
	require.EqualValues(t, subjects, res.Subjects)
	var sum, pairs int64
	for _, c := range res.Cells {
		v, err := strconv.ParseInt(c.Values[1].Text, 10, 64)
		require.NoError(t, err)
		sum += v
		pairs += c.Subjects
		require.Equal(t, c.Subjects, c.TopShares[1].Subjects)
	}
	require.EqualValues(t, n*(n-1)/2, sum)
	seen := map[[2]int]bool{}
	for i := range n {
		seen[[2]int{i % subjects, i % (groups * 7)}] = true
	}
	require.EqualValues(t, len(seen), pairs)

	whole := wideBatch(mem, n, subjects, groups)
	defer whole.Release()
	again, err := run(t, plain.Options{Alloc: mem}, wideQuery("g", "h"), wideSchema,
		whole.NewSlice(70_001, n), whole.NewSlice(0, 3), whole.NewSlice(3, 70_001))
	require.NoError(t, err)
	require.Equal(t, flatten(res), flatten(again), "neither order nor cut shows")
}

func TestLimits(t *testing.T) {
	mem := checked(t)
	_, err := run(t, plain.Options{Alloc: mem, MaxGroups: 100}, wideQuery("g"), wideSchema, wideBatch(mem, 1000, 10, 101))
	require.ErrorIs(t, err, compute.ErrLimit)
	require.ErrorContains(t, err, "more than 100 groups")
	_, err = run(t, plain.Options{Alloc: mem, MaxGroups: 100}, wideQuery("g", "h"), wideSchema, wideBatch(mem, 1000, 10, 50))
	require.ErrorIs(t, err, compute.ErrLimit)
	res, err := run(t, plain.Options{Alloc: mem, MaxGroups: 101}, wideQuery("g"), wideSchema, wideBatch(mem, 1000, 10, 101))
	require.NoError(t, err)
	require.Len(t, res.Cells, 101)
}

// TestMemoryBound lowers the bound step by step: every run ends with the whole
// answer or with ErrLimit, and gives everything back.
func TestMemoryBound(t *testing.T) {
	mem := checked(t)
	for bound := int64(16 << 20); bound > 0; bound = bound * 3 / 4 {
		rec := wideBatch(mem, 40_000, 40_000, 300)
		before := mem.CurrentAlloc()
		peak := &peaks{Allocator: mem}
		res, err := run(t, plain.Options{Alloc: peak, MaxMemory: bound}, wideQuery("g", "h"), wideSchema, rec)
		require.LessOrEqual(t, peak.most, bound)
		require.Less(t, mem.CurrentAlloc(), before, "the batch is released")
		if err != nil {
			require.ErrorIs(t, err, compute.ErrLimit)
			require.Nil(t, res)
			continue
		}
		require.Len(t, res.Cells, 2100)
	}
}

// peaks remembers the most that was ever out.
type peaks struct {
	memory.Allocator
	now, most int64
}

func (p *peaks) Allocate(n int) []byte {
	p.now += int64(n)
	p.most = max(p.most, p.now)
	return p.Allocator.Allocate(n)
}

func (p *peaks) Free(b []byte) {
	p.now -= int64(len(b))
	p.Allocator.Free(b)
}

// cancelling cancels after some batches.
type cancelling struct {
	array.RecordReader
	left   int
	cancel func()
}

func (c *cancelling) Next() bool {
	if c.left--; c.left < 0 {
		c.cancel()
	}
	return c.RecordReader.Next()
}

func TestCancel(t *testing.T) {
	mem := checked(t)
	plan, err := plain.New(plain.Options{Alloc: mem}).Prepare(context.Background(), wideQuery("g"), wideSchema)
	require.NoError(t, err)
	recs := []arrow.Record{wideBatch(mem, 10, 3, 2), wideBatch(mem, 10, 3, 2), wideBatch(mem, 10, 3, 2)}
	src, err := array.NewRecordReader(wideSchema, recs)
	require.NoError(t, err)
	defer src.Release()
	for _, r := range recs {
		r.Release()
	}
	ctx, cancel := context.WithCancel(context.Background())
	res, err := plan.Run(ctx, &cancelling{RecordReader: src, left: 1, cancel: cancel})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, res)
}

// TestPlanIsShared runs one plan from several goroutines.
func TestPlanIsShared(t *testing.T) {
	mem := checked(t)
	plan, err := plain.New(plain.Options{Alloc: mem}).Prepare(context.Background(), wideQuery("g"), wideSchema)
	require.NoError(t, err)
	require.Equal(t, compute.Cost{Bytes: plain.DefaultMaxMemory}, plan.Cost())
	rec := wideBatch(mem, 20_000, 500, 9)
	defer rec.Release()
	out := make([]string, 4)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			src, err := array.NewRecordReader(wideSchema, []arrow.Record{rec})
			if err != nil {
				return
			}
			defer src.Release()
			if res, err := plan.Run(context.Background(), src); err == nil {
				out[i] = fmt.Sprint(flatten(res))
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, out[0])
	for _, o := range out {
		require.Equal(t, out[0], o)
	}
}
