package keyring

import (
	"crypto/cipher"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"
)

// MaxEnvelope bounds what one envelope holds, in bytes.
const MaxEnvelope = 1 << 20

const (
	envelopeVersion = 1
	envelopeKey     = 16                    // SM4
	envelopeHead    = 65 + 32 + envelopeKey // C1, C3, C2 of GB/T 32918.4
	envelopeTag     = 16                    // GCM
	envelopeMin     = 1 + envelopeHead + envelopeTag
)

// SealTo enciphers plain so that only the holder of the private key of to can
// read it: a fresh SM4 key under SM2 (GB/T 32918.4, order C1 C3 C2), and plain
// under SM4-GCM with that key, bound to aad. The nonce is zero, as the key is
// used once. The envelope is 130 bytes longer than plain.
//
// Whoever can read to can make an envelope: it says nothing of its sender. Sign
// what is inside.
func SealTo(to PublicKey, aad, plain []byte, rand io.Reader) ([]byte, error) {
	if len(plain) > MaxEnvelope {
		return nil, fmt.Errorf("seal envelope: %w", ErrTooLong)
	}
	if to.IsZero() {
		return nil, fmt.Errorf("seal envelope: %w: no key", ErrKey)
	}
	pub, err := sm2.NewPublicKey(to.point[:])
	if err != nil {
		return nil, fmt.Errorf("seal envelope: %w", ErrKey)
	}
	key := make(secret, envelopeKey)
	defer key.wipe()
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, fmt.Errorf("seal envelope: %w", err)
	}
	head, err := sm2.Encrypt(rand, pub, key, nil)
	if err != nil {
		return nil, fmt.Errorf("seal envelope: %w", err)
	}
	if len(head) != envelopeHead {
		return nil, fmt.Errorf("seal envelope: %w", ErrKey)
	}
	aead, err := envelopeAEAD(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, envelopeMin+len(plain))
	out = append(append(out, envelopeVersion), head...)
	return aead.Seal(out, make([]byte, aead.NonceSize()), plain, envelopeContext(aad)), nil //nolint:gosec // the key is used once
}

// OpenEnvelope reads what SealTo made for this key under the same aad. The key
// must be of purpose Envelope. ErrOpen: anything else.
func (s SignerKey) OpenEnvelope(aad, sealed []byte) ([]byte, error) {
	if s.k == nil || s.k.purpose != Envelope {
		return nil, fmt.Errorf("open envelope: %w: not a key for envelopes", ErrKey)
	}
	if s.k.destroyed.Load() {
		return nil, fmt.Errorf("open envelope: %w", ErrDestroyed)
	}
	if len(sealed) < envelopeMin || len(sealed) > envelopeMin+MaxEnvelope || sealed[0] != envelopeVersion || sealed[1] != 4 {
		return nil, fmt.Errorf("open envelope: %w", ErrOpen)
	}
	raw, err := sm2.Decrypt(s.k.private, sealed[1:1+envelopeHead])
	key := secret(raw)
	defer key.wipe()
	if err != nil || len(key) != envelopeKey {
		return nil, fmt.Errorf("open envelope: %w", ErrOpen)
	}
	aead, err := envelopeAEAD(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), sealed[1+envelopeHead:], envelopeContext(aad))
	if err != nil {
		return nil, fmt.Errorf("open envelope: %w", ErrOpen)
	}
	return plain, nil
}

func envelopeAEAD(key secret) (cipher.AEAD, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return cipher.NewGCM(block)
}

func envelopeContext(aad []byte) []byte {
	return append(Envelope.context(make([]byte, 0, 64+len(aad))), aad...)
}
