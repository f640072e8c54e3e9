package disclosure

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel runs work(0) to work(n-1) on the available cores and waits. After the
// context ends no new piece starts.
func parallel(ctx context.Context, n int, work func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
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
