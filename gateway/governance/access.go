package governance

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// builtinPolicies is the access policy of every gateway, in Cedar.
//
//go:embed access.cedar
var builtinPolicies []byte

// verdicts are all decisions of the access policies of one domain, made when a
// policy is: a decision under it only looks them up. What is not there is refused.
type verdicts struct {
	classes   map[string]int              // roles and kind of agreement -> class of unit
	granted   map[queryKey]map[Act][]bool // act, query (scenario empty) -> act asked -> by class
	forbidden map[forbidKey]bool          // by the policies of the domain file
}

type forbidKey struct {
	party, scenario string
	act             Act
	query           string
}

// accessUnit is a unit as the access policies see it.
type accessUnit struct {
	id        string
	roles     []string
	agreement string
}

// accessQuery is a query as the access policies see it.
type accessQuery struct {
	id, scenario, dataset, provider string
	sharing, kind, class, output    string
	statute                         bool
	parts                           []accessField
}

// accessField is one field in the use a query makes of it; use "row" is the row itself.
type accessField struct{ name, class, grade, use, technique string }

func classOf(p *Party, a *Agreement) string {
	return a.Kind + " " + strings.Join(slices.Sorted(slices.Values(p.Roles)), " ")
}

// class of a unit; -1, which nothing is granted to, if there is none.
func (v *verdicts) class(p *Party, a *Agreement) int {
	if n, ok := v.classes[classOf(p, a)]; ok {
		return n
	}
	return -1
}

// grants says whether the built-in access policy allows the act to a class of units.
func (q *queryGrant) grants(act Act, class int) bool {
	by := q.granted[act]
	return class >= 0 && class < len(by) && by[class]
}

// forbids says whether the policies of the domain file forbid the question.
func (p *Policy) forbids(c *claim) bool {
	f := p.verdicts.forbidden
	return len(f) > 0 && f[forbidKey{c.u.unit.Party, c.u.scenario.ID, c.act, c.ask.Query}]
}

// newVerdicts asks the access policies everything that can be asked of them.
func newVerdicts(d *Domain, builtin []byte) (*verdicts, error) {
	base, err := parsePolicies(builtin)
	if err != nil {
		return nil, fmt.Errorf("built-in access policy: %w", err)
	}
	ix := d.lookups()
	v := &verdicts{classes: map[string]int{}, granted: map[queryKey]map[Act][]bool{}, forbidden: map[forbidKey]bool{}}
	units := v.unitClasses(d, ix)
	asked := map[string]bool{}
	for _, q := range d.accessQueries(ix) {
		for _, act := range q.acts() {
			by := make([]bool, len(units))
			for class, u := range units {
				by[class] = q.allowed(base, u, act, asked)
			}
			key := queryKey{"", kindOf(act), q.id}
			if v.granted[key] == nil {
				v.granted[key] = map[Act][]bool{}
			}
			for class, earlier := range v.granted[key][act] { // another dataset of the same query
				by[class] = by[class] && earlier
			}
			v.granted[key][act] = by
		}
	}
	return v, v.forbid(d, ix)
}

// unitClasses numbers the distinct units by what the built-in policy sees of them.
func (v *verdicts) unitClasses(d *Domain, ix *lookups) []*accessUnit {
	var out []*accessUnit
	for i := range d.Scenarios {
		for _, unit := range d.Scenarios[i].Units {
			p, a := ix.parties[unit.Party], ix.agreements[unit.Agreement]
			if key := classOf(p, a); v.class(p, a) < 0 {
				v.classes[key] = len(out)
				out = append(out, &accessUnit{"", p.Roles, a.Kind})
			}
		}
	}
	return out
}

// forbid asks the policies of the domain file of every unit and query. They see
// names, so nothing is shared; their work is bounded.
func (v *verdicts) forbid(d *Domain, ix *lookups) error {
	if d.Policies == "" {
		return nil
	}
	own, err := parsePolicies([]byte(d.Policies))
	if err != nil {
		return d.policyError()
	}
	queries := map[queryKey][]*accessQuery{}
	for _, q := range d.accessQueries(ix) {
		key := queryKey{"", q.acts()[0], q.id}
		queries[key] = append(queries[key], q)
	}
	work := 0
	for i := range d.Scenarios {
		s := &d.Scenarios[i]
		for _, q := range s.accessQueries(queries) {
			if work += len(s.Units) * len(q.parts) * len(q.acts()) * len(own); work > maxAccessWork {
				return d.policyError()
			}
			for _, unit := range s.Units {
				u := &accessUnit{unit.Party, ix.parties[unit.Party].Roles, ix.agreements[unit.Agreement].Kind}
				for _, act := range q.acts() {
					if q.forbidden(own, u, act) {
						v.forbidden[forbidKey{unit.Party, s.ID, act, q.id}] = true
					}
				}
			}
		}
	}
	return nil
}

