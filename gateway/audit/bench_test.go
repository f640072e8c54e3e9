package audit

import (
	"context"
	"sync"
	"testing"
)

// BenchmarkAppend64 is 64 callers in a closed loop with private records of 600
// bytes; the signature here costs next to nothing.
func BenchmarkAppend64(b *testing.B) {
	o := testOptions(b)
	o.SegmentBytes = 0
	l := mustOpen(b, o)
	private := random(600)
	per := b.N/64 + 1
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range per {
				if _, err := l.Append(context.Background(), Record{Kind: Release, Private: private}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(64*per)/b.Elapsed().Seconds(), "appends/s")
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}
