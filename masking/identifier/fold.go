package identifier

import (
	"bytes"
	"unicode/utf8"
)

const (
	maxInput  = 1024 // bytes; longer input is refused before it is looked at
	maxOpaque = 128  // bytes
	codeLen   = 24   // characters a number may have once separators are gone
)

// code collects a number: ASCII characters only, separators removed.
type code struct {
	n   int
	chr [codeLen]byte
}

// fold reduces s to upper-case ASCII letters, digits and '+', dropping spaces,
// hyphens and invisible marks, and reading full-width forms as their ASCII twins.
// It returns the rule broken, or "".
func (c *code) fold(s []byte) string {
	if len(s) > maxInput {
		return RuleLength
	}
	if !utf8.Valid(s) {
		return RuleEncoding
	}
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
			r = narrow(r)
		}
		i += size
		if r = upper(r); !isCodeRune(r) {
			if isSpace(r) || isHyphen(r) || isInvisible(r) {
				continue
			}
			return RuleCharacter
		}
		if c.n == codeLen {
			return RuleLength
		}
		c.chr[c.n] = byte(r)
		c.n++
	}
	if c.n == 0 {
		return RuleEmpty
	}
	return ""
}

func (c *code) bytes() []byte { return c.chr[:c.n] }

// narrow maps a full-width form (U+FF01 to U+FF5E) to ASCII.
func narrow(r rune) rune {
	if r >= 0xFF01 && r <= 0xFF5E {
		return r - 0xFEE0
	}
	return r
}

func upper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - ('a' - 'A')
	}
	return r
}

func isCodeRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r == '+'
}

// isSpace reports white space: the ASCII kinds and those of Unicode's
// White_Space property, the ideographic space U+3000 among them.
func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

// isHyphen reports the hyphens and dashes that people type between digit groups.
func isHyphen(r rune) bool {
	switch r {
	case '-', 0xAD, 0x2212, 0xFE58, 0xFE63:
		return true
	}
	return r >= 0x2010 && r <= 0x2015
}

// isInvisible reports zero-width and direction marks, which come along when a
// number is copied from a contact list or a spreadsheet.
func isInvisible(r rune) bool {
	switch {
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E:
		return true
	case r >= 0x2060 && r <= 0x206F, r == 0xFEFF, r == 0x061C:
		return true
	}
	return false
}

func digits(s []byte) bool {
	for _, b := range s {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// number reads decimal digits that digits has accepted.
func number(s []byte) int {
	n := 0
	for _, b := range s {
		n = n*10 + int(b-'0')
	}
	return n
}

// appendOpaque trims white space and keeps the rest byte for byte.
func appendOpaque(dst, s []byte) ([]byte, string) {
	if len(s) > maxInput {
		return dst, RuleLength
	}
	if !utf8.Valid(s) {
		return dst, RuleEncoding
	}
	s = bytes.TrimSpace(s)
	if len(s) == 0 {
		return dst, RuleEmpty
	}
	if len(s) > maxOpaque {
		return dst, RuleLength
	}
	return append(dst, s...), ""
}
