// Package load puts calls on a server and measures how long they take.
//
// Closed keeps a fixed number of calls under way and finds the rate that a
// server bears. Open starts calls by a schedule that does not wait for answers
// and finds the latency at a given rate: each call is measured from the moment
// at which it was due, so that a server that stands still is charged for every
// call that it kept waiting, begun or not.
//
// The load is made by the same machine that runs this program: where the server
// runs there too, both share its cores, and the figures say so of neither. A
// call that fails ends the run: no figure is made of wrong answers.
package load

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrOptions says that a run has no workers, no duration or no rate.
var ErrOptions = errors.New("load: workers, duration and rate must be above zero")

// Call makes one call. worker is 0 to workers-1 and makes one call at a time.
type Call func(ctx context.Context, worker int) error

// Result is what one run found.
type Result struct {
	// Calls is the number of calls answered.
	Calls int64
	// Elapsed is the time from the first call to the last answer.
	Elapsed time.Duration
	// Latency holds one duration a call.
	Latency *Histogram
	// Late is how far the most belated call began behind its schedule; zero in a closed loop.
	Late time.Duration
}

// Rate is the number of calls answered in a second.
func (r *Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Calls) / r.Elapsed.Seconds()
}

// crew runs one function a worker and keeps the first error, which stops all.
type crew struct {
	wg     sync.WaitGroup
	cancel context.CancelFunc
	once   sync.Once
	err    error
}

// run waits until every worker has returned.
func (c *crew) run(ctx context.Context, workers int, work func(ctx context.Context, worker int) error) error {
	ctx, c.cancel = context.WithCancel(ctx)
	defer c.cancel()
	for w := range workers {
		c.wg.Go(func() {
			if err := work(ctx, w); err != nil {
				c.once.Do(func() { c.err = err })
				c.cancel()
			}
		})
	}
	c.wg.Wait()
	return c.err
}
