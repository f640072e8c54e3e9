package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
)

// userID is the distinguishing identity of GB/T 32918.2, section 5.5: one for
// all keys of the system.
const userID = "yumen"

// SignatureSize is the length of a signature: r and s, 32 bytes each.
const SignatureSize = 64

// pointSize is the length of an uncompressed point: 0x04, x, y.
const pointSize = 65

// PublicKey is a point of the SM2 curve. The zero value verifies nothing. Two
// keys are equal with == if and only if they are the same point.
type PublicKey struct {
	point [pointSize]byte
}

// ParsePublicKey reads an uncompressed point in 130 hexadecimal digits or in
// base64 (88 characters), and refuses points that are not on the curve.
func ParsePublicKey(text string) (PublicKey, error) {
	var k PublicKey
	raw, err := decodePoint(text)
	if err != nil || len(raw) != pointSize || raw[0] != 4 {
		return k, fmt.Errorf("parse public key: %w: not an uncompressed point", ErrKey)
	}
	if _, err := sm2.NewPublicKey(raw); err != nil {
		return k, fmt.Errorf("parse public key: %w: not a point of the SM2 curve", ErrKey)
	}
	copy(k.point[:], raw)
	return k, nil
}

func decodePoint(text string) ([]byte, error) {
	if len(text) == 2*pointSize {
		return hex.DecodeString(text)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodeToString(raw) != text { // line breaks
		return nil, ErrKey
	}
	return raw, nil
}

// Bytes is the uncompressed point, 65 bytes.
func (k PublicKey) Bytes() []byte { return bytes.Clone(k.point[:]) }

// String is the uncompressed point in 130 lower-case hexadecimal digits.
func (k PublicKey) String() string { return hex.EncodeToString(k.point[:]) }

// IsZero tells the zero value.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// ID is SM3 over the uncompressed point: it identifies the key.
func (k PublicKey) ID() [32]byte { return sm3.Sum(k.point[:]) }

// MarshalText gives what String gives.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParsePublicKey.
func (k *PublicKey) UnmarshalText(text []byte) error {
	parsed, err := ParsePublicKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// Verify tells whether sig (64 bytes, r and s) is a signature of this key over
// msg for the purpose.
func (k PublicKey) Verify(purpose Purpose, msg, sig []byte) bool {
	if k.IsZero() || !purpose.valid() || len(sig) != SignatureSize {
		return false
	}
	pub, err := sm2.NewPublicKey(k.point[:])
	if err != nil {
		return false
	}
	digest, err := sm2.CalculateSM2Hash(pub, append(purpose.context(nil), msg...), []byte(userID))
	if err != nil {
		return false
	}
	der, err := derFromRaw(sig)
	return err == nil && sm2.VerifyASN1(pub, digest, der)
}
