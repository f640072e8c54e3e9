package load

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Buckets are linear below 2^subBits nanoseconds and have 2^(subBits-1) steps a
// power of two above, so that a quantile is at most one part in 64 too high.
const (
	subBits = 7
	half    = 1 << (subBits - 1)
	buckets = (64 - subBits + 2) * half
)

// Histogram counts durations. Its zero value is empty; it is safe for concurrent use.
type Histogram struct {
	counts [buckets]atomic.Int64
	n, max atomic.Int64
}

// bucketOf gives the bucket of a duration in nanoseconds.
func bucketOf(v uint64) int {
	shift := max(bits.Len64(v)-subBits, 0)
	return shift*half + int(v>>shift)
}

// topOf is the greatest duration of a bucket.
func topOf(bucket int) int64 {
	if bucket < 2*half {
		return int64(bucket)
	}
	shift := bucket/half - 1
	return int64((uint64(bucket-shift*half)+1)<<shift - 1)
}

// Record adds one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	v := max(int64(d), 0)
	h.counts[bucketOf(uint64(v))].Add(1)
	h.n.Add(1)
	raise(&h.max, v)
}

// Count is the number of durations recorded.
func (h *Histogram) Count() int64 { return h.n.Load() }

// Max is the longest duration recorded.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }

// Quantile gives a duration that the share q of all durations do not exceed, at
// most 1/64 above the exact one; zero when nothing is recorded. q outside 0 to 1
// is taken as the nearer bound.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.n.Load()
	if n == 0 {
		return 0
	}
	rank := max(int64(math.Ceil(min(max(q, 0), 1)*float64(n))), 1)
	seen := int64(0)
	for i := range h.counts {
		if seen += h.counts[i].Load(); seen >= rank {
			return time.Duration(min(topOf(i), h.max.Load()))
		}
	}
	return h.Max()
}
