package pqwrite

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v17/parquet/compress"
)

// probe is how much of a page is compressed to see whether it pays.
const probe = 4 << 10

// pack compresses a page into dst, which has room for it. Where a probe from
// its middle shrinks by less than an eighth, as codes and pseudonyms do, the
// page becomes one Snappy literal instead: valid, and as fast as copying.
func pack(codec compress.Codec, dst, src []byte) []byte {
	if len(src) > 4*probe {
		at := len(src)/2 - probe/2
		if packed := codec.Encode(dst, src[at:at+probe]); len(packed) > probe-probe/8 {
			return literal(dst[:0], src)
		}
	}
	return codec.Encode(dst, src)
}

// literal is the Snappy form of src that copies nothing from before: its
// length, and one literal element with a length of four bytes.
func literal(dst, src []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(src)))
	dst = append(dst, 63<<2)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(src)-1))
	return append(dst, src...)
}
