package he

import (
	"encoding/binary"
	"fmt"

	"github.com/emmansun/gmsm/sm3"
)

// Header says what a leaf is: which batch of which lane under which key.
type Header struct {
	Key   [32]byte // hash of the key certificate
	Lane  [32]byte // LaneID of data set, version and lane
	Batch uint32   // number of the batch within the lane, from 0
	Rows  uint32   // positions in use, 1 to N; the others hold 0
}

// LaneID names a lane of one version of a data set: the SM3 hash of the
// length-prefixed names.
func LaneID(dataset, version, lane string) [32]byte {
	h := sm3.New()
	h.Write([]byte("yumen encrypted lane 1"))
	for _, s := range []string{dataset, version, lane} {
		writeBytes(h.Write, []byte(s))
	}
	var id [32]byte
	h.Sum(id[:0])
	return id
}

const headerSize = frameSize + 32 + 32 + 4 + 4

// Leaf is one batch of a lane, all limbs, in its stored form: frame, header,
// then per limb C0 and C1, packed. Of fixed size for given parameters.
// Immutable and safe for concurrent use.
type Leaf struct {
	header Header
	data   []byte
	params *Parameters
}

// LeafSize is the exact number of bytes of a stored leaf.
func (p *Parameters) LeafSize() int { return headerSize + p.Limbs()*2*p.packedSize() }

// Header of the leaf.
func (l *Leaf) Header() Header { return l.header }

// Bytes is the stored form; it must not be written to.
func (l *Leaf) Bytes() []byte { return l.data }

// Hash is SM3("yumen encrypted leaf 1", stored form): the parameter ID, the key,
// the lane, the batch, the rows and the ciphertexts are all under it.
func (l *Leaf) Hash() [32]byte { return LeafHash(l.data) }

// LeafHash is the hash of a stored leaf, without parsing it.
func LeafHash(data []byte) [32]byte {
	h := sm3.New()
	h.Write([]byte("yumen encrypted leaf 1"))
	h.Write(data)
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// ParseLeaf accepts the canonical form only: exact size, these parameters, 1 to
// N rows, every residue below its prime. The leaf keeps b. Whether the header
// names the place that was asked for is the caller's question: ParseLeafAs.
func ParseLeaf(p *Parameters, b []byte) (*Leaf, error) {
	l, err := ReadVerifiedLeaf(p, b)
	if err != nil {
		return nil, err
	}
	scratch := make([]uint64, p.N())
	for rest, poly := b[headerSize:], 0; len(rest) > 0; poly++ {
		for i, bits := range p.bits {
			n := p.N() / 8 * int(bits)
			if !canonical(rest[:n], bits, p.q[i], scratch) {
				return nil, fmt.Errorf("%w: leaf polynomial %d has a residue that is not below prime %d", ErrMalformed, poly, i)
			}
			rest = rest[n:]
		}
	}
	return l, nil
}

// ParseLeafAs is ParseLeaf for a leaf that must have exactly the given header.
func ParseLeafAs(p *Parameters, want Header, b []byte) (*Leaf, error) {
	l, err := ParseLeaf(p, b)
	if err != nil {
		return nil, err
	}
	if l.header != want {
		return nil, fmt.Errorf("%w: leaf of another key, lane, batch or row count", ErrMismatch)
	}
	return l, nil
}

// ReadVerifiedLeaf is ParseLeaf without the look at every residue: for a copy of
// one's own whose LeafHash is that of a leaf ParseLeaf accepted before. Sums stay
// in range and deterministic even over bytes that are not canonical.
func ReadVerifiedLeaf(p *Parameters, b []byte) (*Leaf, error) {
	if len(b) != p.LeafSize() {
		return nil, fmt.Errorf("%w: leaf of %d bytes, want %d", ErrMalformed, len(b), p.LeafSize())
	}
	rest, err := p.unframe(kindLeaf, b)
	if err != nil {
		return nil, err
	}
	l := &Leaf{data: b, params: p}
	copy(l.header.Key[:], rest)
	copy(l.header.Lane[:], rest[32:])
	l.header.Batch = binary.BigEndian.Uint32(rest[64:])
	l.header.Rows = binary.BigEndian.Uint32(rest[68:])
	if l.header.Rows == 0 || l.header.Rows > uint32(p.N()) {
		return nil, fmt.Errorf("%w: leaf of %d rows, a batch holds 1 to %d", ErrMalformed, l.header.Rows, p.N())
	}
	return l, nil
}

// newLeaf lays out header and body; the body's content is the caller's task.
func (p *Parameters) newLeaf(dst []byte, h Header) (*Leaf, error) {
	if h.Rows == 0 || h.Rows > uint32(p.N()) {
		return nil, fmt.Errorf("%w: %d rows, a batch holds 1 to %d", ErrRange, h.Rows, p.N())
	}
	if cap(dst) < p.LeafSize() {
		dst = make([]byte, p.LeafSize())
	}
	dst = dst[:p.LeafSize()]
	b := append(dst[:0], p.frame(kindLeaf, frameSize)...)
	b = append(append(b, h.Key[:]...), h.Lane[:]...)
	b = binary.BigEndian.AppendUint32(b, h.Batch)
	binary.BigEndian.AppendUint32(b, h.Rows)
	return &Leaf{header: h, data: dst, params: p}, nil
}

// row gives the packed residues of one polynomial (0: C0, 1: C1) of a limb
// modulo prime i.
func (l *Leaf) row(limb, poly, i int) []byte {
	p := l.params
	at := headerSize + (2*limb+poly)*p.packedSize()
	for _, b := range p.bits[:i] {
		at += p.N() / 8 * int(b)
	}
	return l.data[at : at+p.N()/8*int(p.bits[i])]
}

// Limb unpacks one limb, in the coefficient domain.
func (l *Leaf) Limb(limb int) (Ciphertext, error) {
	p := l.params
	if p == nil || limb < 0 || limb >= p.Limbs() {
		return Ciphertext{}, fmt.Errorf("%w: no limb %d", ErrRange, limb)
	}
	c := Ciphertext{C0: p.ringQ.NewPoly(), C1: p.ringQ.NewPoly()}
	for i, b := range p.bits {
		unpack(c.C0.Coeffs[i], l.row(limb, 0, i), b)
		unpack(c.C1.Coeffs[i], l.row(limb, 1, i), b)
	}
	return c, nil
}
