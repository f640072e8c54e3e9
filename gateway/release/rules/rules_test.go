package rules_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/gateway/release/rules"
)

// parts of a candidate; sound for every rule until a test changes one of them.
type parts struct {
	facts release.Facts
	body  release.Body
	ev    release.Evidence
}

func sound(body release.Body) *parts {
	p := &parts{body: body, ev: release.Evidence{Registered: true}}
	p.facts = release.Facts{
		Ask:      &governance.Ask{Party: "bank", Scenario: "housing"},
		Decision: &governance.Decision{Scenario: &governance.Scenario{ID: "housing", AllowedUse: "loan"}, Expires: time.Unix(1, 0)},
		Dataset:  receipt.Dataset{ID: "homes", Version: "1", AsOf: "2026-10-31", Source: "housing office"},
	}
	p.ev.Masked = release.MaskedEvidence{K: 5, LeastK: 5, SuppressedPermille: 100, MaxPermille: 100}
	if t, ok := body.(release.Table); ok {
		p.ev.Cells = make([]release.CellEvidence, len(t.Cells))
		for i := range p.ev.Cells {
			p.ev.Cells[i] = release.CellEvidence{Subjects: 10, Complement: 10, Withheld: t.Cells[i].Withheld}
		}
	}
	return p
}

func (p *parts) candidate(t *testing.T) *release.Candidate {
	t.Helper()
	rows := []release.Row{release.Row(`{}`)}
	if b, ok := p.body.(release.Batch); ok {
		rows = make([]release.Row, len(b.Codes))
	}
	c, err := release.Prepare(p.facts, p.body, p.ev, rows, &ledger.Hold{})
	require.NoError(t, err)
	return c
}

func answer() *parts { return sound(release.Answer{Code: release.Yes}) }
func batch() *parts {
	return sound(release.Batch{Codes: []release.Code{release.Yes, release.Withheld}})
}
func masked() *parts { return sound(release.Masked{Output: "m"}) }
func table() *parts {
	return sound(release.Table{Cells: []release.Cell{
		{Keys: []string{"a"}, Values: []string{"10"}}, {Keys: []string{"b"}, Withheld: true}, {Keys: []string{"c"}, Values: []string{"11"}},
	}})
}

func encrypted() *parts {
	p := sound(release.Encrypted{Holders: []string{"a", "b", "c"}, Recomputed: []string{"a", "c"}, Threshold: 2})
	p.ev.Encrypted = &release.EncryptedEvidence{Subjects: 10, Approved: 2}
	return p
}

var forms = map[string]func() *parts{"answer": answer, "batch": batch, "table": table, "masked": masked, "encrypted": encrypted}

// judge runs every rule and gives those that refuse, with the governance rule they refuse by.
func judge(t *testing.T, c *release.Candidate) map[string]governance.Rule {
	t.Helper()
	out := map[string]governance.Rule{}
	for _, r := range rules.All() {
		findings, err := r.Check(context.Background(), c)
		require.NoError(t, err)
		for _, f := range findings {
			require.Equal(t, r.ID(), f.Rule)
			require.NotEmpty(t, f.Outcome)
			if f.Refuse != "" {
				out[r.ID()] = f.Refuse
			}
		}
	}
	return out
}

// breaks says that each change makes exactly this rule refuse, by this governance rule, and no other.
func breaks(t *testing.T, rule string, by governance.Rule, cases map[string]*parts) {
	t.Helper()
	for name, p := range cases {
		require.Equal(t, map[string]governance.Rule{rule: by}, judge(t, p.candidate(t)), name)
	}
}

func with(p *parts, change func(*parts)) *parts {
	change(p)
	return p
}

func TestSoundCandidatesPassEveryRule(t *testing.T) {
	for name, make := range forms {
		require.Empty(t, judge(t, make().candidate(t)), name)
	}
}

func TestRegistered(t *testing.T) {
	cases := map[string]*parts{}
	for name, make := range forms {
		cases[name] = with(make(), func(p *parts) { p.ev.Registered = false })
	}
	breaks(t, "registered", governance.TemplateUnregistered, cases)
}

func TestAnswerCode(t *testing.T) {
	cases := map[string]*parts{}
	for _, code := range []release.Code{0, 1, 9, 12, 19, 22, 31, 41, 99, 100, 255} {
		cases[string(rune(code))] = sound(release.Answer{Code: code})
		cases[string(rune(code))+" in a batch"] = sound(release.Batch{Codes: []release.Code{release.Yes, code, release.No}})
	}
	breaks(t, "answer-code", governance.RawExport, cases)
	for _, code := range []release.Code{release.Yes, release.No, release.Match, release.Mismatch, release.NotFound, release.Withheld} {
		require.Empty(t, judge(t, sound(release.Answer{Code: code}).candidate(t)))
	}
}

func TestShare(t *testing.T) {
	for name, make := range forms {
		for _, exempt := range []bool{false, true} {
			c := with(make(), func(p *parts) { p.ev.ShareExempt = exempt }).candidate(t)
			findings, err := rules.Share{}.Check(context.Background(), c)
			require.NoError(t, err)
			if name == "table" || name == "masked" || name == "encrypted" {
				require.Empty(t, findings)
				continue
			}
			require.Len(t, findings, 1)
			require.Empty(t, findings[0].Refuse)
			require.Equal(t, exempt, findings[0].Outcome == "exempt", "a receipt must not claim the share where it is off")
		}
	}
}

