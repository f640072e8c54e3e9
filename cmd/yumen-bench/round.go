package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"

	"github.com/yumen-project/yumen/benchmarks/load"
)

// round is what one round of one server found.
type round struct {
	Rate float64 `json:"rate"` // calls a second; verifications with batches
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Max  float64 `json:"max_ms"`
	CPU  float64 `json:"server_cpu_us_per_call"`
	// Late is how far behind its schedule a call began at most; of the open loop.
	Late float64     `json:"late_ms,omitempty"`
	Swap *swapFigure `json:"swap,omitempty"`
}

// swapFigure is about the calls that fell due while an index was built and swapped.
type swapFigure struct {
	Seconds float64 `json:"seconds"` // from the domain file sent to in force
	Calls   int64   `json:"calls"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// round drives one server once.
func (m *measurement) round(ctx context.Context, p *process, call load.Call, swap bool) (*round, error) {
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	var found *load.Result
	var swapped *swapFigure
	switch {
	case swap:
		found, swapped, err = m.swapping(ctx, call)
	case m.rate > 0:
		found, err = load.Open(ctx, m.schedule(), call)
	default:
		found, err = load.Closed(ctx, m.concurrency, m.duration, call)
	}
	if err != nil {
		return nil, err
	}
	after, err := p.cpu()
	if err != nil {
		return nil, err
	}
	r := &round{
		Rate: found.Rate(), P50: millis(found.Latency.Quantile(0.5)), P99: millis(found.Latency.Quantile(0.99)),
		Max: millis(found.Latency.Max()), Late: millis(found.Late), Swap: swapped,
		CPU: float64((after - before).Microseconds()) / float64(max(found.Calls, 1)),
	}
	if m.batch > 0 {
		r.Rate *= float64(m.batch)
	}
	return r, nil
}

func (m *measurement) schedule() load.Schedule {
	return load.Schedule{Rate: m.rate, Duration: m.duration, Workers: openWorkers}
}

// swapping applies the next version of the register in the middle of an open loop, which goes on until
// the new index has answered for half a round.
func (m *measurement) swapping(ctx context.Context, call load.Call) (*load.Result, *swapFigure, error) {
	during, until := &load.Histogram{}, make(chan struct{})
	s := m.schedule()
	w := &window{}
	s.Until, s.Observe = until, func(due time.Time, took time.Duration) {
		if w.holds(due) {
			during.Record(took)
		}
	}
	var wg sync.WaitGroup
	var swapErr error
	wg.Go(func() {
		defer close(until)
		if swapErr = pause(ctx, m.duration/2); swapErr == nil {
			if swapErr = m.applyNext(ctx, w); swapErr == nil {
				swapErr = pause(ctx, m.duration/2)
			}
		}
	})
	found, err := load.Open(ctx, s, call)
	wg.Wait()
	if err := errors.Join(err, swapErr); err != nil {
		return nil, nil, err
	}
	return found, &swapFigure{
		Seconds: w.seconds(), Calls: during.Count(), P50: millis(during.Quantile(0.5)),
		P99: millis(during.Quantile(0.99)), Max: millis(during.Max()),
	}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// applyNext applies the next version; from then on every answer must be of it.
func (m *measurement) applyNext(ctx context.Context, w *window) error {
	file, approvals, err := m.world.Version(m.version + 1)
	if err != nil {
		return err
	}
	m.asker.Expect("")
	w.open()
	_, err = m.authority.Governance.Apply(ctx, &apiv1.ApplyRequest{Domain: file, Approvals: approvals})
	w.close()
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	m.version++
	m.asker.Expect(m.world.AsOf(m.version))
	return nil
}

// window is the time during which an index was built and swapped in.
type window struct {
	mu       sync.Mutex
	from, to time.Time
}

func (w *window) open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.from = time.Now()
}

func (w *window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = time.Now()
}

func (w *window) holds(t time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.from.IsZero() && t.After(w.from) && (w.to.IsZero() || t.Before(w.to))
}

func (w *window) seconds() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Sub(w.from).Seconds()
}
