package he

import (
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// PublicKey is (B, A) with B = -A*s + e, both in the NTT domain modulo Q,
// residues below their primes, not in Montgomery form.
type PublicKey struct{ B, A ring.Poly }

// Ciphertext is one limb of a batch: phase C0 + C1*s, coefficient domain unless
// a function says otherwise.
type Ciphertext struct{ C0, C1 ring.Poly }

// Bytes is the canonical form: frame, packed B, packed A.
func (k *PublicKey) Bytes(p *Parameters) ([]byte, error) {
	if k == nil || !p.fits(k.B) || !p.fits(k.A) {
		return nil, fmt.Errorf("%w: public key of another shape", ErrMismatch)
	}
	b := p.frame(kindPublic, frameSize+2*p.packedSize())
	return p.appendPoly(p.appendPoly(b, k.B), k.A), nil
}

// Hash is the SM3 hash of the canonical form.
func (k *PublicKey) Hash(p *Parameters) ([32]byte, error) {
	b, err := k.Bytes(p)
	if err != nil {
		return [32]byte{}, err
	}
	return sm3.Sum(b), nil
}

// ParsePublicKey accepts the canonical form only.
func ParsePublicKey(p *Parameters, b []byte) (*PublicKey, error) {
	n := p.packedSize()
	if len(b) != frameSize+2*n {
		return nil, fmt.Errorf("%w: public key of %d bytes, want %d", ErrMalformed, len(b), frameSize+2*n)
	}
	b, err := p.unframe(kindPublic, b)
	if err != nil {
		return nil, err
	}
	k := new(PublicKey)
	if k.B, err = p.readPoly(b[:n]); err != nil {
		return nil, err
	}
	if k.A, err = p.readPoly(b[n:]); err != nil {
		return nil, err
	}
	return k, nil
}
