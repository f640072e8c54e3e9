package plan

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"
)

// All objects are big endian, length-prefixed and versioned; a parser accepts
// the one form that a writer makes.

const (
	maxName      = 128  // bytes of a name
	maxText      = 1024 // bytes of a purpose
	maxSignature = 256
)

type writer struct{ b []byte }

func (w *writer) raw(v string)    { w.b = append(w.b, v...) }
func (w *writer) u8(v int)        { w.b = append(w.b, uint8(v)) }
func (w *writer) u32(v uint32)    { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)    { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *writer) hash(v [32]byte) { w.b = append(w.b, v[:]...) }

func (w *writer) text(v string) {
	w.u32(uint32(len(v)))
	w.raw(v)
}

func (w *writer) texts(list []string) {
	w.u32(uint32(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

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

func (r *reader) expect(prefix string) {
	if string(r.take(len(prefix))) != prefix {
		r.bad = true
	}
}

func (r *reader) u8() int {
	if v := r.take(1); v != nil {
		return int(v[0])
	}
	return 0
}

func (r *reader) u32() uint32 {
	if v := r.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
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

// text gives a copy of at most limit bytes.
func (r *reader) text(limit int) string {
	n := r.u32()
	if n > uint32(limit) {
		r.bad = true
		return ""
	}
	return string(r.take(int(n)))
}

// count reads a number of things of at least size bytes each, at most limit: what
// is not there is never allocated.
func (r *reader) count(limit, size int) int {
	n := r.u32()
	if n > uint32(limit) || int(n)*size > len(r.b) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) texts(limit int) []string {
	var list []string
	for range r.count(limit, 4) {
		list = append(list, r.text(maxName))
	}
	return list
}

func (r *reader) done() bool { return !r.bad && len(r.b) == 0 }

// validName: 1 to 128 bytes of printable text.
func validName(s string) bool { return s != "" && validText(s, maxName) }

func validText(s string, limit int) bool {
	if len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if !unicode.IsGraphic(c) {
			return false
		}
	}
	return true
}

// distinctNames reports whether all are valid and none stands twice.
func distinctNames(list []string) bool {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if !validName(s) || seen[s] {
			return false
		}
		seen[s] = true
	}
	return true
}

func hashOf(domain string, body []byte) [32]byte {
	h := sm3.New()
	h.Write([]byte(domain))
	h.Write(body)
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}
