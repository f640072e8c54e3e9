package governance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// each calls f with every case of the matrix under one suspension, until f says stop.
func (m *matrix) each(stopped target, f func(*matrixCase) bool) {
	acts := []Act{ActVerify, ActBatch, ActTable, ActMask, ActAggregate, "export"}
	go1 := func(c matrixCase) bool { c.stopped = stopped; return f(&c) }
	for i := range m.units {
		u := &m.units[i]
		for j := range m.scenarios {
			for k := range m.queries {
				q := &m.queries[k]
				full := k%499 == 0 || q.class == "quasi_identifier" && q.grade == "1" && q.set == "conditional"
				if stopped.kind != "" && k%23 != 0 && !full {
					continue
				}
				for _, act := range acts {
					base := matrixCase{unit: u, party: u.id, scenario: &m.scenarios[j], query: q, act: act, when: "in"}
					if !go1(base) || full && !m.vary(base, go1) {
						return
					}
				}
			}
		}
	}
	for _, party := range []string{"idle", "company", "shuju", "zhujian", "nobody", "app"} {
		for _, s := range []*matrixScenario{nil, &m.scenarios[0]} {
			if party == "app" && s != nil {
				continue
			}
			if !go1(matrixCase{party: party, scenario: s, query: &m.queries[0], act: ActVerify, when: "in"}) {
				return
			}
		}
	}
	go1(matrixCase{unit: &m.units[0], party: "app", scenario: &m.scenarios[0], act: ActVerify, when: "in"})
}

// vary crosses consents with times, and thresholds with fields.
func (m *matrix) vary(base matrixCase, f func(matrixCase) bool) bool {
	for _, consent := range []string{"", "good", "unit", "scenario", "identifier", "template", "subject", "revoked", "expired", "nobody"} {
		for _, when := range []string{"before", "first", "in", "last", "after"} {
			c := base
			c.consent, c.when = consent, when
			if !f(c) {
				return false
			}
		}
	}
	for _, fields := range []string{"", "own", "other", "ungraded", "unknown"} {
		for _, threshold := range []bool{false, true} {
			c := base
			c.fields, c.threshold, c.consent = fields, threshold, "good"
			if !f(c) {
				return false
			}
		}
	}
	return true
}

func stops() []target {
	out := []target{{}}
	for _, id := range []string{"shuju", "zhujian", "renshe", "company", "idle", "app", "vendor", "dev", "both", "trader", "tenant"} {
		out = append(out, target{TargetParty, id})
	}
	for _, id := range []string{"op", "app-use", "vendor-use"} {
		out = append(out, target{TargetAgreement, id})
	}
	return append(out, target{TargetScenario, "open"}, target{TargetScenario, "asked"}, target{TargetDataset, SharingOpen}, target{TargetDataset, SharingConditional})
}

func (p *Policy) stopped(t testing.TB, at target) *Policy {
	t.Helper()
	if at.kind == "" {
		return p
	}
	q, err := p.WithSuspension(Suspension{Kind: at.kind, ID: at.id, Reason: "x", By: "shuju", At: noon})
	require.NoError(t, err)
	return q
}

func decided(p *Policy, c *matrixCase) Rule {
	d, r := p.Decide(c.ask())
	if (d == nil) == (r == nil) {
		return "neither or both"
	}
	if r != nil {
		return r.Rule
	}
	return ""
}

// decidedOrFailed is for mutants: a clause may shield another from a nil.
func decidedOrFailed(p *Policy, c *matrixCase) (rule Rule) {
	defer func() {
		if recover() != nil {
			rule = "failed"
		}
	}()
	return decided(p, c)
}

func TestDecisionsAgreeWithTheOracleEverywhere(t *testing.T) {
	m := newMatrix(t)
	p := m.policy(t)
	cases, allowed, rules := 0, 0, map[Rule]int{}
	for _, at := range stops() {
		q := p.stopped(t, at)
		m.each(at, func(c *matrixCase) bool {
			want, got := oracle(c), decided(q, c)
			if want != got {
				require.Equal(t, want, got, "%+v unit %+v scenario %+v query %+v", *c, c.unit, c.scenario, c.query)
			}
			cases++
			rules[got]++
			if got == "" {
				allowed++
			}
			return true
		})
	}
	t.Logf("%d cases, %d allowed, %d rules", cases, allowed, len(rules))
	require.Positive(t, allowed)
	require.Greater(t, len(rules), 20)
}

