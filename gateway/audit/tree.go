package audit

import (
	"fmt"
	"math/bits"
	"sync"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxLevels  = 48
	// cachedTiles bounds the full tiles kept in memory, 16 KiB each.
	cachedTiles = 256
)

// tileID names a tile: level 0 holds leaf hashes, level L the roots of the full
// tiles of level L-1.
type tileID struct {
	level int
	index uint64
}

// tile holds up to 256 hashes and every node above them that is complete, so
// that a proof needs look-ups only. nodes[sub(h)+i] is node i at height h.
type tile struct {
	n      int
	pinned bool // not on disk yet; guarded by the tree's lock
	nodes  [2*tileWidth - 2]Hash
}

func sub(h int) int { return 2*tileWidth - (2*tileWidth)>>h }

// push adds a hash and completes the nodes above it.
func (t *tile) push(h Hash) {
	i := t.n
	t.nodes[i] = h
	t.n++
	for s := 0; i&1 == 1 && s < tileHeight-1; s++ {
		at := sub(s)
		parent := nodeHash(&t.nodes[at+i-1], &t.nodes[at+i])
		i >>= 1
		t.nodes[sub(s+1)+i] = parent
	}
}

// root of a full tile.
func (t *tile) root() Hash {
	at := sub(tileHeight - 1)
	return nodeHash(&t.nodes[at], &t.nodes[at+1])
}

// encode is the tile as C2SP tlog-tiles has it: the hashes one after another.
func (t *tile) encode(dst []byte) []byte {
	for i := range t.n {
		dst = append(dst, t.nodes[i][:]...)
	}
	return dst
}

// decodeTile reads n hashes and computes the nodes above them.
func decodeTile(data []byte, n int) (*tile, error) {
	if len(data) != n*HashSize || n > tileWidth {
		return nil, fmt.Errorf("%w: tile does not hold %d hashes", ErrDamaged, n)
	}
	t := &tile{}
	for i := range n {
		t.push(Hash(data[i*HashSize:]))
	}
	return t, nil
}

// tree is the Merkle tree of RFC 6962 in tiles. The right edge is in memory,
// full tiles are in a bounded cache and come back through load. One goroutine
// appends; any number read.
type tree struct {
	load func(tileID) (*tile, error) // nil: everything stays in memory
	full func(tileID, *tile)         // told of each full tile, under the lock; may be nil

	mu    sync.RWMutex
	size  uint64
	edge  []*tile
	index []uint64 // tile index of each edge tile
	cache map[tileID]*tile
	order []tileID
}

func newTree() *tree { return &tree{cache: map[tileID]*tile{}} }

// append adds leaf hashes.
func (t *tree) append(leaves []Hash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range leaves {
		t.push(0, leaves[i])
		t.size++
	}
}

func (t *tree) push(level int, h Hash) {
	if level == len(t.edge) {
		t.edge = append(t.edge, &tile{})
		t.index = append(t.index, 0)
	}
	e := t.edge[level]
	e.push(h)
	if e.n < tileWidth {
		return
	}
	id := tileID{level, t.index[level]}
	if t.full != nil {
		t.full(id, e)
	}
	t.remember(id, e)
	t.edge[level] = &tile{}
	t.index[level]++
	t.push(level+1, e.root())
}

// remember puts a full tile into the cache and drops the oldest that is on disk.
func (t *tree) remember(id tileID, full *tile) {
	if _, ok := t.cache[id]; ok {
		return
	}
	t.cache[id] = full
	t.order = append(t.order, id)
	if t.load == nil {
		return
	}
	for tries := len(t.order); len(t.order) > cachedTiles && tries > 0; tries-- {
		oldest := t.order[0]
		t.order = t.order[1:]
		if t.cache[oldest].pinned {
			t.order = append(t.order, oldest)
			continue
		}
		delete(t.cache, oldest)
	}
}

// unpin allows a tile that is now on disk to leave the cache.
func (t *tree) unpin(id tileID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if full, ok := t.cache[id]; ok {
		full.pinned = false
	}
}

// forget drops all full tiles from memory. None may be pinned.
func (t *tree) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cache, t.order = map[tileID]*tile{}, nil
}

