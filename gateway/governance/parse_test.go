package governance

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lineOf finds the line of the first occurrence.
func lineOf(t *testing.T, text, part string) int {
	t.Helper()
	i := strings.Index(text, part)
	require.GreaterOrEqual(t, i, 0)
	return 1 + strings.Count(text[:i], "\n")
}

// TestEveryFileRule breaks one thing of a valid file; rule, path and line are named.
func TestEveryFileRule(t *testing.T) {
	house := "{name: age, type: int64, class: quasi_identifier, grade: 2}"
	owns := "{id: owns-home, dataset: housing, kind: exists,"
	mid := `low: "60", high: "144"`
	use := "{id: bank-use, kind: use, parties: [yunying, bank], from: 2026-02-01, until: 2027-01-31,"
	unit := "{party: bank, agreement: bank-use, per_day: 100000, per_subject_day: 20}"
	c1 := `unit: bank, scenario: property-finance, templates: [owns-home], until: 2026-12-31, letter: "6666`
	for _, c := range []struct {
		old, new string
		rule     Rule
		path     string
	}{
		{"domain: jilin-city", "domain: jilin-city\ncolour: red", UnknownKey, "colour"},
		{house, "{name: age, typ: int64, type: int64}", UnknownKey, "datasets[0].fields[4].typ"},
		{house, `{name: age, "110105": x, type: int64}`, UnknownKey, "datasets[0].fields[4].?"},
		{house, house + "\n      - " + house, DuplicateID, "datasets[0].fields[5]"},
		{house, "{name: age, name: age, type: int64}", DuplicateID, "datasets[0].fields[4].name"},
		{house, "{name: age, type: int128}", Malformed, "datasets[0].fields[4].type"},
		{house, `{name: age, type: "decimal(39,2)"}`, Malformed, "datasets[0].fields[4].type"},
		{house, "{name: age, type: int64, grade: 5}", Malformed, "datasets[0].fields[4].grade"},
		{house, "age", Malformed, "datasets[0].fields[4]"},
		{house, "{name: age, type: &a int64}", AliasRefused, "file"},
		{house, "{name: age, type: !!str int64}", AliasRefused, "file"},
		{house, "{name: age, type: *a}", AliasRefused, "file"},
		{house, "{name: age, <<: {type: int64}}", AliasRefused, "file"},
		{"yumen: 1", "yumen: 2", Malformed, "yumen"},
		{"yumen: 1", "yumen: 0x1", Malformed, "yumen"},
		{"domain: jilin-city", "domain: ../jilin", Malformed, "domain"},
		{"jurisdiction: jilin", "jurisdiction: paris", Malformed, "jurisdiction"},
		{"id: exchange,", "id: shuju,", DuplicateID, "parties[1].id"},
		{"roles: [exchange]", "roles: [king]", Malformed, "parties[1].roles[0]"},
		{"roles: [exchange]", "roles: []", Malformed, "parties[1].roles"},
		{"roles: [exchange]", "roles: [exchange, exchange]", DuplicateID, "parties[1].roles[1]"},
		{"roles: [operator]", "roles: [operator, provider]", RoleNotAllowed, "parties[5].roles"},
		{`"KEY:renshe"`, `"KEY:gongan"`, DuplicateID, "parties[4].key"},
		{`"KEY:renshe"`, `"04abcd"`, Malformed, "parties[3].key"},
		{"provider: gongan", "provider: nobody", DanglingReference, "datasets[0].provider"},
		{"provider: gongan", "provider: bank", RoleNotAllowed, "datasets[0].provider"},
		{"roster: household", "roster: nothing", DanglingReference, "datasets[0].roster"},
		{"withhold: objection", "withhold: mood", FieldUnknown, "datasets[0].withhold"},
		{"withhold: objection", "withhold: age", Malformed, "datasets[0].withhold"},
		{"subject: {field: rid, identifier: resident_id}", "subject: {field: nid, identifier: resident_id}", FieldUnknown, "datasets[0].subject"},
		{"subject: {field: rid, identifier: resident_id}", "subject: {field: rid, identifier: dna}", Malformed, "datasets[0].subject.identifier"},
		{"subject: {field: rid, identifier: resident_id}", "subject: {row_number: true, field: rid}", Malformed, "datasets[0].subject.row_number"},
		{"kind: file, path: household.parquet", "kind: url, path: household.parquet", Malformed, "datasets[0].source.kind"},
		{`separator: ";"`, `separator: ";;"`, Malformed, "datasets[1].source.separator"},
		{"as_of: 2026-10-31", "as_of: 2026-02-30", Malformed, "datasets[0].as_of"},
		{"sharing: verify_only", "sharing: maybe", Malformed, "datasets[0].sharing"},
		{owns, strings.Replace(owns, "housing", "houses", 1), DanglingReference, "templates[0].dataset"},
		{owns, strings.Replace(owns, "exists", "guess", 1), Malformed, "templates[0].kind"},
		{owns, owns + " field: area,", Malformed, "templates[0].field"},
		{"field: months", "field: weeks", FieldUnknown, "templates[1].field"},
		{`value: "24"`, `value: "2.4"`, Malformed, "templates[1].value"},
		{`value: "24"`, `value: 1e1`, Malformed, "templates[1].value"},
		{`op: ">=", value: "24"`, `op: "~", value: "24"`, Malformed, "templates[1].op"},
		{house + "\n      - {name: objection, type: bool, class: attribute, grade: 2}", house + "\n      - {name: objection, type: string, class: attribute, grade: 2}", Malformed, "datasets[0].withhold"},
		{"{name: months, type: int64,", "{name: months, type: string,", Malformed, "templates[1].field"},
		{"{name: lien, type: bool,", "{name: lien, type: float64,", Malformed, "templates[5].field"},
		{mid, `low: "144", high: "60"`, Malformed, "templates[3].high"},
		{mid, `low: "60"`, Malformed, "templates[3].high"},
		{mid, `low: "60.001", high: "144"`, Malformed, "templates[3].low"},
		{"kind: band, field: area,", "kind: band, field: district,", Malformed, "templates[3].field"},
		{`values: ["220202", "220203"]`, `values: ["220202", "220202"]`, DuplicateID, "templates[2].values[1]"},
		{`values: ["220202", "220203"]`, `values: []`, Malformed, "templates[2].values"},
		{"phone_field: phone", "phone_field: age", Malformed, "templates[4].phone_field"},
		{"kind: equals, field: lien, value: \"true\", class: rare, not", "kind: equals, field: lien, value: \"yes\", class: rare, not", Malformed, "templates[5].value"},
		{`filters: [{field: area, op: ">=", value: "20"}]`, `filters: [{field: room, op: ">=", value: "20"}]`, FieldUnknown, "tables[0].filters"},
		{`filters: [{field: area, op: ">=", value: "20"}]`, `filters: [{field: area, op: in, value: "20"}]`, Malformed, "tables[0].filters[0].values"},
		{`filters: [{field: area, op: ">=", value: "20"}]`, `filters: [{field: district, op: ">=", value: "20"}]`, Malformed, "tables[0].filters[0]"},
		{"group_by: [district]", "group_by: [rid]", RawExport, "tables[0].group_by"},
		{"{kind: mean, field: area}", "{kind: mean, field: district}", Malformed, "tables[0].measures[1]"},
		{"{kind: mean, field: area}", "{kind: median, field: area}", Malformed, "tables[0].measures[1].kind"},
		{`max_suppression: "0.10"`, `max_suppression: "1.10"`, Malformed, "masks[0].max_suppression"},
		{"    k: 5", "    k: 1", Malformed, "masks[0].k"},
		{"{name: rid, technique: suppress}", "{name: rid, technique: keep}", RawExport, "masks[0].columns[0]"},
		{"{name: rid, technique: suppress}", "{name: nid, technique: suppress}", FieldUnknown, "masks[0].columns[0]"},
		{"{name: rid, technique: suppress}", "{name: rid, technique: preserve_order}", Malformed, "masks[0].columns[0].technique"},
		{"{name: rid, technique: suppress}", "{name: rid, technique: encrypt}", Malformed, "masks[0].columns[0].key"},
		{"{name: rid, technique: suppress}", "{name: rid, technique: suppress, key: k1}", Malformed, "masks[0].columns[0].key"},
		{"{name: rid, technique: suppress}", "{name: rid, technique: shuffle, key: k1}", RawExport, "masks[0].columns[0]"},
		{"{name: rid, technique: suppress}", "{name: rid, technique: suppress, nulls: maybe}", Malformed, "masks[0].columns[0].nulls"},
		{`max_suppression: "0.10"`, `max_suppression: "0.10"` + "\n    sample: {column: who, rate: \"0.01\"}", FieldUnknown, "masks[0].sample"},
		{`max_suppression: "0.10"`, `max_suppression: "0.10"` + "\n    sample: {column: rid, rate: \"2\"}", Malformed, "masks[0].sample.rate"},
		{"until: 2028-12-31", "until: 2029-01-02", TermCap, "agreements[0].until"},
		{use, strings.Replace(use, "2027-01-31", "2029-02-02", 1), TermCap, "agreements[1].until"},
		{use, strings.Replace(use, "2027-01-31", "2026-01-31", 1), Malformed, "agreements[1].until"},
		{use, strings.Replace(use, "[yunying, bank]", "[yunying, banc]", 1), DanglingReference, "agreements[1].parties[1]"},
		{use, strings.Replace(use, "[yunying, bank]", "[bank2, bank]", 1), AgreementMissing, "agreements[1].parties"},
		{`terms_digest: "1111`, `terms_digest: "111`, Malformed, "agreements[0].terms_digest"},
		{"operation: op-2026", "operation: bank-use", AgreementMissing, "scenarios[0].operation"},
		{"operation: op-2026", "operation: op-2027", DanglingReference, "scenarios[0].operation"},
		{"authority: shuju", "authority: gongan", RoleNotAllowed, "scenarios[0].authority"},
		{"providers: [zhujian, renshe]\n", "providers: [zhujian]\n", ApprovalMissing, "scenarios[0].providers"},
		{"providers: [zhujian, renshe]\n", "providers: [zhujian, renshe, gongan]\n", DanglingReference, "scenarios[0].providers[2]"},
		{unit, strings.Replace(unit, "bank-use", "no-use", 1), DanglingReference, "scenarios[0].units[0].agreement"},
		{unit, strings.Replace(unit, "bank-use", "bank2-use", 1), AgreementMissing, "scenarios[0].units[0].agreement"},
		{unit, strings.Replace(unit, "bank-use", "op-2026", 1), AgreementMissing, "scenarios[0].units[0].agreement"},
		{unit, unit + "\n      - " + unit, DuplicateID, "scenarios[0].units[1].party"},
		{unit, strings.Replace(unit, "party: bank", "party: zhujian", 1), RoleNotAllowed, "scenarios[0].units[0].party"},
		{unit, strings.Replace(unit, "per_day: 100000", "per_day: 0", 1), Malformed, "scenarios[0].units[0].per_day"},
		{"templates: [owns-home, insured-24m, has-lien]", "templates: [owns-home, insured-24m, has-leen]", TemplateUnregistered, "scenarios[0].templates[2]"},
		{"tables: [homes-by-district]", "tables: [homes]", TableUnregistered, "scenarios[0].tables[0]"},
		{"masks: []", "masks: [sample]", MaskUnregistered, "scenarios[0].masks[0]"},
		{`plan: "4444`, `plan: "444`, Malformed, "scenarios[0].plan"},
		{"sharing: conditional", "sharing: prohibited", DatasetProhibited, "scenarios[0].templates[0]"},
		{"result_days: 90", "result_days: 0", Malformed, "scenarios[0].result_days"},
		{c1, strings.Replace(c1, "[owns-home]", "[]", 1), ConsentBlanket, "consents[0].templates"},
		{c1, strings.Replace(c1, "[owns-home]", `["*"]`, 1), ConsentBlanket, "consents[0].templates"},
		{c1, strings.Replace(c1, "[owns-home]", `"*"`, 1), ConsentBlanket, "consents[0].templates"},
		{c1, strings.Replace(c1, "templates: [owns-home], ", "", 1), ConsentBlanket, "consents[0].templates"},
		{c1, strings.Replace(c1, "property-finance", `"*"`, 1), ConsentBlanket, "consents[0].scenario"},
		{c1, strings.Replace(c1, "[owns-home]", "[home-mid]", 1), DanglingReference, "consents[0].templates[0]"},
		{c1, strings.Replace(c1, "unit: bank", "unit: bank2", 1), DanglingReference, "consents[0].unit"},
		{c1, strings.Replace(c1, "property-finance", "marriage", 1), DanglingReference, "consents[0].scenario"},
		{`subject: "110105 19491231002x"`, `subject: "110105194912310021"`, SubjectMalformed, "consents[0].subject"},
		{`identifier: resident_id, unit`, `identifier: mobile, unit`, SubjectMalformed, "consents[0].subject"},
	} {
		t.Run(fmt.Sprint(c.path, " ", c.rule), func(t *testing.T) {
			text := textOf(t, edit{c.old, c.new})
			_, err := ParseDomain([]byte(text))
			var all FileErrors
			require.ErrorAs(t, err, &all)
			e := all[0]
			require.Equal(t, c.rule, e.Rule, err)
			require.Equal(t, c.path, e.Path)
			require.NotEmpty(t, e.Refusal.Article)
			require.NotContains(t, err.Error(), "110105")
			if e.Path == "file" {
				require.Positive(t, e.Line)
				return
			}
			first := lineOf(t, domainText, c.old)
			last := first + strings.Count(c.old, "\n") + strings.Count(c.new, "\n")
			if e.Line < first || e.Line > last {
				require.True(t, e.Rule == DuplicateID || e.Rule == DatasetProhibited || e.Path == "agreements[1].until" || strings.HasPrefix(c.old, "{name"), "line %d", e.Line)
			}
		})
	}
}

