package redact

import (
	"encoding/binary"

	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	// blockRows is how many rows are looked at together: few enough that their
	// bytes are still in the nearest cache when they are written.
	blockRows = 256
	// pageSize is how many mask characters are copied at once.
	pageSize = 4096
)

// blocks is the work on one column.
type blocks[O kernel.Offset] struct {
	r    *redactor
	s    kernel.Strings[O]
	data []byte // up to the last offset
	w    *kernel.Writer[O]
}

// quick treats rows at to end if they are all ASCII, or all common Chinese,
// and what is to be kept is of few bytes. If it gives false, nothing that it
// wrote counts. It reads and writes whole words: those that reach into the next
// value carry mask characters there, and the next value comes later.
func (b *blocks[O]) quick(at, end, pos int) (int, bool) {
	from, to := int(b.s.Off[at]), int(b.s.Off[end])
	if len(b.r.mask) != 1 || from == to || to-from >= 1<<30 || to+8 > len(b.data) || b.hidden(at, end) {
		return 0, false
	}
	text := b.data[from:to]
	switch {
	case text[0] < 0x80:
		if b.r.first > 8 || b.r.last > 8 || !b.r.blanketASCII(b.w.Data[pos:pos+len(text)], text) {
			return 0, false
		}
		off, out := b.s.Off[at:end+1], b.w.Off[at:end+1]
		if !b.r.wide || !endsLanes(b.r, off, out, b.data, b.w.Data) {
			putEnds(b.r, off, out, b.data, b.w.Data)
		}
		return pos + len(text), true
	case b.r.first <= 2 && b.r.last == 0 && threes(text, b.r.wide):
		if b.r.wide && namesLanes(b.r, b.s.Off[at:end+1], b.w.Off[at:end+1], b.data, b.w.Data) {
			return int(b.w.Off[end]), true
		}
		return b.coverThrees(at, end, pos)
	}
	return 0, false
}

// hidden reports bytes under nulls.
func (b *blocks[O]) hidden(at, end int) bool {
	if b.s.Valid.None() {
		return false
	}
	for i := at; i < end; i++ {
		if b.s.Off[i] != b.s.Off[i+1] && b.s.Valid.Null(i) {
			return true
		}
	}
	return false
}

// blanketASCII fills dst with mask characters and reports whether text, as
// long, is ASCII.
func (r *redactor) blanketASCII(dst, text []byte) bool {
	if r.wide {
		done, high := blanketLanes(dst, text, r.page)
		if high {
			return false
		}
		dst, text = dst[done:], text[done:]
	}
	r.blanket(dst)
	return ascii(text)
}

// putEnds puts the characters of ASCII that stay back into dst, which is all
// mask characters, and writes the offsets: lengths stay. out[0] is there.
func putEnds[O kernel.Offset](r *redactor, off, out []O, data, dst []byte) {
	shift := out[0] - off[0]
	head := low(r.first)
	word := (uint64(r.mask[0]) * ones) &^ head
	from := off[0]
	off, out = off[1:], out[1:len(off)]
	for i, to := range off {
		out[i] = to + shift
		if to-from >= O(r.least) {
			if r.first > 0 {
				x := binary.LittleEndian.Uint64(data[from:])
				binary.LittleEndian.PutUint64(dst[from+shift:], x&head|word)
			}
			if r.last > 0 {
				putBack(dst[:to+shift], data[:to], r.last)
			}
		}
		from = to
	}
}

// putBack copies the last k bytes, 1 to 8, of src to the end of dst.
func putBack(dst, src []byte, k int) {
	d, s := dst[len(dst)-k:], src[len(src)-k:]
	switch {
	case k >= 4:
		x, y := binary.LittleEndian.Uint32(s), binary.LittleEndian.Uint32(s[k-4:])
		binary.LittleEndian.PutUint32(d, x)
		binary.LittleEndian.PutUint32(d[k-4:], y)
	case k >= 2:
		x, y := binary.LittleEndian.Uint16(s), binary.LittleEndian.Uint16(s[k-2:])
		binary.LittleEndian.PutUint16(d, x)
		binary.LittleEndian.PutUint16(d[k-2:], y)
	default:
		d[0] = s[0]
	}
}

// blanket fills dst with mask characters.
func (r *redactor) blanket(dst []byte) {
	for len(dst) > 0 {
		dst = dst[copy(dst, r.page):]
	}
}

// third is the inverse of 3 modulo 2^32: a multiple of 3 below 2^30 times third
// is its third, any other number below 2^30 comes out above 2^30.
const third = 0xAAAAAAAB

// coverThrees treats text of which every character has three bytes and up to
// two first ones stay. A value that does not end with a character makes it give
// up.
func (b *blocks[O]) coverThrees(at, end, pos int) (int, bool) {
	off, out := b.s.Off[at:end+1], b.w.Off[at+1:end+1]
	data, dst := b.data, b.w.Data
	head := low(3 * b.r.first)
	word := uint64(b.r.mask[0]) * ones
	more := uint64(2 * b.r.first)
	least := int64(b.r.least)
	from := off[0]
	off = off[1:]
	out = out[:len(off)]
	for i, to := range off {
		n := uint64(uint32(to-from) * third)
		brief := uint64((int64(n) - least) >> 63) // ones if nothing may stay
		keep := head &^ brief
		size := int(n + more&^brief)
		x := binary.LittleEndian.Uint64(data[from:])
		binary.LittleEndian.PutUint64(dst[pos:], x&keep|word&^keep)
		if size > 8 {
			if n >= 1<<30 {
				return 0, false
			}
			b.r.blanket(dst[pos+8 : pos+size])
		}
		pos += size
		out[i] = O(pos)
		from = to
	}
	return pos, true
}
