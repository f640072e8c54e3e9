package job

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
)

func idemRunner(t *testing.T) *Runner {
	t.Helper()
	ring, err := keyring.Open(filepath.Join(t.TempDir(), "keys"), keyring.Options{Rand: rand.Reader})
	require.NoError(t, err)
	mac, err := ring.MAC(keyring.Subject, SubjectKeyName)
	require.NoError(t, err)
	return &Runner{subjects: mac}
}

// The key names the party, the request all that was asked; neither can be computed without the key of
// the ring, nor one request be told in two questions.
func TestIdempotencyBindsPartyKeyAndRequest(t *testing.T) {
	r := idemRunner(t)
	ask := func(change func(*spec.Question)) *ledger.Idem {
		q := &spec.Question{Kind: spec.Verify, Party: "bank", Scenario: "s", Query: "q", Key: "key-0001", KeyTime: time.UnixMilli(7),
			Subjects: []spec.Subject{{Number: "1", Name: "2", Phone: "3"}}}
		change(q)
		return r.idem(q)
	}
	first := ask(func(*spec.Question) {})
	require.Equal(t, first, ask(func(*spec.Question) {}))
	require.EqualValues(t, 7, first.Time)
	require.NotEqual(t, first.Key, first.Request)
	for name, change := range map[string]func(*spec.Question){
		"kind":        func(q *spec.Question) { q.Kind = spec.Batch },
		"scenario":    func(q *spec.Question) { q.Scenario = "t" },
		"border":      func(q *spec.Question) { q.Scenario, q.Query = "sq", "" },
		"consent":     func(q *spec.Question) { q.Consent = "c" },
		"number":      func(q *spec.Question) { q.Subjects[0].Number = "9" },
		"name, phone": func(q *spec.Question) { q.Subjects[0].Name, q.Subjects[0].Phone = "23", "" },
		"one more":    func(q *spec.Question) { q.Subjects = append(q.Subjects, spec.Subject{}) },
	} {
		other := ask(change)
		require.Equal(t, first.Key, other.Key, name)
		require.NotEqual(t, first.Request, other.Request, name)
	}
	for name, change := range map[string]func(*spec.Question){
		"party": func(q *spec.Question) { q.Party = "fund" },
		"key":   func(q *spec.Question) { q.Key = "key-0002" },
	} {
		other := ask(change)
		require.NotEqual(t, first.Key, other.Key, name)
		require.NotEqual(t, first.Request, other.Request, "%s: the same request under two keys cannot be told", name)
	}
	foreign := idemRunner(t).idem(&spec.Question{Party: "bank", Key: "key-0001"})
	require.NotEqual(t, first.Key, foreign.Key)
}
