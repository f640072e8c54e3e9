package he

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// MaxValue bounds the absolute value of what Encrypt takes.
const MaxValue = 1 << 62

// Encryptor encrypts batches under one public key. Not safe for concurrent use:
// one per goroutine.
type Encryptor struct {
	params *Parameters
	b, a   ring.Poly // NTT domain, Montgomery form
	rand   io.Reader
	source source
	noise  *gaussian
	small  [3][]int8 // u, e0, e1
	u      ring.Poly
	c      [2]ring.Poly
	rest   []uint64
}

// NewEncryptor prepares a key. Every batch is encrypted with a generator of its
// own, seeded with 48 bytes of rand, which must be a cryptographic source such as
// crypto/rand.Reader: a copy of this process's memory from before or after a batch
// does not hold that batch's randomness.
func NewEncryptor(p *Parameters, key *PublicKey, rand io.Reader) (*Encryptor, error) {
	if key == nil || !p.fits(key.B) || !p.fits(key.A) {
		return nil, fmt.Errorf("%w: public key of another shape", ErrMismatch)
	}
	e := &Encryptor{params: p, rand: rand, noise: newGaussian(), rest: make([]uint64, p.N())}
	e.b, e.a, e.u = p.ringQ.NewPoly(), p.ringQ.NewPoly(), p.ringQ.NewPoly()
	e.c = [2]ring.Poly{p.ringQ.NewPoly(), p.ringQ.NewPoly()}
	p.ringQ.MForm(key.B, e.b)
	p.ringQ.MForm(key.A, e.a)
	for i := range e.small {
		e.small[i] = make([]int8, p.N())
	}
	return e, nil
}

// Encrypt encrypts one batch: position i holds values[i], the positions from
// len(values) on hold 0. There are at most N values, none with an absolute value
// above bound, which is at most MaxValue; h.Rows is at least len(values), or
// more to hide how many positions are in use. The leaf keeps dst if its capacity is
// LeafSize or more, and a new buffer otherwise.
func (e *Encryptor) Encrypt(dst []byte, h Header, values []int64, bound int64) (*Leaf, error) {
	return e.encrypt(dst, h, values, bound, false)
}

// EncryptReversed is Encrypt with values[i] at position N-1-i: the second factor
// of a product, whose coefficient N-1 then is the dot product.
func (e *Encryptor) EncryptReversed(dst []byte, h Header, values []int64, bound int64) (*Leaf, error) {
	return e.encrypt(dst, h, values, bound, true)
}

func (e *Encryptor) encrypt(dst []byte, h Header, values []int64, bound int64, reversed bool) (*Leaf, error) {
	p := e.params
	if len(values) > p.N() || int(h.Rows) < len(values) {
		return nil, fmt.Errorf("%w: %d values for %d rows of a batch of %d", ErrRange, len(values), h.Rows, p.N())
	}
	if bound < 0 || bound > MaxValue {
		return nil, fmt.Errorf("%w: bound beyond 2^62", ErrRange)
	}
	for i, v := range values {
		if v > bound || v < -bound {
			return nil, fmt.Errorf("%w: value at position %d is beyond its declared bound", ErrRange, i)
		}
	}
	l, err := p.newLeaf(dst, h)
	if err != nil {
		return nil, err
	}
	if err := e.source.seed(e.rand); err != nil {
		return nil, err
	}
	defer e.forget()
	for limb, t := range p.t {
		e.mask()
		residues(e.rest, e.small[1], values, t, reversed)
		for i := range p.q {
			e.finish(l.row(limb, 0, i), 0, i, &p.invT[limb][i])
			e.finish(l.row(limb, 1, i), 1, i, nil)
		}
	}
	return l, nil
}

// forget clears what would open the batch.
func (e *Encryptor) forget() {
	e.source.forget()
	clear(e.rest)
	for _, x := range e.small {
		clear(x)
	}
	e.u.Zero()
}

// String hides the sampler's state.
func (e *Encryptor) String() string { return "[key]" }

// GoString hides the sampler's state.
func (e *Encryptor) GoString() string { return "[key]" }

// LogValue hides the sampler's state.
func (e *Encryptor) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalJSON hides the sampler's state.
func (e *Encryptor) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }

// residues writes v mod t in [0, t) to dst, zeros after the values. What is
// encrypted is the residue in (-t/2, t/2): where it is r-t, the error takes the
// -1 that T^-1*(r-t) = T^-1*r - 1 asks for. So the phase of a sum of small
// numbers, negative ones too, carries nothing but the sum.
func residues(dst []uint64, noise []int8, values []int64, t uint64, reversed bool) {
	clear(dst)
	constant := ring.BRedConstant(t)
	for i, v := range values {
		sign := uint64(v >> 63)
		r := ring.BRedAdd((uint64(v)^sign)-sign, t, constant)
		if sign != 0 && r != 0 {
			r = t - r
		}
		if reversed {
			i = len(dst) - 1 - i
		}
		dst[i] = r
		noise[i] -= int8((t/2 - r) >> 63)
	}
}

// mask draws u, e0, e1 and leaves b*u and a*u in the coefficient domain in c,
// residues below 2q.
func (e *Encryptor) mask() {
	e.source.ternary(e.small[0])
	e.noise.fill(&e.source, e.small[1])
	e.noise.fill(&e.source, e.small[2])
	for i, s := range e.params.ringQ.SubRings {
		u := e.u.Coeffs[i]
		for j, x := range e.small[0] {
			u[j] = uint64(int64(x)) + s.Modulus&uint64(int64(x)>>63)
		}
		s.NTTLazy(u, u)
		s.MulCoeffsMontgomeryLazy(u, e.b.Coeffs[i], e.c[0].Coeffs[i])
		s.MulCoeffsMontgomeryLazy(u, e.a.Coeffs[i], e.c[1].Coeffs[i])
		s.INTTLazy(e.c[0].Coeffs[i], e.c[0].Coeffs[i])
		s.INTTLazy(e.c[1].Coeffs[i], e.c[1].Coeffs[i])
	}
}

// finish adds the error and, if there is a scale, scale*m, and packs.
func (e *Encryptor) finish(dst []byte, poly, i int, scale *uint64) {
	s := e.params.ringQ.SubRings[i]
	c, noise := e.c[poly].Coeffs[i], e.small[1+poly]
	q := s.Modulus
	if scale != nil {
		for j, m := range e.rest {
			x := c[j] + ring.MRedLazy(m, *scale, q, s.MRedConstant) + q + uint64(int64(noise[j]))
			c[j] = ring.BRedAdd(x, q, s.BRedConstant)
		}
	} else {
		for j := range c {
			c[j] = ring.BRedAdd(c[j]+q+uint64(int64(noise[j])), q, s.BRedConstant)
		}
	}
	pack(dst, c, e.params.bits[i])
}
