package threshold

import (
	"fmt"
	"math"
	"math/big"

	"github.com/yumen-project/yumen/compute/he"
)

// Bounds are the noise bounds of openings under parameters and a sharing, in
// whole numbers. C components, ring degree N, s = sum of C ternary parts, so
// |s| <= C in every coefficient.
//
// Decoding. An opening's phase is T^-1*m + e mod Q; T*phase = m + T*e mod Q.
// With |m| <= (T-1)/2 the centred residue is m + T*e itself, and m follows, iff
// |m + T*e| <= (Q-1)/2, which |e| <= (Q-T)/(2T) ensures. The package he takes a
// little less (NoiseLimit), so with
//
//	Room = floor(Q/(2T)) - 1 <= (Q-T)/(2T), T the greatest plaintext prime,
//
// a scalar decodes if the noise of the ciphertexts and the C masks together are
// at most Room in absolute value.
//
// Masks. Each is uniform in [-B, B], B = 2^MaskBits the greatest power of two
// with C*B <= 7/8 of Room. For the sums' parameters and 2 of 3 holders Room is
// about 2^68, 3*2^66 is 0.75 of it: B = 2^66.
//
// Fresh noise. An encryption is (u*b + e0 + T^-1*m, u*a + e1), b = -a*s + e_pk:
// its noise is u*e_pk + e0 + e1*s. u is ternary, e_pk the sum of C errors of at
// most 19, e0 and e1 at most 19, each product of polynomials a sum of N terms:
//
//	Fresh = N*19*C + 19 + N*19*C + 1      (worst case)
//
// The 1 is what centring may take: the encoder writes the residue in (-T/2, T/2),
// as T^-1*r - 1 where that is r-T, so that a phase holds the number itself. While
// every value is within T/2 (36-bit primes: below 2^35) the multiple of T in a sum
// of residues follows from the result and tells nothing. Of longer values the
// residues' sum is T*k + m' with |k| <= sum|w|/2, and k is hidden like an error.
//
// A weighted sum of encrypted values with weights w has noise at most
// Fresh*sum|w|; over several keys the same, for the masks are added once.
// Weight = floor((Room - C*B)/Fresh) bounds sum|w|. For products the noise is
// he.Parameters.ProductNoise and RelinNoise; CheckNoise takes any.
//
// Distance. Given all errors e of the openings of a key set, whatever their
// relations, masks of distinct A are independent (PRF), so all that is opened
// differs from masks alone by at most the sum of |e|/(2B+1): the masks of
// components that an attacker knows cancel from its view, and shifting a uniform
// mask by e moves that much mass. One A has one answer and counts once. With the
// default a limb of a sum over 10^9 rows adds 2^-38.3 (2^-40.8 with six deviations
// of an average key), over 10^6 rows 2^-43.3; two limbs of 2^16 scalars, the
// default cap, 2^-21.3 and 2^-26.3. If values reach beyond T/2, k adds up to 2^-38
// at 10^9 rows. Weights w count as sum w^2 rows. The worst error within the
// encryptor's tails gives 2^-18 a limb at 10^9 rows; no honest encryptor comes
// near it. See Distance, and he.Parameters.CheckHiding, which plans must pass.
type Bounds struct {
	MaskBits uint     // log2 B
	Room     *big.Int // greatest total |noise|
	Headroom *big.Int // greatest |noise| of ciphertexts: Room - C*B
	Fresh    *big.Int // greatest |noise| of one encryption
	Weight   *big.Int // greatest sum of absolute weights of fresh encryptions

	variance *big.Int // of one encryption's noise
}

// NewBounds computes the bounds.
func NewBounds(p *he.Parameters, s Sharing) (Bounds, error) {
	if s.Components() == 0 {
		return Bounds{}, fmt.Errorf("%w: no sharing", ErrSharing)
	}
	c := s.Components()
	b := Bounds{Room: p.NoiseLimit(), Fresh: p.FreshNoise(c), variance: p.FreshVariance(c)}
	n := p.SmudgeBits(c)
	if n < 1 || n > maxMaskBits {
		return Bounds{}, fmt.Errorf("%w: no masks of %d bits", ErrNoise, n)
	}
	b.MaskBits = uint(n)
	b.Headroom = new(big.Int).Sub(b.Room, new(big.Int).Lsh(big.NewInt(int64(c)), b.MaskBits))
	b.Weight = new(big.Int).Div(b.Headroom, b.Fresh)
	return b, nil
}

// Check refuses a weighted sum of fresh encryptions that might not decode.
func (b Bounds) Check(weight *big.Int) error {
	if weight.Sign() < 0 || weight.Cmp(b.Weight) > 0 {
		return fmt.Errorf("%w: weights sum to %d bits, at most %d bits", ErrNoise, weight.BitLen(), b.Weight.BitLen())
	}
	return nil
}

// CheckNoise refuses a noise of ciphertexts that might not decode.
func (b Bounds) CheckNoise(noise *big.Int) error {
	if noise.Sign() < 0 || noise.Cmp(b.Headroom) > 0 {
		return fmt.Errorf("%w: noise of %d bits, at most %d bits", ErrNoise, noise.BitLen(), b.Headroom.BitLen())
	}
	return nil
}

// MaxRows is the greatest number of rows in a plain sum (all weights 1), at
// most 2^63-1.
func (b Bounds) MaxRows() int64 {
	if !b.Weight.IsInt64() {
		return math.MaxInt64
	}
	return b.Weight.Int64()
}

// Distance is log2 of the statistical distance that one opened limb adds, for a
// plain sum of rows honest encryptions (he.Deviations of he.Parameters.FreshVariance
// a row), and of the same for the greatest error within the encryptor's tails.
// Openings add: multiply by limbs and the scalar cap.
func (b Bounds) Distance(rows float64) (honest, worst float64) {
	half := float64(b.MaskBits) + 1
	return math.Log2(he.Deviations) + (math.Log2(rows)+log2(b.variance))/2 - half, math.Log2(rows) + log2(b.Fresh) - half
}

func log2(x *big.Int) float64 {
	if x.Sign() <= 0 {
		return math.Inf(-1)
	}
	f, _ := new(big.Float).SetInt(x).Float64()
	return math.Log2(f)
}