func TestAllProblemsAreReportedAtOnceInOrderAndBounded(t *testing.T) {
	_, err := ParseDomain([]byte(textOf(t, edit{"until: 2028-12-31", "until: 2030-12-31"},
		edit{"yumen: 1", "yumen: one"}, edit{"as_of: 2026-10-31", "as_of: soon"}, edit{"withhold: objection", "withhold: mood"},
		edit{"[owns-home, insured-24m, has-lien]", "[owns-house, insured-24m, has-lien]"}, edit{"unit: bank, scenario: property-finance, templates: [owns-home]", "unit: bank"})))
	var all FileErrors
	require.ErrorAs(t, err, &all)
	var rules []Rule
	for _, e := range all {
		rules = append(rules, e.Rule)
	}
	require.Equal(t, []Rule{Malformed, Malformed, FieldUnknown, TermCap, TemplateUnregistered, ConsentBlanket, DanglingReference}, rules)
	require.Equal(t, "jilin@2025-draft", all[0].Refusal.Pack, "also what was found before the jurisdiction was read")
	require.Equal(t, "六", all[3].Refusal.Article)
	var first *FileError
	require.True(t, errors.As(err, &first))
	require.Equal(t, 1, first.Line)
	var refusal *Refusal
	require.True(t, errors.As(err, &refusal))

	_, err = ParseDomain([]byte("parties:\n" + strings.Repeat("  - {x: 1}\n", 1000)))
	require.ErrorAs(t, err, &all)
	require.Len(t, all, maxProblems)
}

