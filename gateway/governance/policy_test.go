package governance

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestR18_BothKeysMustSignWhatRuns(t *testing.T) {
	d := domainOf(t)
	all := sign(t, d)
	for i, a := range all {
		if a.ID != propertyID {
			continue
		}
		without := slices.Delete(slices.Clone(all), i, i+1)
		p, err := NewPolicy(nil, d, without, noon)
		require.NoError(t, err)
		r := refuses(t, p, ask(), ApprovalMissing)
		require.Equal(t, "九", r.Article)
		inactive := p.Inactive()
		require.Len(t, inactive, 1)
		require.Equal(t, ApprovalMissing, inactive[0].Rule)
		require.Equal(t, lineOf(t, domainText, "- id: property-finance"), inactive[0].Line)
		permits(t, p, &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon})

		for name, spoil := range map[string]func(*Approval){
			"signature": func(a *Approval) { a.Signature = strings.Repeat("ab", 64) },
			"bit":       func(a *Approval) { a.Signature = flip(a.Signature) },
			"digest":    func(a *Approval) { a.Digest = flip(a.Digest) },
			"zero":      func(a *Approval) { a.Signature = strings.Repeat("00", 64) },
			"of other scenario": func(a *Approval) {
				for _, b := range all {
					if b.ID == housingID && b.Party == a.Party && b.Role == a.Role {
						a.Digest, a.Signature = b.Digest, b.Signature
					}
				}
			},
			"of other party": func(a *Approval) { a.Signature = all[(i+1)%len(all)].Signature },
		} {
			t.Run(a.Party+" "+name, func(t *testing.T) {
				bad := slices.Clone(all)
				spoil(&bad[i])
				p, err := NewPolicy(nil, d, bad, noon)
				require.NoError(t, err)
				refuses(t, p, ask(), ApprovalInvalid)
			})
		}
		// one party's signature in another role or under another's name counts for nothing
		moved := slices.Clone(all)
		moved[i].Party = "bank"
		p, err = NewPolicy(nil, d, moved, noon)
		require.NoError(t, err)
		refuses(t, p, ask(), ApprovalMissing)
	}
}

// flip changes the last hex digit.
func flip(s string) string {
	if strings.HasSuffix(s, "0") {
		return s[:len(s)-1] + "1"
	}
	return s[:len(s)-1] + "0"
}

// TestWhatWasSignedIsWhatRuns changes each thing a scenario refers to under approvals made before.
func TestWhatWasSignedIsWhatRuns(t *testing.T) {
	old := sign(t, domainOf(t))
	for _, c := range []struct {
		name, from, to string
		holds          bool
	}{
		{"purpose", "住房贷款资格核验", "任意核验", false},
		{"quota", "per_day: 100000", "per_day: 100001", false},
		{"threshold", `value: "24"`, `value: "25"`, false},
		{"sharing", "sharing: open", "sharing: conditional", false},
		{"grade", "{name: months, type: int64, class: sensitive, grade: 3}", "{name: months, type: int64, class: sensitive, grade: 2}", false},
		{"subject", "{name: lien, type: bool, class: sensitive, grade: 3}", "{name: lien, type: bool, class: attribute, grade: 3}", false},
		{"filter", `op: ">=", value: "20"`, `op: ">=", value: "21"`, false},
		{"unit's name", "松江银行", "松江信贷", false},
		{"unit's key", "name: 松江银行, roles: [application_unit]", `name: 松江银行, roles: [application_unit], key: "KEY:spare"`, false},
		{"term", "from: 2026-02-01, until: 2027-01-31", "from: 2026-02-01, until: 2027-02-28", false},
		{"terms", `terms_digest: "1111`, `terms_digest: "1112`, false},
		{"plan", `plan: "4444`, `plan: "4445`, false},
		{"consent", "consent: required", "consent: not_required", false},
		{"jurisdiction", "jurisdiction: jilin", "jurisdiction: dazhou", false},
		{"domain", "domain: jilin-city", "domain: jilin-town", false},
		{"roster's subject", "roster: household\n    withhold: objection", "roster: insurance\n    withhold: objection", false},
		{"version", "version: \"2026-10\"\n    as_of: 2026-10-31\n    privacy_unit: person\n    subject: {field: rid, identifier: resident_id}\n    roster: household\n    sharing: conditional", "version: \"2026-11\"\n    as_of: 2026-11-30\n    privacy_unit: person\n    subject: {field: rid, identifier: resident_id}\n    roster: household\n    sharing: conditional", true},
		{"source", "path: housing.csv, format: csv, separator: \";\"", "path: housing.parquet, format: parquet", true},
		{"unrelated party", "江城银行", "江城农商银行", true},
		{"unrelated template", `low: "60"`, `low: "61"`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := NewPolicy(nil, domainOf(t, edit{c.from, c.to}), old, noon)
			require.NoError(t, err)
			if c.holds {
				permits(t, p, ask())
				return
			}
			a := ask()
			if c.name == "consent" {
				a.Consent = ""
			}
			refuses(t, p, a, ApprovalInvalid)
		})
	}
}

