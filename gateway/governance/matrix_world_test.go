package governance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The matrix: one domain that has everything a decision depends on in all its
// values, and every question about it. What stands beside each object is what the
// oracle reads; it never looks at the policy.

type matrixUnit struct {
	id, agreement string
	roles         []string
	sector        string // use or operation
}

type matrixScenario struct {
	id       string
	consent  bool
	state    string // "", plan, missing, invalid
	suffixed string
}

type matrixQuery struct {
	id            string
	act           Act // verify, table, mask
	set           string
	sharing       string
	class, grade  string // of the field read
	use           string // predicate, identity, group, filter, measure, column
	technique     string
	templateClass string
	statute       bool
	offered       bool // by the scenarios
}

type matrix struct {
	d         *Domain
	units     []matrixUnit
	scenarios []matrixScenario
	queries   []matrixQuery
	approvals []Approval
}

var matrixClasses = []string{"direct_identifier", "quasi_identifier", "sensitive", "attribute", ""}
var matrixGrades = []string{"1", "2", "3", "4", "important", "core", ""}

func newMatrix(t testing.TB, sharings ...string) *matrix {
	t.Helper()
	if len(sharings) == 0 {
		sharings = []string{SharingOpen, SharingConditional, SharingVerifyOnly, SharingProhibited}
	}
	pack, err := LoadPack("jilin")
	require.NoError(t, err)
	m := &matrix{d: &Domain{Format: 1, ID: "matrix", Jurisdiction: "jilin", Settings: DefaultSettings(), pack: pack,
		Policies: `forbid (principal == Party::"vendor", action == Action::"table", resource) when { resource.dataset == "conditional" };`}}
	key := func(id string) string { return keys()[id].Public().String() }
	m.d.Parties = []Party{{ID: "shuju", Name: "a", Roles: []string{RoleDataAuthority}, Key: key("shuju")},
		{ID: "zhujian", Name: "b", Roles: []string{RoleProvider}, Key: key("zhujian")},
		{ID: "renshe", Name: "b", Roles: []string{RoleProvider}, Key: key("renshe")},
		{ID: "company", Name: "c", Roles: []string{RoleOperator}}, {ID: "idle", Name: "d", Roles: []string{RoleApplicationUnit}}}
	term := func(id, kind string, parties ...string) {
		m.d.Agreements = append(m.d.Agreements, Agreement{ID: id, Kind: kind, Parties: parties,
			From: day(t, "2026-01-01"), Until: day(t, "2026-12-31")})
	}
	term("op", "operation", "shuju", "company", "dev", "both")
	for _, u := range []matrixUnit{
		{"app", "app-use", []string{RoleApplicationUnit}, "use"}, {"vendor", "vendor-use", []string{RoleServiceVendor}, "use"},
		{"dev", "op", []string{RoleOperator}, "operation"}, {"both", "op", []string{RoleOperator, RoleApplicationUnit}, "operation"},
		{"trader", "trader-use", []string{RoleOperator, RoleServiceVendor}, "use"}, {"tenant", "tenant-use", []string{RoleOperator}, "use"},
	} {
		m.units = append(m.units, u)
		m.d.Parties = append(m.d.Parties, Party{ID: u.id, Name: u.id, Roles: u.roles})
		if u.sector == "use" {
			term(u.agreement, "use", "company", u.id)
		}
	}
	for _, sharing := range sharings {
		m.register(sharing)
	}
	for _, s := range []matrixScenario{{"open", false, "", ""}, {"asked", true, "", ""}, {"planless", false, "plan", ""},
		{"unsigned", false, "missing", ""}, {"forged", false, "invalid", ""}} {
		m.scenarios = append(m.scenarios, s)
		m.d.Scenarios = append(m.d.Scenarios, m.scenario(s))
	}
	m.consents(t)
	m.sign(t)
	return m
}

func day(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	require.NoError(t, err)
	return d
}

