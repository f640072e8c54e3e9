package dateshift

import (
	"encoding/binary"
	"math/bits"

	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// draw turns codes of subjects into shifts.
type draw struct {
	key   *sm3lanes.Key
	reach uint64 // greatest shift
	skip  bool   // no shift of 0
}

// size is the number of shifts there are.
func (d draw) size() uint64 {
	if d.skip {
		return 2 * d.reach
	}
	return 2*d.reach + 1
}

// shift gives the days of a code: the first of its four words that is not in
// the uneven rest decides (Lemire, "Fast random integer generation in an
// interval", 2019), so that every shift is equally likely. ok is false when
// all four are in it, once in 2^190.
func (d draw) shift(code []byte) (days int32, ok bool) {
	n := d.size()
	uneven := -n % n
	for ; len(code) >= 8; code = code[8:] {
		hi, lo := bits.Mul64(binary.BigEndian.Uint64(code), n)
		if lo >= uneven {
			return d.place(hi), true
		}
	}
	return 0, false
}

// place maps 0..size-1 to the shifts in ascending order.
func (d draw) place(x uint64) int32 {
	if d.skip && x >= d.reach {
		x++
	}
	return int32(int64(x) - int64(d.reach))
}

// of is the shift of one message. Its first byte counts the attempts.
func (d draw) of(code, message []byte) int32 {
	for {
		if days, ok := d.shift(code); ok {
			return days
		}
		message[0]++
		var next [sm3lanes.Size]byte
		d.key.MAC(next[:], message, []int32{0, int32(len(message))})
		code = next[:]
	}
}
