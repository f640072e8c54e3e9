package load

import (
	"context"
	"sync/atomic"
	"time"
)

// Schedule says when the calls of an open loop are due.
type Schedule struct {
	// Rate is calls a second, evenly spaced from the start of the run.
	Rate float64
	// Duration is the least time for which calls fall due.
	Duration time.Duration
	// Until, if not nil, keeps calls coming beyond Duration until it is closed;
	// calls that fall due after that are not made.
	Until <-chan struct{}
	// Workers bounds the calls under way. A call that finds none free begins
	// late, and its wait counts; make it well above Rate times the latency expected.
	Workers int
	// Observe, if not nil, is told of every call when it was due and how long
	// after that it was answered. It is called by many goroutines.
	Observe func(due time.Time, took time.Duration)
}

// Open makes calls by schedule and measures each from the moment it was due.
func Open(ctx context.Context, s Schedule, call Call) (*Result, error) {
	if s.Workers < 1 || s.Duration <= 0 || !(s.Rate > 0) {
		return nil, ErrOptions
	}
	o := &openRun{Schedule: s, result: &Result{Latency: &Histogram{}}, began: time.Now(), known: make(chan struct{})}
	err := new(crew).run(ctx, s.Workers+1, func(ctx context.Context, worker int) error {
		if worker == s.Workers {
			return o.watch(ctx)
		}
		return o.work(ctx, worker, call)
	})
	o.result.Elapsed, o.result.Calls = time.Since(o.began), o.result.Latency.Count()
	o.result.Late = time.Duration(o.late.Load())
	return o.result, err
}

// openRun is an open loop under way.
type openRun struct {
	Schedule
	result     *Result
	began      time.Time
	next, late atomic.Int64
	end        time.Time     // when calls cease to fall due; read it once known is closed
	known      chan struct{} // closed when end is set
}

// watch finds out when calls cease to fall due.
func (o *openRun) watch(ctx context.Context) error {
	defer close(o.known)
	o.end = o.began.Add(o.Duration)
	if o.Until == nil {
		return nil
	}
	select {
	case <-o.Until:
		if now := time.Now(); now.After(o.end) {
			o.end = now
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (o *openRun) work(ctx context.Context, worker int, call Call) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		// Reckoned from the start, so that nothing adds up.
		due := o.began.Add(time.Duration(float64(o.next.Add(1)-1) / o.Rate * float64(time.Second)))
		if made, err := o.await(ctx, timer, due); err != nil || !made {
			return err
		}
		raise(&o.late, int64(time.Since(due)))
		if err := call(ctx, worker); err != nil {
			return err
		}
		took := time.Since(due)
		o.result.Latency.Record(took)
		if o.Observe != nil {
			o.Observe(due, took)
		}
	}
}

// await returns when a call is due, or false when it does not fall due any more.
func (o *openRun) await(ctx context.Context, timer *time.Timer, due time.Time) (bool, error) {
	known := o.known
	for {
		timer.Reset(max(time.Until(due), 0))
		select {
		case <-known:
			if !due.Before(o.end) {
				return false, nil
			}
			known = nil
		case <-timer.C:
			select {
			case <-o.known:
				return due.Before(o.end), nil
			default:
				return true, nil
			}
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// raise sets a to v where v is greater.
func raise(a *atomic.Int64, v int64) {
	for {
		old := a.Load()
		if v <= old || a.CompareAndSwap(old, v) {
			return
		}
	}
}
