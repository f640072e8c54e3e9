package masking_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/generalize"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/microaggregate"
	"github.com/yumen-project/yumen/masking/pram"
	"github.com/yumen-project/yumen/masking/rankswap"
	"github.com/yumen-project/yumen/masking/redact"
	"github.com/yumen-project/yumen/masking/shuffle"
)

// Batches as they stream through a gateway: many, of which the next is not in
// the processor's cache.
const (
	benchRows    = 1 << 16
	benchBatches = 48
)

// stream hands out the batches in turn.
type stream struct {
	batches []arrow.Array
	at      int
}

func newStream(b *testing.B, in arrow.Array) *stream {
	b.Helper()
	s := &stream{}
	for range benchBatches {
		a, err := kernel.Copy(memory.DefaultAllocator, in)
		require.NoError(b, err)
		s.batches = append(s.batches, a)
	}
	return s
}

func (s *stream) next() arrow.Array {
	s.at = (s.at + 1) % len(s.batches)
	return s.batches[s.at]
}

// recycler keeps freed memory, as a gateway that masks batch after batch
// would: the figures are then those of the kernels, not of the page tables.
type recycler struct {
	mu   sync.Mutex
	free map[int][][]byte
}

func (r *recycler) Allocate(n int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.free[n]; len(l) > 0 {
		r.free[n] = l[:len(l)-1]
		return l[len(l)-1]
	}
	return memory.DefaultAllocator.Allocate(n)
}

func (r *recycler) Reallocate(n int, b []byte) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	fresh := r.Allocate(n)
	copy(fresh, b)
	return fresh
}

func (r *recycler) Free(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free[cap(b)] = append(r.free[cap(b)], b[:cap(b)])
}

func benchText(value func(int) string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range benchRows {
		b.Append(value(i))
	}
	return b.NewArray()
}

func residentNumber(i int) string { return fmt.Sprintf("2202%014d", i*7919) }

func personName(i int) string {
	return []string{"张三", "李四光", "欧阳娜娜", "王小明", "司马相如", "赵云"}[i%6]
}

// fewNames leaves one in twenty out.
func fewNames(i int) string {
	if i%20 == 7 {
		return ""
	}
	return personName(i)
}

func address(i int) string {
	return fmt.Sprintf("吉林省吉林市昌邑区解放大路%d号%d单元%d室", i%971, i%7+1, i%1207+101)
}

// asciiText is of 3 to 20 letters.
func asciiText(i int) string {
	i = i * 2654435761 >> 7 & 0xffff
	return "Alexandria-Constantin"[i%4 : 7+i%15]
}

func mixedText(i int) string {
	return []string{"Ann", "吉林省吉林市昌邑区", "18643200000", "someone@example.org", "张三", "B-204"}[i*5%6]
}

// copyColumn is memcpy: offsets and data to buffers of the same allocator.
func copyColumn(mem memory.Allocator, in arrow.Array) {
	for _, b := range in.Data().Buffers()[1:] {
		out := memory.NewResizableBuffer(mem)
		out.Resize(b.Len())
		copy(out.Bytes(), b.Bytes())
		out.Release()
	}
}

// versus times work against other in turn and reports the ratio of speeds, of
// medians.
func versus(b *testing.B, name string, other, work func()) {
	var mine, theirs []time.Duration
	for b.Loop() {
		t0 := time.Now()
		other()
		t1 := time.Now()
		work()
		theirs = append(theirs, t1.Sub(t0))
		mine = append(mine, time.Since(t1))
	}
	slices.Sort(mine)
	slices.Sort(theirs)
	m, t := mine[len(mine)/2].Seconds(), theirs[len(theirs)/2].Seconds()
	b.ReportMetric(t/m, name)
	b.ReportMetric(benchRows/m/1e6, "Mrows/s")
	b.ReportMetric(0, "ns/op")
}

func run(b *testing.B, k kernel.Kernel, mem memory.Allocator, in *stream) func() {
	b.Helper()
	return func() {
		out, err := k.Mask(&kernel.Env{Alloc: mem}, in.next())
		if err != nil {
			b.Fatal(err)
		}
		out.Release()
	}
}

