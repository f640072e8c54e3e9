package city

import (
	"bytes"
	"unicode/utf8"
)

// A dirty row spells its identifiers otherwise; an invalid one has a number that
// cannot be. Each choice depends on the seed, the table and the row alone.

// blemish says how a row is spelt.
type blemish struct {
	src     source
	dirty   bool
	invalid bool
}

// blemishOf decides for row (i, nth) of a table.
func (c *City) blemishOf(t *table, i, nth int) blemish {
	b := blemish{src: newSource(c.seed, streamDirt+stream(t.tag), uint64(i)*4+uint64(nth))}
	b.dirty = b.src.under(c.dirt)
	b.invalid = b.src.under(c.invalid)
	return b
}

// number respells digits and capital letters so that the canonical form stays.
// The value is read before anything is written, so dst may extend v.
func (b *blemish) number(dst, v []byte) []byte {
	switch b.src.below(5) {
	case 0:
		return appendWide(dst, v)
	case 1:
		return appendWide(dst, bytes.ToLower(v))
	case 2:
		return appendSplit(dst, v, " ", len(v)/3, 2*len(v)/3)
	case 3:
		return appendSplit(dst, v, "-", len(v)/3, 2*len(v)/3)
	}
	return append(append(append(dst, ' '), v...), ' ')
}

// rid respells a resident number: lower x, or the 15-digit form where it fits.
func (b *blemish) rid(dst, v []byte) []byte {
	switch {
	case v[17] == 'X' && b.src.chance(5000):
		return append(append(dst, v[:17]...), 'x')
	case v[6] == '1' && v[7] == '9' && b.src.chance(2500):
		return append(append(dst, v[:6]...), v[8:17]...)
	}
	return b.number(dst, v)
}

func (b *blemish) phone(dst, v []byte) []byte {
	switch b.src.below(4) {
	case 0:
		return append(append(dst, "+86 "...), v...)
	case 1:
		return append(append(dst, "0086"...), v...)
	case 2:
		return appendSplit(dst, v, "-", 3, 7)
	}
	return b.number(dst, v)
}

var dots = []string{"•", "‧", "・", "･", "⸱", "●", ".", "．", " · "}

// name respells a Chinese name: another dot, or spaces.
func (b *blemish) name(dst, v []byte) []byte {
	if at := bytes.IndexRune(v, '·'); at >= 0 {
		dst = append(append(dst, v[:at]...), dots[b.src.below(len(dots))]...)
		return append(dst, v[at+utf8.RuneLen('·'):]...)
	}
	if b.src.chance(5000) {
		return append(append(append(dst, ' '), v...), ' ')
	}
	_, first := utf8.DecodeRune(v)
	return append(append(append(dst, v[:first]...), "　"...), v[first:]...)
}

// spoil makes a resident number invalid in one of several ways.
func (b *blemish) spoil(dst, v []byte) []byte {
	at := len(dst)
	dst = append(dst, v...)
	bad := dst[at:]
	switch b.src.below(5) {
	case 0: // the check character of another number
		bad[17] = "1234567890X"[bytes.IndexByte([]byte("0123456789X"), bad[17])]
	case 1: // one digit short
		return dst[:len(dst)-1]
	case 2: // the thirteenth month
		bad[10], bad[11] = '1', '3'
	case 3: // no such province
		bad[0], bad[1] = '9', '9'
	default: // a letter for a digit
		bad[5] = 'O'
	}
	return dst
}

// appendWide writes ASCII in its full-width form.
func appendWide(dst, v []byte) []byte {
	for _, c := range v {
		dst = utf8.AppendRune(dst, rune(c)+0xFEE0)
	}
	return dst
}

func appendSplit(dst, v []byte, gap string, i, j int) []byte {
	dst = append(append(dst, v[:i]...), gap...)
	dst = append(append(dst, v[i:j]...), gap...)
	return append(dst, v[j:]...)
}
