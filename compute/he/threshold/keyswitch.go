package threshold

import (
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/yumen-project/yumen/compute/he"
)

// The collective key switch is the textbook way (Mouchet et al., PETS 2021,
// protocol 4) to hand a whole ciphertext to one reader: it stands beside Open,
// needs no extraction, and opens every coefficient at N times the bytes. It is
// the reference that Open is tested against, and what remains if a reviewer
// should reject the opening of single samples.

// SwitchPart is a component's share of a switched ciphertext, NTT domain.
type SwitchPart struct {
	Component int
	H0, H1    ring.Poly
}

// Switch gives, for each component that the holder knows,
//
//	h0 = sigma*c1 + u*b' + e0 + mask,  h1 = u*a' + e1
//
// for the reader's public key (b', a'), with a mask in every coefficient as in
// Open, and u, e0, e1, masks derived from the component's seed and the hash of c1
// and the reader's key: the same for every repetition.
func (s *Share) Switch(c he.Ciphertext, reader *he.PublicKey) ([]SwitchPart, error) {
	p := s.params
	bounds, err := NewBounds(p, s.sharing)
	if err != nil {
		return nil, err
	}
	id, err := switchID(p, s.key, c, reader)
	if err != nil {
		return nil, err
	}
	r := p.RingQ()
	c1 := r.NewPoly()
	r.NTT(c.C1, c1)
	var parts []SwitchPart
	for _, part := range s.parts {
		noise, err := part.seed.stream(p, labelSwitch, id[:])
		if err != nil {
			return nil, err
		}
		small := make([]int8, p.N())
		noise.ternary(small)
		u := lift(r, small)
		r.MForm(u, u)
		noise.errors(small)
		h0 := lift(r, small)
		noise.errors(small)
		h1 := lift(r, small)
		r.MulCoeffsMontgomeryThenAdd(u, reader.B, h0)
		r.MulCoeffsMontgomeryThenAdd(u, reader.A, h1)
		sigma := lift(r, part.sigma)
		r.MForm(sigma, sigma)
		r.MulCoeffsMontgomeryThenAdd(sigma, c1, h0)
		r.Add(h0, masks(p, part.seed.derive(p, labelSwitch, id[:], []byte("masks")), bounds.MaskBits), h0)
		parts = append(parts, SwitchPart{part.index, h0, h1})
	}
	return parts, nil
}

// masks is a polynomial of independent masks, NTT domain.
func masks(p *he.Parameters, key [32]byte, n uint) ring.Poly {
	r, q := p.RingQ(), p.Q()
	poly := r.NewPoly()
	for j := range p.N() {
		m := uniform(key, [32]byte{byte(j), byte(j >> 8)}, n)
		for i := range q {
			poly.Coeffs[i][j] = m.mod(q[i])
		}
	}
	r.NTT(poly, poly)
	return poly
}

func switchID(p *he.Parameters, key [32]byte, c he.Ciphertext, reader *he.PublicKey) ([32]byte, error) {
	to, err := reader.Hash(p)
	if err != nil {
		return [32]byte{}, err
	}
	h := sm3.New()
	h.Write([]byte("yumen threshold key switch 1"))
	h.Write(key[:])
	h.Write(to[:])
	q := p.Q()
	if len(c.C1.Coeffs) != len(q) || len(c.C0.Coeffs) != len(q) {
		return [32]byte{}, fmt.Errorf("%w: ciphertext of another shape", ErrMismatch)
	}
	for i, row := range c.C1.Coeffs {
		if !below(row, p.N(), q[i:i+1]) || !below(c.C0.Coeffs[i], p.N(), q[i:i+1]) {
			return [32]byte{}, fmt.Errorf("%w: ciphertext modulo prime %d", ErrMalformed, i)
		}
	}
	h.Write(appendRows(nil, c.C1.Coeffs))
	var sum [32]byte
	h.Sum(sum[:0])
	return sum, nil
}

// CombineSwitch adds one part of each component to a ciphertext under the
// reader's key, coefficient domain. Members of a component must agree.
func CombineSwitch(p *he.Parameters, s Sharing, c he.Ciphertext, parts map[int][]SwitchPart) (he.Ciphertext, error) {
	r := p.RingQ()
	out := he.Ciphertext{C0: r.NewPoly(), C1: r.NewPoly()}
	taken := make([]*SwitchPart, s.Components())
	for h, list := range parts {
		for i := range list {
			part := &list[i]
			if !s.Knows(h, part.Component) {
				return he.Ciphertext{}, fmt.Errorf("%w: holder %d has no component %d", ErrMismatch, h, part.Component)
			}
			known := taken[part.Component]
			if known != nil && (!r.Equal(known.H0, part.H0) || !r.Equal(known.H1, part.H1)) {
				return he.Ciphertext{}, fmt.Errorf("%w: members of component %d differ", ErrMismatch, part.Component)
			}
			taken[part.Component] = part
		}
	}
	for c, part := range taken {
		if part == nil {
			return he.Ciphertext{}, fmt.Errorf("%w: nobody answers for component %d", ErrTooFew, c)
		}
		r.Add(out.C0, part.H0, out.C0)
		r.Add(out.C1, part.H1, out.C1)
	}
	r.INTT(out.C0, out.C0)
	r.INTT(out.C1, out.C1)
	r.Add(out.C0, c.C0, out.C0)
	return out, nil
}
