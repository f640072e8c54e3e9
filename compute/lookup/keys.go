package lookup

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"hash"
	"log/slog"
	"sync"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// The sizes the Keys interface is made of, in bytes.
const (
	MacSize   = 32 // HMAC-SM3
	NonceSize = 12 // SM4-GCM
	TagSize   = 16
)

// Keys is what an index needs of whoever holds the keys of one version. All
// methods are safe for concurrent use, keep none of their arguments, and append
// to dst, which does not overlap the other arguments.
type Keys interface {
	// Mac appends HMAC-SM3 of msg, MacSize bytes.
	Mac(dst, msg []byte) []byte
	// Seal appends the SM4-GCM ciphertext of plain and its tag. Nonces are
	// random, so one version seals at most 2^32 records.
	Seal(dst, nonce, plain, aad []byte) []byte
	// Open appends the plaintext, or fails and appends nothing.
	Open(dst, nonce, sealed, aad []byte) ([]byte, error)
}

// VersionKeys holds the keys of one version in memory, both derived from a
// master key. It prints as "[key]".
type VersionKeys struct {
	macs sync.Pool // of hash.Hash
	aead cipher.AEAD
}

var _ Keys = (*VersionKeys)(nil)

// NewKeys derives the keys of a version with HMAC-SM3 as the pseudorandom
// function in one-block counter mode (NIST SP 800-108): a 32-byte key for Mac
// and a 16-byte key for Seal and Open, told apart by their labels.
func NewKeys(master [32]byte, version string) (*VersionKeys, error) {
	macKey := derive(master[:], "yumen/lookup/mac/1", version)
	sealKey := derive(master[:], "yumen/lookup/seal/1", version)
	block, err := sm4.NewCipher(sealKey[:16])
	if err != nil {
		return nil, fmt.Errorf("derive index keys: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("derive index keys: %w", err)
	}
	k := &VersionKeys{aead: aead}
	k.macs.New = func() any { return hmac.New(sm3.New, macKey) }
	return k, nil
}

func derive(master []byte, label, version string) []byte {
	h := hmac.New(sm3.New, master)
	h.Write(binary.BigEndian.AppendUint32(nil, 1))
	h.Write(appendFields(nil, label, version))
	return h.Sum(nil)
}

// Mac implements Keys.
func (k *VersionKeys) Mac(dst, msg []byte) []byte {
	h, ok := k.macs.Get().(hash.Hash)
	if !ok {
		return dst // the pool holds nothing else
	}
	h.Reset()
	h.Write(msg)
	dst = h.Sum(dst)
	k.macs.Put(h)
	return dst
}

// Seal implements Keys.
func (k *VersionKeys) Seal(dst, nonce, plain, aad []byte) []byte {
	return k.aead.Seal(dst, nonce, plain, aad)
}

// Open implements Keys.
func (k *VersionKeys) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	return k.aead.Open(dst, nonce, sealed, aad)
}

const masked = "[key]"

// String prints no key.
func (*VersionKeys) String() string { return masked }

// GoString prints no key.
func (*VersionKeys) GoString() string { return masked }

// LogValue prints no key.
func (*VersionKeys) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON prints no key.
func (*VersionKeys) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }
