package classify

import (
	"hash/maphash"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yumen-project/yumen/masking/identifier"
)

const (
	maxLook  = 512 // bytes of a value that are looked at
	maxCode  = 24  // characters of a number without separators
	longText = 24  // characters from which a value with words is text
)

// seen is what is kept of a value.
type seen struct {
	signs signs
	hash  uint64
	last  rune
	runes uint16
}

// scanner looks at values. It is not safe for concurrent use.
type scanner struct {
	seed  maphash.Seed
	asOf  time.Time
	raw   [maxLook + 1]byte // the front of a value, while it is looked at
	text  [maxLook + 8]byte // narrowed, without outer spaces
	code  [maxCode]byte     // upper case, without separators
	shape shape
	han   *classes
}

// shape counts the characters of a value.
type shape struct {
	digits, letters, han, spaces, hyphens, dots, colons, ats, commas, slashes, others int
	underscores, hexes                                                                int
	runes                                                                             int
	codeLen                                                                           int // of code; -1: no code
	first, last                                                                       rune
	invalid                                                                           bool
}

func newScanner(asOf time.Time) *scanner {
	return &scanner{seed: maphash.MakeSeed(), asOf: asOf, han: newClasses()}
}

// look judges a value. It keeps nothing of it.
func (s *scanner) look(v []byte) seen {
	out := s.front(v, len(v))
	out.hash = maphash.Bytes(s.seed, v)
	return out
}

// lookString is look for text.
func (s *scanner) lookString(v string) seen {
	n := copy(s.raw[:], v)
	out := s.front(s.raw[:n], len(v))
	out.hash = maphash.String(s.seed, v)
	clear(s.raw[:n])
	return out
}

// front judges the front of a value of whole bytes.
func (s *scanner) front(v []byte, whole int) seen {
	var out seen
	if len(v) > maxLook { // cut before a character
		n := maxLook
		for n > maxLook-utf8.UTFMax && !utf8.RuneStart(v[n]) {
			n--
		}
		v = v[:n]
	}
	text := s.narrow(v)
	out.last = s.shape.last
	out.runes = uint16(s.shape.runes)
	switch {
	case s.shape.invalid:
		out.signs = sBytes
	case blank(text):
		out.signs = sBlank
	default:
		out.signs = s.judge(text, whole)
	}
	return out
}

// narrow writes the value in half width without outer spaces, counts its
// characters, and makes its code form.
func (s *scanner) narrow(v []byte) []byte {
	sh := &s.shape
	*sh = shape{}
	n := 0
	for i := 0; i < len(v); {
		r, size := rune(v[i]), 1
		if r >= utf8.RuneSelf {
			if r, size = utf8.DecodeRune(v[i:]); r == utf8.RuneError && size == 1 {
				sh.invalid, r = true, '?'
			}
			if r = plain(r); r == 0 {
				i += size
				continue
			}
		}
		i += size
		space := r == ' ' || r == '\t' || r == '\r' || r == '\n'
		if space {
			if n == 0 {
				continue
			}
			r = ' '
		}
		sh.count(r, &s.code)
		if r < utf8.RuneSelf {
			s.text[n] = byte(r)
			n++
		} else {
			n += utf8.EncodeRune(s.text[n:n+utf8.UTFMax], r)
		}
	}
	for n > 0 && s.text[n-1] == ' ' {
		n--
		sh.spaces--
		sh.runes--
	}
	if n > 0 {
		sh.first, _ = utf8.DecodeRune(s.text[:n])
		sh.last, _ = utf8.DecodeLastRune(s.text[:n])
	}
	return s.text[:n]
}

