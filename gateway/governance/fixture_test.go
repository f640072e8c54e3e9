package governance

import (
	"crypto/rand"
	_ "embed"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/keyring"
)

//go:embed testdata/domain.yaml
var domainText string

// The subject of the consents in testdata/domain.yaml: the example of GB 11643.
const (
	person     = "11010519491231002X"
	propertyID = "property-finance"
	housingID  = "housing-service"
)

var noon = time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC)

// keys of the parties that sign, made once for all tests.
var keys = sync.OnceValue(func() map[string]keyring.SignerKey {
	out := map[string]keyring.SignerKey{}
	for _, id := range []string{"shuju", "zhujian", "renshe", "gongan", "spare"} {
		k, err := keyring.GenerateSigner(keyring.Approval, rand.Reader)
		if err != nil {
			return nil
		}
		out[id] = k
	}
	return out
})

// edit changes the text of a domain file in one place.
type edit struct{ old, new string }

func textOf(t testing.TB, edits ...edit) string {
	t.Helper()
	s := domainText
	for _, e := range edits {
		require.Contains(t, s, e.old)
		s = strings.Replace(s, e.old, e.new, 1)
	}
	for id, k := range keys() {
		s = strings.ReplaceAll(s, "KEY:"+id, k.Public().String())
	}
	return s
}

func domainOf(t testing.TB, edits ...edit) *Domain {
	t.Helper()
	d, err := ParseDomain([]byte(textOf(t, edits...)))
	require.NoError(t, err)
	return d
}

// sign gives all approvals that the scenarios of d need.
func sign(t testing.TB, d *Domain) []Approval {
	t.Helper()
	var out []Approval
	for i := range d.Scenarios {
		for _, k := range required(&d.Scenarios[i]) {
			a, err := SignApproval(d, ObjectScenario, d.Scenarios[i].ID, k.party, k.role, keys()[k.party])
			require.NoError(t, err)
			out = append(out, a)
		}
	}
	return out
}

func policyOf(t testing.TB, edits ...edit) *Policy {
	t.Helper()
	d := domainOf(t, edits...)
	p, err := NewPolicy(nil, d, sign(t, d), noon)
	require.NoError(t, err)
	return p
}

// ask is a question that the fixture permits, changed by the edits.
func ask(edits ...func(*Ask)) *Ask {
	a := &Ask{Party: "bank", Scenario: propertyID, Act: ActVerify, Query: "owns-home", Consent: "c-0001", Subject: []byte(person), At: noon}
	for _, e := range edits {
		e(a)
	}
	return a
}

func refuses(t testing.TB, p *Policy, a *Ask, rule Rule) *Refusal {
	t.Helper()
	d, r := p.Decide(a)
	require.Nil(t, d)
	require.NotNil(t, r)
	require.Equal(t, rule, r.Rule)
	return r
}

func permits(t testing.TB, p *Policy, a *Ask) *Decision {
	t.Helper()
	d, r := p.Decide(a)
	require.Nil(t, r)
	require.NotNil(t, d)
	return d
}
