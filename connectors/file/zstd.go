package file

import (
	"encoding/binary"
	"io"
)

// maxZstdWindow is the largest window a page may ask the decoder to keep.
const maxZstdWindow = 128 << 20

// zstdFrame checks that the body of a page is a single Zstandard frame (RFC
// 8878, section 3.1.1) that spans it and keeps to maxZstdWindow. It gives the
// content size that the frame declares, which the decoder enforces, or -1 if
// the frame declares none: then the page must be measured.
func zstdFrame(r io.ReaderAt, at, stored int64) (size int64, err error) {
	var b [18]byte
	n := min(stored, int64(len(b)))
	if err := readAt(r, b[:n], at); err != nil {
		return 0, err
	}
	size, pos := zstdHeader(b[:n])
	if pos == 0 {
		return 0, bad("page that is not one Zstandard frame")
	}
	for last := false; !last; {
		var h [3]byte
		if pos+3 > stored {
			return 0, bad("truncated page")
		}
		if err := readAt(r, h[:], at+pos); err != nil {
			return 0, err
		}
		v := int64(h[0]) | int64(h[1])<<8 | int64(h[2])<<16
		length := v >> 3
		if v>>1&3 == 1 { // one byte, repeated
			length = 1
		}
		pos += 3 + length
		last = v&1 == 1
	}
	if b[4]&4 != 0 {
		pos += 4 // checksum
	}
	if pos != stored {
		return 0, bad("page that is not one Zstandard frame")
	}
	return size, nil
}

// zstdHeader gives the declared content size (-1 if none) and the length of the
// frame header, 0 if the frame is of another kind, needs a dictionary, or wants
// too large a window.
func zstdHeader(b []byte) (size, head int64) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != 0xfd2fb528 {
		return 0, 0
	}
	fhd := b[4]
	single := fhd&0x20 != 0
	width := [4]int{0, 2, 4, 8}[fhd>>6]
	at := 5
	if single {
		width = max(width, 1)
	} else {
		exp, mantissa := b[5]>>3, int64(b[5]&7)
		base := int64(1) << (10 + exp)
		if base+base/8*mantissa > maxZstdWindow {
			return 0, 0
		}
		at++
	}
	if fhd&3 != 0 || len(b) < at+width {
		return 0, 0
	}
	if width == 0 {
		return -1, int64(at)
	}
	var v uint64
	for i := width - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[at+i])
	}
	if width == 2 {
		v += 256
	}
	if v > maxPageBytes {
		return 0, 0
	}
	return int64(v), int64(at + width)
}
