package job

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/masking/identifier"
)

func TestCodeAsTheTemplateDeclares(t *testing.T) {
	type told struct{ absent, withheld bool } // merged
	cases := map[told]map[lookup.Answer]release.Code{
		{false, false}: {lookup.NotFound: release.NotFound, lookup.Withheld: release.Withheld},
		{true, false}:  {lookup.NotFound: release.No, lookup.Withheld: release.Withheld},
		{false, true}:  {lookup.NotFound: release.NotFound, lookup.Withheld: release.NotFound},
		{true, true}:   {lookup.NotFound: release.No, lookup.Withheld: release.No},
	}
	for merge, want := range cases {
		p := &template{mergeAbsent: merge.absent, mergeWithheld: merge.withheld}
		require.Equal(t, release.Yes, p.code(lookup.Yes))
		require.Equal(t, release.No, p.code(lookup.No))
		for a, code := range want {
			require.Equal(t, code, p.code(a), "%+v %v", merge, a)
		}
		id := &template{identity: true, mergeAbsent: merge.absent, mergeWithheld: merge.withheld}
		require.Equal(t, release.Match, id.code(lookup.Match))
		require.Equal(t, release.Mismatch, id.code(lookup.Mismatch))
		for a, code := range want {
			if code == release.No {
				code = release.Mismatch
			}
			require.Equal(t, code, id.code(a))
		}
		// What an index has no name for is never "yes".
		for a := range 256 {
			code := p.code(lookup.Answer(a))
			require.True(t, code.Valid())
			if code == release.Yes {
				require.Contains(t, []lookup.Answer{lookup.Yes, lookup.Match}, lookup.Answer(a))
			}
		}
	}
}

func questions() *rapid.Generator[*spec.Question] {
	word := rapid.SampledFrom([]string{"", "a", "b", "ab", "ba", "\x00", "a\x00b", "张"})
	return rapid.Custom(func(t *rapid.T) *spec.Question {
		q := &spec.Question{
			Kind: spec.Kind(rapid.IntRange(1, 3).Draw(t, "kind")), Party: word.Draw(t, "party"), Scenario: word.Draw(t, "scenario"),
			Query: word.Draw(t, "query"), Consent: word.Draw(t, "consent"), Key: word.Draw(t, "key"), KeyTime: time.UnixMilli(1),
		}
		for range rapid.IntRange(0, 2).Draw(t, "subjects") {
			q.Subjects = append(q.Subjects, spec.Subject{Number: word.Draw(t, "number"), Name: word.Draw(t, "name"), Phone: word.Draw(t, "phone")})
		}
		return q
	})
}

// Two questions share key or request exactly if they are the same: no way of splitting fields makes
// one look like another.
func TestIdempotencyKeyAndRequestAreInjective(t *testing.T) {
	type key struct{ party, key string }
	type request struct {
		kind                     spec.Kind
		scenario, query, consent string
		subjects                 [2]spec.Subject
		n                        int
	}
	r0 := keyed(t)
	keys, requests := map[[16]byte]key{}, map[[16]byte]request{}
	rapid.Check(t, func(t *rapid.T) {
		q := questions().Draw(t, "question")
		id := r0.idem(q)
		k := key{q.Party, q.Key}
		if old, ok := keys[id.Key]; ok {
			require.Equal(t, old, k)
		}
		keys[id.Key] = k
		r := request{kind: q.Kind, scenario: q.Scenario, query: q.Query, consent: q.Consent, n: len(q.Subjects)}
		copy(r.subjects[:], q.Subjects)
		if old, ok := requests[id.Request]; ok {
			require.Equal(t, old, r)
		}
		requests[id.Request] = r
		require.Equal(t, id, r0.idem(q))
	})
}

// keyed is a runner that has its keys and nothing else.
func keyed(t *testing.T) *Runner {
	t.Helper()
	ring, err := keyring.Open(t.TempDir(), keyring.Options{})
	require.NoError(t, err)
	mac, err := ring.MAC(keyring.Subject, "attempts")
	require.NoError(t, err)
	return &Runner{subjects: mac}
}

// Whoever holds the log without the key cannot try subjects: another key gives another digest.
func TestRequestDigestIsKeyed(t *testing.T) {
	q := &spec.Question{Party: "a", Key: "key", Subjects: []spec.Subject{{Number: "x"}}}
	one, other := keyed(t).idem(q), keyed(t).idem(q)
	require.NotEqual(t, one.Request, other.Request)
	require.NotEqual(t, one.Key, other.Key)
}

