package governance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCanonicalReadsBackIntoTheSameDomain(t *testing.T) {
	d := domainOf(t)
	text, err := d.Canonical()
	require.NoError(t, err)
	require.Contains(t, string(text), person)
	back, err := ParseDomain(text)
	require.NoError(t, err)
	again, err := back.Canonical()
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	for _, s := range d.Scenarios {
		a, err := d.ScenarioDigest(s.ID)
		require.NoError(t, err)
		b, err := back.ScenarioDigest(s.ID)
		require.NoError(t, err)
		require.Equal(t, a, b)
	}
	p, err := NewPolicy(nil, back, sign(t, d), noon)
	require.NoError(t, err)
	require.Equal(t, policyOf(t).Refuse(Suspended), p.Refuse(Suspended))
	permits(t, p, ask())
}

func TestSubjectsOfConsentsNeverPrint(t *testing.T) {
	d := domainOf(t)
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "domain", d, "consent", d.Consents[0], "subject", d.Consents[0].Subject)
	text := log.String()
	c := d.Consents[0]
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%c", "%08b"} {
		text += fmt.Sprintf(verb, c.Subject) + fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, d.Consents) + fmt.Sprintf(verb, *d)
	}
	j, err := json.Marshal(d)
	require.NoError(t, err)
	text += string(j)
	_, err = NewPolicy(nil, domainOf(t, edit{`"110105 19491231002x"`, `"110105 19491231002x "`}), nil, noon)
	text += fmt.Sprint(err)
	for _, secret := range []string{person, fmt.Sprintf("%x", person), fmt.Sprintf("%X", person), "19491231"} {
		require.NotContains(t, text, secret)
	}
	require.Contains(t, text, redacted)
}

// TestPolicyHashHidesSubjects: the hash is published, and a subject could be guessed from a hash.
func TestPolicyHashHidesSubjects(t *testing.T) {
	a := policyOf(t)
	text := strings.Replace(textOf(t), "110105 19491231002x", "440524188001010014", 1)
	d, err := ParseDomain([]byte(text))
	require.NoError(t, err)
	b, err := NewPolicy(nil, d, sign(t, a.domain), noon)
	require.NoError(t, err)
	require.Equal(t, a.Hash, b.Hash)
	refuses(t, b, ask(), ConsentForeign)
	permits(t, b, ask(func(a *Ask) { a.Subject = []byte("440524188001010014") }))
	require.NotEqual(t, a.Hash, policyOf(t, edit{"until: 2026-12-31, letter", "until: 2026-12-30, letter"}).Hash)
}

func TestR31_ConsentIsAnObjectComparedInCanonicalForm(t *testing.T) {
	p := policyOf(t)
	c := permits(t, p, ask()).Consent
	require.True(t, c.Subject.Equal([]byte(person)))
	require.False(t, c.Subject.Equal([]byte("11010519491231002x")))
	require.False(t, c.Subject.Equal(nil))
	_, err := ParseDomain([]byte(textOf(t, edit{"unit: bank, scenario: property-finance, templates: [owns-home]", `unit: bank, scenario: property-finance, templates: ["*"]`})))
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, ConsentBlanket, e.Rule)
	require.Equal(t, "八（三）", e.Refusal.Article)
	require.Equal(t, "R31", e.Refusal.Requirement)
}

func seeds(f *testing.F) {
	f.Add([]byte(domainText))
	f.Add([]byte(textOf(f)))
	f.Add([]byte("yumen: 1\ndomain: d\njurisdiction: jilin\n"))
	f.Add([]byte(`{"yumen":1,"domain":"d","jurisdiction":"dazhou","consents":[{"templates":["*"]}]}`))
	f.Add([]byte("a: &a [*a]\n---\n? [x]\n: !!str y\n<<: z"))
	f.Add([]byte("yumen-approvals: 1\napprovals:\n  - {object: scenario, id: a, party: b, role: provider, digest: c, signature: d}\n"))
}

// FuzzParseDomain: nothing panics; what is accepted has a canonical form that is
// accepted and is its own canonical form, and can be put into force and asked.
func FuzzParseDomain(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := ParseDomain(file)
		if err != nil {
			require.Nil(t, d)
			require.IsType(t, FileErrors{}, err)
			require.NotEmpty(t, err.Error())
			return
		}
		text, err := d.Canonical()
		require.NoError(t, err)
		back, err := ParseDomain(text)
		require.NoError(t, err)
		again, err := back.Canonical()
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
		p, err := NewPolicy(nil, d, nil, noon)
		require.NoError(t, err)
		for _, s := range d.Scenarios {
			for _, u := range s.Units {
				for _, q := range s.Templates {
					_, r := p.Decide(&Ask{Party: u.Party, Scenario: s.ID, Act: ActVerify, Query: q, At: noon})
					require.NotNil(t, r, "nothing is approved")
				}
			}
		}
	})
}

// FuzzParseApprovals: nothing panics; what is accepted can be written and read again.
func FuzzParseApprovals(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		as, err := ParseApprovals(file)
		if err != nil {
			require.IsType(t, FileErrors{}, err)
			return
		}
		text, err := MarshalApprovals(as)
		require.NoError(t, err)
		back, err := ParseApprovals(text)
		require.NoError(t, err)
		require.Equal(t, as, back)
	})
}
