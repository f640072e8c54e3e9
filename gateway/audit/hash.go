package audit

import (
	"encoding/binary"
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

// statementTag keeps the hash of a statement apart from every other SM3 of ours.
const statementTag = "yumen/statement/v1\n"

// StatementHash is what an entry holds of a statement: SM3 over a domain tag and
// the canonical text.
func StatementHash(text []byte) (sum Hash) {
	h := sm3.New()
	h.Write([]byte(statementTag))
	h.Write(text)
	h.Sum(sum[:0])
	return sum
}

// PrivateHash is what an entry holds of a private record: SM3 over the length of
// the statement in the same frame (4 bytes, big endian; 0 if there is none) and
// the record.
func PrivateHash(statement int, private []byte) (sum Hash) {
	var space [1024]byte
	head := binary.BigEndian.AppendUint32(space[:0], uint32(statement))
	if len(private) <= len(space)-len(head) {
		return sm3.Sum(append(head, private...))
	}
	h := sm3.New()
	h.Write(head)
	h.Write(private)
	h.Sum(sum[:0])
	return sum
}

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
