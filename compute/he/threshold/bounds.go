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
// The 1 is the carry: the encoder writes m in [0, T), so a weighted sum is
// T*k + m' with m' centred and |k| <= sum|w|, and k counts as noise.
//
// A weighted sum of encrypted values with weights w has noise at most
// Fresh*sum|w|; over several keys the same, for the masks are added once.
// Weight = floor((Room - C*B)/Fresh) bounds sum|w|. For products the noise is
// he.Parameters.ProductNoise and RelinNoise; CheckNoise takes any.
//
// Distance. The sum of the masks and a noise e differs from the sum of the
// masks in statistical distance at most |e|/(2B+1): the masks of components
// that an attacker knows cancel from its view, and shifting one uniform mask by
// e moves that much mass. With the default a limb of a sum over 10^9 rows adds
// 2^-37 (2^-40.8 from the noise; the carry, at most one a row, is the greater
// part), over 10^6 rows 2^-45.5; two limbs of 2^16 scalars, the default cap, add
// up to 2^-20 and 2^-28.5. The worst noise that keeps within the encryptor's tails
// gives 2^-18 a limb at 10^9 rows; no honest encryptor comes near it. See Distance.
type Bounds struct {
	MaskBits uint     // log2 B
	Room     *big.Int // greatest total |noise|
	Headroom *big.Int // greatest |noise| of ciphertexts: Room - C*B
	Fresh    *big.Int // greatest |noise| of one encryption
	Weight   *big.Int // greatest sum of absolute weights of fresh encryptions

	components int
	degree     int
}

// NewBounds computes the bounds.
func NewBounds(p *he.Parameters, s Sharing) (Bounds, error) {
	if s.Components() == 0 {
		return Bounds{}, fmt.Errorf("%w: no sharing", ErrSharing)
	}
	c := s.Components()
	b := Bounds{Room: p.NoiseLimit(), Fresh: p.FreshNoise(c), components: c, degree: p.N()}
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
// plain sum of rows honest encryptions, and of the same for the greatest noise
// that any accepted weight allows. Honest: per row the noise has variance
// N*(2/3)*C*21/2 + 3.2^2 + N*3.2^2*C*2/3; six deviations of the sum of
// independent rows (Gaussian tail below 2^-28) plus the carry, at most one a
// row, stand for |e|. Openings add: multiply by limbs and the scalar cap.
func (b Bounds) Distance(rows float64) (honest, worst float64) {
	const sigma2 = 3.2 * 3.2
	c, n := float64(b.components), float64(b.degree)
	variance := n*2/3*c*21/2 + sigma2 + n*sigma2*c*2/3
	half := float64(b.MaskBits) + 1
	return math.Log2(6*math.Sqrt(rows*variance)+rows) - half, math.Log2(rows) + log2(b.Fresh) - half
}

func log2(x *big.Int) float64 {
	if x.Sign() <= 0 {
		return math.Inf(-1)
	}
	f, _ := new(big.Float).SetInt(x).Float64()
	return math.Log2(f)
}
