// Package deterministic enciphers text so that equal values come out equal and
// nothing else can be read (确定性加密): a synthetic initialisation vector, the
// construction of RFC 5297 with the national primitives:
//
//	iv         = first 16 bytes of HMAC-SM3(k1, len(ad) || ad || plaintext), len in 8 bytes
//	ciphertext = iv || SM4-CTR(k2, iv, plaintext)
//
// written in base64 or hexadecimal. k1 and k2 are derived from the key given by
// labelled HMAC-SM3. It is not the AES-SIV of the RFC and interoperates with
// nothing.
//
// What is protected: the value, and its integrity: Decrypter accepts only what
// this key made for this associated data. Columns of different associated data
// cannot be compared.
//
// What is not protected: equality, and with it frequencies; the length in
// bytes; whatever the key holder wants to know. The result is pseudonymous
// data, never fit for a public release: the policy must refuse it there.
package deterministic

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Encodings of the result (Params.Encoding).
const (
	Base64 = "base64" // URL alphabet, no padding
	Hex    = "hex"    // lower case
)

const (
	minKey        = 16
	maxKey        = 64
	maxAssociated = 1024
	maxValue      = 1 << 20
)

// Params is a literal; New checks it.
type Params struct {
	// Associated data is bound into every value: what was made for one column
	// does not decipher, and does not compare, in another. By convention the
	// name of the column. 1 to 1024 bytes.
	Associated string
	// Encoding is base64 (also when empty) or hex.
	Encoding string
}

// Parse reads associated and encoding. Where the policy says no associated
// data, the caller puts the name of the column.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		switch name {
		case "associated":
			if v == "" || !utf8.ValidString(v) {
				return p, errors.New("parameter associated: want UTF-8 text, not empty")
			}
			p.Associated = v
		case "encoding":
			if v != Base64 && v != Hex {
				return p, errors.New("parameter encoding: want base64 or hex")
			}
			p.Encoding = v
		default:
			return p, fmt.Errorf("parameter %q is unknown to deterministic", name)
		}
	}
	return p, nil
}

// New checks the parameters and makes the kernel that enciphers. key is 16 to
// 64 random bytes; it is not kept.
func New(p Params, key []byte) (kernel.Kernel, error) { return open(p, key, false) }

// NewDecrypter makes the kernel that gives back the text New with the same
// parameters and key has enciphered; anything else is malformed. It opens what
// masking has closed: for key holders, never on a way out.
func NewDecrypter(p Params, key []byte) (kernel.Kernel, error) { return open(p, key, true) }

func open(p Params, key []byte, back bool) (kernel.Kernel, error) {
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("deterministic: want a key of %d to %d bytes", minKey, maxKey)
	}
	if p.Associated == "" || len(p.Associated) > maxAssociated {
		return nil, fmt.Errorf("deterministic: want associated data of 1 to %d bytes", maxAssociated)
	}
	code, ok := codingOf(p.Encoding)
	if !ok {
		return nil, errors.New("deterministic: want encoding base64 or hex")
	}
	keys, err := derive(key, p.Associated)
	if err != nil {
		return nil, fmt.Errorf("deterministic: %w", err)
	}
	return &sealer{keys: keys, code: code, back: back}, nil
}
