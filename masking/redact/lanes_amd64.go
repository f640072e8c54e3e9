package redact

import (
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
