package pseudonym

import (
	"encoding/binary"

	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// writer turns codes into text. All pseudonyms of a column are of one width.
type writer struct {
	prefix string
	bytes  int // of the code that are kept
	chars  int
	base32 bool
}

func newWriter(p Params) writer {
	w := writer{prefix: p.Prefix, bytes: p.Bits / 8, chars: p.Bits / 4}
	if p.Encoding == Base32 {
		w.base32, w.chars = true, (p.Bits+4)/5
	}
	return w
}

func (w writer) width() int { return len(w.prefix) + w.chars }

// write encodes each code, 32 bytes, to the next width() bytes of dst.
func (w writer) write(dst, codes []byte) {
	for ; len(codes) > 0; codes = codes[sm3lanes.Size:] {
		if w.prefix != "" {
			dst = dst[copy(dst, w.prefix):]
		}
		code := (*[sm3lanes.Size]byte)(codes)
		if w.base32 {
			encodeBase32(dst[:w.chars], code, w.bytes)
		} else {
			encodeHex(dst[:w.chars], code)
		}
		dst = dst[w.chars:]
	}
}

// encodeHex writes len(dst)/2 bytes as hexadecimal digits. It computes the
// digits of four bytes at once, without a table.
func encodeHex(dst []byte, code *[sm3lanes.Size]byte) {
	whole := len(dst) &^ 7
	for i := 0; i < whole; i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], hexDigits(binary.LittleEndian.Uint32(code[i/2:])))
	}
	if whole < len(dst) {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], hexDigits(binary.LittleEndian.Uint32(code[whole/2:])))
		copy(dst[whole:], last[:])
	}
}

// ones has the lowest bit of each byte set.
const ones = 0x0101010101010101

// hexDigits spreads four bytes over eight half bytes, the first character
// lowest, and turns each n into '0'+n or 'a'+n-10.
func hexDigits(x uint32) uint64 {
	n := uint64(x)
	n = (n | n<<16) & 0x0000ffff0000ffff
	n = (n | n<<8) & 0x00ff00ff00ff00ff
	n = (n>>4 | n<<8) & (0x0f * ones)
	letter := (n + (0x80-10)*ones) >> 7 & ones
	return n + '0'*ones + letter*('a'-'0'-10)
}

// encodeBase32 writes the first n bytes in the alphabet of RFC 4648, section 6,
// in lower case and without padding: five bytes are eight characters.
func encodeBase32(dst []byte, code *[sm3lanes.Size]byte, n int) {
	var src [40]byte // zeroes behind, for the last character and the last word
	copy(src[:], code[:n])
	at := 0
	for ; len(dst) >= 8; dst = dst[8:] {
		binary.BigEndian.PutUint64(dst, base32Letters(binary.BigEndian.Uint64(src[at:])>>24))
		at += 5
	}
	if len(dst) > 0 {
		var last [8]byte
		binary.BigEndian.PutUint64(last[:], base32Letters(binary.BigEndian.Uint64(src[at:])>>24))
		copy(dst, last[:])
	}
}

// base32Letters spreads forty bits over eight bytes of five bits, the first
// character highest, and turns each n into 'a'+n or '2'+n-26.
func base32Letters(x uint64) uint64 {
	n := x&0xfffff | x>>20<<32
	n = n&0x000003ff000003ff | n>>10&0x000003ff000003ff<<16
	n = n&0x001f001f001f001f | n>>5&0x001f001f001f001f<<8
	digit := (n + (0x80-26)*ones) >> 7 & ones
	return n + 'a'*ones - digit*('a'-'2'+26)
}
