package he

import (
	"crypto/cipher"
	"encoding/binary"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"
)

// Expand turns a common random string into a uniform polynomial modulo Q: per
// prime an SM4-CTR stream whose key and counter are the two halves of
// SM3(domain, parameter id, seed, label, prime), read as 64-bit little endian
// words cut to the prime's bits, words not below the prime skipped. The domain
// (coefficients or NTT) is the caller's word, uniform is uniform in both.
func (p *Parameters) Expand(seed [32]byte, label string) (ring.Poly, error) {
	poly := p.ringQ.NewPoly()
	return poly, p.expandRows(poly, p.q, seed, label)
}

// ExpandQP is Expand modulo Q*P, for relinearisation keys. The rows of Q equal
// those of Expand for the same seed and label: give each use its own label.
func (p *Parameters) ExpandQP(seed [32]byte, label string) (ringqp.Poly, error) {
	poly := p.rlwe.RingQP().NewPoly()
	if err := p.expandRows(poly.Q, p.q, seed, label); err != nil {
		return ringqp.Poly{}, err
	}
	return poly, p.expandRows(poly.P, p.p, seed, label)
}

func (p *Parameters) expandRows(poly ring.Poly, primes []uint64, seed [32]byte, label string) error {
	for i, prime := range primes {
		h := sm3.New()
		h.Write([]byte("yumen he expand 1"))
		h.Write(p.id[:])
		h.Write(seed[:])
		writeBytes(h.Write, []byte(label))
		h.Write(binary.BigEndian.AppendUint64(nil, prime))
		sum := h.Sum(nil)
		block, err := sm4.NewCipher(sum[:16])
		if err != nil {
			return err
		}
		fillUniform(poly.Coeffs[i], prime, cipher.NewCTR(block, sum[16:]))
	}
	return nil
}

func fillUniform(row []uint64, prime uint64, stream cipher.Stream) {
	mask := uint64(1)
	for mask < prime {
		mask = mask<<1 | 1
	}
	var buf [1024]byte
	at := len(buf)
	for i := 0; i < len(row); {
		if at == len(buf) {
			clear(buf[:])
			stream.XORKeyStream(buf[:], buf[:])
			at = 0
		}
		x := binary.LittleEndian.Uint64(buf[at:]) & mask
		at += 8
		if x < prime {
			row[i] = x
			i++
		}
	}
}
