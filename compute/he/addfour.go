package he

import "encoding/binary"

func addFour52(v []uint64, s *[4][]byte) {
	const mask = 1<<52 - 1
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	for len(v) >= 8 && len(s0) >= 52 && len(s1) >= 52 && len(s2) >= 52 && len(s3) >= 52 {
		w := (*[8]uint64)(v)
		a, b, c, d := (*[52]byte)(s0), (*[52]byte)(s1), (*[52]byte)(s2), (*[52]byte)(s3)
		w[0] += binary.LittleEndian.Uint64(a[0:8])&mask + binary.LittleEndian.Uint64(b[0:8])&mask + binary.LittleEndian.Uint64(c[0:8])&mask + binary.LittleEndian.Uint64(d[0:8])&mask
		w[1] += binary.LittleEndian.Uint64(a[6:14])>>4&mask + binary.LittleEndian.Uint64(b[6:14])>>4&mask + binary.LittleEndian.Uint64(c[6:14])>>4&mask + binary.LittleEndian.Uint64(d[6:14])>>4&mask
		w[2] += binary.LittleEndian.Uint64(a[13:21])&mask + binary.LittleEndian.Uint64(b[13:21])&mask + binary.LittleEndian.Uint64(c[13:21])&mask + binary.LittleEndian.Uint64(d[13:21])&mask
		w[3] += binary.LittleEndian.Uint64(a[19:27])>>4&mask + binary.LittleEndian.Uint64(b[19:27])>>4&mask + binary.LittleEndian.Uint64(c[19:27])>>4&mask + binary.LittleEndian.Uint64(d[19:27])>>4&mask
		w[4] += binary.LittleEndian.Uint64(a[26:34])&mask + binary.LittleEndian.Uint64(b[26:34])&mask + binary.LittleEndian.Uint64(c[26:34])&mask + binary.LittleEndian.Uint64(d[26:34])&mask
		w[5] += binary.LittleEndian.Uint64(a[32:40])>>4&mask + binary.LittleEndian.Uint64(b[32:40])>>4&mask + binary.LittleEndian.Uint64(c[32:40])>>4&mask + binary.LittleEndian.Uint64(d[32:40])>>4&mask
		w[6] += binary.LittleEndian.Uint64(a[39:47])&mask + binary.LittleEndian.Uint64(b[39:47])&mask + binary.LittleEndian.Uint64(c[39:47])&mask + binary.LittleEndian.Uint64(d[39:47])&mask
		w[7] += binary.LittleEndian.Uint64(a[44:52])>>12 + binary.LittleEndian.Uint64(b[44:52])>>12 + binary.LittleEndian.Uint64(c[44:52])>>12 + binary.LittleEndian.Uint64(d[44:52])>>12
		v, s0, s1, s2, s3 = v[8:], s0[52:], s1[52:], s2[52:], s3[52:]
	}
}

func addFour53(v []uint64, s *[4][]byte) {
	const mask = 1<<53 - 1
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	for len(v) >= 8 && len(s0) >= 53 && len(s1) >= 53 && len(s2) >= 53 && len(s3) >= 53 {
		w := (*[8]uint64)(v)
		a, b, c, d := (*[53]byte)(s0), (*[53]byte)(s1), (*[53]byte)(s2), (*[53]byte)(s3)
		w[0] += binary.LittleEndian.Uint64(a[0:8])&mask + binary.LittleEndian.Uint64(b[0:8])&mask + binary.LittleEndian.Uint64(c[0:8])&mask + binary.LittleEndian.Uint64(d[0:8])&mask
		w[1] += binary.LittleEndian.Uint64(a[6:14])>>5&mask + binary.LittleEndian.Uint64(b[6:14])>>5&mask + binary.LittleEndian.Uint64(c[6:14])>>5&mask + binary.LittleEndian.Uint64(d[6:14])>>5&mask
		w[2] += binary.LittleEndian.Uint64(a[13:21])>>2&mask + binary.LittleEndian.Uint64(b[13:21])>>2&mask + binary.LittleEndian.Uint64(c[13:21])>>2&mask + binary.LittleEndian.Uint64(d[13:21])>>2&mask
		w[3] += binary.LittleEndian.Uint64(a[19:27])>>7&mask + binary.LittleEndian.Uint64(b[19:27])>>7&mask + binary.LittleEndian.Uint64(c[19:27])>>7&mask + binary.LittleEndian.Uint64(d[19:27])>>7&mask
		w[4] += binary.LittleEndian.Uint64(a[26:34])>>4&mask + binary.LittleEndian.Uint64(b[26:34])>>4&mask + binary.LittleEndian.Uint64(c[26:34])>>4&mask + binary.LittleEndian.Uint64(d[26:34])>>4&mask
		w[5] += binary.LittleEndian.Uint64(a[33:41])>>1&mask + binary.LittleEndian.Uint64(b[33:41])>>1&mask + binary.LittleEndian.Uint64(c[33:41])>>1&mask + binary.LittleEndian.Uint64(d[33:41])>>1&mask
		w[6] += binary.LittleEndian.Uint64(a[39:47])>>6&mask + binary.LittleEndian.Uint64(b[39:47])>>6&mask + binary.LittleEndian.Uint64(c[39:47])>>6&mask + binary.LittleEndian.Uint64(d[39:47])>>6&mask
		w[7] += binary.LittleEndian.Uint64(a[45:53])>>11 + binary.LittleEndian.Uint64(b[45:53])>>11 + binary.LittleEndian.Uint64(c[45:53])>>11 + binary.LittleEndian.Uint64(d[45:53])>>11
		v, s0, s1, s2, s3 = v[8:], s0[53:], s1[53:], s2[53:], s3[53:]
	}
}

