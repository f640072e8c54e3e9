package receipt

import (
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// needsEscape tells whether a byte may not stand as itself in a JSON string.
func needsEscape(b byte) bool { return b < 0x20 || b == '"' || b == '\\' }

// AppendString appends s as a JSON string in canonical form (RFC 8785): the
// shortest escapes, nothing else. s must be valid UTF-8; it is not checked here.
func AppendString(dst []byte, s string) []byte { return appendString(dst, s) }

// appendString appends s as a JSON string with the shortest escapes (RFC 8785,
// 3.2.2.2). s must be valid UTF-8.
func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if !needsEscape(s[i]) {
			continue
		}
		dst = append(dst, s[from:i]...)
		dst = appendEscape(dst, s[i])
		from = i + 1
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
}

// scanString reads the JSON string at the start of b, which begins with a
// quote, and returns it decoded with the length it took. The result aliases b
// where nothing was escaped.
func scanString(b []byte) (s []byte, size int, err error) {
	i, plain := 1, true
	for ; ; i++ {
		if i >= len(b) || b[i] < 0x20 {
			return nil, 0, ErrSyntax
		}
		if b[i] == '"' {
			break
		}
		if b[i] == '\\' {
			plain = false
			i++
		}
	}
	s = b[1:i]
	if !utf8.Valid(s) {
		return nil, 0, ErrText
	}
	if !plain {
		s, err = unescape(s)
	}
	return s, i + 1, err
}

// unescape decodes the inside of a JSON string.
func unescape(s []byte) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		if s[0] != '\\' {
			out = append(out, s[0])
			s = s[1:]
			continue
		}
		if len(s) < 2 {
			return nil, ErrSyntax
		}
		if s[1] == 'u' {
			r, size, err := unescapeUnicode(s)
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
			s = s[size:]
			continue
		}
		b, ok := unescapeByte(s[1])
		if !ok {
			return nil, ErrSyntax
		}
		out = append(out, b)
		s = s[2:]
	}
	return out, nil
}

func unescapeByte(b byte) (byte, bool) {
	switch b {
	case '"', '\\', '/':
		return b, true
	case 'b':
		return '\b', true
	case 't':
		return '\t', true
	case 'n':
		return '\n', true
	case 'f':
		return '\f', true
	case 'r':
		return '\r', true
	}
	return 0, false
}

// unescapeUnicode decodes \uXXXX or a surrogate pair of two such escapes.
func unescapeUnicode(s []byte) (rune, int, error) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0, ErrSyntax
	}
	if !utf16.IsSurrogate(r) {
		return r, 6, nil
	}
	if len(s) < 8 || s[6] != '\\' || s[7] != 'u' {
		return 0, 0, ErrText
	}
	low, ok := hex4(s[6:])
	if !ok {
		return 0, 0, ErrSyntax
	}
	pair := utf16.DecodeRune(r, low)
	if pair == utf8.RuneError {
		return 0, 0, ErrText
	}
	return pair, 12, nil
}

// hex4 reads the four hexadecimal digits of \uXXXX.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 {
		return 0, false
	}
	var r rune
	for _, b := range s[2:6] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		case b >= 'A' && b <= 'F':
			b -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}
