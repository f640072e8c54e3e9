package fpe

import (
	"crypto/aes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// NIST, "FF1 Samples", for SP 800-38G: AES with keys of 128, 192 and 256 bits.
func TestNISTSamples(t *testing.T) {
	const full = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94"
	for _, c := range []struct {
		bytes                     int
		alphabet, tweak, in, want string
	}{
		{16, "digits", "", "0123456789", "2433477484"},
		{16, "digits", "9876543210", "0123456789", "6124200773"},
		{16, "alnum", "7777pqrs777", "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
		{24, "digits", "", "0123456789", "2830668132"},
		{24, "digits", "9876543210", "0123456789", "2496655549"},
		{24, "alnum", "7777pqrs777", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
		{32, "digits", "", "0123456789", "6657667009"},
		{32, "digits", "9876543210", "0123456789", "1001623463"},
		{32, "alnum", "7777pqrs777", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
	} {
		key, err := hex.DecodeString(full[:2*c.bytes])
		require.NoError(t, err)
		block, err := aes.NewCipher(key)
		require.NoError(t, err)
		p := Params{Alphabet: c.alphabet, Tweak: c.tweak}
		require.Equal(t, c.want, enciphered(t, newTextOn(newEngine(block), alphabetOf(t, p), p, false), c.in)[0])
		require.Equal(t, c.in, enciphered(t, newTextOn(newEngine(block), alphabetOf(t, p), p, true), c.want)[0])
		x := numeralsOf(t, p, c.in)
		newEngine(block).long(len(alphabetOf(t, p).symbols), []byte(c.tweak), x, false)
		require.Equal(t, numeralsOf(t, p, c.want), x, "the form for long values")
	}
}
