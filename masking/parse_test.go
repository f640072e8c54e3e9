package masking_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking"
)

const policyYAML = `masking: 1
name: household-sample
columns:
  - {name: rid, class: direct_identifier, grade: 3, technique: suppress, nulls: keep}
  - name: birth
    class: quasi_identifier
    grade: "2"
    technique: generalize
    params: {to: year}
    nulls: suppress
    malformed: suppress
  - {name: name, class: direct_identifier, grade: 3, technique: redact, params: {keep_first: 1}, nulls: keep}
  - {name: phone, class: quasi_identifier, grade: 3, technique: suppress, params: {as: "null"}, nulls: keep}
`

func TestParsePolicy(t *testing.T) {
	p, err := masking.ParsePolicy([]byte(policyYAML))
	require.NoError(t, err)
	require.Equal(t, "household-sample", p.Name)
	require.Equal(t, masking.Column{Name: "birth", Class: "quasi_identifier", Grade: "2", Technique: "generalize",
		Params: map[string]string{"to": "year"}, Nulls: "suppress", Malformed: "suppress"}, p.Columns[1])
	require.Equal(t, []string{"birth"}, p.Quasi())
	require.Equal(t, []string{"birth", "name"}, p.Linkable())
}

func TestParseKeysSampleAndRelease(t *testing.T) {
	p, err := masking.ParsePolicy([]byte("masking: 1\nrelease: outside\nsample: {column: rid, rate: 0.01, key: lineage, kind: resident_id}\n" +
		"columns: [{name: rid, technique: pseudonym, key: recipient-7}]"))
	require.NoError(t, err)
	require.Equal(t, &masking.Policy{Release: "outside",
		Sample:  &masking.Sample{Column: "rid", Rate: "0.01", Key: "lineage", Kind: "resident_id"},
		Columns: []masking.Column{{Name: "rid", Technique: "pseudonym", Key: "recipient-7"}}}, p)
	hash := p.Hash()
	for name, change := range map[string]func(*masking.Policy){
		"release": func(p *masking.Policy) { p.Release = "" },
		"key":     func(p *masking.Policy) { p.Columns[0].Key = "recipient-8" },
		"column":  func(p *masking.Policy) { p.Sample.Column = "name" },
		"rate":    func(p *masking.Policy) { p.Sample.Rate = "0.010" },
		"lineage": func(p *masking.Policy) { p.Sample.Key = "other" },
		"kind":    func(p *masking.Policy) { p.Sample.Kind = "" },
		"sample":  func(p *masking.Policy) { p.Sample = nil },
	} {
		q, sample := *p, *p.Sample
		q.Sample = &sample
		q.Columns = append([]masking.Column(nil), p.Columns...)
		change(&q)
		require.NotEqual(t, hash, q.Hash(), name)
	}
	inside, same := &masking.Policy{Release: "inside"}, &masking.Policy{}
	require.Equal(t, inside.Hash(), same.Hash())
}

