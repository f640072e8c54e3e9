package he

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
)

const (
	minLogN = 6 // packing works on groups of 64 coefficients
	// minPrimeBits and maxPrimeBits bound a prime of Q or P: a residue and a
	// bit offset below 8 share one 64-bit load.
	minPrimeBits, maxPrimeBits = 40, 56
	// minPlainBits and maxPlainBits bound a plaintext prime.
	minPlainBits, maxPlainBits = 20, 40
	// sigma is the standard deviation of the errors times 10; errorTail bounds
	// their absolute value (6 sigma).
	sigmaTenths = 32
	errorTail   = 19
)

// Parameters are a checked Literal with its primes. They are immutable and safe
// for concurrent use, except that what they return must not be written to.
type Parameters struct {
	literal  Literal
	id       [32]byte
	q, p, t  []uint64
	bits     []uint // packed bits of a residue, per prime of Q
	rlwe     rlwe.Parameters
	ringQ    *ring.Ring
	bigQ     *big.Int
	capacity *big.Int
	invT     [][]uint64 // invT[limb][prime]: T^-1 mod q, Montgomery form
}

// NewParameters checks a literal against the security table (see logQPLimit)
// and the needs of this package and finds its primes.
func NewParameters(l Literal) (*Parameters, error) {
	limit, ok := logQPLimit(l.LogN)
	if !ok {
		return nil, fmt.Errorf("%w: ring degree 2^%d is not in the security table", ErrParameters, l.LogN)
	}
	p, err := build(l)
	if err != nil {
		return nil, err
	}
	qp := new(big.Int).Set(p.bigQ)
	for _, prime := range p.p {
		qp.Mul(qp, new(big.Int).SetUint64(prime))
	}
	if qp.BitLen() > limit {
		return nil, fmt.Errorf("%w: modulus of %d bits, at most %d are secure at ring degree 2^%d", ErrParameters, qp.BitLen(), limit, l.LogN)
	}
	return p, nil
}

// logQPLimit is the greatest number of bits of Q*P that keeps 128 bits of
// classical security with a uniform ternary secret and errors of deviation 3.19:
// Bossuat and others, "Security guidelines for implementing homomorphic
// encryption", eprint 2024/463, table 5.2. An attacker who knows all components
// but one faces exactly such a secret and errors of deviation 3.24; to all others
// the secret is a sum of several, with greater entropy.
func logQPLimit(logN int) (int, bool) {
	switch logN {
	case 12:
		return 106, true
	case 13:
		return 214, true
	case 14:
		return 430, true
	}
	return 0, false
}

func build(l Literal) (*Parameters, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	p := &Parameters{literal: l}
	var err error
	taken := map[uint64]bool{}
	for _, part := range []struct {
		sizes []int
		into  *[]uint64
	}{{l.LogQ, &p.q}, {l.LogP, &p.p}, {l.LogT, &p.t}} {
		if *part.into, err = primes(l.LogN, part.sizes, taken); err != nil {
			return nil, err
		}
	}
	p.rlwe, err = rlwe.NewParametersFromLiteral(rlwe.ParametersLiteral{
		LogN: l.LogN, Q: p.q, P: p.p, NTTFlag: true,
		Xs: ring.Ternary{P: 2.0 / 3.0},
		Xe: ring.DiscreteGaussian{Sigma: sigmaTenths / 10.0, Bound: errorTail},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParameters, err)
	}
	p.derive()
	return p, nil
}

func (l Literal) check() error {
	if l.LogN < minLogN || l.LogN > 14 || len(l.Name) == 0 || len(l.Name) > 64 {
		return fmt.Errorf("%w: ring degree 2^%d or a name of %d bytes", ErrParameters, l.LogN, len(l.Name))
	}
	if len(l.LogQ) < 1 || len(l.LogQ) > 8 || len(l.LogP) > 2 || len(l.LogT) < 1 || len(l.LogT) > 4 {
		return fmt.Errorf("%w: %d, %d and %d primes", ErrParameters, len(l.LogQ), len(l.LogP), len(l.LogT))
	}
	for _, size := range slices.Concat(l.LogQ, l.LogP) {
		if size < minPrimeBits || size > maxPrimeBits {
			return fmt.Errorf("%w: ciphertext prime of %d bits", ErrParameters, size)
		}
	}
	sumQ, maxT := 0, 0
	for _, size := range l.LogQ {
		sumQ += size
	}
	for _, size := range l.LogT {
		if size < minPlainBits || size > maxPlainBits {
			return fmt.Errorf("%w: plaintext prime of %d bits", ErrParameters, size)
		}
		maxT = max(maxT, size)
	}
	if sumQ < maxT+30 {
		return fmt.Errorf("%w: no room for noise above %d bits of plaintext", ErrParameters, maxT)
	}
	return nil
}

