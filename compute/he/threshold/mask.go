package threshold

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/emmansun/gmsm/sm3"
	"github.com/yumen-project/yumen/compute/he"
)

// maxMaskBits is the greatest log2 of B: 2B+1 fits in 128 bits.
const maxMaskBits = 126

// mask is a whole number of 128 bits, two's complement.
type mask struct{ hi, lo uint64 }

// uniform draws a mask in [-B, B], B = 2^n, exactly uniform: b = n+2 bits of
// HMAC-SM3(k, domain, id, counter) at a time, values above 2B skipped, B taken
// away. A try succeeds with probability just above 1/2. The time depends on
// skipped values only.
func uniform(k, id [32]byte, n uint) mask {
	mac := hmac.New(sm3.New, k[:])
	var sum [sm3.Size]byte
	for counter := uint32(0); ; counter++ {
		mac.Reset()
		mac.Write([]byte("yumen threshold mask 1"))
		mac.Write(id[:])
		mac.Write(binary.BigEndian.AppendUint32(nil, counter))
		mac.Sum(sum[:0])
		for half := sum[:]; len(half) > 0; half = half[16:] {
			v := mask{binary.BigEndian.Uint64(half), binary.BigEndian.Uint64(half[8:])}.low(n + 2)
			if m, ok := v.centre(n); ok {
				return m
			}
		}
	}
}

// low keeps the n least significant bits.
func (m mask) low(n uint) mask {
	if n <= 64 {
		return mask{0, m.lo & (1<<n - 1)} // 1<<64 - 1 is all ones
	}
	return mask{m.hi & (1<<(n-64) - 1), m.lo}
}

// power is 2^n.
func power(n uint) mask {
	if n >= 64 {
		return mask{1 << (n - 64), 0}
	}
	return mask{0, 1 << n}
}

// centre maps [0, 2B] to [-B, B] and refuses the rest.
func (m mask) centre(n uint) (mask, bool) {
	twice, b := power(n+1), power(n)
	if m.hi > twice.hi || (m.hi == twice.hi && m.lo > twice.lo) {
		return mask{}, false
	}
	lo, borrow := bits.Sub64(m.lo, b.lo, 0)
	hi, _ := bits.Sub64(m.hi, b.hi, borrow)
	return mask{hi, lo}, true
}

// mod is the residue below q.
func (m mask) mod(q uint64) uint64 {
	sign := uint64(int64(m.hi) >> 63)
	lo, carry := bits.Add64(m.lo^sign, sign&1, 0)
	hi := m.hi ^ sign + carry
	r := bits.Rem64(hi, lo, q)
	// q - r where negative, without a branch; r = 0 stays 0
	neg := (q - r) & (uint64(int64(r-1)>>63) ^ ^uint64(0))
	return r&^sign | neg&sign
}

// sampleID is the hash of what holders multiply: the uniform halves, each with
// its key, in the rising order of the keys. B and the limb are not in it: one A
// always gets one mask, so that nobody averages by asking again with another B
// or another limb.
func sampleID(p *he.Parameters, o *he.Opening) [32]byte {
	id := p.ID()
	h := sm3.New()
	h.Write([]byte("yumen threshold sample 1"))
	h.Write(id[:])
	h.Write([]byte{uint8(len(o.Keys))})
	buf := make([]byte, 7*p.N()+1)
	for k, key := range o.Keys {
		h.Write(key[:])
		for _, row := range o.A[k].Coeffs {
			h.Write(sevenBytes(buf, row))
		}
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// sevenBytes writes residues below 2^56, 7 bytes each, little endian. buf has one
// byte more than is used.
func sevenBytes(buf []byte, row []uint64) []byte {
	for i, x := range row {
		binary.LittleEndian.PutUint64(buf[7*i:], x)
	}
	return buf[:7*len(row)]
}

// checkOpening refuses an opening that is not of these parameters' form.
func checkOpening(p *he.Parameters, o *he.Opening) error {
	if o == nil || o.Limb < 0 || o.Limb >= p.Limbs() {
		return fmt.Errorf("%w: opening without a limb of these parameters", ErrMalformed)
	}
	if len(o.Keys) == 0 || len(o.Keys) > MaxKeys || len(o.A) != len(o.Keys) {
		return fmt.Errorf("%w: opening of %d keys, %d samples", ErrMalformed, len(o.Keys), len(o.A))
	}
	q := p.Q()
	if !below(o.B, 1, q) {
		return fmt.Errorf("%w: opening's constant part", ErrMalformed)
	}
	for k, poly := range o.A {
		if k > 0 && bytes.Compare(o.Keys[k-1][:], o.Keys[k][:]) >= 0 {
			return fmt.Errorf("%w: opening's keys do not rise", ErrMalformed)
		}
		if len(poly.Coeffs) != len(q) {
			return fmt.Errorf("%w: sample modulo %d primes, want %d", ErrMalformed, len(poly.Coeffs), len(q))
		}
		for i, row := range poly.Coeffs {
			if !below(row, p.N(), q[i:i+1]) {
				return fmt.Errorf("%w: sample %d modulo prime %d", ErrMalformed, k, i)
			}
		}
	}
	return nil
}

// below reports whether v has n residues for each prime, all below it.
func below(v []uint64, n int, primes []uint64) bool {
	if len(v) != n*len(primes) {
		return false
	}
	var bad uint64
	for i, q := range primes {
		for _, x := range v[i*n : i*n+n] {
			bad |= q - 1 - x | x
		}
	}
	return bad>>63 == 0
}
