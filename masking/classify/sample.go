package classify

import "math"

// reservoir draws rows uniformly from a read of unknown length (Li 1994,
// algorithm L): the first size rows fill the slots, each later drawn row takes
// the slot of an earlier one. What is drawn depends on the seed and the number of
// the row, not on batches.
type reservoir struct {
	size  int64
	state uint64
	w     float64
	next  int64
}

func newReservoir(size int, seed uint64) *reservoir {
	r := &reservoir{size: int64(size), state: seed, w: 1}
	r.next = r.size - 1
	r.skip()
	return r
}

// slot says where a row goes; rows are asked for in order. It is -1 for a row
// that is not drawn.
func (r *reservoir) slot(row int64) int {
	if row < r.size {
		return int(row)
	}
	if row != r.next {
		return -1
	}
	r.skip()
	return int(r.draw() % uint64(r.size))
}

func (r *reservoir) skip() {
	r.w *= math.Exp(math.Log(r.unit()) / float64(r.size))
	jump := math.Floor(math.Log(r.unit()) / math.Log1p(-r.w))
	if !(jump < 1<<60) {
		jump = 1 << 60
	}
	r.next += int64(jump) + 1
}

// unit is above 0 and below 1.
func (r *reservoir) unit() float64 { return (float64(r.draw()>>11) + 0.5) / (1 << 53) }

// draw is SplitMix64: for sampling, nothing here is secret.
func (r *reservoir) draw() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