// accessQueries lists what a scenario offers, under its name.
func (s *Scenario) accessQueries(all map[queryKey][]*accessQuery) []accessQuery {
	var out []accessQuery
	for _, key := range s.queryKeys() {
		for _, q := range all[key] {
			offered := *q
			offered.scenario = s.ID
			out = append(out, offered)
		}
	}
	return out
}

// maxAccessWork bounds how often a policy of a domain file is evaluated: a few seconds.
const maxAccessWork = 500_000

// queryKeys lists what a scenario offers.
func (s *Scenario) queryKeys() []queryKey {
	var out []queryKey
	for act, ids := range map[Act][]string{ActVerify: s.Templates, ActTable: s.Tables, ActMask: s.Masks, ActAggregate: s.Aggregates} {
		for _, id := range ids {
			out = append(out, queryKey{"", act, id})
		}
	}
	return out
}

// allowed says whether the built-in policy allows the act for the row and every
// field. asked remembers answers: the built-in policy sees no names.
func (q *accessQuery) allowed(base cedar.PolicyList, u *accessUnit, act Act, asked map[string]bool) bool {
	for i := range q.parts {
		f := q.parts[i]
		f.name = ""
		key := fmt.Sprintf("%q", []string{string(act), u.agreement, strings.Join(u.roles, " "), q.sharing, q.kind, q.class,
			q.output, fmt.Sprint(q.statute), f.class, f.grade, f.use, f.technique})
		ok, known := asked[key]
		if !known {
			bare := &accessQuery{sharing: q.sharing, kind: q.kind, class: q.class, output: q.output, statute: q.statute}
			decision, clean := evaluate(base, u, act, bare, &f)
			ok = clean && decision == cedar.Allow
			asked[key] = ok
		}
		if !ok {
			return false
		}
	}
	return len(q.parts) > 0
}

// forbidden says whether a policy of the domain file forbids the row or a field, or cannot tell.
func (q *accessQuery) forbidden(own cedar.PolicyList, u *accessUnit, act Act) bool {
	hits := func(f *accessField) bool {
		_, clean := evaluate(own, u, act, q, f)
		return !clean
	}
	for i := range q.parts {
		if hits(&q.parts[i]) {
			return true
		}
	}
	return len(q.parts) == 0
}

// evaluate asks the policies one request. clean says that nothing forbade, no
// policy failed and the request was whole.
func evaluate(policies cedar.PolicyList, u *accessUnit, act Act, q *accessQuery, f *accessField) (decision cedar.Decision, clean bool) {
	if !u.valid() || !q.valid() || !f.valid() {
		return cedar.Deny, false
	}
	defer func() {
		if recover() != nil {
			decision, clean = cedar.Deny, false
		}
	}()
	set := cedar.PolicyMap{}
	for i, p := range policies {
		set[cedar.PolicyID(fmt.Sprint(i))] = p
	}
	request, entities := accessRequest(u, act, q, f)
	decision, diagnostic := cedar.Authorize(set, entities, request)
	if len(diagnostic.Errors) > 0 {
		return cedar.Deny, false
	}
	return decision, decision == cedar.Allow || len(diagnostic.Reasons) == 0
}

func accessRequest(u *accessUnit, act Act, q *accessQuery, f *accessField) (cedar.Request, cedar.EntityMap) {
	text := func(s string) cedar.Value { return cedar.String(s) }
	roles := make([]cedar.Value, len(u.roles))
	for i, r := range u.roles {
		roles[i] = text(r)
	}
	party := cedar.NewEntityUID("Party", types.String(u.id))
	query := cedar.NewEntityUID("Query", types.String(q.id))
	entities := cedar.EntityMap{
		party: {UID: party, Attributes: cedar.NewRecord(cedar.RecordMap{"roles": cedar.NewSet(roles...), "agreement": text(u.agreement)})},
		query: {UID: query, Attributes: cedar.NewRecord(cedar.RecordMap{
			"scenario": text(q.scenario), "dataset": text(q.dataset), "provider": text(q.provider), "sharing": text(q.sharing),
			"kind": text(q.kind), "class": text(q.class), "output": text(q.output), "statute": cedar.Boolean(q.statute)})},
	}
	return cedar.Request{Principal: party, Action: cedar.NewEntityUID("Action", types.String(act)), Resource: query,
		Context: cedar.NewRecord(cedar.RecordMap{"field": text(f.name), "class": text(f.class), "grade": text(f.grade),
			"use": text(f.use), "technique": text(f.technique)})}, entities
}
