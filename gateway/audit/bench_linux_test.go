package audit

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkAppend64 is 64 callers in a closed loop with private records of 600
// bytes; the signature here costs next to nothing.
func BenchmarkAppend64(b *testing.B) { benchmarkAppend(b, &countingStore{storage: disk{}}, 0) }

// BenchmarkAppend64Working has callers that compute some 50 microseconds between
// two records: the processor is what is short.
func BenchmarkAppend64Working(b *testing.B) {
	benchmarkAppend(b, &countingStore{storage: disk{}}, 16<<10)
}

// BenchmarkAppend64Unsynced shows what is left without the disk's share.
func BenchmarkAppend64Unsynced(b *testing.B) {
	benchmarkAppend(b, &countingStore{storage: disk{}, skip: true}, 0)
}

func benchmarkAppend(b *testing.B, st *countingStore, work int) {
	o := testOptions(b)
	o.SegmentBytes = 0
	o.store = st
	l := mustOpen(b, o)
	private, busy := random(600), random(work)
	per := b.N/64 + 1
	b.ReportAllocs()
	b.ResetTimer()
	before, cpu := st.syncs.Load(), cpuTime()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range per {
				HashOf(busy)
				if _, err := l.Append(context.Background(), Record{Kind: Release, Private: private}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(64*per), "cpu-ns/op")
	b.ReportMetric(float64(64*per)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(64*per)/float64(st.syncs.Load()-before), "appends/sync")
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}

// countingStore counts syncs, and leaves them out if skip is set.
type countingStore struct {
	storage
	syncs atomic.Int64
	skip  bool
}

type countingFile struct {
	file
	s *countingStore
}

func (s *countingStore) OpenFile(name string, flag int) (file, error) {
	f, err := s.storage.OpenFile(name, flag)
	return countingFile{f, s}, err
}

func (f countingFile) Sync() error {
	f.s.syncs.Add(1)
	if f.s.skip {
		return nil
	}
	return f.file.Sync()
}

// cpuTime is what the process has used, user and system.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
