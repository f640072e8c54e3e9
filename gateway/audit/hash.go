package audit

import (
	"encoding/hex"

	"github.com/emmansun/gmsm/sm3"
)

// HashSize is the length of an SM3 digest in bytes.
const HashSize = 32

// Hash is an SM3 digest (GB/T 32905).
type Hash [HashSize]byte

// String gives 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// HashOf is SM3 over data.
func HashOf(data []byte) Hash { return sm3.Sum(data) }

// LeafHash is the leaf hash of RFC 6962, section 2.1, with SM3:
// SM3(0x00 || entry).
func LeafHash(entry []byte) Hash {
	if len(entry) == EntrySize {
		var buf [1 + EntrySize]byte
		copy(buf[1:], entry)
		return sm3.Sum(buf[:])
	}
	buf := make([]byte, 1+len(entry))
	copy(buf[1:], entry)
	return sm3.Sum(buf)
}

// nodeHash is SM3(0x01 || left || right).
func nodeHash(left, right *Hash) Hash {
	var buf [1 + 2*HashSize]byte
	buf[0] = 1
	copy(buf[1:], left[:])
	copy(buf[1+HashSize:], right[:])
	return sm3.Sum(buf[:])
}

// emptyRoot is the root of a tree without leaves: SM3 of nothing.
func emptyRoot() Hash { return sm3.Sum(nil) }

// hasher fits SM3 to the proof verification of transparency-dev/merkle.
type hasher struct{}

func (hasher) EmptyRoot() []byte {
	h := emptyRoot()
	return h[:]
}

func (hasher) HashLeaf(leaf []byte) []byte {
	h := LeafHash(leaf)
	return h[:]
}

func (hasher) HashChildren(l, r []byte) []byte {
	var a, b Hash
	copy(a[:], l)
	copy(b[:], r)
	h := nodeHash(&a, &b)
	return h[:]
}

func (hasher) Size() int { return HashSize }
