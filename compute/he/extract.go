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
		out[limb] = &Opening{Limb: limb, B: make([]uint64, len(p.q))}
	}
	weights, product := make([]uint64, p.N()), make([]uint64, p.N())
	for _, t := range terms {
		few := t.Mask.few()
		for i, s := range p.ringQ.SubRings {
			if few == nil {
				dual(weights, t.Mask, s.Modulus)
				s.NTT(weights, weights)
				s.MForm(weights, weights)
			}
			for limb, o := range out {
				c, a := t.Sum.Limbs[limb], o.part(p, t.Sum.Key).Coeffs[i]
				o.B[i] = ring.CRed(o.B[i]+dot(t.Mask, c.C0.Coeffs[i], s), s.Modulus)
				if few != nil {
					shift(a, c.C1.Coeffs[i], few, t.Mask, s)
					continue
				}
				s.NTT(c.C1.Coeffs[i], product)
				s.MulCoeffsMontgomery(product, weights, product)
				s.INTT(product, product)
				turn(product, s.Modulus)
				s.Add(a, product, a)
			}
		}
	}
	return out, nil
}

// few gives the positions with a weight if there are at most 4, in which case
// shifts are faster than a product; nil otherwise.
func (m Mask) few() []int {
	at := make([]int, 0, 4)
	for k, w := range m {
		if w != 0 {
			if len(at) == 4 {
				return nil
			}
			at = append(at, k)
		}
	}
	return at
}

// shift adds to a the vector v with <v, s> = sum of w_k * coefficient k of c*s:
// v_j = w_k*c_(k-j) for j <= k, -w_k*c_(N+k-j) beyond.
func shift(a, c []uint64, positions []int, m Mask, s *ring.SubRing) {
	q := s.Modulus
	for _, k := range positions {
		w := ring.MForm(residue(m[k], q), q, s.BRedConstant)
		for j := range a {
			if j <= k {
				a[j] = ring.CRed(a[j]+ring.MRed(c[k-j], w, q, s.MRedConstant), q)
			} else {
				a[j] = ring.CRed(a[j]+q-ring.MRed(c[len(c)+k-j], w, q, s.MRedConstant), q)
			}
		}
	}
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
	row[0] = residue(m[0], q)
	for k := 1; k < len(m); k++ {
		row[len(row)-k] = residue(-m[k], q)
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
		switch w {
		case 0:
		case 1:
			sum = ring.CRed(sum+row[j], s.Modulus)
		default:
			sum = ring.CRed(sum+ring.BRed(residue(w, s.Modulus), row[j], s.Modulus, s.BRedConstant), s.Modulus)
		}
	}
	return sum
}