// TestAccessPolicyAgreesWithTheOracle looks at the Cedar layer alone, where the invariants would hide it.
func TestAccessPolicyAgreesWithTheOracle(t *testing.T) {
	m := newMatrix(t)
	m.d.Policies = ""
	v, err := newVerdicts(m.d, builtinPolicies)
	require.NoError(t, err)
	require.Empty(t, m.accessDiffers(v))
}

// accessDiffers gives the first case in which the Cedar layer and the oracle differ.
func (m *matrix) accessDiffers(v *verdicts) string {
	ix := m.d.lookups()
	for i := range m.units {
		u := &m.units[i]
		class := v.class(ix.parties[u.id], ix.agreements[u.agreement])
		for k := range m.queries {
			q := &m.queries[k]
			acts := []Act{q.act}
			if q.act == ActVerify {
				acts = append(acts, ActBatch)
			}
			for _, act := range acts {
				grant := &queryGrant{granted: v.granted[queryKey{"", q.act, q.id}]}
				if grant.grants(act, class) != oracleAccess(u, q, act) {
					return fmt.Sprintf("%s %s %s", u.id, act, q.id)
				}
			}
		}
	}
	return ""
}

func TestEveryCedarStatementMatters(t *testing.T) {
	m := newMatrix(t)
	m.d.Policies = ""
	list, err := parsePolicies(builtinPolicies)
	require.NoError(t, err)
	require.Greater(t, len(list), 10)
	for i := range list {
		mutant := slices.Delete(slices.Clone(list), i, i+1)
		var text []byte
		for _, p := range mutant {
			text = append(append(text, p.MarshalCedar()...), '\n')
		}
		v, err := newVerdicts(m.d, text)
		require.NoError(t, err)
		require.NotEmpty(t, m.accessDiffers(v), "statement %q is not needed", list[i].Annotations()["id"])
	}
}

func TestEveryInvariantMatters(t *testing.T) {
	m := newMatrix(t)
	p := m.policy(t)
	groups := map[string]func(*law) *[]clause{
		"unit": func(l *law) *[]clause { return &l.unit }, "query": func(l *law) *[]clause { return &l.query },
		"time": func(l *law) *[]clause { return &l.time }, "ask": func(l *law) *[]clause { return &l.ask },
		"absent": func(l *law) *[]clause { return &l.absent }, "consent": func(l *law) *[]clause { return &l.consent },
	}
	for name, of := range groups {
		for i := range *of(invariants()) {
			l := invariants()
			*of(l) = slices.Delete(*of(l), i, i+1)
			require.True(t, m.differs(t, p, l), "%s %d %s is not needed", name, i, (*of(invariants()))[i].rule)
		}
	}
	for i := range invariants().field {
		l := invariants()
		l.field = slices.Delete(l.field, i, i+1)
		require.True(t, m.differs(t, p, l), "field %d is not needed", i)
	}
}