func TestParsePolicyRefuses(t *testing.T) {
	for name, c := range map[string]struct{ yaml, says string }{
		"empty":             {"", "empty"},
		"comment only":      {"# x\n", "empty"},
		"scalar":            {"x", "line 1"},
		"version":           {"masking: 2\ncolumns: [{name: a}]", "version 1"},
		"no version":        {"columns: [{name: a}]", "version 1"},
		"no columns":        {"masking: 1", "at least one"},
		"unknown key":       {"masking: 1\nkolumns: []", `line 2: "kolumns" is unknown`},
		"unknown field":     {"masking: 1\ncolumns:\n - {name: a, tecnique: keep}", "line 3"},
		"duplicate key":     {"masking: 1\nname: a\nname: b", "line 3"},
		"duplicate param":   {"masking: 1\ncolumns:\n - {name: a, params: {x: 1, x: 2}}", "line 3"},
		"duplicate column":  {"masking: 1\ncolumns:\n - {name: a}\n - {name: a}", "line 4"},
		"no name":           {"masking: 1\ncolumns:\n - {class: sensitive}", "line 3"},
		"anchor":            {"masking: 1\nname: &a x", "line 2: anchors"},
		"alias":             {"masking: 1\nname: &a x\ncolumns: *a", "anchors"},
		"merge key":         {"masking: 1\ncolumns: [{<<: {name: a}}]", "line 2"},
		"tag":               {"masking: !!int 1", "tags"},
		"null":              {"masking: 1\nname:", "line 2: empty"},
		"list for a value":  {"masking: 1\nname: [a]", "line 2: want a value"},
		"deep params":       {"masking: 1\ncolumns: [{name: a, params: {x: {y: z}}}]", "want a value"},
		"two documents":     {"masking: 1\n---\nmasking: 1", "more than one"},
		"second is garbage": {"masking: 1\n---\n\t:", "line 3"},
		"not UTF-8":         {"masking: \xff", "UTF-8"},
		"brackets":          {"masking: " + strings.Repeat("[", 1000), "too deep"},
		"brackets in lines": {"masking:\n" + strings.Repeat("[\n ", 1000), "too deep"},
		"large":             {strings.Repeat("#", 5<<20), "larger"},
		"sample list":       {"masking: 1\nsample: [a]", "line 2: want a mapping"},
		"sample key":        {"masking: 1\nsample: {col: a}", `line 2: "col" is unknown`},
		"key list":          {"masking: 1\ncolumns: [{name: a, key: [b]}]", "want a value"},
		"tab":               {"masking:\n\t1", "line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := masking.ParsePolicy([]byte(c.yaml))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestHash(t *testing.T) {
	p, err := masking.ParsePolicy([]byte(policyYAML))
	require.NoError(t, err)
	first := p.Hash()
	again, err := masking.ParsePolicy([]byte(strings.Replace(policyYAML, "grade: 3", `grade: "3"`, 1)))
	require.NoError(t, err)
	require.Equal(t, first, again.Hash(), "writing does not matter")
	p.Columns[0].Malformed = "refuse"
	require.Equal(t, first, p.Hash(), "the default said aloud is the same policy")
	for name, change := range map[string]func(*masking.Policy){
		"name":   func(p *masking.Policy) { p.Name += "x" },
		"column": func(p *masking.Policy) { p.Columns[0].Grade = "4" },
		"param":  func(p *masking.Policy) { p.Columns[1].Params["to"] = "month" },
		"order":  func(p *masking.Policy) { p.Columns[0], p.Columns[1] = p.Columns[1], p.Columns[0] },
		"fewer":  func(p *masking.Policy) { p.Columns = p.Columns[1:] },
		"shift":  func(p *masking.Policy) { p.Columns[0].Class, p.Columns[0].Grade = "direct_identifier3", "" },
	} {
		q, err := masking.ParsePolicy([]byte(policyYAML))
		require.NoError(t, err)
		change(q)
		require.NotEqual(t, first, q.Hash(), name)
	}
}

// TestHashIsInjective: params never run into each other.
func TestHashIsInjective(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.MapOf(rapid.StringN(0, 3, 3), rapid.StringN(0, 3, 3))
		a, b := m.Draw(rt, "a"), m.Draw(rt, "b")
		hash := func(m map[string]string) [32]byte {
			return (&masking.Policy{Columns: []masking.Column{{Params: m}}}).Hash()
		}
		same := len(a) == len(b)
		for k, v := range a {
			w, ok := b[k]
			same = same && ok && v == w
		}
		require.Equal(rt, same, hash(a) == hash(b))
	})
}

func fuzzSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "a", Type: str}, {Name: "b", Type: i64}}, nil)
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(policyYAML))
	f.Add([]byte("masking: 1\ncolumns: [{name: a, params: {x: *b}}]"))
	f.Add([]byte("{{{{[[[["))
	for _, tech := range everyTechnique {
		text := "masking: 1\nsample: {column: a, rate: 0.1, key: k}\ncolumns:\n - {name: b, class: attribute, grade: 1, technique: keep, nulls: keep}\n" +
			" - {name: a, class: direct_identifier, grade: 1, nulls: keep, technique: " + tech.mask.Technique + ", key: \"" + tech.mask.Key + "\", params: {"
		for name, v := range tech.mask.Params {
			text += fmt.Sprintf("%s: %q, ", name, v)
		}
		f.Add([]byte(text + "}}"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := masking.ParsePolicy(b)
		if err != nil {
			require.Nil(t, p)
			return
		}
		require.NotEmpty(t, p.Columns)
		_ = p.Hash()
		p.Quasi()
		m, err := masking.CompileWith(p, fuzzSchema(), masking.Sources{Keys: testKeys{}, Noise: testNoise{}})
		require.Equal(t, err == nil, len(masking.Check(p, fuzzSchema())) == 0)
		if err == nil {
			require.NotZero(t, m.Schema().NumFields())
		}
	})
}
