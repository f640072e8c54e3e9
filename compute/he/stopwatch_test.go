package he_test

import (
	"testing"
	"time"
)

// stopwatch and add keep the two sides of a ratio apart within one run.
func stopwatch(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func add(r testing.BenchmarkResult, d time.Duration) testing.BenchmarkResult {
	return testing.BenchmarkResult{N: r.N + 1, T: r.T + d}
}
