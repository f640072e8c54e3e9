package he

import (
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"
)

// RelinDigit is an encryption under s, modulo Q*P, of P*g*s^2, where g is 1
// modulo one prime of Q and 0 modulo the others: B + A*s = P*g*s^2 + e.
type RelinDigit struct{ B, A ringqp.Poly }

// RelinKey turns products of degree two in s into ciphertexts of degree one. It
// has one digit per prime of Q, in their order; all polynomials are in the NTT
// domain, residues below their primes, not in Montgomery form. Public.
type RelinKey struct{ Digits []RelinDigit }

func (k *RelinKey) check(p *Parameters) error {
	if len(p.p) != 1 {
		return fmt.Errorf("%w: these parameters do not multiply", ErrMismatch)
	}
	if k == nil || len(k.Digits) != len(p.q) {
		return fmt.Errorf("%w: relinearisation key of another shape", ErrMismatch)
	}
	for i, d := range k.Digits {
		if !p.fits(d.B.Q) || !p.fits(d.A.Q) || !p.fitsP(d.B.P) || !p.fitsP(d.A.P) {
			return fmt.Errorf("%w: digit %d of the relinearisation key", ErrMismatch, i)
		}
	}
	return nil
}

func (p *Parameters) fitsP(poly ring.Poly) bool { return fitsRows(poly, p.p, p.N()) }

func (p *Parameters) qpSize() int {
	n := p.packedSize()
	for _, b := range p.literal.LogP {
		n += p.N() / 8 * b
	}
	return n
}

// RelinKeySize is the exact number of bytes of a stored key.
func (p *Parameters) RelinKeySize() int { return frameSize + len(p.q)*2*p.qpSize() }

// Bytes is the canonical form: frame, then per digit B and A, each packed modulo
// Q and then modulo P.
func (k *RelinKey) Bytes(p *Parameters) ([]byte, error) {
	if err := k.check(p); err != nil {
		return nil, err
	}
	b := p.frame(kindRelin, p.RelinKeySize())
	for _, d := range k.Digits {
		for _, poly := range []ringqp.Poly{d.B, d.A} {
			b = p.appendPoly(b, poly.Q)
			b = appendRows(b, poly.P, p.literal.LogP)
		}
	}
	return b, nil
}

// Hash is the SM3 hash of the canonical form.
func (k *RelinKey) Hash(p *Parameters) ([32]byte, error) {
	b, err := k.Bytes(p)
	if err != nil {
		return [32]byte{}, err
	}
	return sm3.Sum(b), nil
}

// ParseRelinKey accepts the canonical form only.
func ParseRelinKey(p *Parameters, b []byte) (*RelinKey, error) {
	if len(p.p) != 1 {
		return nil, fmt.Errorf("%w: these parameters do not multiply", ErrMismatch)
	}
	if len(b) != p.RelinKeySize() {
		return nil, fmt.Errorf("%w: relinearisation key of %d bytes, want %d", ErrMalformed, len(b), p.RelinKeySize())
	}
	b, err := p.unframe(kindRelin, b)
	if err != nil {
		return nil, err
	}
	k := &RelinKey{Digits: make([]RelinDigit, len(p.q))}
	for i := range k.Digits {
		for _, into := range []*ringqp.Poly{&k.Digits[i].B, &k.Digits[i].A} {
			poly := p.rlwe.RingQP().NewPoly()
			n := p.packedSize()
			if err := readRows(poly.Q, b[:n], p.literal.LogQ, p.q); err != nil {
				return nil, err
			}
			if err := readRows(poly.P, b[n:p.qpSize()], p.literal.LogP, p.p); err != nil {
				return nil, err
			}
			*into, b = poly, b[p.qpSize():]
		}
	}
	return k, nil
}

// library gives the key in the form of the lattice library.
func (k *RelinKey) library(p *Parameters) *rlwe.RelinearizationKey {
	out := rlwe.NewRelinearizationKey(p.rlwe)
	ring := p.rlwe.RingQP()
	for i, d := range k.Digits {
		ring.MForm(d.B, out.Value[i][0][0])
		ring.MForm(d.A, out.Value[i][0][1])
	}
	return out
}
