package pseudonym

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
)

func TestParse(t *testing.T) {
	p, err := Parse(nil)
	require.NoError(t, err)
	require.Equal(t, Params{Bits: DefaultBits, Encoding: Hex}, p)
	p, err = Parse(map[string]string{"bits": "80", "encoding": "base32", "type": "resident_id", "prefix": "人-"})
	require.NoError(t, err)
	require.Equal(t, Params{Bits: 80, Encoding: Base32, Type: identifier.ResidentID, Prefix: "人-"}, p)
	for name, values := range map[string][]string{
		"bits":     {"", "0", "72", "81", "264", "-128", "+128", "0128", "128 ", "99999999999", "x"},
		"encoding": {"", "HEX", "base64", "hex "},
		"type":     {"", "passport", "RESIDENT_ID"},
		"prefix":   {strings.Repeat("p", 33), "a\nb", "\xff", "a\x00", "a\u202eb"},
		"key":      {"abc"},
	} {
		for _, v := range values {
			_, err := Parse(map[string]string{name: v})
			require.Errorf(t, err, "%s %q", name, v)
			require.ErrorContains(t, err, "parameter")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, p := range []Params{{Bits: 79}, {Bits: 100}, {Bits: -8}, {Bits: 1 << 30}, {Encoding: "x"}, {Type: "x"}, {Prefix: "\t"}} {
		_, err := New(p, testKey())
		require.Error(t, err)
	}
	for n := range MinKey {
		_, err := New(Params{}, make([]byte, n))
		require.Error(t, err)
	}
}

// TestKernelPrintsNoKey: neither the key nor what is prepared of it.
func TestKernelPrintsNoKey(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
		one := fmt.Sprintf(verb, newKernel(t, Params{}, testKey()))
		require.Less(t, len(one), 400)
		require.NotContains(t, one, "00010203")
		require.NotContains(t, one, "0 1 2 3")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("128", "hex", "resident_id", "p")
	f.Add("0x80", "", "opaque", "\xff")
	f.Fuzz(func(t *testing.T, bits, encoding, kind, prefix string) {
		p, err := Parse(map[string]string{"bits": bits, "encoding": encoding, "type": kind, "prefix": prefix})
		if err != nil {
			return
		}
		again := p
		require.NoError(t, again.check())
		require.Equal(t, p, again)
		require.True(t, p.Bits >= MinBits && p.Bits <= MaxBits && p.Bits%8 == 0)
		_, err = New(p, testKey())
		require.NoError(t, err)
	})
}