// differs says whether a policy under another law answers any case otherwise than the oracle.
func (m *matrix) differs(t testing.TB, p *Policy, l *law) (found bool) {
	t.Helper()
	mutant := *p
	mutant.law = l
	for _, at := range slices.Backward(stops()) { // all questions come last
		q := mutant
		require.NoError(t, q.compile())
		stopped := q.stopped(t, at)
		m.each(at, func(c *matrixCase) bool {
			found = oracle(c) != decidedOrFailed(stopped, c)
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// TestMorePoliciesNeverAllowMore adds policies, also ones that fail, and suspensions.
func TestMorePoliciesNeverAllowMore(t *testing.T) {
	m := newMatrix(t, SharingOpen)
	m.d.Policies = ""
	base := m.policy(t)
	texts := []string{
		`forbid (principal == Party::"app", action, resource);`,
		`forbid (principal, action == Action::"table", resource) when { context.class == "sensitive" };`,
		`forbid (principal, action, resource) when { context.field == "f10" };`,
		`forbid (principal, action, resource) when { resource.scenario == "asked" && resource.provider == "renshe" };`,
		`forbid (principal, action, resource) unless { context has grade };`,
		`forbid (principal == Party::"vendor", action, resource) when { principal.missing == 1 };`,
		`forbid (principal, action == Action::"mask", resource) when { context.grade < 3 };`,
	}
	var stricter []*Policy
	for i := range texts {
		d := *m.d
		d.Policies = texts[i] + "\n" + texts[(i+2)%len(texts)]
		v, err := newVerdicts(&d, builtinPolicies)
		require.NoError(t, err)
		p := *base
		p.domain, p.verdicts = &d, v
		require.NoError(t, p.compile())
		stricter = append(stricter, &p)
	}
	forbidden := 0
	rapid.Check(t, func(r *rapid.T) {
		q := rapid.SampledFrom(stricter).Draw(r, "policies").stopped(t, rapid.SampledFrom(stops()[:15]).Draw(r, "stop"))
		for range 200 {
			c := m.draw(r)
			before, after := decided(base, c), decided(q, c)
			if after == "" {
				require.Empty(r, before)
			}
			if before == "" && after == PolicyForbidden {
				forbidden++
			}
		}
	})
	require.Positive(t, forbidden)
}

func (m *matrix) draw(r *rapid.T) *matrixCase {
	u := &m.units[rapid.IntRange(0, len(m.units)-1).Draw(r, "unit")]
	q := &m.queries[rapid.IntRange(0, len(m.queries)-1).Draw(r, "query")]
	return &matrixCase{unit: u, party: u.id, scenario: &m.scenarios[rapid.IntRange(0, 1).Draw(r, "scenario")], query: q, act: q.act,
		when: "in", consent: rapid.SampledFrom([]string{"", "good"}).Draw(r, "consent")}
}

// A policy that cannot be evaluated denies, where Cedar alone would let the request pass.
func TestAPolicyThatFailsDenies(t *testing.T) {
	list, err := parsePolicies([]byte(`permit (principal, action, resource);
forbid (principal, action, resource) when { context.nothing == 1 };`))
	require.NoError(t, err)
	u := &accessUnit{"app", []string{RoleApplicationUnit}, "use"}
	q := &accessQuery{id: "x", sharing: SharingOpen, kind: "table", output: outputTable}
	row := &accessField{use: "row", technique: "exact"}
	decision, clean := evaluate(list, u, ActTable, q, row)
	require.Equal(t, cedar.Deny, decision)
	require.False(t, clean)
	decision, clean = evaluate(list[:1], u, ActTable, q, row)
	require.True(t, decision == cedar.Allow && clean)
	// entities are checked before they are believed
	for _, spoil := range []func(u *accessUnit, q *accessQuery, f *accessField){
		func(u *accessUnit, _ *accessQuery, _ *accessField) { u.roles = nil },
		func(u *accessUnit, _ *accessQuery, _ *accessField) { u.roles = []string{"root"} },
		func(u *accessUnit, _ *accessQuery, _ *accessField) { u.agreement = "" },
		func(_ *accessUnit, q *accessQuery, _ *accessField) { q.sharing = "" },
		func(_ *accessUnit, q *accessQuery, _ *accessField) { q.output = "rows" },
		func(_ *accessUnit, q *accessQuery, _ *accessField) { q.kind = "" },
		func(_ *accessUnit, _ *accessQuery, f *accessField) { f.use = "export" },
		func(_ *accessUnit, _ *accessQuery, f *accessField) { f.use = "group" },
		func(_ *accessUnit, _ *accessQuery, f *accessField) { f.technique = "" },
	} {
		u, q, f := *u, *q, *row
		spoil(&u, &q, &f)
		_, clean := evaluate(list[:1], &u, ActTable, &q, &f)
		require.False(t, clean)
	}
}
