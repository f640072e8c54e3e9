package dp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
)

const (
	seedBytes   = 32 + aes.BlockSize // key and counter block of AES-256-CTR
	sourceBytes = 8 << 10            // key stream of one key
)

// Source expands a seed into random words: AES-256 in counter mode with fast key
// erasure. Each stretch of 8 KiB of key stream gives first the key of the next
// stretch, and then words, each wiped as it is handed out; so a copy of the
// memory tells nothing of earlier words. It costs some nanoseconds a word where
// the processor has AES instructions. Without them Go's AES looks tables up, and
// its time shows in a shared cache.
//
// A Source is for one goroutine.
type Source struct {
	seed io.Reader
	buf  [sourceBytes]byte
	at   int // next unread byte; read ones are zero, the first seedBytes are the next key
	bits uint64
	left int // unread bits
}

// NewSource reads 48 bytes of seed, crypto/rand.Reader in production. The reader
// is kept for Reseed and read nowhere else.
func NewSource(seed io.Reader) (*Source, error) {
	if seed == nil {
		return nil, fmt.Errorf("seed noise source: %w: no reader", ErrParameter)
	}
	s := &Source{seed: seed}
	if err := s.Reseed(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reseed mixes 48 fresh bytes of seed into the state and drops what was buffered.
// On an error the state is as before.
func (s *Source) Reseed() error {
	var fresh [seedBytes]byte
	if _, err := io.ReadFull(s.seed, fresh[:]); err != nil {
		return fmt.Errorf("seed noise source: %w", err)
	}
	for i := range fresh {
		fresh[i] ^= s.buf[i] // the next key, zero at first
	}
	clear(s.buf[:])
	copy(s.buf[:], fresh[:])
	clear(fresh[:])
	s.bits, s.left = 0, 0
	s.refill()
	return nil
}

// refill replaces key and key stream. The buffer is zero beyond the key.
func (s *Source) refill() {
	var key [seedBytes]byte
	copy(key[:], s.buf[:])
	clear(s.buf[:seedBytes])
	block, _ := aes.NewCipher(key[:32]) // the length is right: no error
	cipher.NewCTR(block, key[32:]).XORKeyStream(s.buf[:], s.buf[:])
	clear(key[:])
	s.at = seedBytes
}

// word is the next 64 random bits.
func (s *Source) word() uint64 {
	if s.at >= sourceBytes {
		s.refill()
	}
	b := s.buf[s.at : s.at+8 : s.at+8]
	w := binary.LittleEndian.Uint64(b)
	clear(b)
	s.at += 8
	return w
}

// bit is one random bit.
func (s *Source) bit() uint64 {
	if s.left == 0 {
		s.bits, s.left = s.word(), 64
	}
	b := s.bits & 1
	s.bits >>= 1
	s.left--
	return b
}

// String hides the state.
func (s *Source) String() string { return "[noise source]" }

// GoString hides the state.
func (s *Source) GoString() string { return s.String() }

// LogValue hides the state.
func (s *Source) LogValue() slog.Value { return slog.StringValue(s.String()) }
