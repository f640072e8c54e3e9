package he

import (
	"fmt"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// Product accumulates products of pairs of leaves under one key: of the same
// batch of two lanes, the second encrypted with EncryptReversed, so that
// coefficient N-1 (see DotMask) of the sum is the dot product of the lanes. The
// other coefficients hold sums over pairs of different rows: never open them. It
// stays at degree two and relinearises once, in Sum. Not safe for concurrent
// use: one per goroutine, then Merge.
type Product struct {
	params *Parameters
	key    [32]byte
	relin  *rlwe.RelinearizationKey
	sums   [][3]ring.Poly // per limb: NTT domain, residues below their primes
	x, y   Ciphertext
}

// NewProduct makes an empty accumulator of products under one key.
func NewProduct(p *Parameters, key [32]byte, relin *RelinKey) (*Product, error) {
	if err := relin.check(p); err != nil {
		return nil, err
	}
	m := &Product{params: p, key: key, relin: relin.library(p)}
	for range p.t {
		m.sums = append(m.sums, [3]ring.Poly{p.ringQ.NewPoly(), p.ringQ.NewPoly(), p.ringQ.NewPoly()})
	}
	m.x = Ciphertext{C0: p.ringQ.NewPoly(), C1: p.ringQ.NewPoly()}
	m.y = Ciphertext{C0: p.ringQ.NewPoly(), C1: p.ringQ.NewPoly()}
	return m, nil
}

// Add adds the product of two leaves.
func (m *Product) Add(x, y *Leaf) error {
	for _, l := range []*Leaf{x, y} {
		if l == nil || l.params == nil || l.params.id != m.params.id || l.header.Key != m.key {
			return fmt.Errorf("%w: leaf of other parameters or another key", ErrMismatch)
		}
	}
	if x.header.Batch != y.header.Batch {
		return fmt.Errorf("%w: factors of different batches", ErrMismatch)
	}
	r := m.params.ringQ
	for limb, sum := range m.sums {
		m.load(&m.x, x, limb)
		m.load(&m.y, y, limb)
		r.MForm(m.x.C0, m.x.C0)
		r.MForm(m.x.C1, m.x.C1)
		r.MulCoeffsMontgomeryThenAdd(m.x.C0, m.y.C0, sum[0])
		r.MulCoeffsMontgomeryThenAdd(m.x.C0, m.y.C1, sum[1])
		r.MulCoeffsMontgomeryThenAdd(m.x.C1, m.y.C0, sum[1])
		r.MulCoeffsMontgomeryThenAdd(m.x.C1, m.y.C1, sum[2])
	}
	return nil
}

func (m *Product) load(c *Ciphertext, l *Leaf, limb int) {
	p := m.params
	for i, b := range p.bits {
		s := p.ringQ.SubRings[i]
		for poly, row := range [][]uint64{c.C0.Coeffs[i], c.C1.Coeffs[i]} {
			unpack(row, l.row(limb, poly, i), b)
			s.NTT(row, row)
		}
	}
}

// Merge adds what another accumulator of the same parameters and key holds.
func (m *Product) Merge(other *Product) error {
	if other == nil || other == m || other.params.id != m.params.id || other.key != m.key {
		return fmt.Errorf("%w: products of other parameters or another key", ErrMismatch)
	}
	for limb, sum := range m.sums {
		for d := range sum {
			m.params.ringQ.Add(sum[d], other.sums[limb][d], sum[d])
		}
	}
	return nil
}

// Repeat multiplies the accumulated sum by k in 1 to 2^31.
func (m *Product) Repeat(k int64) error {
	if k < 1 || k > MaxWeight {
		return fmt.Errorf("%w: repetition beyond 2^31", ErrRange)
	}
	for _, sum := range m.sums {
		for d := range sum {
			m.params.ringQ.MulScalar(sum[d], uint64(k), sum[d])
		}
	}
	return nil
}

// Sum scales by T, relinearises and gives the sum of products as of degree one,
// in the coefficient domain. The accumulator may go on.
func (m *Product) Sum() (*Sum, error) {
	p := m.params
	eval := rlwe.NewEvaluator(p.rlwe, rlwe.NewMemEvaluationKeySet(m.relin))
	out := &Sum{Key: m.key}
	for limb, sum := range m.sums {
		in, lin := rlwe.NewCiphertext(p.rlwe, 2, p.rlwe.MaxLevel()), rlwe.NewCiphertext(p.rlwe, 1, p.rlwe.MaxLevel())
		in.IsNTT, lin.IsNTT = true, true
		for d := range sum {
			p.ringQ.MulScalar(sum[d], p.t[limb], in.Value[d])
		}
		if err := eval.Relinearize(in, lin); err != nil {
			return nil, fmt.Errorf("relinearise limb %d: %w", limb, err)
		}
		c := Ciphertext{C0: p.ringQ.NewPoly(), C1: p.ringQ.NewPoly()}
		p.ringQ.INTT(lin.Value[0], c.C0)
		p.ringQ.INTT(lin.Value[1], c.C1)
		out.Limbs = append(out.Limbs, c)
	}
	return out, nil
}