func BenchmarkRedact(b *testing.B) {
	k, err := redact.New(redact.Params{KeepFirst: 3, KeepLast: 4})
	require.NoError(b, err)
	one, err := redact.New(redact.Params{KeepFirst: 1})
	require.NoError(b, err)
	ends, err := redact.New(redact.Params{KeepFirst: 1, KeepLast: 1})
	require.NoError(b, err)
	for _, c := range []struct {
		name  string
		k     kernel.Kernel
		value func(int) string
	}{{"fixed18", k, residentNumber}, {"names", one, personName}, {"names-empty", one, fewNames}, {"ascii", one, asciiText}, {"ascii-ends", ends, asciiText},
		{"mixed", one, mixedText}, {"addresses", k, address}} {
		in := newStream(b, benchText(c.value))
		for alloc, mem := range map[string]memory.Allocator{
			"recycled": &recycler{free: map[int][][]byte{}}, "go": memory.DefaultAllocator} {
			b.Run(c.name+"/"+alloc, func(b *testing.B) {
				versus(b, "of-memcpy", func() { copyColumn(mem, in.next()) }, run(b, c.k, mem, in))
			})
		}
	}
}

// BenchmarkByRow gives the speed of the techniques that draw or sort.
func BenchmarkByRow(b *testing.B) {
	mem := &recycler{free: map[int][][]byte{}}
	key := []byte("0123456789abcdef")
	numbers := array.NewInt64Builder(mem)
	for i := range benchRows {
		numbers.Append(int64(i) * 2654435761 >> 5 & 0xfffff)
	}
	in := newStream(b, numbers.NewArray())
	text := newStream(b, benchText(func(i int) string { return []string{"汉族", "满族", "回族"}[i%3] }))
	move, err := shuffle.New(shuffle.Params{}, key, "c")
	require.NoError(b, err)
	swap, err := rankswap.New(rankswap.Params{Percent: 10}, key, "c")
	require.NoError(b, err)
	level, err := microaggregate.New(microaggregate.Params{K: 5})
	require.NoError(b, err)
	change, err := pram.New(pram.Params{Categories: []string{"汉族", "满族", "回族"}, Keep: "0.8"}, key, "c")
	require.NoError(b, err)
	for _, c := range []struct {
		name string
		k    kernel.Kernel
		in   *stream
	}{{"shuffle", move, in}, {"rankswap", swap, in}, {"microaggregate", level, in}, {"pram", change, text}} {
		b.Run(c.name, func(b *testing.B) {
			versus(b, "of-memcpy", func() { copyColumn(mem, c.in.next()) }, run(b, c.k, mem, c.in))
		})
	}
}

func BenchmarkDates(b *testing.B) {
	mem := &recycler{free: map[int][][]byte{}}
	db := array.NewDate32Builder(mem)
	for i := range benchRows {
		db.Append(arrow.Date32(i % 30000))
	}
	in := newStream(b, db.NewArray())
	for _, as := range []string{"label", "start"} {
		k, err := generalize.New(generalize.Params{To: "month", As: as})
		require.NoError(b, err)
		b.Run("month/"+as, func(b *testing.B) {
			other := func() { builderLabels(mem, in.next().(*array.Date32)) }
			if as == "start" {
				other = func() { builderStarts(mem, in.next().(*array.Date32)) }
			}
			versus(b, "x-builder", other, run(b, k, mem, in))
		})
	}
}

func builderLabels(mem memory.Allocator, in *array.Date32) {
	out := array.NewStringBuilder(mem)
	out.Reserve(in.Len())
	out.ReserveData(7 * in.Len())
	for i := range in.Len() {
		out.Append(in.Value(i).ToTime().Format("2006-01"))
	}
	out.NewArray().Release()
	out.Release()
}

func builderStarts(mem memory.Allocator, in *array.Date32) {
	out := array.NewDate32Builder(mem)
	out.Reserve(in.Len())
	for i := range in.Len() {
		y, m, _ := in.Value(i).ToTime().Date()
		out.Append(arrow.Date32FromTime(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)))
	}
	out.NewArray().Release()
	out.Release()
}
