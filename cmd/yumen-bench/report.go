package main

import (
	"fmt"
	"io"

	"github.com/yumen-project/yumen/benchmarks/load"
)

// report is the one object that --json prints. Figures are medians of the rounds listed.
type report struct {
	Mode string `json:"mode"` // closed, open or batch
	// Rate is calls answered in a second; verifications with batches.
	Rate     float64 `json:"rate"`
	BareRate float64 `json:"bare_rate,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	CPU      float64 `json:"server_cpu_us_per_call"`
	// The bare server's figures say how quiet the machine was.
	BareP50 float64 `json:"bare_p50_ms,omitempty"`
	BareP99 float64 `json:"bare_p99_ms,omitempty"`
	BareCPU float64 `json:"bare_cpu_us_per_call,omitempty"`

	Persons     int     `json:"persons"`
	Template    string  `json:"template"`
	Concurrency int     `json:"concurrency,omitempty"`
	Connections int     `json:"connections"`
	RateWanted  float64 `json:"rate_wanted,omitempty"`
	Batch       int     `json:"batch,omitempty"`
	Seconds     float64 `json:"round_seconds"`
	// Build is how long the first index took, Ready how long from the start of the process until it
	// served: index, registration of templates and all else.
	Build            float64 `json:"build_seconds"`
	Ready            float64 `json:"ready_seconds"`
	SwapP99          float64 `json:"swap_p99_ms,omitempty"`
	SwapMax          float64 `json:"swap_max_ms,omitempty"`
	SwapSeconds      float64 `json:"swap_seconds,omitempty"`
	Answers          int64   `json:"answers_checked"`
	ReceiptsVerified int     `json:"receipts_verified"`

	machine
	Bare    []round `json:"bare_rounds,omitempty"`
	Gateway []round `json:"rounds"`
}

func middle(rounds []round, of func(*round) float64) float64 {
	values := make([]float64, len(rounds))
	for i := range rounds {
		values[i] = of(&rounds[i])
	}
	return load.Median(values)
}

// sum fills in what follows from options and rounds.
func (r *report) sum(o *options, gateway *process) {
	r.Mode = "closed"
	switch {
	case o.batch > 0:
		r.Mode = "batch"
	case o.rate > 0:
		r.Mode = "open"
	}
	r.Persons, r.Template, r.Connections, r.Batch = o.persons, o.template, o.connections, o.batch
	r.RateWanted, r.Seconds = o.rate, o.duration.Seconds()
	if o.rate == 0 {
		r.Concurrency = o.concurrency
	}
	rate, cpu := func(r *round) float64 { return r.Rate }, func(r *round) float64 { return r.CPU }
	r.Rate, r.BareRate = middle(r.Gateway, rate), middle(r.Bare, rate)
	r.CPU, r.BareCPU = middle(r.Gateway, cpu), middle(r.Bare, cpu)
	p50, p99 := func(r *round) float64 { return r.P50 }, func(r *round) float64 { return r.P99 }
	r.P50, r.BareP50 = middle(r.Gateway, p50), middle(r.Bare, p50)
	r.P99, r.BareP99 = middle(r.Gateway, p99), middle(r.Bare, p99)
	if r.BareRate > 0 {
		r.Ratio = r.Rate / r.BareRate
	}
	r.Ready = gateway.took.Seconds()
	if builds := gateway.log.all(); len(builds) > 0 {
		r.Build = builds[0].Seconds
	}
	if o.swap {
		r.SwapP99 = middle(r.Gateway, func(r *round) float64 { return r.Swap.P99 })
		r.SwapMax = middle(r.Gateway, func(r *round) float64 { return r.Swap.Max })
		r.SwapSeconds = middle(r.Gateway, func(r *round) float64 { return r.Swap.Seconds })
	}
}

// print writes the report for people.
func (r *report) print(w io.Writer) error {
	what := "calls"
	if r.Batch > 0 {
		what = "verifications"
	}
	line := func(format string, args ...any) string { return fmt.Sprintf(format+"\n", args...) }
	text := line("%s, %d cores, %s, load %.1f to %.1f", r.machine.CPU, r.Cores, r.Go, r.Load[0], r.Load[1])
	text += line("%d persons, index built in %.1f s, ready in %.1f s", r.Persons, r.Build, r.Ready)
	text += line("gateway  %9.0f %s/s   p50 %.2f ms   p99 %.2f ms   %.1f us of processor a call", r.Rate, what, r.P50, r.P99, r.CPU)
	if r.BareRate > 0 {
		text += line("bare     %9.0f calls/s   p50 %.2f ms   p99 %.2f ms   %.1f us of processor a call   ratio %.3f",
			r.BareRate, r.BareP50, r.BareP99, r.BareCPU, r.Ratio)
	}
	if r.SwapSeconds > 0 {
		text += line("swap     %9.1f s   p99 %.2f ms meanwhile, at most %.2f ms", r.SwapSeconds, r.SwapP99, r.SwapMax)
	}
	for i, g := range r.Gateway {
		text += line("  round %d: %.0f %s/s, p99 %.2f ms", i+1, g.Rate, what, g.P99)
	}
	text += line("%d answers checked, %d receipts verified", r.Answers, r.ReceiptsVerified)
	_, err := io.WriteString(w, text)
	return err
}
