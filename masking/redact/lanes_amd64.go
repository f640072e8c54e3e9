package redact

import (
	"math/bits"

	"golang.org/x/sys/cpu"

	"github.com/yumen-project/yumen/masking/kernel"
)

// hasLanes reports that the processor has the vectors lanes_amd64.s is made of.
func hasLanes() bool { return cpu.X86.HasAVX2 }

// The functions below do as much of their task as fills vectors, and say how
// much that is; plain Go does the rest, or everything.

// stampLanes is overwrite on whole rounds of a pattern.
func stampLanes(dst, src, keep, cover []byte) (done int, high bool) {
	rounds := len(src) / len(keep)
	if rounds == 0 {
		return 0, false
	}
	period := len(keep) / 32
	seen := stamp(&dst[0], &src[0], &keep[0], &cover[0], rounds*period, period)
	return rounds * len(keep), seen != 0
}

// rebaseLanes writes off less its first to dst and reports whether number i of
// them was other than i times width.
func rebaseLanes[O kernel.Offset](dst, off []O, width O) (done int, odd bool) {
	from, ok := any(off).([]int32)
	to, _ := any(dst).([]int32)
	vectors := len(from) / 8
	if !ok || vectors == 0 {
		return 0, false
	}
	seen := rebase32(&to[0], &from[0], vectors, from[0], int32(width), 8*int32(width))
	return 8 * vectors, seen != 0
}

// orderedLanes reports whether offsets that begin at 0 or above never step back.
func orderedLanes[O kernel.Offset](off []O) (done int, ok bool) {
	from, narrow := any(off).([]int32)
	vectors := (len(from) - 1) / 8
	if !narrow || vectors < 1 {
		return 0, true
	}
	return 8 * vectors, ordered32(&from[0], vectors) == 0
}

// threesLanes is threes on whole groups of 96 bytes.
func threesLanes(b []byte) (done int, ok bool) {
	groups := len(b) / 96
	if groups == 0 {
		return 0, true
	}
	return 96 * groups, threes96(&b[0], groups) == 0
}

// namesLanes is coverThrees on a multiple of eight values of which each keeps
// what is to be kept and fits a word when masked.
func namesLanes[O kernel.Offset](r *redactor, off, out []O, data, dst []byte) bool {
	from, ok := any(off).([]int32)
	to, _ := any(out).([]int32)
	n := len(from) - 1
	if !ok || n < 8 || n%8 != 0 {
		return false
	}
	more := 2 * r.first
	if r.least > 8-more {
		return false
	}
	if sizes32(&from[0], &to[0], n/8, int32(more), int32(r.least), int32(8-more)) != 0 {
		return false
	}
	head := low(3 * r.first)
	heads32(&from[0], &to[0], n/4, &data[0], &dst[0], head, uint64(r.mask[0])*ones&^head)
	return true
}

// blanketLanes fills dst with mask characters as far as vectors go, and
// reports whether src, as long, was ASCII so far.
func blanketLanes(dst, src, page []byte) (done int, high bool) {
	vectors := len(src) / 32
	if vectors == 0 {
		return 0, false
	}
	var none [32]byte
	seen := stamp(&dst[0], &src[0], &none[0], &page[0], vectors, 1)
	return 32 * vectors, seen != 0
}

// endsLanes is putEnds on a multiple of eight values. dst is all mask
// characters, and data goes on for eight bytes behind the last value.
func endsLanes[O kernel.Offset](r *redactor, off, out []O, data, dst []byte) bool {
	from, ok := any(off).([]int32)
	to, _ := any(out).([]int32)
	n := len(from) - 1
	if !ok || n < 8 || n%8 != 0 || n > blockRows {
		return false
	}
	shift := to[0] - from[0]
	rebase32(&to[0], &from[0], n/8, -shift, 0, 0)
	to[n] = from[n] + shift
	var brief [blockRows / 8]byte
	some := short32(&from[0], &brief[0], n/8, int32(r.least)) != 0
	if some && r.last > 0 {
		return false
	}
	if r.first > 0 {
		head := low(r.first)
		heads32(&from[0], &to[0], n/4, &data[0], &dst[0], head, uint64(r.mask[0])*ones&^head)
	}
	switch k := r.last; {
	case k >= 4:
		tails4(&from[1], &to[1], n/4, &data[0], &dst[0], k)
		tails4(&from[1], &to[1], n/4, &data[0], &dst[0], 4)
	case k >= 2:
		tails2(&from[1], &to[1], n/4, &data[0], &dst[0], k)
		tails2(&from[1], &to[1], n/4, &data[0], &dst[0], 2)
	case k == 1:
		tails1(&from[1], &to[1], n/4, &data[0], &dst[0], 1)
	}
	if some {
		coverBrief(r, to, dst, brief[:n/8])
	}
	return true
}

// coverBrief covers the values of which nothing may stay: those whose bit is
// set.
func coverBrief(r *redactor, to []int32, dst, brief []byte) {
	for v, set := range brief {
		for ; set != 0; set &= set - 1 {
			i := 8*v + bits.TrailingZeros8(set)
			r.blanket(dst[to[i]:to[i+1]])
		}
	}
}
