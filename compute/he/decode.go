package he

import (
	"fmt"
	"math/big"
)

// Decode turns the phases of the limbs of one scalar, one residue per prime of Q
// each, into the signed number they encode: T*phase is taken centred modulo Q,
// then modulo T, and the limbs are joined by the Chinese remainder theorem,
// centred modulo Capacity. A number with |v| >= bound is refused with ErrRange
// (bound nil: Capacity/2): what the plan's range proof excludes can only come
// from answers that were not those of the holders. Nobody but the requester may
// learn which of the two it was.
func Decode(p *Parameters, phases [][]uint64, bound *big.Int) (*big.Int, error) {
	if len(phases) != p.Limbs() {
		return nil, fmt.Errorf("%w: %d phases, want %d", ErrMismatch, len(phases), p.Limbs())
	}
	residues := make([]*big.Int, len(phases))
	for limb, phase := range phases {
		x, err := join(phase, p.q)
		if err != nil {
			return nil, fmt.Errorf("phase of limb %d: %w", limb, err)
		}
		t := new(big.Int).SetUint64(p.t[limb])
		x = centre(x.Mul(x, t), p.bigQ)
		residues[limb] = x.Mod(x, t)
	}
	v := centre(joinBig(residues, p.t), p.capacity)
	limit := new(big.Int).Rsh(p.capacity, 1)
	if bound != nil && bound.Cmp(limit) < 0 {
		limit = bound
	}
	if v.CmpAbs(limit) >= 0 {
		return nil, fmt.Errorf("%w: the decoded number exceeds the proven bound", ErrRange)
	}
	return v, nil
}

// join gives the x below the product of the primes with the given residues.
func join(residues, primes []uint64) (*big.Int, error) {
	if len(residues) != len(primes) {
		return nil, fmt.Errorf("%w: %d residues, want %d", ErrMismatch, len(residues), len(primes))
	}
	big64 := make([]*big.Int, len(residues))
	for i, r := range residues {
		if r >= primes[i] {
			return nil, fmt.Errorf("%w: residue %d is not below its prime", ErrMalformed, i)
		}
		big64[i] = new(big.Int).SetUint64(r)
	}
	return joinBig(big64, primes), nil
}

func joinBig(residues []*big.Int, primes []uint64) *big.Int {
	x, modulus := new(big.Int), big.NewInt(1)
	for i, r := range residues {
		// x += modulus * ((r - x) / modulus mod prime)
		prime := new(big.Int).SetUint64(primes[i])
		step := new(big.Int).Sub(r, x)
		step.Mul(step, new(big.Int).ModInverse(modulus, prime)).Mod(step, prime)
		x.Add(x, step.Mul(step, modulus))
		modulus.Mul(modulus, prime)
	}
	return x
}

// centre gives the representative of x modulo m in (-m/2, m/2).
func centre(x, m *big.Int) *big.Int {
	x.Mod(x, m)
	if new(big.Int).Lsh(x, 1).Cmp(m) > 0 {
		x.Sub(x, m)
	}
	return x
}