func TestSmallCell(t *testing.T) {
	breaks(t, "small-cell", governance.SmallCell, map[string]*parts{
		"nine subjects":      with(table(), func(p *parts) { p.ev.Cells[0].Subjects = 9 }),
		"none":               with(table(), func(p *parts) { p.ev.Cells[2].Subjects = 0 }),
		"nine in complement": with(table(), func(p *parts) { p.ev.Cells[0].Complement = 9 }),
		"below none":         with(table(), func(p *parts) { p.ev.Cells[0].Complement = -1 }),
		"withheld with figures": with(sound(release.Table{Cells: []release.Cell{{Values: []string{"9"}, Withheld: true}}}),
			func(p *parts) { p.ev.Cells[0].Subjects = 9 }),
	})
	require.Empty(t, judge(t, with(table(), func(p *parts) { p.ev.Cells[1].Subjects = 1 }).candidate(t)), "withheld")
	_, err := rules.SmallCell{}.Check(context.Background(), with(table(), func(p *parts) { p.ev.Cells = p.ev.Cells[:2] }).candidate(t))
	require.Error(t, err, "without evidence it cannot judge")
}

func TestDominance(t *testing.T) {
	breaks(t, "dominance", governance.SmallCell, map[string]*parts{
		"shown": with(table(), func(p *parts) { p.ev.Cells[2].Dominated = true }),
		"withheld with figures": with(sound(release.Table{Cells: []release.Cell{{Values: []string{"9"}, Withheld: true}}}),
			func(p *parts) { p.ev.Cells[0].Dominated = true }),
	})
	require.Empty(t, judge(t, with(table(), func(p *parts) { p.ev.Cells[1].Dominated = true }).candidate(t)), "withheld")
}

func TestPrivate(t *testing.T) {
	private := func(change func(*parts)) *parts {
		p := sound(release.Table{Private: true, Cells: []release.Cell{{Keys: []string{"a"}, Values: []string{"50"}}}})
		p.ev.Cells = nil
		p.ev.Private = &release.PrivateEvidence{Tau: 50, Rho: 1, Least: 50}
		change(p)
		return p
	}
	require.Empty(t, judge(t, private(func(*parts) {}).candidate(t)))
	breaks(t, "differential-privacy", governance.SmallCell, map[string]*parts{
		"below tau": private(func(p *parts) { p.ev.Private.Least = 49 }),
	})
	for name, change := range map[string]func(*parts){
		"no evidence": func(p *parts) { p.ev.Private = nil },
		"no spend":    func(p *parts) { p.ev.Private.Rho = 0 },
		"no tau":      func(p *parts) { p.ev.Private.Tau = 0 },
	} {
		_, err := rules.Private{}.Check(context.Background(), private(change).candidate(t))
		require.Error(t, err, name)
	}
}

func TestEncryptedSubjects(t *testing.T) {
	breaks(t, "encrypted-subjects", governance.SmallCell, map[string]*parts{
		"nine": with(encrypted(), func(p *parts) { p.ev.Encrypted.Subjects = 9 }),
		"none": with(encrypted(), func(p *parts) { p.ev.Encrypted.Subjects = 0 }),
	})
	for _, r := range rules.All()[9:13] {
		_, err := r.Check(context.Background(), with(encrypted(), func(p *parts) { p.ev.Encrypted = nil }).candidate(t))
		require.Error(t, err, r.ID())
	}
}

func TestEncryptedDominance(t *testing.T) {
	breaks(t, "encrypted-dominance", governance.SmallCell, map[string]*parts{
		"dominated": with(encrypted(), func(p *parts) { p.ev.Encrypted.Dominated = true }),
	})
}

func TestEncryptedScalars(t *testing.T) {
	breaks(t, "encrypted-scalars", governance.ScalarsExhausted, map[string]*parts{
		"used up": with(encrypted(), func(p *parts) { p.ev.Encrypted.Exceeded = true }),
	})
}

func TestEncryptedApprovals(t *testing.T) {
	body := release.Encrypted{Holders: []string{"a", "b", "c"}, Recomputed: []string{"a"}, Threshold: 2}
	few := encrypted()
	few.body, few.ev.Encrypted = body, &release.EncryptedEvidence{Subjects: 10, Approved: 1}
	unnamed := encrypted()
	unnamed.body = body
	body.Threshold, body.Recomputed = 1, []string{"a"}
	alone := encrypted()
	alone.body, alone.ev.Encrypted = body, few.ev.Encrypted
	breaks(t, "encrypted-approvals", governance.HoldersMissing, map[string]*parts{"one of two": few, "not named": unnamed, "one alone": alone})
}

func TestOpenIdentifiers(t *testing.T) {
	breaks(t, "raw-export", governance.RawExport, map[string]*parts{
		"one": with(masked(), func(p *parts) { p.ev.Masked.OpenIdentifiers = 1 }),
	})
}

