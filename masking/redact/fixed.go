package redact

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// maxWidth bounds the values the fixed-width path treats, and with it the
// tables of patterns.
const maxWidth = 256

// fixed treats text of which every value is empty or of one length, all ASCII,
// with no bytes under nulls: one fresh data buffer, written word by word as
// (input AND kept) OR mask. It returns nil if the column is not of that form.
func fixed[O kernel.Offset](r *redactor, env *kernel.Env, s kernel.Strings[O], t arrow.DataType) (arrow.Array, error) {
	width := widthOf(s)
	if width < 1 || width > maxWidth || len(r.mask) != 1 {
		return nil, nil
	}
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.Span())
	if err != nil {
		return nil, err
	}
	if !fixedOffsets(w.Off, s, O(width), r.wide) ||
		!r.overwrite(w.Data, s.Data[s.Off[0]:s.Off[s.N]], width) {
		clear(w.Data)
		w.Release()
		return nil, nil
	}
	return w.Finish(env, s.Valid, t), nil
}

// widthOf is the length of the first value that is not empty; 0 without one.
func widthOf[O kernel.Offset](s kernel.Strings[O]) int {
	for i := range s.N {
		if d := s.Off[i+1] - s.Off[i]; d != 0 {
			return int(d)
		}
	}
	return 0
}

// fixedOffsets writes the offsets rebased to 0 and reports whether every value
// is of the width, or empty, and every null empty.
func fixedOffsets[O kernel.Offset](dst []O, s kernel.Strings[O], width O, wide bool) bool {
	off, base := s.Off[:s.N+1], s.Off[0]
	dst = dst[:len(off)]
	if s.Valid.None() && int64(off[s.N]-base) == int64(s.N)*int64(width) {
		return even(dst, off, width, wide)
	}
	for i := range s.N {
		d := off[i+1] - off[i]
		if d != 0 && (d != width || s.Valid.Null(i)) {
			return false
		}
		dst[i+1] = off[i+1] - base
	}
	return true
}

// even writes off less its first to dst and reports whether number i of them is
// i times width.
func even[O kernel.Offset](dst, off []O, width O, wide bool) bool {
	base, done := off[0], 0
	if wide {
		var bad bool
		if done, bad = rebaseLanes(dst, off, width); bad {
			return false
		}
	}
	var odd O
	for i := done; i < len(off); i++ {
		odd |= (off[i] - base) ^ O(i)*width
		dst[i] = off[i] - base
	}
	return odd == 0
}

// overwrite writes the masked form of src, whole values of the width, to dst.
// It reports false if src is not ASCII; dst is then unusable.
func (r *redactor) overwrite(dst, src []byte, width int) bool {
	kept, mask := r.patterns(width)
	if r.wide {
		done, high := stampLanes(dst, src, arrow.GetBytes(kept), arrow.GetBytes(mask))
		if high {
			return false
		}
		dst, src = dst[done:], src[done:]
	}
	mask = mask[:len(kept)]
	in, out := arrow.GetData[uint64](src[:len(src)&^7]), arrow.GetData[uint64](dst[:len(dst)&^7])
	var seen uint64
	done := 0
	for len(in) >= len(kept) && len(out) >= len(kept) {
		from, to := in[:len(kept)], out[:len(kept)]
		for i, k := range kept {
			x := from[i]
			seen |= x
			to[i] = x&k | mask[i]
		}
		in, out = in[len(kept):], out[len(kept):]
		done += 8 * len(kept)
	}
	src, dst = src[done:], dst[done:]
	for i, b := range src {
		seen |= uint64(b)
		dst[i] = b&byteOf(kept, i) | byteOf(mask, i)
	}
	return seen&highBits == 0
}

// byteOf is byte i of words in memory order.
func byteOf(words []uint64, i int) byte { return arrow.GetBytes(words)[i] }

// patterns are the words, and vectors, of 32 consecutive values: ones where a character
// stays, and the mask character where it does not.
func (r *redactor) patterns(width int) (kept, mask []uint64) {
	first, last := r.keeps(width)
	keep, cover := make([]byte, 32*width), make([]byte, 32*width)
	for i := range keep {
		if at := i % width; at < first || at >= width-last {
			keep[i] = 0xff
		} else {
			cover[i] = r.mask[0]
		}
	}
	return arrow.GetData[uint64](keep), arrow.GetData[uint64](cover)
}
