package receipt

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func sample() *Statement {
	return &Statement{
		Format: FormatStatement, ID: strings.Repeat("0a", 16), Serial: "YM-20261123-000000000042",
		Time: "2026-11-23T09:30:00.125+08:00", Domain: "jilin", Party: "bank-01", Agreement: "ag-2026-07",
		Scenario: "property-finance", Query: "owns-home", Kind: KindVerify, Consent: "c-91",
		Dataset:   Dataset{ID: "housing", Version: "v3", AsOf: "2026-11-01", Source: "住房和城乡建设局"},
		Technique: Technique{Name: "predicate", Params: map[string]string{"answers": "yes,no", "padding": "64", "common_refinement": "0.125"}},
		Checks: []Check{
			{"agreement-in-force", "2027-06-30", "passed"}, {"template-registered", "2 per field", "passed"},
			{"cell-share", ">= 0.125", "passed"}, {"subject-rate", "5 per day", "passed"},
		},
		Budget: Budget{Name: "calls", Before: 100, After: 99, Limit: 1000, Global: GlobalWithinCap},
		Policy: strings.Repeat("1b", 32), Trust: strings.Repeat("2c", 32), RulePack: "jilin@2026.1", Build: "yumen 0.1.0",
		AllowedUse: "核验不动产抵押贷款申请", Expires: "2027-11-23",
		Request: strings.Repeat("3d", 32), Result: strings.Repeat("4e", 32), Rows: 1,
	}
}

func canonical(t require.TestingT, s *Statement) []byte {
	b, err := s.AppendCanonical(nil)
	require.NoError(t, err)
	return b
}

// generic writes a statement by encoding/json and the generic canonicalizer.
func generic(t require.TestingT, s *Statement) []byte {
	checks := make([]map[string]any, 0, len(s.Checks))
	for _, c := range s.Checks {
		checks = append(checks, map[string]any{"rule": c.Rule, "threshold": c.Threshold, "outcome": c.Outcome})
	}
	params := map[string]string{}
	for k, v := range s.Technique.Params {
		params[k] = v
	}
	plain, err := json.Marshal(map[string]any{
		"format": s.Format, "id": s.ID, "serial": s.Serial, "time": s.Time, "domain": s.Domain, "party": s.Party,
		"agreement": s.Agreement, "scenario": s.Scenario, "query": s.Query, "kind": s.Kind, "consent": s.Consent,
		"dataset":   map[string]any{"id": s.Dataset.ID, "version": s.Dataset.Version, "as_of": s.Dataset.AsOf, "source": s.Dataset.Source},
		"technique": map[string]any{"name": s.Technique.Name, "params": params}, "checks": checks,
		"budget": map[string]any{"name": s.Budget.Name, "before": s.Budget.Before, "after": s.Budget.After,
			"limit": s.Budget.Limit, "global": s.Budget.Global},
		"policy": s.Policy, "trust": s.Trust, "rule_pack": s.RulePack, "build": s.Build, "allowed_use": s.AllowedUse,
		"expires": s.Expires, "request": s.Request, "result": s.Result, "rows": s.Rows,
	})
	require.NoError(t, err)
	out, err := Canonicalize(plain)
	require.NoError(t, err)
	return out
}

func drawStatement(t *rapid.T) *Statement {
	text := rapid.StringN(0, 40, 160)
	name := rapid.StringN(1, 40, 160)
	count := rapid.Int64Range(-MaxInteger, MaxInteger)
	s := sample()
	s.Domain, s.Party, s.Query = name.Draw(t, "domain"), name.Draw(t, "party"), name.Draw(t, "query")
	s.Agreement, s.Scenario, s.Consent = text.Draw(t, "agreement"), text.Draw(t, "scenario"), text.Draw(t, "consent")
	s.RulePack, s.Build, s.AllowedUse = text.Draw(t, "pack"), text.Draw(t, "build"), text.Draw(t, "use")
	s.Dataset = Dataset{text.Draw(t, "d1"), text.Draw(t, "d2"), text.Draw(t, "d3"), text.Draw(t, "d4")}
	s.Technique.Params = rapid.MapOfN(name, text, 0, 8).Draw(t, "params")
	s.Checks = nil
	for range rapid.IntRange(0, 5).Draw(t, "checks") {
		s.Checks = append(s.Checks, Check{name.Draw(t, "rule"), text.Draw(t, "threshold"), text.Draw(t, "outcome")})
	}
	s.Budget.Before, s.Budget.After, s.Budget.Limit = count.Draw(t, "before"), count.Draw(t, "after"), count.Draw(t, "limit")
	return s
}

func TestStatementEqualsGenericCanonicalizer(t *testing.T) {
	require.Equal(t, string(generic(t, sample())), string(canonical(t, sample())))
	rapid.Check(t, func(t *rapid.T) {
		s := drawStatement(t)
		got := canonical(t, s)
		require.Equal(t, string(generic(t, s)), string(got))
		back, err := ParseStatement(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(canonical(t, back)))
	})
}

func TestStatementKnownAnswer(t *testing.T) {
	require.Equal(t, "dd279e67f0e60c506756dfebd896844d5543d4a8eb0f5da3012cb688bf38e632", StatementHash(canonical(t, sample())).String())
}