func TestR28_TermsAboveTheCapAreRefusedWhereTheCapIs(t *testing.T) {
	five := []edit{{"jurisdiction: jilin", "jurisdiction: jinzhou"}, {"until: 2028-12-31", "until: 2031-01-01"}}
	domainOf(t, five...)
	_, err := ParseDomain([]byte(textOf(t, five[1])))
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, TermCap, e.Rule)
	domainOf(t, edit{"until: 2028-12-31", "until: 2029-01-01"})
	require.Equal(t, Date{2027, 2, 28}, Date{2024, 2, 29}.addYears(3))
	require.Equal(t, Date{2028, 2, 29}, Date{2024, 2, 29}.addYears(4))
}

func TestTemplateLimitHoldsAcrossTheDomain(t *testing.T) {
	third := func(class string) edit {
		return edit{"  - {id: home-mid,", "  - {id: x1, dataset: housing, kind: compare, field: area, op: \">\", value: \"90\", class: " + class + ", not_found: merged, withheld: merged}\n" +
			"  - {id: x2, dataset: housing, kind: compare, field: area, op: \">\", value: \"91\", class: " + class + ", not_found: merged, withheld: merged}\n  - {id: home-mid,"}
	}
	domainOf(t, third("consented"))
	_, err := ParseDomain([]byte(textOf(t, third("ordinary"))))
	var all FileErrors
	require.ErrorAs(t, err, &all)
	require.Len(t, all, 1)
	require.Equal(t, TemplateLimit, all[0].Rule)
	require.Equal(t, "templates[5].field", all[0].Path)
}

