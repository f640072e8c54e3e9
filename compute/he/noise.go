package he

import (
	"fmt"
	"math/big"
)

// The bounds of this file are worst cases: errors are cut at 6 deviations, so no
// ciphertext of Encryptor exceeds them. components is the number of ternary
// components whose sum is the secret and of errors whose sum is that of the
// public key (3 for two holders out of three).

// FreshNoise bounds the error of a fresh ciphertext's coefficient, the carry of
// the plaintext modulo T included: e*u + e0 + e1*s.
func (p *Parameters) FreshNoise(components int) *big.Int {
	n, m := int64(p.N()), int64(components)
	return big.NewInt(errorTail*(2*n*m+1) + 1)
}

// ProductNoise bounds the error of a coefficient of the product of two fresh
// batches before relinearisation: with phases T^-1*m + e the product times T is
// T^-1*m1*m2 + m1*e2 + m2*e1 + T*e1*e2, and m1*m2 is reduced modulo T.
func (p *Parameters) ProductNoise(components int) *big.Int {
	e := p.FreshNoise(components)
	sum := new(big.Int).Mul(e, e)
	sum.Add(sum, new(big.Int).Lsh(e, 1)).Add(sum, big.NewInt(1))
	return sum.Mul(sum, new(big.Int).Mul(p.maxT(), big.NewInt(int64(p.N()))))
}

// RelinNoise bounds what the one relinearisation of a sum of products adds: the
// key's errors s*e0 + u*e1 + e2 + e3 times the digits, divided by P, and the
// rounding of that division. Zero without multiplication.
func (p *Parameters) RelinNoise(components int) *big.Int {
	sum := new(big.Int)
	if !p.Multiplies() {
		return sum
	}
	n, m := int64(p.N()), int64(components)
	keyError := big.NewInt(errorTail * m * (2*n*m + 2))
	for _, q := range p.q {
		sum.Add(sum, new(big.Int).SetUint64(q))
	}
	sum.Mul(sum, keyError).Mul(sum, big.NewInt(n))
	for _, prime := range p.p {
		sum.Quo(sum, new(big.Int).SetUint64(prime))
	}
	return sum.Add(sum, big.NewInt(2+n*m))
}

func (p *Parameters) maxT() *big.Int {
	top := p.t[0]
	for _, t := range p.t {
		top = max(top, t)
	}
	return new(big.Int).SetUint64(top)
}

// NoiseLimit is floor(Q/(2T)) - 1 for the greatest T: a phase's whole error,
// smudging included, must not exceed it.
func (p *Parameters) NoiseLimit() *big.Int {
	limit := new(big.Int).Quo(p.bigQ, new(big.Int).Lsh(p.maxT(), 1))
	return limit.Sub(limit, big.NewInt(1))
}

// SmudgeBits is the greatest b such that one smudging term of absolute value up
// to 2^b per component leaves an eighth of NoiseLimit to the ciphertexts: 66 for
// AddLiteral and 121 for MulLiteral with 3 components. A sum whose error is at
// most E is then hidden but for a statistical distance of E/2^(b+1) a limb: see
// CheckHiding.
func (p *Parameters) SmudgeBits(components int) int {
	room := p.NoiseLimit()
	room.Mul(room, big.NewInt(7)).Rsh(room, 3)
	room.Quo(room, big.NewInt(int64(max(components, 1))))
	return room.BitLen() - 1
}

// CheckNoise proves that a scalar whose ciphertexts' error is at most total opens
// correctly with smudging by every component, or returns ErrRange.
func (p *Parameters) CheckNoise(total *big.Int, components int) error {
	if components < 1 || components > 1<<10 {
		return fmt.Errorf("%w: %d components", ErrRange, components)
	}
	smudge := new(big.Int).Lsh(big.NewInt(int64(components)), uint(p.SmudgeBits(components)))
	if smudge.Add(smudge, total).Cmp(p.NoiseLimit()) > 0 {
		return fmt.Errorf("%w: error of %d bits leaves no room to open", ErrRange, total.BitLen())
	}
	return nil
}

// FreshVariance bounds the variance of the error of a fresh ciphertext's
// coefficient, averaged over keys: N terms of u*e (u ternary, 2/3; e of the centred
// binomial distribution, 21/2, per component), N of e1*s (3.2^2 and 2/3 per
// component), and e0.
func (p *Parameters) FreshVariance(components int) *big.Int {
	return big.NewInt(14*int64(p.N())*int64(components) + 11)
}

// ProductVariance is the same for a coefficient of the product of two batches:
// N terms of T*e1*e2, and of m1*e2 and m2*e1 with |m| at most T/2.
func (p *Parameters) ProductVariance(components int) *big.Int {
	v, t := p.FreshVariance(components), p.maxT()
	sum := new(big.Int).Mul(v, v)
	sum.Add(sum, v.Rsh(v, 1))
	return sum.Mul(sum, t.Mul(t, t)).Mul(sum, big.NewInt(int64(p.N())))
}

const (
	// Deviations is taken for the greatest error in units of its deviation: 6 for
	// the error (beyond with probability 2^-28) times 5 for the key, and a little.
	// For the sum of a whole batch the variance under one key is a quadratic form
	// in that key's error and secret, whose greatest eigenvalue is 4/pi^2 of the
	// mean, twice; it exceeds 5^2 means with probability below 2^-44.
	Deviations = 32
	// hidingBits is the least -log2 of the distance of a limb that CheckHiding
	// passes: 2^-11 for the two limbs of 2^16 scalars, were all at this bound.
	hidingBits = 28
)

// CheckHiding refuses with ErrRange an error that smudging would not hide, by its
// variance over honest ciphertexts: the sum of squared weights times FreshVariance,
// or ProductVariance. Deviations times the deviation must be at most 2^-28 of the
// range of a mask. CheckNoise is about decoding alone: it passes sums of great
// weights whose error is nearly as long as a mask, and openings of many such sums
// could be averaged to equations in the secret.
func (p *Parameters) CheckHiding(variance *big.Int, components int) error {
	if components < 1 || components > 1<<10 || variance.Sign() < 0 {
		return fmt.Errorf("%w: %d components", ErrRange, components)
	}
	room := p.SmudgeBits(components) + 1 - hidingBits
	square := new(big.Int).Mul(variance, big.NewInt(Deviations*Deviations))
	if room < 0 || square.Cmp(new(big.Int).Lsh(big.NewInt(1), 2*uint(room))) > 0 {
		return fmt.Errorf("%w: error of %d bits is too long for the masks", ErrRange, (square.BitLen()+1)/2)
	}
	return nil
}
