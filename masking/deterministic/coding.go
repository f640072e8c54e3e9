package deterministic

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// coding is a way to write bytes as text. decode accepts only what encode
// writes: one text for each content.
type coding struct {
	size   func(n int) int
	encode func(dst, src []byte)
	decode func(dst, src []byte) (int, error)
}

var errCoding = errors.New("not canonical")

func codingOf(name string) (coding, bool) {
	switch name {
	case "", Base64:
		e := base64.RawURLEncoding
		return coding{size: e.EncodedLen, encode: e.Encode, decode: decodeBase64}, true
	case Hex:
		return coding{size: hex.EncodedLen, encode: func(dst, src []byte) { hex.Encode(dst, src) }, decode: decodeHex}, true
	}
	return coding{}, false
}

// decodeBase64 refuses the line breaks the library would skip.
func decodeBase64(dst, src []byte) (int, error) {
	if bytes.ContainsAny(src, "\r\n") {
		return 0, errCoding
	}
	return base64.RawURLEncoding.Strict().Decode(dst, src)
}

// decodeHex refuses upper case, which encode never writes.
func decodeHex(dst, src []byte) (int, error) {
	for _, c := range src {
		if c >= 'A' && c <= 'F' {
			return 0, errCoding
		}
	}
	return hex.Decode(dst, src)
}
