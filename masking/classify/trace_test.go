package classify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/classify"
)

// Identifiers hidden among many other values make the column a direct identifier: two hundred of ten
// thousand are two hundred persons.
func TestFewIdentifiersAmongManyValues(t *testing.T) {
	for name, other := range map[string]func(*maker) string{
		"note": func(m *maker) string { return m.sentence() },
		"no":   func(m *maker) string { return m.digits(9) },
		"kind": func(m *maker) string { return pick(m, []string{"a", "b", "c"}) },
	} {
		m := newMaker(11)
		values := m.many(10_000, other)
		for i := range 200 {
			values[i*50] = m.resident()
		}
		r := classifyText(t, name, values, classify.Options{Seed: 5})
		require.Equal(t, classify.Direct, r.Class, name)
		values = append(values, m.many(200_000-10_000, other)...)
		r = classifyText(t, name, values, classify.Options{Seed: 5})
		require.Equal(t, classify.Direct, r.Class, "%s: about ten in the sample", name)
	}
}

// What a reader does not see, and digits of other scripts, do not hide an identifier; nor does a header
// that says something else.
func TestDisguisedIdentifiers(t *testing.T) {
	disguises := map[string]func(string) string{
		"zero-width space":   func(s string) string { return s[:3] + "\u200b" + s[3:] },
		"joiner everywhere":  func(s string) string { return spread(s, "\u200d") },
		"soft hyphen":        func(s string) string { return s[:6] + "\u00ad" + s[6:] },
		"byte order mark":    func(s string) string { return "\ufeff" + s },
		"variation selector": func(s string) string { return s + "\ufe0f" },
		"invisible times":    func(s string) string { return s[:4] + "\u2062" + s[4:] },
		"isolates":           func(s string) string { return "\u2066" + s + "\u2069" },
		"full width":         func(s string) string { return digitsFrom(s, '０') },
		"arabic-indic":       func(s string) string { return digitsFrom(s, '٠') },
		"mathematical":       func(s string) string { return digitsFrom(s, '𝟎') },
		"no-break space":     func(s string) string { return s[:3] + "\u00a0" + s[3:] },
		"thin space":         func(s string) string { return s[:3] + "\u2009" + s[3:] },
		"dash":               func(s string) string { return s[:3] + "–" + s[3:] },
	}
	for name, disguise := range disguises {
		m := newMaker(7)
		for header, make := range map[string]func(*maker) string{"remark": (*maker).resident, "等级": (*maker).mobile} {
			r := classifyText(t, header, m.many(300, func(m *maker) string { return disguise(make(m)) }), classify.Options{})
			require.Equalf(t, classify.Direct, r.Class, "%s %s %s", name, header, r.Type)
		}
	}
}

func spread(s, between string) string {
	out := ""
	for _, r := range s {
		out += string(r) + between
	}
	return out
}

func digitsFrom(s string, zero rune) string {
	out := ""
	for _, r := range s {
		if r >= '0' && r <= '9' {
			r += zero - '0'
		}
		out += string(r)
	}
	return out
}
