package threshold

import (
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/yumen-project/yumen/compute/he"
)

// LabelPublicKey names the uniform half of a public key in he.Parameters.Expand.
const LabelPublicKey = "public key"

// PublicPart is a component's contribution to the public key of a common
// random string: -A*sigma + e modulo Q in the NTT domain, with A =
// Expand(crs, LabelPublicKey), sigma and e from the seed. All members of the
// component compute the same.
func PublicPart(p *he.Parameters, seed Seed, crs [32]byte) (ring.Poly, error) {
	a, err := p.Expand(crs, LabelPublicKey)
	if err != nil {
		return ring.Poly{}, err
	}
	sigma, err := secretOf(p, seed)
	if err != nil {
		return ring.Poly{}, err
	}
	noise, err := seed.stream(p, labelPublicKey, crs[:])
	if err != nil {
		return ring.Poly{}, err
	}
	e := make([]int8, p.N())
	noise.errors(e)
	r := p.RingQ()
	s, b := lift(r, sigma), lift(r, e)
	r.MForm(s, s)
	r.MulCoeffsMontgomeryThenSub(s, a, b)
	return b, nil
}

// SumPublicKey adds the contributions of all components, in any order, to the
// public key of a common random string.
func SumPublicKey(p *he.Parameters, crs [32]byte, parts []ring.Poly) (*he.PublicKey, error) {
	a, err := p.Expand(crs, LabelPublicKey)
	if err != nil {
		return nil, err
	}
	r := p.RingQ()
	b := r.NewPoly()
	for _, part := range parts {
		r.Add(b, part, b)
	}
	return &he.PublicKey{B: b, A: a}, nil
}

// secretOf is sigma of a component.
func secretOf(p *he.Parameters, seed Seed) ([]int8, error) {
	s, err := seed.stream(p, labelSecret)
	if err != nil {
		return nil, err
	}
	v := make([]int8, p.N())
	s.ternary(v)
	return v, nil
}

// lift maps small coefficients to the NTT domain modulo a ring's primes.
func lift(r *ring.Ring, v []int8) ring.Poly {
	poly := r.NewPoly()
	for i, sub := range r.SubRings[:r.Level()+1] {
		row, q := poly.Coeffs[i], sub.Modulus
		for j, x := range v {
			// q added where x is negative, without a branch
			row[j] = uint64(int64(x)) + q&uint64(int64(x)>>63)
		}
	}
	r.NTT(poly, poly)
	return poly
}
