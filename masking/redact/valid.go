package redact

import (
	"encoding/binary"
	"unicode/utf8"
)

// ascii reports that every byte is of ASCII.
func ascii(b []byte) bool {
	var seen uint64
	for ; len(b) >= 32; b = b[32:] {
		seen |= binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
	}
	for _, c := range b {
		seen |= uint64(c)
	}
	return seen&highBits == 0
}

// threes reports that b is UTF-8 of nothing but characters of three bytes that
// do not lead with E0 or ED.
func threes(b []byte, wide bool) bool {
	if wide {
		done, ok := threesLanes(b)
		if !ok {
			return false
		}
		b = b[done:]
	}
	for ; len(b) >= 24; b = b[24:] {
		if !plainThrees(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])) {
			return false
		}
	}
	for ; len(b) >= 3; b = b[3:] {
		if b[0]&0xF0 != 0xE0 || b[0] == 0xE0 || b[0] == 0xED || b[1]&0xC0 != 0x80 || b[2]&0xC0 != 0x80 {
			return false
		}
	}
	return len(b) == 0
}

// validText is utf8.Valid, faster on text of the basic planes in which eight
// characters of one byte, or of three, follow each other: Chinese.
func validText(b []byte) bool {
	for len(b) >= 24 {
		x := binary.LittleEndian.Uint64(b)
		switch {
		case x&highBits == 0:
			b = b[8:]
		case b[0] < 0x80:
			b = b[1:]
		case plainThrees(x, binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])):
			b = b[24:]
		case x&0xC0C0F0 == 0x8080E0 && easy(x, 1):
			b = b[3:]
		default:
			r, n := utf8.DecodeRune(b)
			if r == utf8.RuneError && n <= 1 {
				return false
			}
			b = b[n:]
		}
	}
	return utf8.Valid(b)
}

// The bits that say a byte leads three, or continues, in 24 bytes of which
// every third leads; and the same with the leads' low half only.
const (
	form0, form1, form2 = 0xC0F0C0C0F0C0C0F0, 0xF0C0C0F0C0C0F0C0, 0xC0C0F0C0C0F0C0C0
	want0, want1, want2 = 0x80E08080E08080E0, 0xE08080E08080E080, 0x8080E08080E08080
	lead0, lead1, lead2 = 0x0001000001000001, 0x0100000100000100, 0x0000010000010000
)

// plainThrees reports that three words hold eight characters of three bytes
// none of which leads with E0 or ED, behind which not every byte may follow.
func plainThrees(x, y, z uint64) bool {
	if x&form0 != want0 || y&form1 != want1 || z&form2 != want2 {
		return false
	}
	return easy(x, lead0) && easy(y, lead1) && easy(z, lead2)
}

// easy reports that no leading byte's low half is 0 or D.
func easy(x, lead uint64) bool {
	half := x & (lead * 0x0F)
	not0 := half + lead*0x7F
	notD := (half ^ lead*0x0D) + lead*0x7F
	return not0&notD&(lead*0x80) == lead*0x80
}
