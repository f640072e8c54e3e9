package he

import (
	"encoding/binary"
	"fmt"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// A polynomial is stored prime by prime; a residue takes exactly the bits of
// its prime, least significant bit first, without gaps. Eight residues of b
// bits fill b bytes.

// packedSize is the number of bytes of one polynomial modulo Q.
func (p *Parameters) packedSize() int {
	n := 0
	for _, b := range p.bits {
		n += p.N() / 8 * int(b)
	}
	return n
}

// pack writes residues below 2^b to dst, which holds len(v)*b/8 bytes; len(v)
// is a multiple of 64.
func pack(dst []byte, v []uint64, b uint) {
	var word uint64
	var fill uint
	for _, x := range v {
		word |= x << fill
		fill += b
		if fill >= 64 {
			binary.LittleEndian.PutUint64(dst, word)
			dst = dst[8:]
			fill -= 64
			word = x >> (b - fill)
		}
	}
}

// unpack is the inverse of pack.
func unpack(v []uint64, src []byte, b uint) {
	mask := uint64(1)<<b - 1
	for len(v) >= 8 {
		group := src[:b]
		for k := uint(0); k < 7; k++ {
			at := k * b
			v[k] = binary.LittleEndian.Uint64(group[at>>3:]) >> (at & 7) & mask
		}
		v[7] = binary.LittleEndian.Uint64(group[b-8:]) >> (64 - b)
		v, src = v[8:], src[b:]
	}
}

// canonical reports whether all packed residues are below q.
func canonical(src []byte, b uint, q uint64, scratch []uint64) bool {
	var bad uint64
	for n := int(b) * len(scratch) / 8; len(src) > 0; src = src[n:] {
		unpack(scratch, src[:n], b)
		for _, x := range scratch {
			bad |= q - 1 - x
		}
	}
	return bad>>63 == 0
}

// appendPoly appends the packed form of a polynomial with residues < q.
func (p *Parameters) appendPoly(dst []byte, poly ring.Poly) []byte {
	return appendRows(dst, poly, p.literal.LogQ)
}

func appendRows(dst []byte, poly ring.Poly, sizes []int) []byte {
	for i, row := range poly.Coeffs {
		n := len(row) / 8 * sizes[i]
		dst = append(dst, make([]byte, n)...)
		pack(dst[len(dst)-n:], row, uint(sizes[i]))
	}
	return dst
}

// readPoly reads one polynomial of exactly packedSize bytes and refuses any
// residue that is not below its prime.
func (p *Parameters) readPoly(src []byte) (ring.Poly, error) {
	poly := p.ringQ.NewPoly()
	return poly, readRows(poly, src, p.literal.LogQ, p.q)
}

// readRows fills a polynomial from exactly its packed bytes.
func readRows(poly ring.Poly, src []byte, sizes []int, primes []uint64) error {
	for i, row := range poly.Coeffs {
		n := len(row) / 8 * sizes[i]
		if len(src) < n {
			return fmt.Errorf("%w: polynomial cut short", ErrMalformed)
		}
		unpack(row, src[:n], uint(sizes[i]))
		src = src[n:]
		for j, x := range row {
			if x >= primes[i] {
				return fmt.Errorf("%w: residue %d is not below its prime", ErrMalformed, j)
			}
		}
	}
	if len(src) > 0 {
		return fmt.Errorf("%w: %d bytes after a polynomial", ErrMalformed, len(src))
	}
	return nil
}

// fits reports whether a polynomial has the shape and the residues of Q.
func (p *Parameters) fits(poly ring.Poly) bool { return fitsRows(poly, p.q, p.N()) }

func fitsRows(poly ring.Poly, primes []uint64, n int) bool {
	if len(poly.Coeffs) != len(primes) {
		return false
	}
	for i, row := range poly.Coeffs {
		if len(row) != n {
			return false
		}
		for _, x := range row {
			if x >= primes[i] {
				return false
			}
		}
	}
	return true
}
