package ceremony

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// All objects are big endian, length-prefixed and versioned; a parser accepts
// the one form that a writer makes.

type writer struct{ b []byte }

func (w *writer) u8(v int)        { w.b = append(w.b, uint8(v)) }
func (w *writer) u32(v int)       { w.b = binary.BigEndian.AppendUint32(w.b, uint32(v)) }
func (w *writer) u64(v uint64)    { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *writer) hash(v [32]byte) { w.b = append(w.b, v[:]...) }
func (w *writer) raw(v []byte)    { w.b = append(w.b, v...) }

func (w *writer) bytes(v []byte) {
	w.u32(len(v))
	w.raw(v)
}

func (w *writer) text(v string) { w.bytes([]byte(v)) }

// reader remembers the first fault and then gives zero values.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8() int {
	if v := r.take(1); v != nil {
		return int(v[0])
	}
	return 0
}

func (r *reader) u32() int {
	if v := r.take(4); v != nil {
		return int(binary.BigEndian.Uint32(v))
	}
	return 0
}

func (r *reader) u64() uint64 {
	if v := r.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (r *reader) hash() [32]byte {
	if v := r.take(32); v != nil {
		return [32]byte(v)
	}
	return [32]byte{}
}

// bytes gives a copy of at most limit bytes.
func (r *reader) bytes(limit int) []byte {
	n := r.u32()
	if n > limit {
		r.bad = true
		return nil
	}
	return append([]byte(nil), r.take(n)...)
}

func (r *reader) text() string {
	s := string(r.bytes(maxName))
	if !validName(s) {
		r.bad = true
	}
	return s
}

// count reads a one-byte number of things within [low, high].
func (r *reader) count(low, high int) int {
	n := r.u8()
	if n < low || n > high {
		r.bad = true
		return 0
	}
	return n
}

// done reports whether everything was read and nothing was wrong.
func (r *reader) done() bool { return !r.bad && len(r.b) == 0 }

// expect reads a fixed prefix.
func (r *reader) expect(prefix string) {
	if string(r.take(len(prefix))) != prefix {
		r.bad = true
	}
}

// maxName bounds names of parties, providers and datasets, in bytes.
const maxName = 128

func validName(s string) bool {
	if len(s) == 0 || len(s) > maxName || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if !unicode.IsGraphic(c) {
			return false
		}
	}
	return true
}