func addFour54(v []uint64, s *[4][]byte) {
	const mask = 1<<54 - 1
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	for len(v) >= 8 && len(s0) >= 54 && len(s1) >= 54 && len(s2) >= 54 && len(s3) >= 54 {
		w := (*[8]uint64)(v)
		a, b, c, d := (*[54]byte)(s0), (*[54]byte)(s1), (*[54]byte)(s2), (*[54]byte)(s3)
		w[0] += binary.LittleEndian.Uint64(a[0:8])&mask + binary.LittleEndian.Uint64(b[0:8])&mask + binary.LittleEndian.Uint64(c[0:8])&mask + binary.LittleEndian.Uint64(d[0:8])&mask
		w[1] += binary.LittleEndian.Uint64(a[6:14])>>6&mask + binary.LittleEndian.Uint64(b[6:14])>>6&mask + binary.LittleEndian.Uint64(c[6:14])>>6&mask + binary.LittleEndian.Uint64(d[6:14])>>6&mask
		w[2] += binary.LittleEndian.Uint64(a[13:21])>>4&mask + binary.LittleEndian.Uint64(b[13:21])>>4&mask + binary.LittleEndian.Uint64(c[13:21])>>4&mask + binary.LittleEndian.Uint64(d[13:21])>>4&mask
		w[3] += binary.LittleEndian.Uint64(a[20:28])>>2&mask + binary.LittleEndian.Uint64(b[20:28])>>2&mask + binary.LittleEndian.Uint64(c[20:28])>>2&mask + binary.LittleEndian.Uint64(d[20:28])>>2&mask
		w[4] += binary.LittleEndian.Uint64(a[27:35])&mask + binary.LittleEndian.Uint64(b[27:35])&mask + binary.LittleEndian.Uint64(c[27:35])&mask + binary.LittleEndian.Uint64(d[27:35])&mask
		w[5] += binary.LittleEndian.Uint64(a[33:41])>>6&mask + binary.LittleEndian.Uint64(b[33:41])>>6&mask + binary.LittleEndian.Uint64(c[33:41])>>6&mask + binary.LittleEndian.Uint64(d[33:41])>>6&mask
		w[6] += binary.LittleEndian.Uint64(a[40:48])>>4&mask + binary.LittleEndian.Uint64(b[40:48])>>4&mask + binary.LittleEndian.Uint64(c[40:48])>>4&mask + binary.LittleEndian.Uint64(d[40:48])>>4&mask
		w[7] += binary.LittleEndian.Uint64(a[46:54])>>10 + binary.LittleEndian.Uint64(b[46:54])>>10 + binary.LittleEndian.Uint64(c[46:54])>>10 + binary.LittleEndian.Uint64(d[46:54])>>10
		v, s0, s1, s2, s3 = v[8:], s0[54:], s1[54:], s2[54:], s3[54:]
	}
}

// addFour is unpackAdd of four sources at once: the lanes are read and written
// once, and four streams of memory flow at a time.
func addFour(v []uint64, s *[4][]byte, b uint) {
	switch b {
	case 52:
		addFour52(v, s)
	case 53:
		addFour53(v, s)
	case 54:
		addFour54(v, s)
	default:
		for _, src := range s {
			addAny(v, src, b)
		}
	}
}
