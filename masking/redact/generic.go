package redact

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// slack is room behind the output, so that whole words can be stored at any
// position of it. Finish zeroes what is left of it.
const slack = 32

const ruleUTF8 = "text is not UTF-8"

// generic treats text of any length and script, offsets and data in one pass,
// block by block: one all of ASCII or all of common Chinese is written word by
// word, the others value by value.
func generic[O kernel.Offset](r *redactor, env *kernel.Env, s kernel.Strings[O], t arrow.DataType) (arrow.Array, error) {
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.Span()*len(r.mask)+slack)
	if err != nil {
		return nil, err
	}
	if s.Valid.Nulls(s.N) == 0 {
		s.Valid = kernel.Validity{}
	}
	b := blocks[O]{r: r, s: s, data: s.Data[:s.Off[s.N]], w: w}
	pos := 0
	for at := 0; at < s.N; at += blockRows {
		end := min(at+blockRows, s.N)
		next, ok := b.quick(at, end, pos)
		if !ok {
			if next, err = b.slow(env, at, end, pos); err != nil {
				w.Release()
				return nil, err
			}
		}
		pos = next
	}
	return w.Finish(env, s.Valid, t), nil
}

// slow treats rows at to end value by value. The block is checked to be UTF-8
// as a whole; only if it is not, because of a bad value or of bytes under
// nulls, is each value checked on its own.
func (b *blocks[O]) slow(env *kernel.Env, at, end, pos int) (int, error) {
	r, s, w, data := b.r, b.s, b.w, b.data
	sound := validText(data[s.Off[at]:s.Off[end]]) && whole(s.Off[at:end+1], data)
	short := len(r.mask) == 1 && r.last == 0
	for i := at; i < end; i++ {
		from, to := int(s.Off[i]), int(s.Off[i+1])
		switch {
		case from == to || s.Valid.Null(i):
		case !sound && !utf8.Valid(data[from:to]):
			if err := env.Malformed(i, ruleUTF8); err != nil {
				return 0, err
			}
		case short && to-from <= 16 && from+16 <= len(data):
			pos += r.brief(w.Data[pos:pos+slack], data[from:from+16], to-from)
		default:
			pos = r.cover(w.Data, pos, data, from, to)
		}
		w.Off[i+1] = O(pos)
	}
	return pos, nil
}

// whole reports that no value begins in the middle of a character: in a column
// that is UTF-8, every value then is.
func whole[O kernel.Offset](off []O, data []byte) bool {
	for _, at := range off {
		if int(at) < len(data) && data[at]&0xC0 == 0x80 {
			return false
		}
	}
	return true
}

// cover writes the redacted form of data[from:to], which is UTF-8, at pos and
// returns its end.
func (r *redactor) cover(dst []byte, pos int, data []byte, from, to int) int {
	n := runes(data, from, to)
	first, last := r.keeps(n)
	if first > 0 {
		head := from
		for range first {
			head += size(data[head])
		}
		pos = place(dst, pos, data, from, head)
	}
	pos = r.fill(dst, pos, n-first-last)
	if last > 0 {
		tail := to
		for range last {
			for tail--; data[tail]&0xC0 == 0x80; tail-- {
			}
		}
		pos = place(dst, pos, data, tail, to)
	}
	return pos
}

// brief is cover for values of at most 16 bytes of which the last characters
// do not stay: names. It takes the value and what follows, as two words, and
// 32 bytes of room, and returns the length written.
func (r *redactor) brief(dst, v []byte, length int) int {
	x := binary.LittleEndian.Uint64(v)
	y := binary.LittleEndian.Uint64(v[8:])
	if length <= 8 {
		x, y = x&low(length), 0
	} else {
		y &= low(length - 8)
	}
	cont := x >> 7 &^ (x >> 6) & ones
	n := length - bits.OnesCount64(cont|(y>>7&^(y>>6)&ones)<<1)
	first, _ := r.keeps(n)
	leads := ^cont & ones
	for range first {
		leads &= leads - 1
	}
	head := bits.TrailingZeros64(leads) / 8
	if head == 8 && first > 0 {
		return r.cover(dst, 0, v, 0, length)
	}
	binary.LittleEndian.PutUint64(dst, x&low(head))
	word := uint64(r.mask[0]) * ones
	binary.LittleEndian.PutUint64(dst[head:], word)
	binary.LittleEndian.PutUint64(dst[head+8:], word)
	return head + n - first
}

// fill writes k mask characters. One of a single byte is written eight at a
// time; what is written too much is overwritten later, or zeroed at the end.
func (r *redactor) fill(dst []byte, pos, k int) int {
	if len(r.mask) > 1 {
		for range k {
			pos += copy(dst[pos:], r.mask)
		}
		return pos
	}
	word := uint64(r.mask[0]) * ones
	for j := 0; j < k; j += 8 {
		binary.LittleEndian.PutUint64(dst[pos+j:], word)
	}
	return pos + k
}

// place copies data[from:to] and nothing of its neighbours.
func place(dst []byte, pos int, data []byte, from, to int) int {
	k := to - from
	if k <= 8 && from+8 <= len(data) {
		binary.LittleEndian.PutUint64(dst[pos:], binary.LittleEndian.Uint64(data[from:])&low(k))
		return pos + k
	}
	return pos + copy(dst[pos:], data[from:to])
}

// low has ones in the first k bytes of a word, k <= 8.
func low(k int) uint64 { return 1<<(8*k) - 1 }

const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
)

// runes counts the characters of UTF-8: the bytes that continue none.
func runes(data []byte, from, to int) int {
	n := to - from
	for ; from+8 <= len(data) && from < to; from += 8 {
		x := binary.LittleEndian.Uint64(data[from:])
		if to-from < 8 {
			x &= low(to - from)
		}
		n -= bits.OnesCount64(x >> 7 &^ (x >> 6) & ones)
	}
	for ; from < to; from++ {
		if data[from]&0xC0 == 0x80 {
			n--
		}
	}
	return n
}

// size is the length of the character a leading byte begins.
func size(c byte) int {
	switch {
	case c < 0x80:
		return 1
	case c < 0xE0:
		return 2
	case c < 0xF0:
		return 3
	}
	return 4
}
