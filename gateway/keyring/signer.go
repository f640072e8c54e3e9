package keyring

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm2"
)

// Signer signs messages for the one purpose it was made for. A hardware module
// can stand behind it.
type Signer interface {
	Public() PublicKey
	// Sign gives 64 bytes, r and s, big endian.
	Sign(msg []byte) ([]byte, error)
}

// SignerKey is an SM2 key pair of one purpose. The zero value signs nothing. It
// prints "[key]". It is safe for concurrent use.
type SignerKey struct {
	k *signerState
}

type signerState struct {
	purpose   Purpose
	public    PublicKey
	private   *sm2.PrivateKey
	rand      io.Reader
	destroyed atomic.Bool
}

// GenerateSigner makes a key pair for the purpose. rand must be a
// cryptographically strong source and safe for concurrent use; it is also used
// to hedge signatures.
func GenerateSigner(p Purpose, rand io.Reader) (SignerKey, error) {
	if !p.valid() {
		return SignerKey{}, fmt.Errorf("generate signer: %w", ErrName)
	}
	if rand == nil {
		return SignerKey{}, fmt.Errorf("generate signer: %w: no source of randomness", ErrKey)
	}
	priv, err := sm2.GenerateKey(rand)
	if err != nil {
		return SignerKey{}, fmt.Errorf("generate signer: %w", err)
	}
	raw := make(secret, 32)
	defer raw.wipe()
	priv.D.FillBytes(raw)
	return newSigner(p, raw, rand)
}

// newSigner makes a signer of 32 bytes; values outside [1, n-2] are refused.
func newSigner(p Purpose, raw secret, rand io.Reader) (SignerKey, error) {
	if len(raw) != 32 {
		return SignerKey{}, fmt.Errorf("load signer: %w: length is not 32", ErrKey)
	}
	priv, err := sm2.NewPrivateKey(raw)
	if err != nil {
		return SignerKey{}, fmt.Errorf("load signer: %w: out of range", ErrKey)
	}
	s := &signerState{purpose: p, private: priv, rand: rand}
	s.public.point[0] = 4
	priv.X.FillBytes(s.public.point[1:33])
	priv.Y.FillBytes(s.public.point[33:])
	return SignerKey{k: s}, nil
}

// Public is the verifying key; the zero key for the zero value.
func (s SignerKey) Public() PublicKey {
	if s.k == nil {
		return PublicKey{}
	}
	return s.k.public
}

// Purpose is what the key may be used for; empty for the zero value.
func (s SignerKey) Purpose() Purpose {
	if s.k == nil {
		return ""
	}
	return s.k.purpose
}

// Sign signs msg for the key's purpose: SM2 with SM3, the user identity
// "yumen", and the purpose's context before the message.
func (s SignerKey) Sign(msg []byte) ([]byte, error) {
	if s.k == nil {
		return nil, fmt.Errorf("sign: %w: no key", ErrKey)
	}
	if s.k.purpose == Envelope {
		return nil, fmt.Errorf("sign: %w: a key for envelopes", ErrKey)
	}
	if s.k.destroyed.Load() {
		return nil, fmt.Errorf("sign: %w", ErrDestroyed)
	}
	full := append(s.k.purpose.context(make([]byte, 0, 64+len(msg))), msg...)
	digest, err := sm2.CalculateSM2Hash(&s.k.private.PublicKey, full, []byte(userID))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	der, err := sm2.SignASN1(s.k.rand, s.k.private, digest, nil)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return rawFromDER(der)
}

// raw is the private value, for storing it.
func (s SignerKey) raw() secret {
	out := make(secret, 32)
	s.k.private.D.FillBytes(out)
	return out
}

// String prints "[key]".
func (SignerKey) String() string { return redacted }

// GoString prints "[key]".
func (SignerKey) GoString() string { return redacted }

// Format prints "[key]" for every verb.
func (SignerKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue prints "[key]".
func (SignerKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText prints "[key]".
func (SignerKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
