package disclosure

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"math/bits"
)

// field is arithmetic modulo a prime p with 2^60 < p < 2^61. Elements are in
// [0, p). A product is below 2^122, so 64 of them add up in 128 bits.
type field struct {
	p   uint64
	neg uint64 // -1/p modulo 2^64
}

const lazyTerms = 32 // products added before a reduction; at most 63

// drawField picks a prime uniformly among those of 61 bits. ProbablyPrime is
// exact below 2^64.
func drawField(random io.Reader) (field, error) {
	for range 1 << 16 {
		v, err := drawWord(random)
		if err != nil {
			return field{}, err
		}
		p := v>>4 | 1<<60 | 1
		if new(big.Int).SetUint64(p).ProbablyPrime(0) {
			return newField(p), nil
		}
	}
	return field{}, fmt.Errorf("draw a prime: %w", ErrDraw)
}

func newField(p uint64) field {
	inv := p // right in the last 3 bits; each step doubles them
	for range 5 {
		inv *= 2 - p*inv
	}
	return field{p: p, neg: -inv}
}

func drawWord(random io.Reader) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("draw randomness: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

// draw returns a uniform element.
func (f field) draw(random io.Reader) (uint64, error) {
	for {
		v, err := drawWord(random)
		if err != nil {
			return 0, err
		}
		if v >>= 3; v < f.p {
			return v, nil
		}
	}
}

func (f field) add(a, b uint64) uint64 {
	s := a + b - f.p
	return s + f.p&uint64(int64(s)>>63)
}

func (f field) sub(a, b uint64) uint64 {
	s := a - b
	return s + f.p&uint64(int64(s)>>63)
}

func (f field) mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, f.p)
}

// mont is a*b/2^64 (Montgomery 1985), several times as fast as mul. It serves
// where a constant factor does not matter.
func (f field) mont(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	h, l := bits.Mul64(lo*f.neg, f.p)
	_, carry := bits.Add64(lo, l, 0)
	return f.sub(hi+h+carry, f.p)
}

// inverse of a non-zero element, by Fermat.
func (f field) inverse(a uint64) uint64 {
	r := uint64(1)
	for e := f.p - 2; e != 0; e >>= 1 {
		if e&1 == 1 {
			r = f.mul(r, a)
		}
		a = f.mul(a, a)
	}
	return r
}

// dot is the inner product of a with the first len(a) entries of b.
func (f field) dot(a, b []uint64) uint64 {
	var total uint64
	b = b[:len(a)]
	for len(a) > 0 {
		n := min(len(a), lazyTerms)
		var hi, lo, carry uint64
		x, y := a[:n], b[:n]
		for i, v := range x {
			h, l := bits.Mul64(v, y[i])
			lo, carry = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, carry)
		}
		total = f.add(total, bits.Rem64(hi, lo, f.p))
		a, b = a[n:], b[n:]
	}
	return total
}

// lazy gathers sums of multiples of vectors, reducing only now and then.
type lazy struct {
	f      field
	hi, lo []uint64
	terms  int
}

func newLazy(f field, n int) *lazy {
	return &lazy{f: f, hi: make([]uint64, n), lo: make([]uint64, n)}
}

// addMul adds k times v to the first len(v) entries.
func (z *lazy) addMul(k uint64, v []uint64) {
	if k == 0 {
		return
	}
	if z.terms++; z.terms > lazyTerms {
		for i := range z.lo {
			z.lo[i] = bits.Rem64(z.hi[i], z.lo[i], z.f.p)
			z.hi[i] = 0
		}
		z.terms = 2
	}
	hi, lo := z.hi[:len(v)], z.lo[:len(v)]
	for i, x := range v {
		h, l := bits.Mul64(k, x)
		s, carry := bits.Add64(lo[i], l, 0)
		lo[i] = s
		hi[i] += h + carry
	}
}

func (z *lazy) at(i int) uint64 { return bits.Rem64(z.hi[i], z.lo[i], z.f.p) }
