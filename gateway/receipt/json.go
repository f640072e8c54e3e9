package receipt

import (
	"errors"
	"slices"
	"strconv"
)

// Bounds of every JSON text this package reads.
const (
	// MaxDepth is the deepest nesting of arrays and objects.
	MaxDepth = 32
	// MaxDocument is the largest text Canonicalize and RequireCanonical take, in bytes.
	MaxDocument = 16 << 20
	// MaxInteger is the largest magnitude of a JSON integer (RFC 7493, 2^53-1).
	// Larger numbers travel as decimal strings.
	MaxInteger = 1<<53 - 1
)

// Errors of the JSON layer. None carries a part of the text.
var (
	// ErrSyntax: the text is not JSON, or is cut short, or goes on after its end.
	ErrSyntax = errors.New("json: not well formed")
	// ErrNumber: a number is not an integer within +-(2^53-1), or is written as a float or "-0".
	ErrNumber = errors.New("json: not an integer within 2^53-1")
	// ErrText: a string holds invalid UTF-8 or a lone surrogate.
	ErrText = errors.New("json: not valid Unicode")
	// ErrDuplicate: an object has a key twice.
	ErrDuplicate = errors.New("json: duplicate key")
	// ErrDepth: nesting deeper than MaxDepth.
	ErrDepth = errors.New("json: nested too deeply")
	// ErrSize: the text is larger than its bound.
	ErrSize = errors.New("json: too large")
	// ErrNotCanonical: well-formed perhaps, but not the one form of RFC 8785.
	ErrNotCanonical = errors.New("json: not in canonical form")
)

// Canonicalize returns the canonical form (RFC 8785) of a JSON text: no white
// space, keys in order of UTF-16 code units, shortest escapes. It is stricter
// than the RFC: integers within 2^53-1 only, unique keys, depth and size
// bounded. The text is not altered.
func Canonicalize(text []byte) ([]byte, error) {
	if len(text) > MaxDocument {
		return nil, ErrSize
	}
	c := canonicalizer{in: text, out: make([]byte, 0, len(text))}
	c.space()
	if err := c.value(0); err != nil {
		return nil, err
	}
	c.space()
	if c.pos != len(c.in) {
		return nil, ErrSyntax
	}
	return c.out, nil
}

// canonicalizer reads JSON and writes it in canonical form as it goes. Members
// of an object are written in the order met, then sorted in place.
type canonicalizer struct {
	in  []byte
	pos int
	out []byte
}

// member is one key and where its text `"key":value` stands in out.
type member struct {
	key        string
	start, end int
}

func (c *canonicalizer) space() {
	for c.pos < len(c.in) {
		switch c.in[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// take consumes b if it is next.
func (c *canonicalizer) take(b byte) bool {
	if c.pos < len(c.in) && c.in[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

func (c *canonicalizer) value(depth int) error {
	if c.pos >= len(c.in) {
		return ErrSyntax
	}
	switch b := c.in[c.pos]; {
	case b == '{':
		return c.object(depth + 1)
	case b == '[':
		return c.array(depth + 1)
	case b == '"':
		s, err := c.text()
		if err != nil {
			return err
		}
		c.out = appendString(c.out, s)
		return nil
	case b == '-' || b >= '0' && b <= '9':
		n, size, err := scanInteger(c.in[c.pos:])
		if err != nil {
			return err
		}
		c.pos += size
		c.out = strconv.AppendInt(c.out, n, 10)
		return nil
	}
	size := scanLiteral(c.in[c.pos:])
	if size == 0 {
		return ErrSyntax
	}
	c.out = append(c.out, c.in[c.pos:c.pos+size]...)
	c.pos += size
	return nil
}

func (c *canonicalizer) array(depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	c.pos++
	c.out = append(c.out, '[')
	c.space()
	if c.take(']') {
		c.out = append(c.out, ']')
		return nil
	}
	for {
		c.space()
		if err := c.value(depth); err != nil {
			return err
		}
		c.space()
		if c.take(']') {
			c.out = append(c.out, ']')
			return nil
		}
		if !c.take(',') {
			return ErrSyntax
		}
		c.out = append(c.out, ',')
	}
}

func (c *canonicalizer) object(depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	c.pos++
	start := len(c.out)
	c.space()
	if c.take('}') {
		c.out = append(c.out, '{', '}')
		return nil
	}
	var members []member
	for {
		c.space()
		m, err := c.member(depth)
		if err != nil {
			return err
		}
		members = append(members, m)
		c.space()
		if c.take('}') {
			return c.closeObject(start, members)
		}
		if !c.take(',') {
			return ErrSyntax
		}
	}
}

func (c *canonicalizer) member(depth int) (member, error) {
	if c.pos >= len(c.in) || c.in[c.pos] != '"' {
		return member{}, ErrSyntax
	}
	key, err := c.text()
	if err != nil {
		return member{}, err
	}
	m := member{key: string(key), start: len(c.out)}
	c.out = append(appendString(c.out, key), ':')
	c.space()
	if !c.take(':') {
		return member{}, ErrSyntax
	}
	c.space()
	if err := c.value(depth); err != nil {
		return member{}, err
	}
	m.end = len(c.out)
	return m, nil
}

// closeObject puts the members written since start into canonical order.
func (c *canonicalizer) closeObject(start int, members []member) error {
	slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.key, b.key) })
	sorted := make([]byte, 0, len(c.out)-start+len(members)+1)
	for i, m := range members {
		if i > 0 && m.key == members[i-1].key {
			return ErrDuplicate
		}
		sorted = append(sorted, ',')
		sorted = append(sorted, c.out[m.start:m.end]...)
	}
	sorted[0] = '{'
	c.out = append(append(c.out[:start], sorted...), '}')
	return nil
}

// text reads a string and returns it decoded; the slice may alias the input.
func (c *canonicalizer) text() ([]byte, error) {
	s, size, err := scanString(c.in[c.pos:])
	c.pos += size
	return s, err
}

// scanLiteral returns the length of true, false or null at the start of b, else 0.
func scanLiteral(b []byte) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(b) >= len(word) && string(b[:len(word)]) == word {
			return len(word)
		}
	}
	return 0
}

// scanInteger reads an integer at the start of b.
func scanInteger(b []byte) (n int64, size int, err error) {
	negative := b[0] == '-'
	if negative {
		size = 1
	}
	digits := size
	for size < len(b) && b[size] >= '0' && b[size] <= '9' {
		if n > MaxInteger {
			return 0, 0, ErrNumber
		}
		n = n*10 + int64(b[size]-'0')
		size++
	}
	if size == digits {
		return 0, 0, ErrSyntax
	}
	if size < len(b) && (b[size] == '.' || b[size] == 'e' || b[size] == 'E') || n > MaxInteger {
		return 0, 0, ErrNumber
	}
	if b[digits] == '0' && (negative || size-digits > 1) {
		return 0, 0, ErrNumber
	}
	if negative {
		n = -n
	}
	return n, size, nil
}

// compareUTF16 orders two valid UTF-8 strings by their UTF-16 code units. It
// differs from byte order only where a surrogate pair meets U+E000 to U+FFFF.
func compareUTF16[T string | []byte](a, b T) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0) {
			x, y = y, x
		}
		if x < y {
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}

// RequireCanonical accepts exactly the texts that Canonicalize returns unchanged.
func RequireCanonical(text []byte) error {
	if len(text) > MaxDocument {
		return ErrSize
	}
	r := reader{b: text}
	if r.raw(); r.err != nil {
		return r.err
	}
	if len(r.b) != 0 {
		return ErrSyntax
	}
	return nil
}
