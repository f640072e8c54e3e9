package city

import "math/bits"

// stream keeps the random numbers of different purposes apart.
type stream uint64

const (
	streamBirths stream = iota + 1
	streamHomeIDs
	streamFamilyIDs
	streamEmployers
	streamFamily
	streamPerson
	streamCivil
	streamHousing
	streamInsurance
	streamDirt
)

// source is a SplitMix64 sequence (Steele, Lea and Flood, 2014) that belongs to
// one stream and one index. The zero value is a sequence too.
type source struct{ state uint64 }

func newSource(seed uint64, s stream, index uint64) source {
	return source{state: mix(mix(seed+uint64(s)*0xD1B54A32D192ED03) ^ (index+1)*0x9E3779B97F4A7C15)}
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (s *source) next() uint64 {
	s.state += 0x9E3779B97F4A7C15
	return mix(s.state)
}

// below gives an integer in [0, n), n > 0; the bias is under n/2^64.
func (s *source) below(n int) int {
	hi, _ := bits.Mul64(s.next(), uint64(n))
	return int(hi)
}

// chance is true in n cases of 10,000.
func (s *source) chance(n int) bool { return s.below(10_000) < n }

// under is true with the probability that the threshold stands for.
func (s *source) under(t uint32) bool { return uint32(s.next()>>32) < t }

// front gives an integer in [0, n) that prefers small ones: the square of a
// uniform, so that the first tenth of a list gets a third of the draws.
func (s *source) front(n int) int {
	u := s.next() >> 32
	hi, _ := bits.Mul64(u*u, uint64(n))
	return int(hi)
}

// pick gives an index of weights, with probability in proportion to the weight.
func (s *source) pick(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := s.below(sum)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

// knot is a point of a quantile function: the share (in 1/1000) below value.
type knot struct{ share, value int }

// quantile is a distribution given by points, linear between them; the first
// share is 0 and the last 1000.
type quantile []knot

// at gives the value below which the share u of 1,000,000 lies.
func (q quantile) at(u int) int {
	for i := 1; i < len(q); i++ {
		lo, hi := q[i-1], q[i]
		if u <= hi.share*1000 {
			return lo.value + (hi.value-lo.value)*(u-lo.share*1000)/((hi.share-lo.share)*1000)
		}
	}
	return q[len(q)-1].value
}

// draw gives a value of the distribution.
func (s *source) draw(q quantile) int { return q.at(s.below(1_000_000)) }

// permutation is a keyed bijection of [0, size): a four-round Feistel network
// over the next even power of two, walked until it lands inside.
type permutation struct {
	size uint64
	half uint
	keys [4]uint64
}

func newPermutation(seed uint64, s stream, size uint64) permutation {
	p := permutation{size: size, half: uint(bits.Len64(size-1)+1) / 2}
	src := newSource(seed, s, 0)
	for i := range p.keys {
		p.keys[i] = src.next()
	}
	return p
}

func (p *permutation) at(x uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	for {
		l, r := x>>p.half, x&mask
		for _, k := range p.keys {
			l, r = r, l^mix(r^k)&mask
		}
		if x = l<<p.half | r; x < p.size {
			return x
		}
	}
}