func TestIdempotencyKeyIsThePartysOwn(t *testing.T) {
	r := keyed(t)
	a := &spec.Question{Party: "a", Key: "key"}
	b := &spec.Question{Party: "b", Key: "key"}
	require.NotEqual(t, r.idem(a).Key, r.idem(b).Key)
	later := *a
	later.KeyTime = time.UnixMilli(5)
	require.Equal(t, r.idem(a).Request, r.idem(&later).Request, "when the key was made is no part of what is asked")
}

func TestBadKey(t *testing.T) {
	now := time.UnixMilli(1)
	for key, bad := range map[string]bool{
		"": true, strings.Repeat("k", spec.MinKey-1): true, strings.Repeat("k", spec.MinKey): false,
		strings.Repeat("k", spec.MaxKey): false, strings.Repeat("k", spec.MaxKey+1): true,
	} {
		require.Equal(t, bad, badKey(key, now), "%d", len(key))
	}
	good := strings.Repeat("k", spec.MinKey)
	require.True(t, badKey(good, time.UnixMilli(0)))
	require.True(t, badKey(good, time.UnixMilli(-1)))
	require.True(t, badKey(good, time.Time{}))
}

func TestRequestRowsAreCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &spec.Subject{Number: rapid.String().Draw(t, "number"), Name: rapid.String().Draw(t, "name"), Phone: rapid.String().Draw(t, "phone")}
		row := requestRow(s)
		require.NoError(t, receipt.RequireCanonical(row))
		named := namedRow("query", s.Name, s.Number)
		require.NoError(t, receipt.RequireCanonical(named))
	})
	require.Equal(t, `{"name":"张\"伟","number":"1","phone":""}`, string(requestRow(&spec.Subject{Number: "1", Name: `张"伟`})))
}

func TestScopesDoNotCollide(t *testing.T) {
	require.NotEqual(t, scopeOf("quota", "ab", "c"), scopeOf("quota", "a", "bc"))
	require.NotEqual(t, scopeOf("quota", "a"), scopeOf("quota", "a", ""))
	require.NotEqual(t, scopeOf("quota", "a"), scopeOf("consent", "a"))
}

func TestCanonicalSubject(t *testing.T) {
	var p person
	s := &spec.Subject{Number: " １１０１０５19491231002x ", Name: "张 伟", Phone: "+86 138 0013 8000"}
	require.NoError(t, canonical(&p, s, identifier.ResidentID, true))
	require.Equal(t, "11010519491231002X", string(p.number))
	require.Equal(t, "13800138000", string(p.phone))
	for name, bad := range map[string]*spec.Subject{
		"empty":      {},
		"check":      {Number: "110105194912310020", Name: "张伟", Phone: "13800138000"},
		"no name":    {Number: "11010519491231002X", Phone: "13800138000"},
		"no phone":   {Number: "11010519491231002X", Name: "张伟"},
		"short fone": {Number: "11010519491231002X", Name: "张伟", Phone: "138"},
	} {
		require.Error(t, canonical(&p, bad, identifier.ResidentID, true), name)
	}
	require.NoError(t, canonical(&p, &spec.Subject{Number: "11010519491231002X"}, identifier.ResidentID, false))
}

func FuzzCanonicalSubject(f *testing.F) {
	f.Add("11010519491231002X", "张伟", "13800138000", true)
	f.Add("\xff\xfe", strings.Repeat("·", 80), "+86", true)
	f.Fuzz(func(t *testing.T, number, name, phone string, identity bool) {
		var p, again person
		s := &spec.Subject{Number: number, Name: name, Phone: phone}
		if err := canonical(&p, s, identifier.ResidentID, identity); err != nil {
			if number != "" {
				require.NotContains(t, err.Error(), number+name+phone)
			}
			return
		}
		back := &spec.Subject{Number: string(p.number), Name: string(p.name), Phone: string(p.phone)}
		require.NoError(t, canonical(&again, back, identifier.ResidentID, identity))
		require.Equal(t, p, again, "the canonical form is its own")
	})
}

func TestActs(t *testing.T) {
	require.Equal(t, governance.ActVerify, actOf(spec.Verify))
	require.Equal(t, governance.ActBatch, actOf(spec.Batch))
	require.Equal(t, governance.ActTable, actOf(spec.Table))
	require.Equal(t, governance.AttemptsExhausted, exhaustedRule(ledger.Attempts))
	for _, k := range []ledger.AccountKind{ledger.Quota, ledger.ConsentUse, ledger.JobRuns} {
		require.Equal(t, governance.QuotaExhausted, exhaustedRule(k))
	}
}
