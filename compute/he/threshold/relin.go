package threshold

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"
	"github.com/yumen-project/yumen/compute/he"
)

// RelinPart is a component's contribution to one round of the relinearisation
// key, or the sum of contributions: per digit two polynomials modulo Q*P in the
// NTT domain.
type RelinPart struct{ H0, H1 []ringqp.Poly }

// relinSecrets are sigma and the ephemeral u of a component, NTT, Montgomery.
type relinSecrets struct {
	r        ringqp.Ring
	sigma, u ringqp.Poly
	noise    *stream
	buf      []int8
}

// newRelinSecrets derives them; context separates the errors of all that a
// component ever multiplies its secrets with.
func newRelinSecrets(p *he.Parameters, seed Seed, crs [32]byte, context ...[]byte) (*relinSecrets, error) {
	if !p.Multiplies() {
		return nil, fmt.Errorf("%w: these parameters do not multiply", ErrMismatch)
	}
	sigma, err := secretOf(p, seed)
	if err != nil {
		return nil, err
	}
	ephemeral, err := seed.stream(p, labelRelin, crs[:], []byte("ephemeral"))
	if err != nil {
		return nil, err
	}
	s := &relinSecrets{r: *p.RLWE().RingQP(), buf: make([]int8, p.N())}
	if s.noise, err = seed.stream(p, labelRelin, append([][]byte{crs[:]}, context...)...); err != nil {
		return nil, err
	}
	s.sigma = s.lift(sigma)
	ephemeral.ternary(s.buf)
	s.u = s.lift(s.buf)
	s.r.MForm(s.sigma, s.sigma)
	s.r.MForm(s.u, s.u)
	return s, nil
}

func (s *relinSecrets) lift(v []int8) ringqp.Poly {
	return ringqp.Poly{Q: lift(s.r.RingQ, v), P: lift(s.r.RingP, v)}
}

func (s *relinSecrets) error() ringqp.Poly {
	s.noise.errors(s.buf)
	return s.lift(s.buf)
}

// RelinRoundOne is a component's first contribution (Mouchet, Troncoso-Pastoriza,
// Bossuat, Hubaux, PETS 2021, protocol 2, with errors from the seed): per digit i
// with the uniform a_i of the common random string and g_i, 1 modulo prime i of Q
// and 0 modulo the others,
//
//	h0 = -u*a_i + P*g_i*sigma + e0,   h1 = sigma*a_i + e1.
func RelinRoundOne(p *he.Parameters, seed Seed, crs [32]byte) (*RelinPart, error) {
	s, err := newRelinSecrets(p, seed, crs, []byte{1})
	if err != nil {
		return nil, err
	}
	part := new(RelinPart)
	scaled := s.r.RingQ.NewPoly() // P*sigma, not Montgomery
	s.r.RingQ.IMForm(s.sigma.Q, scaled)
	s.r.RingQ.MulScalarBigint(scaled, s.r.RingP.Modulus(), scaled)
	for i, sub := range s.r.RingQ.SubRings[:s.r.RingQ.Level()+1] {
		a, err := p.ExpandQP(crs, relinLabel(i))
		if err != nil {
			return nil, err
		}
		h0, h1 := s.error(), s.error()
		s.r.MulCoeffsMontgomeryThenSub(a, s.u, h0)
		sub.Add(h0.Q.Coeffs[i], scaled.Coeffs[i], h0.Q.Coeffs[i])
		s.r.MulCoeffsMontgomeryThenAdd(a, s.sigma, h1)
		part.H0, part.H1 = append(part.H0, h0), append(part.H1, h1)
	}
	return part, nil
}

func relinLabel(digit int) string { return "relinearisation digit " + string(rune('0'+digit)) }

// RelinRoundTwo is a component's second contribution, from the sum of the first
// ones: h0' = sigma*h0 + e2, h1' = (u - sigma)*h1 + e3. The errors depend on the
// sum: with the same ones for two sums, the difference of two contributions would
// be sigma times a known polynomial, without any error.
func RelinRoundTwo(p *he.Parameters, seed Seed, crs [32]byte, sum *RelinPart) (*RelinPart, error) {
	if !p.Multiplies() || !sum.fits(p) {
		return nil, fmt.Errorf("%w: sum of first contributions", ErrMismatch)
	}
	id := sm3.Sum(sum.Bytes())
	s, err := newRelinSecrets(p, seed, crs, []byte{2}, id[:])
	if err != nil {
		return nil, err
	}
	part := new(RelinPart)
	difference := s.r.NewPoly()
	s.r.Sub(s.u, s.sigma, difference)
	for i := range sum.H0 {
		h0, h1 := s.error(), s.error()
		s.r.MulCoeffsMontgomeryThenAdd(sum.H0[i], s.sigma, h0)
		s.r.MulCoeffsMontgomeryThenAdd(sum.H1[i], difference, h1)
		part.H0, part.H1 = append(part.H0, h0), append(part.H1, h1)
	}
	return part, nil
}

// fits reports whether a part has one pair of polynomials per prime of Q, all
// residues below their primes.
func (r *RelinPart) fits(p *he.Parameters) bool {
	if r == nil || len(r.H0) != len(p.Q()) || len(r.H1) != len(r.H0) {
		return false
	}
	for _, poly := range slices.Concat(r.H0, r.H1) {
		if !inRows(poly.Q.Coeffs, p.Q(), p.N()) || !inRows(poly.P.Coeffs, primesOf(p.RLWE().RingQP().RingP), p.N()) {
			return false
		}
	}
	return true
}

