package plan

import (
	"math"
	"math/big"
	"math/bits"
)

// wide is an unsigned sum of 128 bits: 2^64 records of 2^62.
type wide struct{ hi, lo uint64 }

func (w wide) plus(x uint64) wide {
	lo, carry := bits.Add64(w.lo, x, 0)
	return wide{w.hi + carry, lo}
}

func (w wide) less(o wide) bool { return w.hi < o.hi || w.hi == o.hi && w.lo < o.lo }

func (w wide) big() *big.Int {
	b := new(big.Int).SetUint64(w.hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(w.lo))
}

// tally counts one atom. Subjects come as 64-bit keyed hashes (a collision counts
// one too few). Up to limit subjects are kept one by one: exact. Beyond that they
// are folded into sketchSize sums, by hash: the two greatest sums are at least
// those of the two greatest subjects, so shares are never too small; and counted
// by HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007), whose estimate less
// five standard errors (8 %) stands as the count, never below limit. Without
// subjects (every row its own) everything is exact.
type tally struct {
	limit    int // 0: rows are subjects
	rows     uint64
	total    wide
	top      [2]wide // rows as subjects alone
	subjects map[uint64]wide
	sums     []wide
	ranks    []uint8
}

const (
	sketchBits = 12
	sketchSize = 1 << sketchBits
	minExact   = 1024
)

func (t *tally) add(subject, size uint64) {
	t.rows++
	t.total = t.total.plus(size)
	switch {
	case t.limit == 0:
		if x := (wide{lo: size}); t.top[0].less(x) {
			t.top[0], t.top[1] = x, t.top[0]
		} else if t.top[1].less(x) {
			t.top[1] = x
		}
	case t.sums != nil:
		t.sketch(subject, size)
	default:
		if t.subjects == nil {
			t.subjects = map[uint64]wide{}
		}
		t.subjects[subject] = t.subjects[subject].plus(size)
		if len(t.subjects) > t.limit {
			t.spill()
		}
	}
}

func (t *tally) spill() {
	t.sums, t.ranks = make([]wide, sketchSize), make([]uint8, sketchSize)
	for s, w := range t.subjects {
		t.sketch(s, w.lo)
		t.sums[s%sketchSize].hi += w.hi
	}
	t.subjects = nil
}

func (t *tally) sketch(subject, size uint64) {
	sum := &t.sums[subject%sketchSize]
	*sum = sum.plus(size)
	rank := &t.ranks[subject>>(64-sketchBits)]
	*rank = max(*rank, uint8(min(bits.LeadingZeros64(subject<<sketchBits), 64-sketchBits)+1))
}

// count gives what the provider signs.
func (t *tally) count() Count {
	c := Count{Rows: t.rows, Subjects: t.distinct()}
	top := t.top
	visit := func(w wide) {
		if top[0].less(w) {
			top[0], top[1] = w, top[0]
		} else if top[1].less(w) {
			top[1] = w
		}
	}
	for _, w := range t.subjects {
		visit(w)
	}
	for _, w := range t.sums {
		visit(w)
	}
	two := new(big.Int).Add(top[0].big(), top[1].big())
	c.Top1, c.Top2 = share(top[0].big(), t.total.big()), share(two, t.total.big())
	return c
}

// share is part/whole in parts per million, rounded up; 0 of nothing.
func share(part, whole *big.Int) uint32 {
	if whole.Sign() == 0 {
		return 0
	}
	x := new(big.Int).Mul(part, big.NewInt(million))
	x.Add(x, whole).Sub(x, big.NewInt(1))
	return uint32(x.Quo(x, whole).Uint64())
}

func (t *tally) distinct() uint64 {
	switch {
	case t.limit == 0:
		return t.rows
	case t.sums == nil:
		return uint64(len(t.subjects))
	}
	sum, empty := 0.0, 0
	for _, r := range t.ranks {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	const m = float64(sketchSize)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate < 2.5*m && empty > 0 {
		estimate = m * math.Log(m/float64(empty))
	}
	low := uint64(estimate * (1 - 5*1.04/math.Sqrt(m)))
	return min(t.rows, max(low, uint64(t.limit)))
}