// primes gives, for every size in turn, the greatest prime = 1 mod 2N below
// 2^size that was not taken before.
func primes(logN int, sizes []int, taken map[uint64]bool) ([]uint64, error) {
	found := make([]uint64, 0, len(sizes))
	step := uint64(2) << logN
	for _, size := range sizes {
		x := uint64(1)<<size - step + 1
		for taken[x] || !ring.IsPrime(x) {
			x -= step
			if x < uint64(1)<<(size-1) {
				return nil, fmt.Errorf("%w: too few primes of %d bits", ErrParameters, size)
			}
		}
		taken[x] = true
		found = append(found, x)
	}
	return found, nil
}

func (p *Parameters) derive() {
	p.ringQ = p.rlwe.RingQ()
	p.bigQ = new(big.Int).Set(p.ringQ.Modulus())
	p.capacity = big.NewInt(1)
	for _, size := range p.literal.LogQ {
		p.bits = append(p.bits, uint(size))
	}
	for _, t := range p.t {
		p.capacity.Mul(p.capacity, new(big.Int).SetUint64(t))
		row := make([]uint64, len(p.q))
		for i, s := range p.ringQ.SubRings {
			row[i] = ring.MForm(ring.ModExp(t%s.Modulus, s.Modulus-2, s.Modulus), s.Modulus, s.BRedConstant)
		}
		p.invT = append(p.invT, row)
	}
	h := sm3.New()
	h.Write([]byte("yumen he parameters 1"))
	writeBytes(h.Write, []byte(p.literal.Name))
	fields := []uint64{uint64(p.literal.LogN), sigmaTenths, errorTail}
	for _, list := range [][]uint64{p.q, p.p, p.t} {
		fields = append(append(fields, uint64(len(list))), list...)
	}
	var word [8]byte
	for _, f := range fields {
		binary.BigEndian.PutUint64(word[:], f)
		h.Write(word[:])
	}
	h.Sum(p.id[:0])
}

// writeBytes hands a length-prefixed string to a digest, which cannot fail.
func writeBytes(write func([]byte) (int, error), b []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(b)))
	_, _ = write(n[:])
	_, _ = write(b)
}

// Name is the literal's name.
func (p *Parameters) Name() string { return p.literal.Name }

// ID is the SM3 hash of everything that defines the parameters.
func (p *Parameters) ID() [32]byte { return p.id }

// N is the ring degree and so the positions of a batch.
func (p *Parameters) N() int { return p.ringQ.N() }

// Q are the primes of the ciphertext modulus; a copy.
func (p *Parameters) Q() []uint64 { return slices.Clone(p.q) }

// T are the plaintext primes, one per limb; a copy.
func (p *Parameters) T() []uint64 { return slices.Clone(p.t) }

// RingQ is the ring of ciphertexts. Its methods are safe for concurrent use.
func (p *Parameters) RingQ() *ring.Ring { return p.ringQ }

// RLWE are the same parameters as the lattice library knows them.
func (p *Parameters) RLWE() rlwe.Parameters { return p.rlwe }

// Limbs is the number of plaintext primes.
func (p *Parameters) Limbs() int { return len(p.t) }

// BigQ is the ciphertext modulus; a copy.
func (p *Parameters) BigQ() *big.Int { return new(big.Int).Set(p.bigQ) }

// Capacity is the product of the plaintext primes: a result v decodes if
// |v| < Capacity/2. A copy.
func (p *Parameters) Capacity() *big.Int { return new(big.Int).Set(p.capacity) }

// Insecure reports that the parameters are not of the security table: those of
// InsecureTestParameters. They belong in nobody's list of trusted parameters.
func (p *Parameters) Insecure() bool {
	_, known := logQPLimit(p.literal.LogN)
	return !known
}

// Multiplies reports whether products can be relinearised.
func (p *Parameters) Multiplies() bool { return len(p.p) > 0 }