func TestKAnonymity(t *testing.T) {
	breaks(t, "k-anonymity", governance.KAnonymity, map[string]*parts{
		"below":            with(masked(), func(p *parts) { p.ev.Masked.K = 4 }),
		"none measured":    with(masked(), func(p *parts) { p.ev.Masked.K = 0 }),
		"none registered":  with(masked(), func(p *parts) { p.ev.Masked.LeastK = 0 }),
		"k of 1 is no k":   with(masked(), func(p *parts) { p.ev.Masked.K, p.ev.Masked.LeastK = 1, 1 }),
		"negative measure": with(masked(), func(p *parts) { p.ev.Masked.K = -7 }),
	})
}

func TestSuppression(t *testing.T) {
	breaks(t, "suppression-rate", governance.SuppressionRate, map[string]*parts{
		"over":  with(masked(), func(p *parts) { p.ev.Masked.SuppressedPermille = 101 }),
		"all":   with(masked(), func(p *parts) { p.ev.Masked.SuppressedPermille = 1000 }),
		"unset": with(masked(), func(p *parts) { p.ev.Masked.MaxPermille = 0 }),
	})
}

func sampled(change func(*parts)) *parts {
	p := masked()
	p.ev.Masked.K, p.ev.Masked.LeastK, p.ev.Masked.SampleRate = 20, 20, 9_999_999
	change(p)
	return p
}

func TestSample(t *testing.T) {
	breaks(t, "masked-sample", governance.SampleRate, map[string]*parts{
		"one per cent": sampled(func(p *parts) { p.ev.Masked.SampleRate = 10_000_000 }),
		"negative":     sampled(func(p *parts) { p.ev.Masked.SampleRate = -1 }),
	})
	breaks(t, "masked-sample", governance.KAnonymity, map[string]*parts{
		"registered low": sampled(func(p *parts) { p.ev.Masked.LeastK = 19 }),
	})
}

func TestPurpose(t *testing.T) {
	cases := map[string]*parts{}
	for name, make := range forms {
		cases[name+" without scenario"] = with(make(), func(p *parts) { p.facts.Ask.Scenario = "" })
		cases[name+" without grant"] = with(make(), func(p *parts) { p.facts.Decision.Scenario = nil })
		cases[name+" without use"] = with(make(), func(p *parts) { p.facts.Decision.Scenario.AllowedUse = "" })
		cases[name+" without expiry"] = with(make(), func(p *parts) { p.facts.Decision.Expires = time.Time{} })
	}
	breaks(t, "purpose", governance.Resale, cases)
}

func TestSource(t *testing.T) {
	cases := map[string]*parts{}
	for name, make := range forms {
		cases[name+" id"] = with(make(), func(p *parts) { p.facts.Dataset.ID = "" })
		cases[name+" version"] = with(make(), func(p *parts) { p.facts.Dataset.Version = "" })
		cases[name+" date"] = with(make(), func(p *parts) { p.facts.Dataset.AsOf = "" })
		cases[name+" department"] = with(make(), func(p *parts) { p.facts.Dataset.Source = "" })
	}
	breaks(t, "source-cited", governance.DatasetMissing, cases)
}

// Outcomes and thresholds go into a receipt that anyone may read: they say nothing of how near a
// value came to a threshold.
func TestFindingsDoNotDependOnHowNear(t *testing.T) {
	findings := func(p *parts) (out []release.Finding) {
		for _, r := range rules.All() {
			f, err := r.Check(context.Background(), p.candidate(t))
			require.NoError(t, err)
			out = append(out, f...)
		}
		return out
	}
	near := with(table(), func(p *parts) { p.ev.Cells[1].Subjects = 9 })
	far := with(table(), func(p *parts) {
		p.ev.Cells[0].Subjects, p.ev.Cells[0].Complement, p.ev.Cells[1].Subjects, p.ev.Cells[1].Dominated = 9999, 777, 1, true
	})
	require.Equal(t, findings(near), findings(far))
	require.Equal(t, findings(masked()), findings(with(masked(), func(p *parts) { p.ev.Masked.K, p.ev.Masked.SuppressedPermille = 500, 0 })))
	require.Equal(t, findings(sound(release.Answer{Code: release.Yes})), findings(sound(release.Answer{Code: release.Withheld})))
}

// One rule, one file, one citation, one test.
func TestEveryRuleHasItsFileCitationAndTest(t *testing.T) {
	tests, err := os.ReadFile("rules_test.go")
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	declared := regexp.MustCompile(`(?s)// (\w+) ([^\n]*\([^)]*[RZ]\d+[^)]*\)).*?\ntype (\w+) struct`)
	found := 0
	for _, name := range files {
		if name == "doc.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		m := declared.FindAllSubmatch(text, -1)
		require.Len(t, m, 1, name)
		require.Contains(t, string(tests), "func Test"+string(m[0][3])+"(", name)
		found++
	}
	require.Len(t, rules.All(), found)
	ids := map[string]bool{}
	for _, r := range rules.All() {
		require.False(t, ids[r.ID()])
		ids[r.ID()] = true
	}
}