func TestR23_NoPlanNoOperation(t *testing.T) {
	for _, plan := range []string{`plan: ""`, `operation: op-2026`} {
		e := edit{`plan: "4444444444444444444444444444444444444444444444444444444444444444"`, plan}
		if plan != `plan: ""` {
			e = edit{"    " + e.old + "\n", ""}
		}
		p := policyOf(t, e, edit{"jurisdiction: jilin", "jurisdiction: zhejiang"})
		require.Equal(t, "六（四）", refuses(t, p, ask(), PlanMissing).Article)
		require.Equal(t, PlanMissing, p.Inactive()[0].Rule)
		require.InDelta(t, lineOf(t, domainText, `plan: "4444`), p.Inactive()[0].Line, 5)
	}
}

func TestKeysArePinned(t *testing.T) {
	first := policyOf(t)
	rotate := edit{`name: 市住房和城乡建设局, roles: [provider], key: "KEY:zhujian"`, `name: 市住房和城乡建设局, roles: [provider], key: "KEY:spare"`}
	d := domainOf(t, rotate)
	approvals := func(extra ...Approval) []Approval {
		return append(sign2(t, d, "zhujian", "spare"), extra...)
	}
	_, err := NewPolicy(first, d, approvals(), noon)
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, KeyPinned, e.Rule)
	require.Equal(t, lineOf(t, domainText, "id: zhujian"), e.Line)

	byNew, err := SignApproval(d, ObjectPartyKey, "zhujian", "zhujian", AsHolder, keys()["spare"])
	require.NoError(t, err)
	_, err = NewPolicy(first, d, approvals(byNew), noon)
	require.ErrorAs(t, err, &e, "the new key cannot vouch for itself")

	byOld, err := SignApproval(d, ObjectPartyKey, "zhujian", "zhujian", "", keys()["zhujian"])
	require.NoError(t, err)
	next, err := NewPolicy(first, d, approvals(byOld), noon)
	require.NoError(t, err)
	require.Equal(t, uint64(2), next.Epoch)
	permits(t, next, ask())

	// neither leaving the file for a while nor losing the role frees a pinned key
	gone, err := ParseDomain([]byte("yumen: 1\ndomain: jilin-city\njurisdiction: jilin\n"))
	require.NoError(t, err)
	empty, err := NewPolicy(first, gone, nil, noon)
	require.NoError(t, err)
	_, err = NewPolicy(empty, d, approvals(), noon)
	require.ErrorAs(t, err, &e)
	require.Equal(t, KeyPinned, e.Rule)
	_, err = NewPolicy(empty, domainOf(t), sign(t, domainOf(t)), noon)
	require.NoError(t, err)
}

