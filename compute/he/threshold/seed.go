package threshold

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"log/slog"
	"math/bits"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/yumen-project/yumen/compute/he"
)

// Seed is the 32-byte secret of one component, known to its members. All else
// of the component follows from it. It prints as [key].
type Seed [32]byte

// String hides the seed.
func (Seed) String() string { return "[key]" }

// GoString hides the seed.
func (Seed) GoString() string { return "[key]" }

// LogValue hides the seed.
func (Seed) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalJSON hides the seed.
func (Seed) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }

// Labels of what is derived from a seed: never two uses of one label.
const (
	labelSecret    = "secret"
	labelMask      = "mask"
	labelPublicKey = "public key error"
	labelRelin     = "relinearisation"
	labelSwitch    = "key switch"
)

// derive is HMAC-SM3 keyed by the seed over domain, parameter id, label, context.
func (s Seed) derive(p *he.Parameters, label string, context ...[]byte) [32]byte {
	id := p.ID()
	mac := hmac.New(sm3.New, s[:])
	mac.Write([]byte("yumen threshold seed 1"))
	mac.Write(id[:])
	writeField(mac, []byte(label))
	for _, c := range context {
		writeField(mac, c)
	}
	var out [32]byte
	mac.Sum(out[:0])
	return out
}

func writeField(w io.Writer, b []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(b)))
	_, _ = w.Write(n[:])
	_, _ = w.Write(b)
}

// stream is SM4-CTR with the derived value's halves as key and first counter,
// in blocks. It cannot fail and does not end in practice (2^128 blocks).
type stream struct {
	ctr cipher.Stream
	buf [1024]byte
	at  int
}

func (s Seed) stream(p *he.Parameters, label string, context ...[]byte) (*stream, error) {
	k := s.derive(p, label, context...)
	return newStream(k)
}

func newStream(k [32]byte) (*stream, error) {
	block, err := sm4.NewCipher(k[:16])
	if err != nil {
		return nil, err
	}
	return &stream{ctr: cipher.NewCTR(block, k[16:]), at: 1024}, nil
}

func (s *stream) word() uint64 {
	if s.at == len(s.buf) {
		clear(s.buf[:])
		s.ctr.XORKeyStream(s.buf[:], s.buf[:])
		s.at = 0
	}
	x := binary.LittleEndian.Uint64(s.buf[s.at:])
	s.at += 8
	return x
}

// ternary fills v with independent uniform values of -1, 0, 1: two bits at a
// time, from the least significant of each word, 3 skipped.
func (s *stream) ternary(v []int8) {
	for i := 0; i < len(v); {
		w := s.word()
		for k := 0; k < 32 && i < len(v); k++ {
			if d := w & 3; d != 3 {
				v[i] = int8(d) - 1
				i++
			}
			w >>= 2
		}
	}
}

// errorBound is the greatest absolute value of an error, the encryptor's tail
// too: he.Parameters.FreshNoise counts on it. Errors are of the centred binomial
// distribution of 2*21 coins, variance 21/2, deviation 3.24 (the security table
// asks for 3.2), drawn again where beyond the bound (probability 2^-35). It takes
// whole numbers only: the same on every machine, which floating point is not, and
// members must agree bit for bit.
const errorBound = 19

// errors fills v with independent errors.
func (s *stream) errors(v []int8) {
	const coins, mask = 21, 1<<21 - 1
	for i := 0; i < len(v); {
		w := s.word()
		e := bits.OnesCount64(w&mask) - bits.OnesCount64(w>>coins&mask)
		if e >= -errorBound && e <= errorBound {
			v[i] = int8(e)
			i++
		}
	}
}