func TestR7_ProhibitedDataCannotBeAuthorised(t *testing.T) {
	_, err := ParseDomain([]byte(textOf(t, edit{"sharing: open", "sharing: prohibited"}, edit{"jurisdiction: jilin", "jurisdiction: zhejiang"})))
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, DatasetProhibited, e.Rule)
	require.Equal(t, "一（一）", e.Refusal.Article)
	refuses(t, policyOf(t), &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "cored", At: noon}, DatasetProhibited)
}

func TestHostileYAML(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'j'; i++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", i-1), 9), ","))
	}
	for name, text := range map[string]string{
		"empty": "", "space": " \n", "null": "~", "scalar": "x", "list": "[]", "comment": "# x",
		"bomb": bomb, "invalid utf-8": "yumen: \xff\xfe", "nul": "yumen: \x00", "utf-16": "\xff\xfey\x00",
		"two documents": domainText + "\n---\nyumen: 1\n", "open": "{[", "directive": "%YAML 9.9\n---\nyumen: 1",
		"deep flow":  "parties: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"deeper":     strings.Repeat("[", 200_000),
		"deep block": strings.Repeat("- ", 50_000),
		"deep maps":  strings.Repeat("? ", 50_000),
		"many nodes": "parties: [" + strings.Repeat("a,", 1<<20) + "]",
		"too large":  "# " + strings.Repeat("x", maxFile),
		"huge key":   strings.Repeat("k", 1<<20) + ": 1",
		"map key":    "{[a]: 1}", "null key": "{~: 1}", "tag": "!!python/object:os.system {}",
		"binary": "yumen: !!binary aGk=", "merge": "<<: {yumen: 1}",
	} {
		t.Run(name, func(t *testing.T) {
			for _, parse := range []func([]byte) error{
				func(b []byte) error { _, err := ParseDomain(b); return err },
				func(b []byte) error { _, err := ParseApprovals(b); return err },
			} {
				var all FileErrors
				require.ErrorAs(t, parse([]byte(text)), &all)
				require.NotEmpty(t, all)
				require.Less(t, len(all.Error()), 64<<10)
			}
		})
	}
}

func TestAnEmptyDomainIsADomain(t *testing.T) {
	d, err := ParseDomain([]byte("yumen: 1\ndomain: new\njurisdiction: huizhou\n"))
	require.NoError(t, err)
	p, err := NewPolicy(nil, d, nil, noon)
	require.NoError(t, err)
	refuses(t, p, ask(), UnknownParty)
}
