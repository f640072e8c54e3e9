package load

import (
	"context"
	"time"
)

// Closed keeps workers calls under way for a duration. Calls begun before its
// end are waited for and counted.
func Closed(ctx context.Context, workers int, duration time.Duration, call Call) (*Result, error) {
	if workers < 1 || duration <= 0 {
		return nil, ErrOptions
	}
	r := &Result{Latency: &Histogram{}}
	began := time.Now()
	err := new(crew).run(ctx, workers, func(ctx context.Context, worker int) error {
		for {
			start := time.Now()
			if start.Sub(began) >= duration {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := call(ctx, worker); err != nil {
				return err
			}
			r.Latency.Record(time.Since(start))
		}
	})
	r.Elapsed, r.Calls = time.Since(began), r.Latency.Count()
	return r, err
}
