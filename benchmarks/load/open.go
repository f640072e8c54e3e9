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
	// Until, if not nil, keeps calls coming beyond Duration until it is closed.
	Until <-chan struct{}
	// Workers bounds the calls under way. A call that finds none free begins
	// late, and its wait counts; make it well above Rate times the latency expected.
	Workers int
	// Observe, if not nil, is told of every call when it was due and how long
	// after that it was answered. It is called by many goroutines.
	Observe func(due time.Time, took time.Duration)
}

// due is the moment of call n, reckoned from the start so that nothing adds up.
func (s *Schedule) due(began time.Time, n int64) time.Time {
	return began.Add(time.Duration(float64(n) / s.Rate * float64(time.Second)))
}

// over says whether a call due at that offset is beyond the end of the run.
func (s *Schedule) over(offset time.Duration) bool {
	if offset < s.Duration {
		return false
	}
	if s.Until == nil {
		return true
	}
	select {
	case <-s.Until:
		return true
	default:
		return false
	}
}

// Open makes calls by schedule and measures each from the moment it was due.
func Open(ctx context.Context, s Schedule, call Call) (*Result, error) {
	if s.Workers < 1 || s.Duration <= 0 || !(s.Rate > 0) {
		return nil, ErrOptions
	}
	r := &Result{Latency: &Histogram{}}
	var next, late atomic.Int64
	began := time.Now()
	err := new(crew).run(ctx, s.Workers, func(ctx context.Context, worker int) error {
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		for {
			due := s.due(began, next.Add(1)-1)
			if s.over(due.Sub(began)) {
				return nil
			}
			if err := sleepUntil(ctx, timer, due); err != nil {
				return err
			}
			raise(&late, int64(time.Since(due)))
			if err := call(ctx, worker); err != nil {
				return err
			}
			took := time.Since(due)
			r.Latency.Record(took)
			if s.Observe != nil {
				s.Observe(due, took)
			}
		}
	})
	r.Elapsed, r.Calls, r.Late = time.Since(began), r.Latency.Count(), time.Duration(late.Load())
	return r, err
}

func sleepUntil(ctx context.Context, timer *time.Timer, due time.Time) error {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err()
	}
	timer.Reset(wait)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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
