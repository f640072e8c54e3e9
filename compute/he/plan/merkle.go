package plan

import (
	"math/bits"

	"github.com/emmansun/gmsm/sm3"
)

// MerkleRoot is the RFC 6962 tree hash with SM3 over leaf hashes (he.LeafHash):
// SM3(0x00, h) for a leaf, SM3(0x01, left, right) for a node, SM3() for no leaf.
func MerkleRoot(hashes [][32]byte) [32]byte {
	var r Roots
	for _, h := range hashes {
		r.Add(h)
	}
	return r.Root()
}

// Roots grows a Merkle root leaf by leaf in memory of its depth. The zero value
// is an empty tree. Not safe for concurrent use.
type Roots struct {
	n     uint64
	peaks [][32]byte // perfect subtrees, widest first
}

// Add appends a leaf hash.
func (r *Roots) Add(h [32]byte) {
	node := merkleHash(0, h[:])
	for n := r.n; n&1 == 1; n >>= 1 {
		left := r.peaks[len(r.peaks)-1]
		r.peaks = r.peaks[:len(r.peaks)-1]
		node = merkleHash(1, left[:], node[:])
	}
	r.peaks = append(r.peaks, node)
	r.n++
}

// Len is the number of leaves.
func (r *Roots) Len() uint64 { return r.n }

// Root of what was added so far.
func (r *Roots) Root() [32]byte {
	if r.n == 0 {
		return sm3.Sum(nil)
	}
	root := r.peaks[len(r.peaks)-1]
	for i := bits.OnesCount64(r.n) - 2; i >= 0; i-- {
		root = merkleHash(1, r.peaks[i][:], root[:])
	}
	return root
}

func merkleHash(prefix byte, parts ...[]byte) [32]byte {
	h := sm3.New()
	h.Write([]byte{prefix})
	for _, p := range parts {
		h.Write(p)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}
