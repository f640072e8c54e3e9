package he

import (
	"fmt"
	"iter"
	"math"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Sum is an encrypted batch of sums: one ciphertext per limb, coefficient
// domain, residues below their primes. Equal leaves in any order and on any
// number of cores give an equal Sum, bit for bit.
type Sum struct {
	Key   [32]byte // hash of the key certificate
	Limbs []Ciphertext
}

// Accumulator adds leaves of one key. It keeps 64-bit lanes and reduces them only
// when the next addition could overflow. Not safe for concurrent use: one per
// goroutine, then Merge.
type Accumulator struct {
	params *Parameters
	key    [32]byte
	lanes  []Ciphertext
	load   uint64 // additions of residues below 2^bits since the last reduction
	limit  uint64
	clean  bool // all lanes are below their primes
}

// NewAccumulator makes an empty accumulator for leaves under one key.
func NewAccumulator(p *Parameters, key [32]byte) *Accumulator {
	a := &Accumulator{params: p, key: key, limit: math.MaxUint64}
	for range p.t {
		a.lanes = append(a.lanes, Ciphertext{C0: p.ringQ.NewPoly(), C1: p.ringQ.NewPoly()})
	}
	for _, b := range p.bits {
		a.limit = min(a.limit, math.MaxUint64/(1<<b-1)-1)
	}
	return a
}

func (a *Accumulator) check(l *Leaf) error {
	if l == nil || l.params == nil || l.params.id != a.params.id {
		return fmt.Errorf("%w: leaf of other parameters", ErrMismatch)
	}
	if l.header.Key != a.key {
		return fmt.Errorf("%w: leaf under another key", ErrMismatch)
	}
	return nil
}

// each visits every row of lanes: limb, polynomial, prime.
func (a *Accumulator) each(visit func(row []uint64, limb, poly, i int)) {
	for limb := range a.lanes {
		for i := range a.params.q {
			visit(a.lanes[limb].C0.Coeffs[i], limb, 0, i)
			visit(a.lanes[limb].C1.Coeffs[i], limb, 1, i)
		}
	}
}

func (a *Accumulator) reduce() {
	if a.clean {
		return
	}
	a.each(func(row []uint64, _, _, i int) {
		s := a.params.ringQ.SubRings[i]
		s.Reduce(row, row)
	})
	a.load, a.clean = 1, true
}

func (a *Accumulator) room() {
	if a.load >= a.limit {
		a.reduce()
	}
	a.load++
	a.clean = false
}

// Add adds leaves, position by position; several in one call are faster. If one of
// them is refused none is added.
func (a *Accumulator) Add(leaves ...*Leaf) error {
	for _, l := range leaves {
		if err := a.check(l); err != nil {
			return err
		}
	}
	for len(leaves) > 0 {
		if a.load >= a.limit {
			a.reduce()
		}
		n := int(min(a.limit-a.load, uint64(len(leaves))))
		a.addSome(leaves[:n])
		a.load += uint64(n)
		a.clean = false
		leaves = leaves[n:]
	}
	return nil
}

// AddAll adds the leaves of a sequence, four at a time, and stops at the first
// error, the sequence's or its own; leaves before it may then have been added. The
// bytes of a leaf must stay untouched until the sequence has yielded four more.
func (a *Accumulator) AddAll(leaves iter.Seq2[*Leaf, error]) error {
	var group [4]*Leaf
	n := 0
	for l, err := range leaves {
		if err != nil {
			return err
		}
		group[n] = l
		if n++; n == len(group) {
			if err := a.Add(group[:]...); err != nil {
				return err
			}
			n = 0
		}
	}
	return a.Add(group[:n]...)
}

func (a *Accumulator) addSome(leaves []*Leaf) {
	for ; len(leaves) >= 4; leaves = leaves[4:] {
		a.each(func(row []uint64, limb, poly, i int) {
			var four [4][]byte
			for k := range four {
				four[k] = leaves[k].row(limb, poly, i)
			}
			addFour(row, &four, a.params.bits[i])
		})
	}
	for _, l := range leaves {
		a.each(func(row []uint64, limb, poly, i int) {
			unpackAdd(row, l.row(limb, poly, i), a.params.bits[i])
		})
	}
}

// AddWeighted adds weight times a leaf: a term of a linear or scorecard score.
func (a *Accumulator) AddWeighted(l *Leaf, weight int64) error {
	if err := a.check(l); err != nil {
		return err
	}
	if weight > MaxWeight || weight < -MaxWeight {
		return fmt.Errorf("%w: weight beyond 2^31", ErrRange)
	}
	a.room()
	scratch := make([]uint64, a.params.N())
	a.each(func(row []uint64, limb, poly, i int) {
		s := a.params.ringQ.SubRings[i]
		unpack(scratch, l.row(limb, poly, i), a.params.bits[i])
		w := ring.MForm(residue(weight, s.Modulus), s.Modulus, s.BRedConstant)
		s.MulScalarMontgomery(scratch, w, scratch)
		addRow(row, scratch)
	})
	return nil
}

// MaxWeight bounds the absolute value of a weight.
const MaxWeight = 1 << 31

// residue is w mod q for |w| < q.
func residue(w int64, q uint64) uint64 {
	if w < 0 {
		return q - uint64(-w)
	}
	return uint64(w)
}

func addRow(row, more []uint64) {
	for j, x := range more {
		row[j] += x
	}
}

// Repeat multiplies the accumulated sum by k in 1 to 2^31: the sum of k copies
// of everything added so far.
func (a *Accumulator) Repeat(k int64) error {
	if k < 1 || k > MaxWeight {
		return fmt.Errorf("%w: repetition beyond 2^31", ErrRange)
	}
	a.reduce()
	a.each(func(row []uint64, _, _, i int) {
		s := a.params.ringQ.SubRings[i]
		s.MulScalarMontgomery(row, ring.MForm(uint64(k), s.Modulus, s.BRedConstant), row)
	})
	return nil
}

// Merge adds what another accumulator of the same parameters and key holds and
// reduces that one, which otherwise stays as it is.
func (a *Accumulator) Merge(other *Accumulator) error {
	if other == nil || other.params.id != a.params.id || other.key != a.key || other == a {
		return fmt.Errorf("%w: accumulator of other parameters or another key", ErrMismatch)
	}
	other.reduce()
	a.room()
	for limb := range a.lanes {
		for i := range a.params.q {
			addRow(a.lanes[limb].C0.Coeffs[i], other.lanes[limb].C0.Coeffs[i])
			addRow(a.lanes[limb].C1.Coeffs[i], other.lanes[limb].C1.Coeffs[i])
		}
	}
	return nil
}

// Sum gives a reduced copy of what was added; the accumulator may go on.
func (a *Accumulator) Sum() *Sum {
	a.reduce()
	s := &Sum{Key: a.key}
	for _, c := range a.lanes {
		s.Limbs = append(s.Limbs, Ciphertext{C0: *c.C0.CopyNew(), C1: *c.C1.CopyNew()})
	}
	return s
}
