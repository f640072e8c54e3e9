package identifier

import (
	"unicode"
	"unicode/utf8"
)

const (
	maxNameRunes = 64
	middleDot    = '·'
)

// appendName appends the canonical form of a personal name.
//
//   - full-width forms become ASCII, ASCII letters upper case;
//   - white space at either end goes; between two Han characters it goes too
//     (two-character names are often padded); elsewhere a run becomes one space;
//   - every variant of the middle dot becomes U+00B7, with spaces, full stops
//     and further dots around it; a full stop becomes one between Han characters.
//
// Letters outside ASCII keep their case, and no Unicode normalisation is done:
// a composed and a decomposed accent stay two names.
func appendName(dst, s []byte) ([]byte, string) {
	if len(s) > maxInput {
		return dst, RuleLength
	}
	if !utf8.Valid(s) {
		return dst, RuleEncoding
	}
	w := nameWriter{out: dst}
	var sep separators
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		s = s[size:]
		if r = upper(narrow(r)); sep.take(r) {
			continue
		}
		if unicode.IsControl(r) || isInvisible(r) {
			return dst, RuleCharacter
		}
		if rule := w.join(&sep, r); rule != "" {
			return dst, rule
		}
		w.put(r)
	}
	if rule := w.join(&sep, 0); rule != "" {
		return dst, rule
	}
	switch {
	case w.runes == 0:
		return dst, RuleEmpty
	case w.runes > maxNameRunes:
		return dst, RuleLength
	}
	return w.out, ""
}

// nameWriter appends runes and remembers the last one, 0 before the first.
type nameWriter struct {
	out   []byte
	last  rune
	runes int
}

func (w *nameWriter) put(r rune) {
	w.runes++
	if w.runes <= maxNameRunes {
		w.out = utf8.AppendRune(w.out, r)
	}
	w.last = r
}

// join writes what a run of separators between the last rune and next (0 at the
// end) amounts to, and empties the run.
func (w *nameWriter) join(sep *separators, next rune) string {
	run := *sep
	*sep = separators{}
	edge := w.last == 0 || next == 0
	han := isHan(w.last) && isHan(next)
	switch {
	case run.dot && edge:
		return RuleCharacter
	case run.dot, run.n > 0 && han:
		w.put(middleDot)
	case run.n > 0:
		return w.stops(&run, next)
	case run.space && !edge && !han:
		w.put(' ')
	}
	return ""
}

// stops writes a run of full stops and single spaces as it stands, without the
// spaces at the edge of the name. Stops alone are no name.
func (w *nameWriter) stops(run *separators, next rune) string {
	first := w.last == 0
	switch {
	case first && next == 0:
		return RuleCharacter
	case run.n > len(run.stop):
		return RuleLength
	}
	for i, spaced := range run.stop[:run.n] {
		if spaced && !(first && i == 0) {
			w.put(' ')
		}
		w.put('.')
	}
	if run.space && next != 0 {
		w.put(' ')
	}
	return ""
}

// separators is a run of white space, full stops and middle dots.
type separators struct {
	dot   bool     // a middle dot of some kind was among them
	space bool     // white space since the last full stop
	n     int      // full stops, counted beyond the array too
	stop  [16]bool // for each full stop, whether white space came before it
}

// take adds r to the run and reports whether it is a separator at all.
func (p *separators) take(r rune) bool {
	switch {
	case isSpace(r):
		p.space = true
	case isMiddleDot(r):
		p.dot = true
	case r == '.':
		if p.n < len(p.stop) {
			p.stop[p.n] = p.space
		}
		p.n++
		p.space = false
	default:
		return false
	}
	return true
}

// isMiddleDot reports the characters that input methods and old systems write
// between the parts of a transliterated name.
func isMiddleDot(r rune) bool {
	switch r {
	case middleDot, 0x0387, 0x16EB, 0x2022, 0x2027, 0x2219, 0x22C5, 0x25CF, 0x2E31, 0x30FB, 0xFF65:
		return true
	}
	return false
}

// isHan reports the blocks of Han characters, with U+3007 (zero) and the
// compatibility ideographs.
func isHan(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF:
		return true
	case r == 0x3007, r >= 0xF900 && r <= 0xFAFF, r >= 0x20000 && r <= 0x323AF:
		return true
	}
	return false
}
