package plain

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

// words is the width of an accumulator: 192 bits in 64-bit words, least first.
// A summand has at most 127 bits and a sign and there are fewer than 2^63 of
// them, so neither a signed sum nor a sum of absolute values can wrap.
const words = 3

// addInt adds a signed integer to the two's complement accumulator acc[:3].
func addInt(acc []uint64, v int64) {
	_ = acc[2]
	ext := uint64(v >> 63)
	var c uint64
	acc[0], c = bits.Add64(acc[0], uint64(v), 0)
	acc[1], c = bits.Add64(acc[1], ext, c)
	acc[2], _ = bits.Add64(acc[2], ext, c)
}

// addNum adds a signed 128-bit integer to the accumulator acc[:3].
func addNum(acc []uint64, v decimal128.Num) {
	_ = acc[2]
	hi := v.HighBits()
	var c uint64
	acc[0], c = bits.Add64(acc[0], v.LowBits(), 0)
	acc[1], c = bits.Add64(acc[1], uint64(hi), c)
	acc[2], _ = bits.Add64(acc[2], uint64(hi>>63), c)
}

// addMagnitude adds the unsigned hi:lo to the accumulator acc[:3].
func addMagnitude(acc []uint64, hi, lo uint64) {
	_ = acc[2]
	var c uint64
	acc[0], c = bits.Add64(acc[0], lo, 0)
	acc[1], c = bits.Add64(acc[1], hi, c)
	acc[2] += c
}

// absInt is |v|; the least int64 gives 2^63.
func absInt(v int64) uint64 {
	s := v >> 63
	return uint64((v ^ s) - s)
}

// absNum is |v| as hi:lo; the least value gives 2^127.
func absNum(v decimal128.Num) (hi, lo uint64) {
	s := uint64(v.HighBits() >> 63)
	lo, borrow := bits.Sub64(v.LowBits()^s, s, 0)
	hi, _ = bits.Sub64(uint64(v.HighBits())^s, s, borrow)
	return hi, lo
}

// magnitude is a copy of an unsigned accumulator, comparable by less.
type magnitude [words]uint64

func (a magnitude) less(b magnitude) bool {
	for i := words - 1; i > 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return a[0] < b[0]
}

func (a magnitude) big() *big.Int {
	var be [8 * words]byte
	for i, w := range a {
		binary.BigEndian.PutUint64(be[8*(words-1-i):], w)
	}
	return new(big.Int).SetBytes(be[:])
}

// signedBig reads a two's complement accumulator.
func signedBig(acc []uint64) *big.Int {
	m := magnitude(acc)
	v := m.big()
	if m[words-1]>>63 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), 64*words))
	}
	return v
}
