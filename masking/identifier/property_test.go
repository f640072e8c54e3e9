package identifier_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
)

var kinds = []identifier.Kind{
	identifier.ResidentID, identifier.Mobile, identifier.CreditCode,
	identifier.PersonName, identifier.Opaque, identifier.BankCard,
}

// wide writes the ASCII characters of s in their full-width form.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7F {
			return r + 0xFEE0
		}
		return r
	}, s)
}

// FuzzCanonical: no input panics, allocates without bound or has a canonical
// form that is not its own.
func FuzzCanonical(f *testing.F) {
	for _, c := range good {
		f.Add(c.in)
	}
	f.Add("A. .B . 李 ··.")
	f.Add("\xff\x00+86")
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range kinds {
			out, err := identifier.Canonical(k, s)
			app, appErr := identifier.AppendCanonical([]byte("p"), k, []byte(s))
			require.Equal(t, err, appErr)
			require.Equal(t, "p"+out, string(app))
			if err != nil {
				continue
			}
			require.True(t, utf8.ValidString(out))
			require.NotEmpty(t, out)
			require.LessOrEqual(t, len(out), 256)
			again, err := identifier.Canonical(k, out)
			require.NoErrorf(t, err, "%s %q", k, out)
			require.Equal(t, out, again)
		}
	})
}

func TestResidentSpellingsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`2202(02|03|04|11)19[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}`).Draw(t, "body")
		want, err := identifier.ResidentIDWithCheck(body)
		require.NoError(t, err)
		cut := rapid.IntRange(0, len(want)).Draw(t, "cut")
		gap := rapid.SampledFrom([]string{" ", "　", "-", "－", "\t", "\u00a0", "\u200b"}).Draw(t, "gap")
		for _, s := range []string{
			want, strings.ToLower(want), wide(want), wide(strings.ToLower(want)),
			want[:cut] + gap + want[cut:], body[:6] + body[8:],
		} {
			got, err := identifier.Canonical(identifier.ResidentID, s)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// One wrong digit, or two neighbours exchanged, is always noticed: the promise
// of MOD 11-2.
func TestResidentCheckNoticesSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`22020219[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}`).Draw(t, "body")
		id, err := identifier.ResidentIDWithCheck(body)
		require.NoError(t, err)
		b := []byte(id)
		i := rapid.IntRange(0, 16).Draw(t, "at")
		if rapid.Bool().Draw(t, "swap") && i < 16 {
			b[i], b[i+1] = b[i+1], b[i]
		} else {
			b[i] = '0' + (b[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		}
		if string(b) == id {
			t.Skip("equal neighbours")
		}
		_, err = identifier.Canonical(identifier.ResidentID, string(b))
		require.Error(t, err)
	})
}

// A wrong character of a credit code is always noticed: 31 is prime.
func TestCreditCheckNoticesSlips(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	rapid.Check(t, func(t *rapid.T) {
		code, err := identifier.CreditCodeWithCheck("91220202" + rapid.StringMatching(`[0-9A-HJ-NP-RTUWXY]{9}`).Draw(t, "body"))
		require.NoError(t, err)
		got, err := identifier.Canonical(identifier.CreditCode, wide(strings.ToLower(code)))
		require.NoError(t, err)
		require.Equal(t, code, got)
		b := []byte(code)
		i := rapid.IntRange(0, 17).Draw(t, "at")
		b[i] = alphabet[rapid.IntRange(0, 30).Draw(t, "to")]
		if string(b) != code {
			_, err = identifier.Canonical(identifier.CreditCode, string(b))
			require.Error(t, err)
		}
	})
}

func TestCanonicalFormsAllocateNothing(t *testing.T) {
	dst := make([]byte, 0, 256)
	for _, c := range good {
		in := []byte(c.in)
		n := testing.AllocsPerRun(20, func() {
			if _, err := identifier.AppendCanonical(dst, c.kind, in); err != nil {
				t.Fatal(err)
			}
		})
		require.Zerof(t, n, "%s %q", c.kind, c.in)
	}
}

func BenchmarkAppendCanonical(b *testing.B) {
	cases := map[string]struct {
		k identifier.Kind
		s string
	}{
		"resident":     {identifier.ResidentID, "11010519491231002X"},
		"residentWide": {identifier.ResidentID, wide("11010519491231002X")},
		"mobile":       {identifier.Mobile, "13800138000"},
		"credit":       {identifier.CreditCode, "91350100M000100Y43"},
		"name":         {identifier.PersonName, "阿依古丽·买买提"},
	}
	for name, c := range cases {
		b.Run(name, func(b *testing.B) {
			dst, in := make([]byte, 0, 256), []byte(c.s)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := identifier.AppendCanonical(dst, c.k, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
