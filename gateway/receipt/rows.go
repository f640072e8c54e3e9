package receipt

import (
	"errors"
	"math/bits"

	"github.com/yumen-project/yumen/gateway/audit"
)

// ErrRows: a batch is empty, beyond MaxRows, or has no such row.
var ErrRows = errors.New("rows: no such row or too many")

// RowCommitments builds the result commitment of a batch: the root of a Merkle
// tree (RFC 6962 shape, SM3) whose leaves are CommitRow. One row can be opened
// by its own nonce and its path; the others stay hidden. Not safe for
// concurrent use. Holds 32 bytes a row.
type RowCommitments struct {
	seed   Seed
	nonces nonceStream
	leaves []audit.Hash
	tree   frontier
}

// NewRowCommitments starts a batch of about rows rows.
func NewRowCommitments(seed *Seed, rows int) *RowCommitments {
	return &RowCommitments{seed: *seed, leaves: make([]audit.Hash, 0, min(max(rows, 0), MaxRows))}
}

// Add commits to the next row; request and result are canonical JSON.
func (c *RowCommitments) Add(request, result []byte) {
	index := uint64(len(c.leaves))
	leaf := CommitRow(c.nonces.next(&c.seed, index), index, request, result)
	c.leaves = append(c.leaves, leaf)
	c.tree.add(leaf)
}

// Len is the number of rows so far.
func (c *RowCommitments) Len() int { return len(c.leaves) }

// Root is the commitment to all rows so far.
func (c *RowCommitments) Root() audit.Hash { return c.tree.root() }

// Open returns what shows row index without the others: its nonce and its path.
func (c *RowCommitments) Open(index int) (Nonce, []audit.Hash, error) {
	if index < 0 || index >= len(c.leaves) {
		return Nonce{}, nil, ErrRows
	}
	return c.seed.RowNonce(uint64(index)), merklePath(c.leaves, index, nil), nil
}

// nonceStream hands out row nonces in order of index, a group at a time.
type nonceStream struct {
	group []byte
}

func (n *nonceStream) next(seed *Seed, index uint64) *Nonce {
	at := int(index % nonceGroup)
	if at == 0 {
		n.group = deriveNonces(labelRow, seed, uint32(index/nonceGroup), nonceGroup)
	}
	return (*Nonce)(n.group[at*len(Nonce{}):])
}

// frontier is the right edge of a growing Merkle tree: one hash for every set
// bit of its size.
type frontier struct {
	size  uint64
	edges [64]audit.Hash
}

func (f *frontier) add(leaf audit.Hash) {
	level := 0
	for ; f.size>>level&1 == 1; level++ {
		leaf = nodeHash(&f.edges[level], &leaf)
	}
	f.edges[level] = leaf
	f.size++
}

// root of an empty tree is the zero hash, which no commitment equals.
func (f *frontier) root() audit.Hash {
	if f.size == 0 {
		return audit.Hash{}
	}
	level := bits.TrailingZeros64(f.size)
	sum := f.edges[level]
	for level++; f.size>>level != 0; level++ {
		if f.size>>level&1 == 1 {
			sum = nodeHash(&f.edges[level], &sum)
		}
	}
	return sum
}

func nodeHash(left, right *audit.Hash) audit.Hash {
	return hashParts([]byte{prefixNode}, left[:], right[:], nil)
}

// merklePath appends the siblings of leaf index, lowest first (RFC 6962, 2.1.1).
func merklePath(leaves []audit.Hash, index int, path []audit.Hash) []audit.Hash {
	if len(leaves) == 1 {
		return path
	}
	split := 1 << (bits.Len(uint(len(leaves)-1)) - 1)
	if index < split {
		path = merklePath(leaves[:split], index, path)
		return append(path, merkleRoot(leaves[split:]))
	}
	path = merklePath(leaves[split:], index-split, path)
	return append(path, merkleRoot(leaves[:split]))
}

func merkleRoot(leaves []audit.Hash) audit.Hash {
	var f frontier
	for _, leaf := range leaves {
		f.add(leaf)
	}
	return f.root()
}

// rootFromPath is the root that leaf at index in a tree of size leaves has by
// path (RFC 9162, 2.1.3.2); false if the path has another length.
func rootFromPath(leaf audit.Hash, index, size uint64, path []audit.Hash) (audit.Hash, bool) {
	if index >= size {
		return audit.Hash{}, false
	}
	at, last := index, size-1
	for i := range path {
		if last == 0 {
			return audit.Hash{}, false
		}
		if at&1 == 1 || at == last {
			leaf = nodeHash(&path[i], &leaf)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			leaf = nodeHash(&leaf, &path[i])
		}
		at, last = at>>1, last>>1
	}
	return leaf, last == 0
}
