package audit

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// BenchmarkFsck reads a log of 100,000 frames: 600 bytes are a refusal or a small change, 2,000 an
// answer with its statement. One operation is the whole check.
func BenchmarkFsck(b *testing.B) {
	for _, size := range []int{600, 2000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchmarkFsck(b, size) })
	}
}

func benchmarkFsck(b *testing.B, size int) {
	const frames = 100_000
	o := testOptions(b)
	o.SegmentBytes = 0
	o.store = &countingStore{storage: disk{}, skip: true}
	l := mustOpen(b, o)
	private := random(size)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range frames / 64 {
				if _, err := l.Append(context.Background(), Record{Kind: Release, Private: private}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	cpu := cpuTime()
	b.ResetTimer()
	n := uint64(0)
	for range b.N {
		rep, err := Fsck(context.Background(), o)
		if err != nil || !rep.OK() {
			b.Fatal(rep, err)
		}
		n += rep.Frames
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(n), "cpu-ns/entry")
}
