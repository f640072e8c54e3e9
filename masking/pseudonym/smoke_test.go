package pseudonym

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/kernel"
)

// slow is what a pseudonym is, written for reading.
func slow(p Params, key []byte, canonical string) string {
	h := hmac.New(sm3.New, key)
	h.Write([]byte(canonical))
	bits := p.Bits
	if bits == 0 {
		bits = DefaultBits
	}
	code := h.Sum(nil)[:bits/8]
	if p.Encoding == Base32 {
		return p.Prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(code))
	}
	return p.Prefix + hex.EncodeToString(code)
}

func TestEveryWidth(t *testing.T) {
	key := []byte("0123456789abcdef")
	in := residents(t, 600)
	for bits := MinBits; bits <= MaxBits; bits += 8 {
		for _, p := range []Params{{Bits: bits}, {Bits: bits, Encoding: Base32, Prefix: "p-"}} {
			k, err := New(p, key)
			require.NoError(t, err)
			out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			require.NoError(t, err)
			for i := range in.Len() {
				require.Equal(t, slow(p, key, in.Value(i)), out.(*array.String).Value(i))
			}
		}
	}
}
