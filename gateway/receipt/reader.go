package receipt

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/yumen-project/yumen/gateway/audit"
)

// reader walks a text that must be in canonical form, member by member in the
// one order they may come in. The first deviation sticks in err; later calls
// return zero values. Because every byte is matched, a text it accepts equals
// what the matching append function writes.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// has consumes s if it is next.
func (r *reader) has(s string) bool {
	if r.err != nil || len(r.b) < len(s) || string(r.b[:len(s)]) != s {
		return false
	}
	r.b = r.b[len(s):]
	return true
}

// lit requires s, punctuation and keys as they must stand.
func (r *reader) lit(s string) {
	if !r.has(s) {
		r.fail(ErrNotCanonical)
	}
}

// end requires that nothing follows.
func (r *reader) end() {
	if len(r.b) != 0 {
		r.fail(ErrNotCanonical)
	}
}

// integer reads a canonical integer.
func (r *reader) integer() int64 {
	if r.err != nil || len(r.b) == 0 {
		r.fail(ErrSyntax)
		return 0
	}
	n, size, err := scanInteger(r.b)
	if err != nil {
		r.fail(err)
		return 0
	}
	r.b = r.b[size:]
	return n
}

// format reads the format number and requires it to be want.
func (r *reader) format(want int64) {
	if n := r.integer(); r.err == nil && n != want {
		r.fail(ErrFormat)
	}
}

// bytes reads a canonical string and returns it decoded, valid until the text changes.
func (r *reader) bytes() []byte {
	if r.err != nil || len(r.b) == 0 || r.b[0] != '"' {
		r.fail(ErrSyntax)
		return nil
	}
	for i := 1; i < len(r.b); i++ {
		if r.b[i] == '"' {
			s := r.b[1:i]
			if !utf8.Valid(s) {
				r.fail(ErrText)
				return nil
			}
			r.b = r.b[i+1:]
			return s
		}
		if needsEscape(r.b[i]) {
			return r.escaped()
		}
	}
	r.fail(ErrSyntax)
	return nil
}

// escaped is the slow way of bytes, for a string with escapes.
func (r *reader) escaped() []byte {
	s, size, err := scanString(r.b)
	if err != nil {
		r.fail(err)
		return nil
	}
	if string(appendString(nil, s)) != string(r.b[:size]) {
		r.fail(ErrNotCanonical)
		return nil
	}
	r.b = r.b[size:]
	return s
}

func (r *reader) text() string { return string(r.bytes()) }

// hash reads 64 lower-case hexadecimal digits.
func (r *reader) hash() (h audit.Hash) {
	s := r.bytes()
	if r.err == nil && !decodeHex(h[:], s) {
		r.fail(ErrSyntax)
	}
	return h
}

// base64 reads strict standard base64 of at most limit bytes.
func (r *reader) base64(limit int) []byte {
	s := r.bytes()
	if r.err != nil {
		return nil
	}
	if base64.StdEncoding.DecodedLen(len(s)) > limit+2 {
		r.fail(ErrSize)
		return nil
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Strict().Decode(out, s)
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(s) {
		r.fail(ErrSyntax)
		return nil
	}
	return out[:n]
}

// raw reads one canonical value of any kind and returns its text.
func (r *reader) raw() []byte {
	start := r.b
	r.skip(0)
	if r.err != nil {
		return nil
	}
	return start[:len(start)-len(r.b)]
}

// object reads one canonical object and returns its text.
func (r *reader) object() []byte {
	if len(r.b) == 0 || r.b[0] != '{' {
		r.fail(ErrSyntax)
	}
	return r.raw()
}

func (r *reader) skip(depth int) {
	if r.err != nil || len(r.b) == 0 {
		r.fail(ErrSyntax)
		return
	}
	switch b := r.b[0]; {
	case b == '{':
		r.skipObject(depth + 1)
	case b == '[':
		r.skipArray(depth + 1)
	case b == '"':
		r.bytes()
	case b == '-' || b >= '0' && b <= '9':
		r.integer()
	default:
		size := scanLiteral(r.b)
		if size == 0 {
			r.fail(ErrNotCanonical)
		}
		r.b = r.b[size:]
	}
}

func (r *reader) skipArray(depth int) {
	if depth > MaxDepth {
		r.fail(ErrDepth)
		return
	}
	r.lit("[")
	if r.has("]") {
		return
	}
	for r.err == nil {
		r.skip(depth)
		if r.has("]") {
			return
		}
		r.lit(",")
	}
}

func (r *reader) skipObject(depth int) {
	if depth > MaxDepth {
		r.fail(ErrDepth)
		return
	}
	r.lit("{")
	if r.has("}") {
		return
	}
	previous, first := []byte(nil), true
	for r.err == nil {
		key := r.bytes()
		if r.err == nil && !first && !ascends(previous, key) {
			r.fail(ErrNotCanonical)
		}
		previous, first = key, false
		r.lit(":")
		r.skip(depth)
		if r.has("}") {
			return
		}
		r.lit(",")
	}
}

// ascends tells whether key b may follow key a.
func ascends[T string | []byte](a, b T) bool { return compareUTF16(a, b) < 0 }

// decodeHex fills dst from exactly twice as many lower-case hexadecimal digits.
func decodeHex[T string | []byte](dst []byte, s T) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range dst {
		hi, lo := nibble(s[2*i]), nibble(s[2*i+1])
		if hi|lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func nibble(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	}
	return 0xFF
}

// isHex tells whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if nibble(s[i]) > 15 {
			return false
		}
	}
	return true
}

func appendHex(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = hex.AppendEncode(dst, b)
	return append(dst, '"')
}

func appendBase64(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