// plain gives the ASCII character that a reader takes r for: full width, digits
// of other scripts, spaces, hyphens; 0 for what is not seen; r itself otherwise.
func plain(r rune) rune {
	switch {
	case r >= firstHan && r <= lastHan:
		return r
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r >= 0x2010 && r <= 0x2013, r == 0x2212:
		return '-'
	case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF, r == 0x34F, unicode.Is(unicode.Cf, r):
		return 0
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return digit(r)
}

// digit gives the ASCII digit of any script's decimal digit, and other characters
// as they are. Scripts have their digits from 0 to 9 in a row.
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

func (sh *shape) count(r rune, code *[maxCode]byte) {
	sh.runes++
	char := byte(0)
	switch {
	case r >= '0' && r <= '9':
		sh.digits++
		sh.hexes++
		char = byte(r)
	case r >= 'a' && r <= 'z':
		sh.letters++
		char = byte(r) - 'a' + 'A'
	case r >= 'A' && r <= 'Z':
		sh.letters++
		char = byte(r)
	case r == ' ':
		sh.spaces++
		return
	case r == '-':
		sh.hyphens++
		return
	case r >= firstHan && r <= lastHan, r >= utf8.RuneSelf && unicode.Is(unicode.Han, r):
		sh.han++
	default:
		sh.mark(r)
	}
	if char >= 'A' && char <= 'F' {
		sh.hexes++
	}
	if char == 0 || sh.codeLen < 0 || sh.codeLen == maxCode {
		sh.codeLen = -1
		return
	}
	code[sh.codeLen] = char
	sh.codeLen++
}

func (sh *shape) mark(r rune) {
	switch r {
	case '.':
		sh.dots++
	case ':':
		sh.colons++
	case '@':
		sh.ats++
	case ',', '，':
		sh.commas++
	case '/':
		sh.slashes++
	case '_':
		sh.underscores++
	default:
		sh.others++
	}
}

// judge finds what a value passes.
func (s *scanner) judge(text []byte, whole int) signs {
	sh := &s.shape
	var g signs
	if sh.codeLen > 0 {
		g |= s.codes(s.code[:sh.codeLen])
	} else if len(text) > 1 && text[0] == '+' && sh.digits > 10 && sh.digits < 16 && sh.han == 0 && sh.letters == 0 {
		g |= s.abroad(text)
	}
	if sh.han > 0 {
		g |= sHan | s.chinese(text)
	} else {
		g |= s.latin(text)
	}
	g |= s.numbers(text)
	if sh.runes >= longText && (sh.han >= 8 || sh.spaces >= 3) {
		g |= sLong
	}
	if sh.digits >= 11 && sh.han > 1 && g&sPlate == 0 || sh.ats > 0 && sh.han > 0 {
		if s.embedded(text) {
			g |= sEmbedded
		}
	}
	if whole >= 64 && sh.han == 0 && sh.spaces == 0 && sh.digits > 0 && sh.letters > sh.digits/2 && sh.ats == 0 && sh.dots < 2 && (sh.hexes < sh.runes || whole > 128) {
		g |= sBlob
	}
	return g
}

// codes judges a value of letters, digits and separators.
func (s *scanner) codes(c []byte) signs {
	sh := &s.shape
	var g signs
	if sh.digits > 0 {
		g |= sCode
	}
	if sh.letters == 0 {
		return g | s.digitCodes(c)
	}
	switch len(c) {
	case 8, 9:
		if (c[0] == 'E' || c[0] == 'G') && identifier.CheckPassport(c) == "" {
			g |= sPassport
		}
		if identifier.CheckExitPermit(c) == "" {
			g |= sExit
		}
		if identifier.CheckHongKongMacauPermit(c) == "" && !day8(c[1:]) {
			g |= sHKMO
		}
	case 11:
		if identifier.CheckHongKongMacauPermit(c) == "" {
			g |= sHKMO
		}
	case 12:
		if sh.hexes == 12 && sh.hyphens == 0 {
			g |= sBareMAC
		}
	case 15:
		if identifier.CheckPermanent(c) == "" {
			g |= sPermanent
		}
	case 18:
		g |= s.eighteen(c)
	}
	if len(c) >= 6 && len(c) <= 9 && sh.digits >= 5 && sh.letters <= 3 {
		g |= sForeignPassport
	}
	if len(c) >= 3 && len(c) <= 7 && sh.spaces == 0 && icd(c, sh) {
		g |= sBareICD
	}
	return g
}

// digitCodes judges a value of digits and separators.
func (s *scanner) digitCodes(c []byte) signs {
	var g signs
	n := len(c)
	if n >= 5 && n <= 11 && c[0] != '0' && s.shape.hyphens == 0 {
		g |= sQQ
	}
	if n >= 10 && n <= 12 && c[0] == '0' && identifier.CheckLandline(c) == "" {
		g |= sLandline
	}
	if n >= 14 && n <= 19 && identifier.CheckPaymentCard(c) == "" {
		g |= sCard
	}
	switch n {
	case 6:
		if region(c) {
			g |= sRegionCode
		}
	case 8:
		g |= sTW
		if day8(c) {
			g |= sDigitDate
		}
	case 9:
		g |= sForeignPassport
		if identifier.CheckPassport(c) == "" {
			g |= sPassport
		}
	case 10:
		g |= sTW
	case 11:
		if identifier.CheckMobile(c) == "" {
			g |= sMobile
		}
	case 12:
		if s.shape.hyphens == 0 {
			g |= sBareMAC
			if region(c[:6]) {
				g |= sRegionCode
			}
		}
	case 13:
		if c[0] == '8' && c[1] == '6' && identifier.CheckMobile(c[2:]) == "" {
			g |= sMobile
		}
	case 14:
		if day8(c[:8]) && clock(c[8:]) {
			g |= sDigitDate
		}
	case 15:
		if string(c[:4]) == "0086" && identifier.CheckMobile(c[4:]) == "" {
			g |= sMobile
		}
		if s.resident(c) {
			g |= sResident
		}
		if identifier.CheckIMEI(c) == "" {
			g |= sIMEI
		}
	case 18:
		g |= s.eighteen(c)
	}
	return g
}