// sign2 signs a domain in which one party has another's key.
func sign2(t testing.TB, d *Domain, party, key string) []Approval {
	t.Helper()
	var out []Approval
	for i := range d.Scenarios {
		for _, k := range required(&d.Scenarios[i]) {
			with := k.party
			if with == party {
				with = key
			}
			a, err := SignApproval(d, ObjectScenario, d.Scenarios[i].ID, k.party, k.role, keys()[with])
			require.NoError(t, err)
			out = append(out, a)
		}
	}
	return out
}

func TestANewAuthorityNeedsAnOldOne(t *testing.T) {
	first := policyOf(t)
	add := edit{"roles: [exchange]", `roles: [exchange, data_authority], key: "KEY:spare"`}
	d := domainOf(t, add)
	_, err := NewPolicy(first, d, sign(t, d), noon)
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, AuthorityPinned, e.Rule)
	a, err := SignApproval(d, ObjectPartyKey, "exchange", "shuju", AsAuthority, keys()["shuju"])
	require.NoError(t, err)
	_, err = NewPolicy(first, d, append(sign(t, d), a), noon)
	require.NoError(t, err)
}

func TestDomainAndJurisdictionAreFixed(t *testing.T) {
	first := policyOf(t)
	for _, e := range []edit{{"domain: jilin-city", "domain: other"}, {"jurisdiction: jilin", "jurisdiction: dazhou"}} {
		d := domainOf(t, e)
		_, err := NewPolicy(first, d, sign(t, d), noon)
		var fe *FileError
		require.ErrorAs(t, err, &fe)
		require.Equal(t, DomainFixed, fe.Rule)
	}
}

func TestSigningRefusesWhatCouldNotCount(t *testing.T) {
	d := domainOf(t)
	for _, c := range []struct{ object, id, party, role, key string }{
		{ObjectScenario, "marriage", "shuju", AsAuthority, "shuju"},
		{ObjectScenario, propertyID, "gongan", AsProvider, "gongan"},
		{ObjectScenario, propertyID, "shuju", AsProvider, "shuju"},
		{ObjectScenario, propertyID, "shuju", AsAuthority, "zhujian"},
		{ObjectScenario, propertyID, "shuju", "", "shuju"},
		{ObjectPartyKey, "nobody", "nobody", "", "shuju"},
		{ObjectPartyKey, "zhujian", "shuju", AsHolder, "shuju"},
		{ObjectPartyKey, "shuju", "shuju", AsAuthority, "shuju"},
		{"dataset", "housing", "shuju", AsAuthority, "shuju"},
	} {
		_, err := SignApproval(d, c.object, c.id, c.party, c.role, keys()[c.key])
		require.Error(t, err, c)
	}
}

func TestApprovalsFileRoundTripsAndIsStrict(t *testing.T) {
	d := domainOf(t)
	all := sign(t, d)
	text, err := MarshalApprovals(all)
	require.NoError(t, err)
	back, err := ParseApprovals(text)
	require.NoError(t, err)
	require.Equal(t, all, back)
	empty, err := MarshalApprovals(nil)
	require.NoError(t, err)
	back, err = ParseApprovals(empty)
	require.NoError(t, err)
	require.Empty(t, back)
	for _, c := range []struct {
		old, new string
		rule     Rule
	}{
		{"object: scenario", "object: world", Malformed},
		{"role: authority", "role: king", Malformed},
		{"role: authority", "rule: authority", UnknownKey},
		{"yumen-approvals: 1", "yumen-approvals: 2", Malformed},
		{"signature: ", "signature: 0", Malformed},
		{"party: shuju", "party: ../shuju", Malformed},
	} {
		s := strings.Replace(string(text), c.old, c.new, 1)
		require.NotEqual(t, string(text), s)
		_, err := ParseApprovals([]byte(s))
		var all FileErrors
		require.ErrorAs(t, err, &all, c)
		require.True(t, slices.ContainsFunc(all, func(e *FileError) bool { return e.Rule == c.rule && e.Line > 0 }), err)
	}
}
