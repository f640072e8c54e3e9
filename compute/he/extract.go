package he

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Mask is a linear functional over the coefficients of a batch: one integer
// weight of absolute value up to MaxWeight per position, len N.
type Mask []int64

// AllMask weighs every position 1.
func (p *Parameters) AllMask() Mask { return p.GroupMask(1, 0) }

// GroupMask weighs the positions j with j mod groups = group 1, the others 0:
// one group of a bucketed lane. Empty (all 0) if group is not below groups.
func (p *Parameters) GroupMask(groups, group int) Mask {
	m := make(Mask, p.N())
	if groups < 1 || group < 0 || group >= groups {
		return m
	}
	for j := group; j < len(m); j += groups {
		m[j] = 1
	}
	return m
}

// CoefficientMask weighs one position 1. Empty if it is not a position.
func (p *Parameters) CoefficientMask(position int) Mask {
	m := make(Mask, p.N())
	if position >= 0 && position < len(m) {
		m[position] = 1
	}
	return m
}

// DotMask weighs the last position: the dot product within a product.
func (p *Parameters) DotMask() Mask { return p.CoefficientMask(p.N() - 1) }

// Norm is the sum of the absolute weights: what a functional multiplies the
// noise bound by.
func (m Mask) Norm() *big.Int {
	sum := new(big.Int)
	for _, w := range m {
		sum.Add(sum, new(big.Int).Abs(big.NewInt(w)))
	}
	return sum
}

// Term is one functional of one encrypted batch of sums.
type Term struct {
	Sum  *Sum
	Mask Mask
}

// Extract adds the functionals of all terms into one number and gives its LWE
// sample, one Opening per limb: with sum_k w_k c1_k written as the polynomial
// product w(X^-1)*c1, the sample's A is chosen such that the phase is
// B + sum over keys of <A, s>, the coefficients of s in their order. Terms under
// the same key share one A; keys stand in rising order. The same terms give the
// same bytes, in whatever order they come.
func Extract(p *Parameters, terms []Term) ([]*Opening, error) {
	if len(terms) == 0 {
		return nil, fmt.Errorf("%w: nothing to extract", ErrRange)
	}
	for n, t := range terms {
		if err := t.check(p); err != nil {
			return nil, fmt.Errorf("extract term %d: %w", n, err)
		}
	}
	out := make([]*Opening, p.Limbs())
	for limb := range out {
		out[limb] = p.extractLimb(limb, terms)
	}
	return out, nil
}

func (t Term) check(p *Parameters) error {
	if t.Sum == nil || len(t.Sum.Limbs) != p.Limbs() || len(t.Mask) != p.N() {
		return fmt.Errorf("%w: shape of sum or mask", ErrMismatch)
	}
	for _, c := range t.Sum.Limbs {
		if !p.fits(c.C0) || !p.fits(c.C1) {
			return fmt.Errorf("%w: sum of another ring", ErrMismatch)
		}
	}
	for j, w := range t.Mask {
		if w > MaxWeight || w < -MaxWeight {
			return fmt.Errorf("%w: weight of position %d beyond 2^31", ErrRange, j)
		}
	}
	return nil
}

func (p *Parameters) extractLimb(limb int, terms []Term) *Opening {
	o := &Opening{Limb: limb, B: make([]uint64, len(p.q))}
	product, weights := p.ringQ.NewPoly(), p.ringQ.NewPoly()
	for _, t := range terms {
		a := o.part(p, t.Sum.Key)
		c := t.Sum.Limbs[limb]
		for i, s := range p.ringQ.SubRings {
			dual(weights.Coeffs[i], t.Mask, s.Modulus)
			o.B[i] = ring.CRed(o.B[i]+dot(t.Mask, c.C0.Coeffs[i], s), s.Modulus)
			s.NTT(weights.Coeffs[i], weights.Coeffs[i])
			s.MForm(weights.Coeffs[i], weights.Coeffs[i])
			s.NTT(c.C1.Coeffs[i], product.Coeffs[i])
			s.MulCoeffsMontgomery(product.Coeffs[i], weights.Coeffs[i], product.Coeffs[i])
			s.INTT(product.Coeffs[i], product.Coeffs[i])
			turn(product.Coeffs[i], s.Modulus)
			s.Add(a.Coeffs[i], product.Coeffs[i], a.Coeffs[i])
		}
	}
	return o
}

// part finds or inserts the A of a key.
func (o *Opening) part(p *Parameters, key [32]byte) ring.Poly {
	at, found := slices.BinarySearchFunc(o.Keys, key, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	if !found {
		o.Keys = slices.Insert(o.Keys, at, key)
		o.A = slices.Insert(o.A, at, p.ringQ.NewPoly())
	}
	return o.A[at]
}

// dual writes w(X^-1) modulo X^N+1: w_0, then -w_k at N-k.
func dual(row []uint64, m Mask, q uint64) {
	row[0] = residue(m[0], q) % q
	for k := 1; k < len(m); k++ {
		row[len(row)-k] = residue(-m[k], q) % q
	}
}

// turn rewrites a polynomial d as the vector v with <v, s> = constant
// coefficient of d*s: v_0 = d_0, v_j = -d_(N-j).
func turn(row []uint64, q uint64) {
	slices.Reverse(row[1:])
	for j := 1; j < len(row); j++ {
		if row[j] != 0 {
			row[j] = q - row[j]
		}
	}
}

func dot(m Mask, row []uint64, s *ring.SubRing) uint64 {
	var sum uint64
	for j, w := range m {
		if w != 0 {
			sum = ring.CRed(sum+ring.BRed(residue(w, s.Modulus), row[j], s.Modulus, s.BRedConstant), s.Modulus)
		}
	}
	return sum
}
