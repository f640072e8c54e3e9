package he

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// MaxOpeningKeys bounds the keys of one opening.
const MaxOpeningKeys = 64

// Opening is one limb of one scalar that awaits its decryption: an LWE sample
// whose phase is B + sum over k of <A[k], s_k>, s_k the coefficients of the
// secret of Keys[k] (hashes of key certificates, rising, distinct). A is in the
// coefficient domain; B has one residue per prime of Q.
type Opening struct {
	Limb int
	Keys [][32]byte
	A    []ring.Poly
	B    []uint64
}

func (o *Opening) check(p *Parameters) error {
	if o == nil || o.Limb < 0 || o.Limb >= p.Limbs() || len(o.B) != len(p.q) {
		return fmt.Errorf("%w: opening of another shape", ErrMismatch)
	}
	if len(o.Keys) == 0 || len(o.Keys) > MaxOpeningKeys || len(o.A) != len(o.Keys) {
		return fmt.Errorf("%w: opening of %d keys and %d parts", ErrMismatch, len(o.Keys), len(o.A))
	}
	for i, b := range o.B {
		if b >= p.q[i] {
			return fmt.Errorf("%w: opening's residue %d is not below its prime", ErrMalformed, i)
		}
	}
	for k := range o.Keys {
		if k > 0 && bytes.Compare(o.Keys[k-1][:], o.Keys[k][:]) >= 0 {
			return fmt.Errorf("%w: opening's keys do not rise", ErrMalformed)
		}
		if !p.fits(o.A[k]) {
			return fmt.Errorf("%w: opening's part %d", ErrMismatch, k)
		}
	}
	return nil
}

// Bytes is the canonical form: frame, limb (1 byte), number of keys (2 bytes),
// B (8 bytes a prime), then per key its hash and packed A.
func (o *Opening) Bytes(p *Parameters) ([]byte, error) {
	if err := o.check(p); err != nil {
		return nil, err
	}
	b := p.frame(kindOpening, p.openingSize(len(o.Keys)))
	b = append(b, byte(o.Limb))
	b = binary.BigEndian.AppendUint16(b, uint16(len(o.Keys)))
	for _, x := range o.B {
		b = binary.BigEndian.AppendUint64(b, x)
	}
	for k, key := range o.Keys {
		b = p.appendPoly(append(b, key[:]...), o.A[k])
	}
	return b, nil
}

func (p *Parameters) openingSize(keys int) int {
	return frameSize + 3 + 8*len(p.q) + keys*(32+p.packedSize())
}

// Hash is SM3("yumen encrypted opening 1", canonical form).
func (o *Opening) Hash(p *Parameters) ([32]byte, error) {
	b, err := o.Bytes(p)
	if err != nil {
		return [32]byte{}, err
	}
	h := sm3.New()
	h.Write([]byte("yumen encrypted opening 1"))
	h.Write(b)
	var sum [32]byte
	h.Sum(sum[:0])
	return sum, nil
}

// ParseOpening accepts the canonical form only.
func ParseOpening(p *Parameters, b []byte) (*Opening, error) {
	rest, err := p.unframe(kindOpening, b)
	if err != nil {
		return nil, err
	}
	if len(rest) < 3 {
		return nil, fmt.Errorf("%w: opening of %d bytes", ErrMalformed, len(b))
	}
	keys := int(binary.BigEndian.Uint16(rest[1:]))
	if keys == 0 || keys > MaxOpeningKeys || len(b) != p.openingSize(keys) {
		return nil, fmt.Errorf("%w: opening of %d bytes for %d keys", ErrMalformed, len(b), keys)
	}
	o := &Opening{Limb: int(rest[0]), B: make([]uint64, len(p.q))}
	rest = rest[3:]
	for i := range o.B {
		o.B[i] = binary.BigEndian.Uint64(rest)
		rest = rest[8:]
	}
	for range keys {
		o.Keys = append(o.Keys, [32]byte(rest[:32]))
		poly, err := p.readPoly(rest[32 : 32+p.packedSize()])
		if err != nil {
			return nil, err
		}
		o.A = append(o.A, poly)
		rest = rest[32+p.packedSize():]
	}
	if err := o.check(p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return o, nil
}