func TestStatementParseIsStrict(t *testing.T) {
	good := string(canonical(t, sample()))
	for name, bad := range map[string]string{
		"empty": "", "space": " " + good, "line end": good + "\n", "two": good + good,
		"unknown key":  strings.Replace(good, `,"build"`, `,"bugs":1,"build"`, 1),
		"missing key":  strings.Replace(good, `"agreement":"ag-2026-07",`, ``, 1),
		"twice":        strings.Replace(good, `,"build":`, `,"build":"x","build":`, 1),
		"order":        strings.Replace(good, `"id":"housing","source":`, `"source":"housing","id":`, 1),
		"float":        strings.Replace(good, `"limit":1000`, `"limit":1e3`, 1),
		"string int":   strings.Replace(good, `"limit":1000`, `"limit":"1000"`, 1),
		"big int":      strings.Replace(good, `"limit":1000`, `"limit":9007199254740992`, 1),
		"null":         strings.Replace(good, `"consent":"c-91"`, `"consent":null`, 1),
		"escape":       strings.Replace(good, `bank-01`, `bank\u002d01`, 1),
		"format":       strings.Replace(good, `"format":1`, `"format":2`, 1),
		"params order": strings.Replace(good, `"answers":"yes,no",`, ``, 1)[:0] + strings.Replace(good, `"answers"`, `"q"`, 1),
		"params twice": strings.Replace(good, `"padding":"64"`, `"padding":"64","padding":"64"`, 1),
		"case":         strings.Replace(good, strings.Repeat("3d", 32), strings.Repeat("3D", 32), 1),
		"too large":    `{"agreement":"` + strings.Repeat("a", MaxStatement) + `"}`,
	} {
		require.NotEqual(t, good, bad, name)
		_, err := ParseStatement([]byte(bad))
		require.Error(t, err, name)
	}
}

func TestStatementBounds(t *testing.T) {
	long := strings.Repeat("x", MaxName+1)
	many := map[string]string{}
	for i := range MaxParams + 1 {
		many[fmt.Sprint(i)] = ""
	}
	for field, change := range map[string]func(*Statement){
		"format":           func(s *Statement) { s.Format = 0 },
		"id":               func(s *Statement) { s.ID = s.ID[1:] },
		"serial":           func(s *Statement) { s.Serial = "YM-20261123-00000000004x" },
		"time":             func(s *Statement) { s.Time = "2026-02-30T09:30:00.125+08:00" },
		"time ":            func(s *Statement) { s.Time = "2026-02-03T09:30:00.125+09:00" },
		"time  ":           func(s *Statement) { s.Time = "2026-02-03T09:30:00,125+08:00" },
		"domain":           func(s *Statement) { s.Domain = "" },
		"party":            func(s *Statement) { s.Party = long },
		"query":            func(s *Statement) { s.Query = "\xff" },
		"agreement":        func(s *Statement) { s.Agreement = long },
		"scenario":         func(s *Statement) { s.Scenario = long },
		"consent":          func(s *Statement) { s.Consent = long },
		"rule_pack":        func(s *Statement) { s.RulePack = long },
		"build":            func(s *Statement) { s.Build = long },
		"allowed_use":      func(s *Statement) { s.AllowedUse = strings.Repeat("x", MaxText+1) },
		"kind":             func(s *Statement) { s.Kind = "other" },
		"policy":           func(s *Statement) { s.Policy = strings.ToUpper(s.Policy) },
		"trust":            func(s *Statement) { s.Trust = "" },
		"request":          func(s *Statement) { s.Request += "00" },
		"result":           func(s *Statement) { s.Result = strings.Repeat("g", 64) },
		"expires":          func(s *Statement) { s.Expires = "soon" },
		"rows":             func(s *Statement) { s.Rows = 2 },
		"rows ":            func(s *Statement) { s.Kind, s.Rows = KindBatch, 0 },
		"rows  ":           func(s *Statement) { s.Kind, s.Rows = KindBatch, MaxRows+1 },
		"dataset":          func(s *Statement) { s.Dataset.Source = long },
		"budget":           func(s *Statement) { s.Budget.After = MaxInteger + 1 },
		"budget ":          func(s *Statement) { s.Budget.Global = "17 of 20" },
		"technique":        func(s *Statement) { s.Technique.Params = many },
		"technique.params": func(s *Statement) { s.Technique.Params = map[string]string{"": ""} },
		"checks":           func(s *Statement) { s.Checks = make([]Check, MaxChecks+1) },
		"checks ":          func(s *Statement) { s.Checks[0].Outcome = long },
	} {
		s := sample()
		change(s)
		_, err := s.AppendCanonical(nil)
		var bad *FieldError
		require.ErrorAs(t, err, &bad, field)
		require.Equal(t, strings.TrimSpace(field), bad.Field)
		require.ErrorIs(t, err, ErrStatement)
	}
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2026, 12, 31, 16, 0, 0, 999_999, time.UTC)
	require.Equal(t, "2027-01-01T00:00:00.000+08:00", FormatTime(at))
	require.True(t, isTime(FormatTime(at)))
	end, err := expiry("2026-12-31")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC), end.UTC())
}

func TestAppendCanonicalAllocates(t *testing.T) {
	s, buf := sample(), make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.AppendCanonical(buf) }))
	b := canonical(t, s)
	require.Zero(t, testing.AllocsPerRun(100, func() { StatementHash(b) }))
}

func FuzzParseStatement(f *testing.F) {
	f.Add(canonical(f, sample()))
	s := sample()
	s.Checks, s.Technique.Params, s.AllowedUse = nil, nil, "\"\\\n😀"
	f.Add(canonical(f, s))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := ParseStatement(in)
		if err != nil {
			return
		}
		require.Equal(t, string(in), string(canonical(t, s)))
		require.NoError(t, RequireCanonical(in))
	})
}

func BenchmarkAppendCanonical(b *testing.B) {
	s, buf := sample(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.AppendCanonical(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStatementHash(b *testing.B) {
	text := canonical(b, sample())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		StatementHash(text)
	}
}
