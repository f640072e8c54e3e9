package sm3lanes

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// best is the widest engine of this processor.
func best() engine {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX2:
		return sixteen
	case cpu.X86.HasAVX2:
		return eight
	}
	return library
}

const (
	maxLanes  = 16
	maxBlocks = 8 // longer messages go through the library, which is at ease there
)

// group is a set of messages of one block count, one for each lane, and the
// memory in which they are treated. Vectors lie one after the other: word i of
// lane l is at i*lanes+l.
type group struct {
	engine engine
	lanes  int
	key    *Key // nil for plain SM3
	chunk  [maxLanes * blockSize]byte
	words  [16 * maxLanes]uint32
	state  [8 * maxLanes]uint32
	sums   [maxLanes * Size]byte
	first  [8 * maxLanes]uint32 // the state before the first block
	last   [8 * maxLanes]uint32 // with a key: the state before the inner digest
	tail   [8 * maxLanes]uint32 // and the words behind it
}

func newGroup(e engine, k *Key) group {
	g := group{engine: e, key: k, lanes: 8}
	if e == sixteen {
		g.lanes = 16
	}
	if k == nil {
		g.broadcast(&g.first, &[8]uint32{ // GB/T 32905, 4.1
			0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
			0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
		})
		return g
	}
	g.broadcast(&g.first, &k.inner.words)
	g.broadcast(&g.last, &k.outer.words)
	g.broadcast(&g.tail, &[8]uint32{0: 0x80000000, 7: (blockSize + Size) * 8})
	return g
}

func (g *group) broadcast(dst *[8 * maxLanes]uint32, words *[8]uint32) {
	for i := range g.lanes * len(words) {
		dst[i] = words[i/g.lanes]
	}
}

// waiting lists the rows of one block count that have no full group yet.
type waiting struct {
	n    int
	rows [maxLanes]int
}

// lanes treats a batch in groups. The order in which rows are treated does not
// show in dst.
func lanes[O Offset](e engine, k *Key, dst, data []byte, offsets []O) {
	g := newGroup(e, k)
	var queues [maxBlocks + 1]waiting
	var long *single
	for i := range offsets[1:] {
		m := data[offsets[i]:offsets[i+1]]
		blocks := blocksOf(len(m))
		if blocks > maxBlocks {
			if long == nil {
				long = newSingle(k)
			}
			long.digest(dst[i*Size:(i+1)*Size], m)
			continue
		}
		q := &queues[blocks]
		q.rows[q.n] = i
		q.n++
		if q.n == g.lanes {
			treat(&g, dst, data, offsets, q.rows[:q.n], blocks)
			q.n = 0
		}
	}
	for blocks := range queues {
		if q := &queues[blocks]; q.n > 0 {
			treat(&g, dst, data, offsets, q.rows[:q.n], blocks)
		}
	}
}

// blocksOf is the number of blocks a message of n bytes fills, with a byte 0x80
// and eight bytes of length behind it.
func blocksOf(n int) int { return (n + 9 + blockSize - 1) / blockSize }

// treat computes the digests of at most one row for each lane.
func treat[O Offset](g *group, dst, data []byte, offsets []O, rows []int, blocks int) {
	g.state = g.first
	prefix := 0
	if g.key != nil {
		prefix = blockSize
	}
	for b := range blocks {
		for l, r := range rows {
			m := data[offsets[r]:offsets[r+1]]
			at := b * blockSize
			pad((*[blockSize]byte)(g.chunk[l*blockSize:]), m[min(at, len(m)):], len(m), b == blocks-1, prefix)
		}
		g.spread()
		g.compress()
	}
	if g.key != nil {
		g.finish()
	}
	g.gather()
	for l, r := range rows {
		*(*[Size]byte)(dst[r*Size:]) = *(*[Size]byte)(g.sums[l*Size:])
	}
}

// pad writes one block of a message: what rest holds of it, and what follows the
// end of a message of n bytes. The last block ends with the length in bits,
// prefix bytes included.
func pad(block *[blockSize]byte, rest []byte, n int, last bool, prefix int) {
	if len(rest) >= blockSize {
		*block = [blockSize]byte(rest)
		return
	}
	*block = [blockSize]byte{}
	copy(block[:], rest)
	// An empty rest of a message that filled its blocks whole begins with the
	// mark; one whose mark is in the block before does not.
	if len(rest) > 0 || n%blockSize == 0 {
		block[len(rest)] = 0x80
	}
	if last {
		binary.BigEndian.PutUint64(block[blockSize-8:], uint64(n+prefix)*8)
	}
}

// finish computes the outer hash: its only block is the inner digest, which is
// at hand as words, and the padding of 64+32 bytes.
func (g *group) finish() {
	half := len(g.state) * g.lanes / maxLanes
	copy(g.words[:half], g.state[:half])
	copy(g.words[half:], g.tail[:half])
	g.state = g.last
	g.compress()
}

func (g *group) compress() {
	if g.engine == sixteen {
		rounds16(&g.state, &g.words)
		return
	}
	rounds8(&g.state, &g.words)
}

// spread and gather treat eight lanes at a time.
func (g *group) spread() {
	for l := 0; l < g.lanes; l += 8 {
		spread8(&g.words[l], &g.chunk[l*blockSize], g.stride())
	}
}

func (g *group) gather() {
	for l := 0; l < g.lanes; l += 8 {
		gather8(&g.sums[l*Size], &g.state[l], g.stride())
	}
}

// stride is the distance between two vectors, in bytes.
func (g *group) stride() uintptr { return uintptr(g.lanes) * unsafe.Sizeof(g.words[0]) }
