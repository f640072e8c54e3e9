package fpe

import (
	"crypto/cipher"
	"encoding/binary"
	"math/big"
	"math/bits"
)

const (
	rounds    = 10
	blockSize = 16
	// minDomain is the least number of values FF1 may permute (NIST SP
	// 800-38G Rev. 1: radix^minlen >= 10^6).
	minDomain = 1_000_000
	maxRadix  = 1 << 16
)

// engine is FF1 over a block cipher of 16-byte blocks. It is immutable and
// safe for concurrent use when the cipher is.
type engine struct {
	block cipher.Block
	ecb   cipher.BlockMode // nil when the cipher has no many-block form
	keys  *[32]uint32      // round keys of SM4 where vectors run it, else nil
}

// manyBlocks is the form in which a cipher offers to encipher blocks together.
type manyBlocks interface{ NewECBEncrypter() cipher.BlockMode }

func newEngine(b cipher.Block) *engine {
	e := &engine{block: b}
	if m, ok := b.(manyBlocks); ok {
		e.ecb = m.NewECBEncrypter()
	}
	return e
}

// blocks replaces every block of buf, each on its own.
func (e *engine) blocks(buf []byte) {
	if e.ecb != nil {
		e.ecb.CryptBlocks(buf, buf)
		return
	}
	for ; len(buf) >= blockSize; buf = buf[blockSize:] {
		e.block.Encrypt(buf[:blockSize], buf[:blockSize])
	}
}

// chain is the CBC-MAC of whole blocks, from the state given.
func (e *engine) chain(state *[blockSize]byte, data []byte) {
	for ; len(data) >= blockSize; data = data[blockSize:] {
		for i := range state {
			state[i] ^= data[i]
		}
		e.block.Encrypt(state[:], state[:])
	}
}

// layout is what SP 800-38G, algorithm 7, derives from radix, length and tweak
// before the first round.
type layout struct {
	radix, n int
	u, v     int // numerals of the left and the right half
	b        int // bytes of the right half as a number
	d        int // bytes of the round function that are used
	q        int // bytes of Q, the input that changes with the round
}

func newLayout(radix, n, tweak int) layout {
	l := layout{radix: radix, n: n, u: n / 2, v: n - n/2}
	top := new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(l.v)), nil)
	l.b = (top.Sub(top, big.NewInt(1)).BitLen() + 7) / 8
	l.d = 4*((l.b+3)/4) + 4
	l.q = (tweak + 1 + l.b + blockSize - 1) / blockSize * blockSize
	return l
}

// p is the first block, constant for radix, length and length of the tweak.
func (l layout) p(tweak int) [blockSize]byte {
	var p [blockSize]byte
	p[0], p[1], p[2] = 1, 2, 1
	p[3], p[4], p[5] = byte(l.radix>>16), byte(l.radix>>8), byte(l.radix)
	p[6], p[7] = rounds, byte(l.u)
	binary.BigEndian.PutUint32(p[8:], uint32(l.n))
	binary.BigEndian.PutUint32(p[12:], uint32(tweak))
	return p
}

// shape is a layout whose halves fit 64 bits: at most 8 bytes a half, so that
// the number and the round stand in the last block of Q and the cipher runs
// once a round. hi and lo are that last block, the chain before it added.
type shape struct {
	layout
	m      [2]uint64 // radix^u and radix^v
	inv    [2]uint64 // floor((2^64-1) / m)
	hi, lo uint64
}

// newShape reports false when a half does not fit 64 bits.
func (e *engine) newShape(radix, n int, tweak []byte) (*shape, bool) {
	l := newLayout(radix, n, len(tweak))
	s := &shape{layout: l}
	var ok bool
	if s.m[1], ok = power(radix, l.v); !ok {
		return nil, false
	}
	s.m[0], _ = power(radix, l.u)
	for i, m := range s.m {
		s.inv[i] = ^uint64(0) / m
	}
	p := l.p(len(tweak))
	q := make([]byte, l.q)
	copy(q, tweak)
	var state [blockSize]byte
	e.chain(&state, p[:])
	e.chain(&state, q[:l.q-blockSize])
	last := q[l.q-blockSize:]
	s.hi = binary.BigEndian.Uint64(state[:]) ^ binary.BigEndian.Uint64(last)
	s.lo = binary.BigEndian.Uint64(state[8:]) ^ binary.BigEndian.Uint64(last[8:])
	return s, true
}

// power is radix^k, if that is below 2^64.
func power(radix, k int) (uint64, bool) {
	x := uint64(1)
	for range k {
		hi, lo := bits.Mul64(x, uint64(radix))
		if hi != 0 {
			return 0, false
		}
		x = lo
	}
	return x, true
}

// rest is y mod m[half] for a y of 64 bits; m must be at most 2^32.
func (s *shape) rest(y uint64, half int) uint64 {
	m := s.m[half]
	q, _ := bits.Mul64(y, s.inv[half])
	r := y - q*m
	for r >= m { // twice at most
		r -= m
	}
	return r
}

// round gives the block of round i before the cipher, for the number x.
func (s *shape) round(i int, hi, lo, x uint64) (uint64, uint64) {
	if s.b == 8 {
		return hi ^ uint64(i), lo ^ x
	}
	return hi, lo ^ (uint64(i)<<(8*s.b) | x)
}

// value is the number mod m[half] that the first 12 bytes of a block give, high
// being the first 8, after the cipher.
func (s *shape) value(high uint64, next uint32, half int) uint64 {
	if s.d <= 8 {
		return s.rest(high, half)
	}
	return bits.Rem64(high>>32, high<<32|uint64(next), s.m[half])
}

func addMod(a, b, m uint64) uint64 {
	s, carry := bits.Add64(a, b, 0)
	d, borrow := bits.Sub64(s, m, 0)
	return d + m&-(borrow&^carry)
}

func subMod(a, b, m uint64) uint64 {
	d, borrow := bits.Sub64(a, b, 0)
	return d + m&-borrow
}

// one runs the ten rounds on a single value, a block at a time: the form the
// many lanes are measured and checked against.
func (e *engine) one(s *shape, a, b uint64, back bool) (uint64, uint64) {
	var buf [blockSize]byte
	for r := range rounds {
		i, in := r, b
		if back {
			i, in = rounds-1-r, a
		}
		hi, lo := s.round(i, s.hi, s.lo, in)
		binary.BigEndian.PutUint64(buf[:], hi)
		binary.BigEndian.PutUint64(buf[8:], lo)
		e.block.Encrypt(buf[:], buf[:])
		y := s.value(binary.BigEndian.Uint64(buf[:]), binary.BigEndian.Uint32(buf[8:]), i&1)
		if back {
			a, b = subMod(b, y, s.m[i&1]), a
		} else {
			a, b = b, addMod(a, y, s.m[i&1])
		}
	}
	return a, b
}