// register adds a dataset of one sharing with a field of every class and grade, and every query on each.
func (m *matrix) register(sharing string) {
	provider := "zhujian"
	if sharing == SharingOpen {
		provider = "renshe"
	}
	set := Dataset{ID: sharing, Name: "x", Provider: provider, Sharing: sharing, PrivacyUnit: "person", Version: "1",
		Subject: Subject{Field: "rid", Identifier: "resident_id"}, Fields: []Field{{Name: "rid", Type: "string", Class: "direct_identifier", Grade: "3"}}}
	for i, class := range matrixClasses {
		for j, grade := range matrixGrades {
			name := fmt.Sprintf("f%d%d", i, j)
			set.Fields = append(set.Fields, Field{Name: name, Type: "int64", Class: class, Grade: grade})
			base := matrixQuery{set: sharing, sharing: sharing, class: class, grade: grade, offered: true}
			m.templates(base, name)
			m.tables(base, name)
			m.masks(base, name)
			m.aggregates(base, name)
		}
	}
	m.d.Datasets = append(m.d.Datasets, set)
}

func (m *matrix) templates(q matrixQuery, field string) {
	q.act = ActVerify
	for _, c := range []string{"ordinary", "consented", "rare", "statutory"} {
		q.id, q.templateClass, q.statute, q.use = q.set+"-"+field+"-"+c, c, false, "predicate"
		x := Template{ID: q.id, Dataset: q.set, Kind: KindEquals, Field: field, Value: "1", Class: c}
		if c == "statutory" {
			q.templateClass, q.statute, x.Class, x.Statute = ClassRare, true, ClassRare, "law"
		}
		if c == "consented" {
			q.use, x.Kind, x.Field, x.NameField, x.PhoneField = "identity", KindIdentity, "", field, field
		}
		m.d.Templates = append(m.d.Templates, x)
		m.queries = append(m.queries, q)
	}
}

func (m *matrix) tables(q matrixQuery, field string) {
	q.act = ActTable
	for _, use := range []string{"group", "filter", "measure"} {
		for _, private := range []bool{false, true} {
			q.use, q.technique, q.id = use, "exact", q.set+"-"+field+"-"+use
			x := Table{Dataset: q.set, Measures: []Measure{{Kind: "count"}}}
			switch use {
			case "group":
				x.GroupBy = []string{field}
			case "filter":
				x.Filters = []Filter{{Field: field, Op: "=", Value: "1"}}
			default:
				x.Measures = append(x.Measures, Measure{Kind: "sum", Field: field})
			}
			if private {
				q.technique, q.id, x.Privacy = "laplace", q.id+"-dp", &Privacy{Mechanism: "laplace"}
			}
			x.ID = q.id
			m.d.Tables = append(m.d.Tables, x)
			m.queries = append(m.queries, q)
		}
	}
}

func (m *matrix) masks(q matrixQuery, field string) {
	q.act, q.use = ActMask, "column"
	for _, technique := range []string{"keep", "redact", "generalize", "suppress"} {
		q.technique, q.id = technique, q.set+"-"+field+"-"+technique
		m.d.Masks = append(m.d.Masks, Mask{ID: q.id, Dataset: q.set, K: 5, MaxSuppression: "0.1", Columns: []Column{{Name: field, Technique: technique}}})
		m.queries = append(m.queries, q)
	}
}

func (m *matrix) aggregates(q matrixQuery, field string) {
	q.act, q.use, q.technique, q.id = ActAggregate, "measure", "encrypted", q.set+"-"+field+"-sum"
	m.d.Aggregates = append(m.d.Aggregates, Aggregate{ID: q.id, Kind: "sum", Columns: []Lane{{Dataset: q.set, Field: field, Lane: field}}})
	m.queries = append(m.queries, q)
}

func (m *matrix) scenario(s matrixScenario) Scenario {
	out := Scenario{ID: s.id, Name: s.id, Purpose: "p", Operation: "op", Plan: strings.Repeat("4", 64), Authority: "shuju",
		Providers: []string{"zhujian", "renshe"}, Consent: "not_required", AllowedUse: "u", ResultDays: 30}
	if s.consent {
		out.Consent = "required"
	}
	if s.state == "plan" {
		out.Plan = ""
	}
	for _, u := range m.units {
		out.Units = append(out.Units, Unit{Party: u.id, Agreement: u.agreement, PerDay: 10, PerSubjectDay: 3})
	}
	for _, q := range m.queries {
		switch q.act {
		case ActVerify:
			out.Templates = append(out.Templates, q.id)
		case ActTable:
			out.Tables = append(out.Tables, q.id)
		case ActAggregate:
			out.Aggregates = append(out.Aggregates, q.id)
		default:
			out.Masks = append(out.Masks, q.id)
		}
	}
	return out
}

