package classify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxHeader = 256 // bytes of a header that are looked at

// hint is what a header says.
type hint struct {
	types []Type // any of them; empty: nothing
	typ   Type   // the first of types
	tags  []Type // types named anywhere in it
	minor bool
	raise Grade // words that raise the grade
}

func (h *hint) has(t Type) bool {
	for _, x := range h.types {
		if x == t {
			return true
		}
	}
	return false
}

// parseHeader reads a header in Chinese, English, pinyin or their initials. The
// word that stands last decides (证件类型 is a type, not a number; phone_type
// neither), and of words that end together the longest.
func parseHeader(name string) hint {
	if len(name) > maxHeader {
		name = name[:maxHeader]
	}
	words := tokenise(name)
	var h hint
	best, bestLen := -1, 0
	for _, t := range terms() {
		for _, text := range t.words {
			end := lastOf(words, text)
			if end < 0 {
				continue
			}
			h.note(t)
			if len(t.types) == 0 {
				continue
			}
			if n := len(text); end > best || end == best && n > bestLen {
				best, bestLen, h.types = end, n, t.types
			}
		}
	}
	if asks(words) {
		h.types = []Type{Boolean}
	}
	if len(h.types) > 0 {
		h.typ = h.types[0]
	}
	return h
}

func (h *hint) note(t term) {
	if t.tag != noType {
		h.tags = append(h.tags, t.tag)
	}
	h.tags = append(h.tags, t.types...)
	h.minor = h.minor || t.minor
	h.raise = higher(h.raise, t.raise)
}

// asks reports headers of yes and no: is_married, 是否参保, has_house.
func asks(words string) bool {
	return strings.HasPrefix(words, "_is_") || strings.HasPrefix(words, "_has_") ||
		strings.HasPrefix(words, "_sf_") || strings.Contains(words, "是否") || strings.Contains(words, "有无")
}

// lastOf finds where text ends in words for the last time, or -1. ASCII words
// stand for themselves; Han may stand within a longer run.
func lastOf(words, text string) int {
	if text[0] >= utf8.RuneSelf {
		if i := strings.LastIndex(words, text); i >= 0 {
			return i + len(text)
		}
		return -1
	}
	for end := len(words); ; {
		i := strings.LastIndex(words[:end], text)
		if i < 0 {
			return -1
		}
		after := i + len(text)
		if words[i-1] == '_' && after < len(words) && words[after] == '_' {
			return after
		}
		end = after - 1
	}
}

// tokenise writes a header as words between underscores: lower case, full-width
// narrowed, camel case and digits cut; runs of Han stay whole.
func tokenise(name string) string {
	var b strings.Builder
	b.WriteByte('_')
	last, prev := byte('_'), rune(0)
	put := func(r rune, kind byte) {
		if last != '_' && kind != last {
			b.WriteByte('_')
		}
		b.WriteRune(r)
		last = kind
	}
	runes := []rune(name)
	for i, r := range runes {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		switch {
		case r == utf8.RuneError:
		case unicode.Is(unicode.Han, r):
			put(r, 'h')
		case r < utf8.RuneSelf && unicode.IsLetter(r):
			upper := unicode.IsUpper(r)
			next := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if upper && last == 'a' && (unicode.IsLower(prev) || next && unicode.IsUpper(prev)) {
				b.WriteByte('_')
			}
			put(unicode.ToLower(r), 'a')
		case unicode.IsDigit(r) && r < utf8.RuneSelf:
			if last == 'h' || last == 'a' {
				b.WriteByte('_')
				last = '_'
			}
		default:
			if last != '_' {
				b.WriteByte('_')
				last = '_'
			}
		}
		prev = r
	}
	if last != '_' {
		b.WriteByte('_')
	}
	return b.String()
}
