package receipt

import (
	"encoding/binary"
	"fmt"
	"log/slog"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/gateway/audit"
)

// Tags of the commitments in a statement.
const (
	TagRequest = "request"
	TagResult  = "result"
)

// Nonce hides one committed value. It must be drawn from a sound random source
// for every commitment anew and must travel with the result only.
type Nonce [32]byte

// Seed is what all nonces of one batch are derived from; as secret as they are.
type Seed [32]byte

// Format prints "[nonce]" under every verb.
func (Nonce) Format(f fmt.State, _ rune) { f.Write([]byte("[nonce]")) }

// LogValue keeps the nonce out of logs.
func (Nonce) LogValue() slog.Value { return slog.StringValue("[nonce]") }

// MarshalJSON keeps the nonce out of encodings not meant for it.
func (Nonce) MarshalJSON() ([]byte, error) { return []byte(`"[nonce]"`), nil }

// Format prints "[seed]" under every verb.
func (Seed) Format(f fmt.State, _ rune) { f.Write([]byte("[seed]")) }

// LogValue keeps the seed out of logs.
func (Seed) LogValue() slog.Value { return slog.StringValue("[seed]") }

// MarshalJSON keeps the seed out of encodings not meant for it.
func (Seed) MarshalJSON() ([]byte, error) { return []byte(`"[seed]"`), nil }

// First bytes of what is hashed: no two kinds of SM3 input begin alike.
const (
	prefixLeaf   = 0x00 // RFC 6962, 2.1
	prefixNode   = 0x01 // RFC 6962, 2.1
	prefixCommit = 0x02
)

// Commit binds and hides a value:
//
//	SM3(0x02 | len(tag) 4 bytes | tag | nonce 32 bytes | len(value) 8 bytes | value)
//
// lengths in big endian. Hiding rests on the nonce being secret and uniform,
// binding on collision resistance of SM3 (GB/T 32905).
func Commit(tag string, nonce *Nonce, value []byte) audit.Hash {
	var space [384]byte
	head := append(space[:0], prefixCommit)
	head = binary.BigEndian.AppendUint32(head, uint32(len(tag)))
	head = append(head, tag...)
	head = append(head, nonce[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(len(value)))
	if len(head)+len(value) <= len(space) {
		return sm3.Sum(append(head, value...))
	}
	return hashParts(head, value, nil, nil)
}

// hashParts is SM3 over the parts one after the other, without allocation.
func hashParts(a, b, c, d []byte) (sum audit.Hash) {
	h := sm3.New()
	h.Write(a)
	h.Write(b)
	h.Write(c)
	h.Write(d)
	h.Sum(sum[:0])
	return sum
}

// CommitRow binds and hides one row of a batch under its index. It is the leaf
// hash of the batch's tree:
//
//	SM3(0x00 | "row" | nonce | index 8 bytes | len 4 bytes | request | len 4 bytes | result)
func CommitRow(nonce *Nonce, index uint64, request, result []byte) audit.Hash {
	var space [48]byte
	head := append(space[:0], prefixLeaf, 'r', 'o', 'w')
	head = append(head, nonce[:]...)
	head = binary.BigEndian.AppendUint64(head, index)
	head = binary.BigEndian.AppendUint32(head, uint32(len(request)))
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(result)))
	return hashParts(head, request, length[:], result)
}

// Labels of the key derivation. With seed, group and counter they make 55
// bytes, which SM3 takes in one block.
const (
	labelRow     = "yumen/row-nonce"
	labelRequest = "yumen/req-nonce"
)

// nonceGroup is how many row nonces one call of the KDF yields. Part of the format.
const nonceGroup = 64

// deriveNonces is KDF-SM3 (GB/T 32918.4, 5.4.3) over label | seed | group:
// count nonces one after the other.
func deriveNonces(label string, seed *Seed, group uint32, count int) []byte {
	var space [64]byte
	z := append(space[:0], label...)
	z = append(z, seed[:]...)
	z = binary.BigEndian.AppendUint32(z, group)
	return sm3.Kdf(z, count*len(Nonce{}))
}

// RequestNonce is the nonce of the batch's common request.
func (s *Seed) RequestNonce() Nonce {
	return Nonce(deriveNonces(labelRequest, s, 0, 1))
}

// RowNonce is the nonce of one row; it tells nothing of the seed or of others.
func (s *Seed) RowNonce(index uint64) Nonce {
	var space [64]byte
	z := append(space[:0], labelRow...)
	z = append(z, s[:]...)
	z = binary.BigEndian.AppendUint32(z, uint32(index/nonceGroup))
	z = binary.BigEndian.AppendUint32(z, uint32(index%nonceGroup)+1)
	return Nonce(sm3.Sum(z))
}