// restore sets an empty tree to the state it had at size, a multiple of 256,
// from the roots of full tiles.
func (t *tree) restore(size uint64) error {
	t.edge, t.index = nil, nil
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		width := size >> (tileHeight * level)
		e := &tile{}
		index := width >> tileHeight
		for i := index << tileHeight; level > 0 && i < width; i++ {
			child, err := t.load(tileID{level - 1, i})
			if err != nil {
				return err
			}
			e.push(child.root())
		}
		t.edge = append(t.edge, e)
		t.index = append(t.index, index)
	}
	t.size = size
	return nil
}

// find looks a node up in memory; if it is not there, it names the tile.
func (t *tree) find(level uint, index uint64) (Hash, tileID, bool) {
	h := int(level % tileHeight)
	id := tileID{int(level / tileHeight), index >> (tileHeight - h)}
	at := sub(h) + int(index&(1<<(tileHeight-h)-1))
	t.mu.RLock()
	defer t.mu.RUnlock()
	if id.level < len(t.edge) && t.index[id.level] == id.index {
		return t.edge[id.level].nodes[at], id, true
	}
	if full, ok := t.cache[id]; ok {
		return full.nodes[at], id, true
	}
	return Hash{}, id, false
}

// node gives a complete node of the tree.
func (t *tree) node(level uint, index uint64) (Hash, error) {
	h, id, ok := t.find(level, index)
	if ok {
		return h, nil
	}
	if t.load == nil {
		return Hash{}, fmt.Errorf("%w: tile is missing", ErrDamaged)
	}
	full, err := t.load(id)
	if err != nil {
		return Hash{}, err
	}
	t.mu.Lock()
	t.remember(id, full)
	t.mu.Unlock()
	s := int(level % tileHeight)
	return full.nodes[sub(s)+int(index&(1<<(tileHeight-s)-1))], nil
}

// border holds, for a tree of size n, the node of each level that is not
// complete (the rightmost one, if any): known is false where there is none.
type border struct {
	n     uint64
	hash  [maxLevels + 1]Hash
	known [maxLevels + 1]bool
}

// height is the level of the root of a tree of size n > 0.
func height(n uint64) uint { return uint(bits.Len64(n - 1)) }

// borderOf computes the incomplete nodes from the right edge upwards: log n
// hashes for any number of proofs.
func (t *tree) borderOf(n uint64) (*border, error) {
	b := &border{n: n}
	if n == 0 || n > t.currentSize() {
		return nil, fmt.Errorf("%w: tree is smaller", ErrNoEntry)
	}
	for l := uint(0); l < height(n); l++ {
		if n&(1<<(l+1)-1) == 0 {
			continue // the level above has complete nodes only
		}
		b.known[l+1] = true
		complete := n >> l
		if complete&1 == 0 {
			b.hash[l+1] = b.hash[l]
			continue
		}
		left, err := t.node(l, complete-1)
		if err != nil {
			return nil, err
		}
		b.hash[l+1] = left
		if b.known[l] {
			b.hash[l+1] = nodeHash(&left, &b.hash[l])
		}
	}
	return b, nil
}

func (t *tree) currentSize() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.size
}

// root of the tree when it had the border's size.
func (t *tree) root(b *border) (Hash, error) {
	top := height(b.n)
	if b.known[top] {
		return b.hash[top], nil
	}
	return t.node(top, 0)
}

// rootAt is the root of the tree when it had size n.
func (t *tree) rootAt(n uint64) (Hash, error) {
	if n == 0 {
		return emptyRoot(), nil
	}
	b, err := t.borderOf(n)
	if err != nil {
		return Hash{}, err
	}
	return t.root(b)
}

// prove appends the inclusion proof of leaf index in the tree of the border's
// size: the siblings from the leaf to the root (RFC 6962, section 2.1.1).
func (t *tree) prove(dst []Hash, index uint64, b *border) ([]Hash, error) {
	for l := uint(0); l < height(b.n); l++ {
		complete := b.n >> l
		sibling := index>>l ^ 1
		switch {
		case sibling < complete:
			h, err := t.node(l, sibling)
			if err != nil {
				return nil, err
			}
			dst = append(dst, h)
		case sibling == complete && b.known[l]:
			dst = append(dst, b.hash[l])
		}
	}
	return dst, nil
}
