package disclosure

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Workers bounds the cores that judgements take from now on; 0 is all, as New sets it.
func (r *Registry) Workers(n int) { r.workers = n }

// parallel runs work(0) to work(n-1) on so many cores, 0 being all, and waits. After the
// context ends no new piece starts.
func parallel(ctx context.Context, workers, n int, work func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range min(n, workers) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				work(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