// consents: one that holds for every unit and scenario that verifies, and one wrong in each way.
func (m *matrix) consents(t testing.TB) {
	var templates []string
	for _, q := range m.queries {
		if q.act == ActVerify {
			templates = append(templates, q.id)
		}
	}
	for _, scenario := range []string{"open", "asked"} {
		for _, u := range m.units {
			good := Consent{ID: "good-" + u.id + "-" + scenario, Subject: SubjectID{person}, Identifier: "resident_id", Unit: u.id,
				Scenario: scenario, Templates: templates, Until: day(t, "2026-11-30")}
			wrong := func(kind string, change func(*Consent)) {
				c := good
				c.ID = kind + "-" + u.id + "-" + scenario
				change(&c)
				m.d.Consents = append(m.d.Consents, c)
			}
			wrong("good", func(*Consent) {})
			wrong("unit", func(c *Consent) { c.Unit = "idle" })
			wrong("scenario", func(c *Consent) { c.Scenario = "planless" })
			wrong("identifier", func(c *Consent) { c.Identifier = "mobile" })
			wrong("template", func(c *Consent) { c.Templates = []string{"other"} })
			wrong("subject", func(c *Consent) { c.Subject = SubjectID{"110105194912310038"} })
			wrong("revoked", func(c *Consent) { c.Revoked = true })
			wrong("expired", func(c *Consent) { c.Until = day(t, "2026-10-30") })
		}
	}
}

func (m *matrix) sign(t testing.TB) {
	for i, s := range m.scenarios {
		for _, k := range required(&m.d.Scenarios[i]) {
			a, err := SignApproval(m.d, ObjectScenario, s.id, k.party, k.role, keys()[k.party])
			require.NoError(t, err)
			if k.party == "renshe" && s.state == "missing" {
				continue
			}
			if k.party == "renshe" && s.state == "invalid" {
				a.Signature = flip(a.Signature)
			}
			m.approvals = append(m.approvals, a)
		}
	}
}

func (m *matrix) policy(t testing.TB) *Policy {
	t.Helper()
	p, err := NewPolicy(nil, m.d, m.approvals, noon)
	require.NoError(t, err)
	return p
}

// matrixCase is one question with everything the oracle may know of it.
type matrixCase struct {
	unit      *matrixUnit // nil: a party without a place
	party     string
	scenario  *matrixScenario // nil: unknown
	query     *matrixQuery    // nil: unknown
	act       Act
	consent   string // kind, "" for none, "nobody" for an unknown id
	when      string // before, first, in, last, after
	threshold bool
	fields    string // "", own, other, ungraded, unknown
	stopped   target
}

var matrixTimes = map[string]time.Time{
	"before": time.Date(2025, 12, 31, 15, 59, 59, 0, time.UTC), "first": time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC), "in": noon,
	"last": time.Date(2026, 12, 31, 15, 59, 59, 0, time.UTC), "after": time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC),
}

func (c *matrixCase) ask() *Ask {
	a := &Ask{Party: c.party, Scenario: "nowhere", Act: c.act, Query: "nothing", Threshold: c.threshold, At: matrixTimes[c.when], Subject: []byte(person)}
	if c.scenario != nil {
		a.Scenario = c.scenario.id
	}
	if c.query != nil {
		a.Query = c.query.id
	}
	if c.consent != "" {
		a.Consent = c.consent + "-" + c.party + "-" + a.Scenario
	}
	switch c.fields {
	case "own":
		a.Fields = []string{"rid"}
	case "other":
		a.Fields = []string{"f10"}
	case "ungraded":
		a.Fields = []string{"f16"}
	case "unknown":
		a.Fields = []string{"colour"}
	}
	return a
}
