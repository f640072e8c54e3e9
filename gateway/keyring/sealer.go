package keyring

import (
	"crypto/cipher"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm4"
)

// Bounds of sealing.
const (
	// SealOverhead is what sealing adds: a nonce of 12 and a tag of 16 bytes.
	SealOverhead = nonceSize + 16
	// MaxSeal bounds the plain text and the associated data of one call.
	MaxSeal = 1 << 30

	nonceSize  = 12
	sealKeyLen = 16
)

// Sealer encrypts with SM4-GCM under random nonces: at most 2^32 messages a
// key. It is safe for concurrent use and prints "[key]".
type Sealer struct {
	aead atomic.Pointer[cipher.AEAD] // nil once destroyed
	rand io.Reader
}

func newSealer(key secret, rand io.Reader) (*Sealer, error) {
	if len(key) != sealKeyLen {
		return nil, fmt.Errorf("make sealer: %w: length is not %d", ErrKey, sealKeyLen)
	}
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make sealer: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make sealer: %w", err)
	}
	s := &Sealer{rand: rand}
	s.aead.Store(&aead)
	return s, nil
}

// Seal appends nonce, cipher text and tag to dst. aad is bound and not stored.
// dst must not overlap plain.
func (s *Sealer) Seal(dst, aad, plain []byte) ([]byte, error) {
	aead := s.aead.Load()
	if aead == nil {
		return nil, fmt.Errorf("seal: %w", ErrDestroyed)
	}
	if len(plain) > MaxSeal || len(aad) > MaxSeal {
		return nil, fmt.Errorf("seal: %w", ErrTooLong)
	}
	n := len(dst)
	out := append(dst, make([]byte, nonceSize)...)
	if _, err := io.ReadFull(s.rand, out[n:]); err != nil {
		return nil, fmt.Errorf("seal: draw nonce: %w", err)
	}
	return (*aead).Seal(out, out[n:n+nonceSize], plain, aad), nil
}

// Open appends the plain text of what Seal made to dst. Any change of sealed or
// aad gives ErrOpen.
func (s *Sealer) Open(dst, aad, sealed []byte) ([]byte, error) {
	aead := s.aead.Load()
	if aead == nil {
		return nil, fmt.Errorf("open: %w", ErrDestroyed)
	}
	if len(sealed) > MaxSeal+SealOverhead || len(aad) > MaxSeal {
		return nil, fmt.Errorf("open: %w", ErrTooLong)
	}
	if len(sealed) < SealOverhead {
		return nil, fmt.Errorf("open: %w", ErrOpen)
	}
	out, err := (*aead).Open(dst, sealed[:nonceSize], sealed[nonceSize:], aad)
	if err != nil {
		return nil, fmt.Errorf("open: %w", ErrOpen)
	}
	return out, nil
}

func (s *Sealer) destroy() { s.aead.Store(nil) }

// String prints "[key]".
func (*Sealer) String() string { return redacted }

// GoString prints "[key]".
func (*Sealer) GoString() string { return redacted }

// Format prints "[key]" for every verb.
func (*Sealer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue prints "[key]".
func (*Sealer) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText prints "[key]".
func (*Sealer) MarshalText() ([]byte, error) { return []byte(redacted), nil }
