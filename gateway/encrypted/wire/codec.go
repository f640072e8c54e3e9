package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"
)

var (
	// ErrMalformed: the bytes are not the one accepted form; do not retry.
	ErrMalformed = errors.New("wire: malformed")
	// ErrInvalid: a field is out of its bounds; correct the object.
	ErrInvalid = errors.New("wire: invalid")
)

// Bounds in bytes.
const (
	maxName      = 128
	maxSignature = 256
	// MaxSealed bounds what an answer holds: an envelope of one MiB and its frame.
	MaxSealed = 1<<20 + 512
)

type writer struct{ b []byte }

func (w *writer) raw(v string)    { w.b = append(w.b, v...) }
func (w *writer) hash(v [32]byte) { w.b = append(w.b, v[:]...) }
func (w *writer) u64(v uint64)    { w.b = binary.BigEndian.AppendUint64(w.b, v) }

func (w *writer) bytes(v []byte) {
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(v)))
	w.b = append(w.b, v...)
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
	n := r.take(4)
	if n == nil || binary.BigEndian.Uint32(n) > uint32(limit) {
		r.bad = true
		return nil
	}
	return append([]byte(nil), r.take(int(binary.BigEndian.Uint32(n)))...)
}

func (r *reader) name() string {
	s := string(r.bytes(maxName))
	if !validName(s) {
		r.bad = true
	}
	return s
}

func (r *reader) signature() []byte {
	s := r.bytes(maxSignature)
	if len(s) == 0 {
		r.bad = true
	}
	return s
}

// end says whether everything was read and nothing was wrong.
func (r *reader) end(what string) error {
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	return nil
}

func validName(s string) bool {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if !unicode.IsGraphic(c) {
			return false
		}
	}
	return true
}

// signed is prefix, body and signature.
func signed(prefix string, body, signature []byte) ([]byte, error) {
	if len(signature) == 0 || len(signature) > maxSignature {
		return nil, fmt.Errorf("%w: signature", ErrInvalid)
	}
	w := &writer{}
	w.raw(prefix)
	w.b = append(w.b, body...)
	w.bytes(signature)
	return w.b, nil
}

func hashOf(domain string, body []byte) [32]byte {
	h := sm3.New()
	h.Write([]byte(domain))
	h.Write(body)
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}
