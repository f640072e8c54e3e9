package load

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBucketsCoverEveryDuration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint64Max(math.MaxInt64).Draw(t, "ns")
		b := bucketOf(v)
		require.Less(t, b, buckets)
		top := uint64(topOf(b))
		require.GreaterOrEqual(t, top, v)
		require.LessOrEqual(t, top-v, v/half)
		if b > 0 {
			require.Less(t, uint64(topOf(b-1)), v, "buckets do not overlap")
		}
	})
}

func TestQuantileIsWithinOnePartIn64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour)), 1, 300).Draw(t, "values")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		var h Histogram
		for _, v := range values {
			h.Record(time.Duration(v))
		}
		slices.Sort(values)
		exact := values[max(int(math.Ceil(q*float64(len(values)))), 1)-1]
		got := int64(h.Quantile(q))
		require.GreaterOrEqual(t, got, exact)
		require.LessOrEqual(t, got, exact+exact/half)
		require.EqualValues(t, len(values), h.Count())
		require.EqualValues(t, values[len(values)-1], h.Max())
	})
}

func TestHistogramAtItsEdges(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Quantile(0.5))
	h.Record(-time.Second)
	require.Zero(t, h.Quantile(1))
	h.Record(math.MaxInt64)
	require.EqualValues(t, math.MaxInt64, h.Quantile(7))
	require.Zero(t, h.Quantile(-1))
}

func TestMedian(t *testing.T) {
	require.Zero(t, Median(nil))
	values := []float64{9, 1, 5}
	require.EqualValues(t, 5, Median(values))
	require.Equal(t, []float64{9, 1, 5}, values)
	require.EqualValues(t, 3, Median([]float64{5, 1}))
}

func TestClosedCountsEveryCallAndKeepsWorkersApart(t *testing.T) {
	var calls atomic.Int64
	busy := make([]atomic.Bool, 8)
	r, err := Closed(t.Context(), 8, 20*time.Millisecond, func(_ context.Context, w int) error {
		if !busy[w].CompareAndSwap(false, true) {
			return errors.New("two calls of one worker")
		}
		defer busy[w].Store(false)
		calls.Add(1)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, calls.Load(), r.Calls)
	require.Positive(t, r.Rate())
}

func TestFirstErrorEndsTheRun(t *testing.T) {
	bad := errors.New("wrong answer")
	var calls atomic.Int64
	call := func(ctx context.Context, _ int) error {
		if calls.Add(1) == 10 {
			return bad
		}
		return ctx.Err()
	}
	_, err := Closed(t.Context(), 4, time.Hour, call)
	require.ErrorIs(t, err, bad)
	calls.Store(0)
	_, err = Open(t.Context(), Schedule{Rate: 10_000, Duration: time.Hour, Workers: 4}, call)
	require.ErrorIs(t, err, bad)
}

func TestOpenMakesEveryScheduledCall(t *testing.T) {
	var calls atomic.Int64
	r, err := Open(t.Context(), Schedule{Rate: 2000, Duration: 100 * time.Millisecond, Workers: 16}, func(context.Context, int) error {
		calls.Add(1)
		return nil
	})
	require.NoError(t, err)
	require.EqualValues(t, 200, calls.Load())
	require.EqualValues(t, 200, r.Calls)
}

// A server that stands still for a while is charged for the calls that fell due meanwhile, although
// with one worker only one of them was under way.
func TestOpenChargesTheWaitOfCallsNotYetBegun(t *testing.T) {
	const pause = 100 * time.Millisecond
	var once sync.Once
	r, err := Open(t.Context(), Schedule{Rate: 1000, Duration: pause, Workers: 1}, func(context.Context, int) error {
		once.Do(func() { time.Sleep(pause) })
		return nil
	})
	require.NoError(t, err)
	require.EqualValues(t, 100, r.Calls)
	require.GreaterOrEqual(t, r.Latency.Quantile(0.5), pause/2-pause/50)
	require.GreaterOrEqual(t, r.Late, pause/2)
}

func TestOpenGoesOnUntilTold(t *testing.T) {
	until := make(chan struct{})
	var calls, seen atomic.Int64
	r, err := Open(t.Context(), Schedule{
		Rate: 5000, Duration: time.Millisecond, Until: until, Workers: 4,
		Observe: func(due time.Time, took time.Duration) { seen.Add(1) },
	}, func(context.Context, int) error {
		if calls.Add(1) == 50 {
			close(until)
		}
		return nil
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, r.Calls, int64(50))
	require.Equal(t, r.Calls, seen.Load())
}

// Many more workers than calls wait for calls that will not fall due: none of them is made.
func TestIdleWorkersDoNotOutlastTheRun(t *testing.T) {
	until := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { close(until) })
	r, err := Open(t.Context(), Schedule{Rate: 100, Duration: 10 * time.Millisecond, Until: until, Workers: 100_000},
		func(context.Context, int) error { return nil })
	require.NoError(t, err)
	require.Less(t, r.Calls, int64(10_000))
}

func TestOptionsAreChecked(t *testing.T) {
	call := func(context.Context, int) error { return nil }
	for _, run := range []func() error{
		func() error { _, err := Closed(t.Context(), 0, time.Second, call); return err },
		func() error { _, err := Closed(t.Context(), 1, 0, call); return err },
		func() error { _, err := Open(t.Context(), Schedule{Duration: 1, Workers: 1}, call); return err },
		func() error {
			_, err := Open(t.Context(), Schedule{Rate: math.NaN(), Duration: 1, Workers: 1}, call)
			return err
		},
		func() error { _, err := Open(t.Context(), Schedule{Rate: 1, Workers: 1}, call); return err },
	} {
		require.ErrorIs(t, run(), ErrOptions)
	}
	require.Zero(t, (&Result{}).Rate())
}

func TestCancelledRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Closed(ctx, 2, time.Hour, func(context.Context, int) error { return nil })
	require.ErrorIs(t, err, context.Canceled)
	_, err = Open(ctx, Schedule{Rate: 1, Duration: time.Hour, Workers: 2}, func(context.Context, int) error { return nil })
	require.ErrorIs(t, err, context.Canceled)
}
