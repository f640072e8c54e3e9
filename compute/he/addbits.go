package he

import "encoding/binary"

// unpackAdd adds packed residues to 64-bit lanes without reduction. The widths
// of our own parameters are unrolled.
func unpackAdd(v []uint64, src []byte, b uint) {
	switch b {
	case 52:
		add52(v, src)
	case 53:
		add53(v, src)
	case 54:
		add54(v, src)
	default:
		addAny(v, src, b)
	}
}

func addAny(v []uint64, src []byte, b uint) {
	var group [8]uint64
	for len(v) >= 8 {
		unpack(group[:], src[:b], b)
		for k, x := range group {
			v[k] += x
		}
		v, src = v[8:], src[b:]
	}
}

func add52(v []uint64, src []byte) {
	const mask = 1<<52 - 1
	for len(v) >= 8 && len(src) >= 52 {
		w, g := (*[8]uint64)(v), (*[52]byte)(src)
		w[0] += binary.LittleEndian.Uint64(g[0:8]) & mask
		w[1] += binary.LittleEndian.Uint64(g[6:14]) >> 4 & mask
		w[2] += binary.LittleEndian.Uint64(g[13:21]) & mask
		w[3] += binary.LittleEndian.Uint64(g[19:27]) >> 4 & mask
		w[4] += binary.LittleEndian.Uint64(g[26:34]) & mask
		w[5] += binary.LittleEndian.Uint64(g[32:40]) >> 4 & mask
		w[6] += binary.LittleEndian.Uint64(g[39:47]) & mask
		w[7] += binary.LittleEndian.Uint64(g[44:52]) >> 12
		v, src = v[8:], src[52:]
	}
}

func add53(v []uint64, src []byte) {
	const mask = 1<<53 - 1
	for len(v) >= 8 && len(src) >= 53 {
		w, g := (*[8]uint64)(v), (*[53]byte)(src)
		w[0] += binary.LittleEndian.Uint64(g[0:8]) & mask
		w[1] += binary.LittleEndian.Uint64(g[6:14]) >> 5 & mask
		w[2] += binary.LittleEndian.Uint64(g[13:21]) >> 2 & mask
		w[3] += binary.LittleEndian.Uint64(g[19:27]) >> 7 & mask
		w[4] += binary.LittleEndian.Uint64(g[26:34]) >> 4 & mask
		w[5] += binary.LittleEndian.Uint64(g[33:41]) >> 1 & mask
		w[6] += binary.LittleEndian.Uint64(g[39:47]) >> 6 & mask
		w[7] += binary.LittleEndian.Uint64(g[45:53]) >> 11
		v, src = v[8:], src[53:]
	}
}

func add54(v []uint64, src []byte) {
	const mask = 1<<54 - 1
	for len(v) >= 8 && len(src) >= 54 {
		w, g := (*[8]uint64)(v), (*[54]byte)(src)
		w[0] += binary.LittleEndian.Uint64(g[0:8]) & mask
		w[1] += binary.LittleEndian.Uint64(g[6:14]) >> 6 & mask
		w[2] += binary.LittleEndian.Uint64(g[13:21]) >> 4 & mask
		w[3] += binary.LittleEndian.Uint64(g[20:28]) >> 2 & mask
		w[4] += binary.LittleEndian.Uint64(g[27:35]) & mask
		w[5] += binary.LittleEndian.Uint64(g[33:41]) >> 6 & mask
		w[6] += binary.LittleEndian.Uint64(g[40:48]) >> 4 & mask
		w[7] += binary.LittleEndian.Uint64(g[46:54]) >> 10
		v, src = v[8:], src[54:]
	}
}
