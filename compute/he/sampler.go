package he

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
)

// source is a fast stream of random bytes: AES-256 in counter mode under a key
// read from the caller's source of randomness, a new one for every batch.
type source struct {
	stream cipher.Stream
	buf    [4096]byte
	at     int
}

// seed starts the stream anew with 48 bytes of rand.
func (s *source) seed(rand io.Reader) error {
	var seed [48]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return fmt.Errorf("seed the sampler: %w", err)
	}
	block, err := aes.NewCipher(seed[:32])
	if err != nil {
		return err
	}
	s.stream, s.at = cipher.NewCTR(block, seed[32:]), len(s.buf)
	return nil
}

// forget drops the key and what is left of the stream.
func (s *source) forget() {
	s.stream, s.at = nil, len(s.buf)
	clear(s.buf[:])
}

// take gives the next n bytes, n at most 8 and a divisor of the buffer.
func (s *source) take(n int) []byte {
	if s.at+n > len(s.buf) {
		clear(s.buf[:])
		s.stream.XORKeyStream(s.buf[:], s.buf[:])
		s.at = 0
	}
	b := s.buf[s.at : s.at+n : s.at+n]
	s.at += n
	return b
}

func (s *source) word() uint64 { return binary.LittleEndian.Uint64(s.take(8)) }

// ternary fills dst with uniform -1, 0, 1: five from every byte below 3^5.
func (s *source) ternary(dst []int8) {
	for len(dst) > 0 {
		x := s.take(1)[0]
		if x >= 243 {
			continue
		}
		for k := 0; k < 5 && len(dst) > 0; k++ {
			dst[0] = int8(x%3) - 1
			dst = dst[1:]
			x /= 3
		}
	}
}