func inRows(rows [][]uint64, primes []uint64, n int) bool {
	if len(rows) != len(primes) {
		return false
	}
	for i, row := range rows {
		if !below(row, n, primes[i:i+1]) {
			return false
		}
	}
	return true
}

// SumRelin adds the contributions of all components to one round.
func SumRelin(p *he.Parameters, parts []*RelinPart) *RelinPart {
	r := p.RLWE().RingQP()
	sum := new(RelinPart)
	for range p.Q() {
		sum.H0, sum.H1 = append(sum.H0, r.NewPoly()), append(sum.H1, r.NewPoly())
	}
	for _, part := range parts {
		for i := range sum.H0 {
			r.Add(sum.H0[i], part.H0[i], sum.H0[i])
			r.Add(sum.H1[i], part.H1[i], sum.H1[i])
		}
	}
	return sum
}

// FinishRelin makes the key from the sums of both rounds: B = h0' + h1', A = h1.
// With s, u, e the sums over components, B + A*s = P*g_i*s^2 + s*e0 + u*e1 + e2 +
// e3: the bound is at he.Parameters.RelinNoise.
func FinishRelin(p *he.Parameters, one, two *RelinPart) *he.RelinKey {
	r := p.RLWE().RingQP()
	key := new(he.RelinKey)
	for i := range one.H0 {
		b := r.NewPoly()
		r.Add(two.H0[i], two.H1[i], b)
		key.Digits = append(key.Digits, he.RelinDigit{B: b, A: one.H1[i]})
	}
	return key
}

// PublicPartSize is the number of bytes of a contribution to the public key.
func PublicPartSize(p *he.Parameters) int { return rowsSize(p, p.Q()) }

// RelinPartSize is the number of bytes of a contribution to one round.
func RelinPartSize(p *he.Parameters) int {
	return 2 * len(p.Q()) * (rowsSize(p, p.Q()) + rowsSize(p, primesOf(p.RLWE().RingQP().RingP)))
}

// PublicPartBytes is the canonical form: residues of 7 bytes, little endian.
func PublicPartBytes(p *he.Parameters, part ring.Poly) []byte {
	return appendRows(nil, part.Coeffs)
}

// ParsePublicPart accepts the canonical form only.
func ParsePublicPart(p *he.Parameters, b []byte) (ring.Poly, error) {
	part := p.RingQ().NewPoly()
	if rest, ok := readRows(part.Coeffs, p.Q(), b); !ok || len(rest) != 0 {
		return ring.Poly{}, fmt.Errorf("%w: public key contribution of %d bytes", ErrMalformed, len(b))
	}
	return part, nil
}

// Bytes is the canonical form: per digit H0 and H1, each modulo Q, then P.
func (r *RelinPart) Bytes() []byte {
	var b []byte
	for i := range r.H0 {
		for _, poly := range []ringqp.Poly{r.H0[i], r.H1[i]} {
			b = appendRows(appendRows(b, poly.Q.Coeffs), poly.P.Coeffs)
		}
	}
	return b
}

// ParseRelinPart accepts the canonical form only.
func ParseRelinPart(p *he.Parameters, b []byte) (*RelinPart, error) {
	if !p.Multiplies() || len(b) != RelinPartSize(p) {
		return nil, fmt.Errorf("%w: relinearisation contribution of %d bytes", ErrMalformed, len(b))
	}
	r := p.RLWE().RingQP()
	part := new(RelinPart)
	for range p.Q() {
		pair := [2]ringqp.Poly{r.NewPoly(), r.NewPoly()}
		for _, poly := range pair {
			var ok, okP bool
			b, ok = readRows(poly.Q.Coeffs, p.Q(), b)
			b, okP = readRows(poly.P.Coeffs, primesOf(r.RingP), b)
			if !ok || !okP {
				return nil, fmt.Errorf("%w: relinearisation contribution", ErrMalformed)
			}
		}
		part.H0, part.H1 = append(part.H0, pair[0]), append(part.H1, pair[1])
	}
	return part, nil
}

func primesOf(r *ring.Ring) []uint64 { return r.ModuliChain()[:r.Level()+1] }

func rowsSize(p *he.Parameters, primes []uint64) int { return 7 * p.N() * len(primes) }

func appendRows(b []byte, rows [][]uint64) []byte {
	for _, row := range rows {
		at := len(b)
		b = append(b, make([]byte, 7*len(row)+1)...)
		b = b[:at+len(sevenBytes(b[at:], row))]
	}
	return b
}

// readRows fills rows from the front of b; every residue is below its prime.
func readRows(rows [][]uint64, primes []uint64, b []byte) ([]byte, bool) {
	var bad uint64
	for i, row := range rows {
		if len(b) < 7*len(row) {
			return nil, false
		}
		for j := range row {
			x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
				uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48
			row[j] = x
			_, borrow := bits.Sub64(x, primes[i], 0)
			bad |= borrow ^ 1
			b = b[7:]
		}
	}
	return b, bad == 0
}
