package governance

import "slices"

// claim is what the clauses of the law look at: a question, or the part of it that
// never changes under a policy (then ask is nil).
type claim struct {
	p   *Policy
	ask *Ask
	now int64 // Unix seconds of the question
	act Act
	u   *unitGrant
	q   *queryGrant
	w   *consentWindow
}

// clause is one invariant: what it hits is refused by its rule.
type clause struct {
	rule Rule
	hits func(*claim) bool
}

// law lists the invariants. Those of units, queries and fields hold whatever is
// asked and are settled when a policy is made.
type law struct {
	unit    []clause // unit, scenario, agreements
	query   []clause // query, dataset
	field   []func(*Field) Rule
	time    []clause // agreements in force now
	ask     []clause // act, fields, the access policy
	absent  []clause // no consent named
	consent []clause // a consent named
}

// judge gives the rule of the first clause that hits, or "".
func judge(clauses []clause, c *claim) Rule {
	for i := range clauses {
		if clauses[i].hits(c) {
			return clauses[i].rule
		}
	}
	return ""
}

func invariants() *law {
	return &law{unit: unitLaw(), query: queryLaw(), field: fieldLaw(), time: timeLaw(), ask: askLaw(), absent: absentLaw(), consent: consentLaw()}
}

func unitLaw() []clause {
	return []clause{
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetParty, c.u.use.Parties...) }},
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetParty, c.u.operation.Parties...) }},
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetAgreement, c.u.use.ID) }},
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetAgreement, c.u.operation.ID) }},
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetScenario, c.u.scenario.ID) }},
		{PlanMissing, func(c *claim) bool { return c.u.scenario.Plan == "" }},
		{ApprovalMissing, func(c *claim) bool { return c.p.approvals[c.u.scenario.ID] == ApprovalMissing }},
		{ApprovalInvalid, func(c *claim) bool {
			verdict, known := c.p.approvals[c.u.scenario.ID]
			return !known || verdict != ""
		}},
	}
}

func queryLaw() []clause {
	return []clause{
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetDataset, c.q.dataset.ID) }},
		{Suspended, func(c *claim) bool { return c.p.suspended(TargetParty, c.q.dataset.Provider) }},
		{DatasetProhibited, func(c *claim) bool { return c.q.dataset.Sharing == SharingProhibited }},
		{DatasetSharing, func(c *claim) bool { return c.q.dataset.Sharing == SharingVerifyOnly && c.act != ActVerify }},
	}
}

// fieldLaw refuses fields that do not exist, without class or grade (R3), and core data (R7).
func fieldLaw() []func(*Field) Rule {
	when := func(rule Rule, hits func(*Field) bool) func(*Field) Rule {
		return func(f *Field) Rule {
			if hits(f) {
				return rule
			}
			return ""
		}
	}
	return []func(*Field) Rule{
		when(FieldUngraded, func(f *Field) bool { return f.Class == "" }),
		when(FieldUngraded, func(f *Field) bool { return f.Grade == "" }),
		when(DatasetProhibited, func(f *Field) bool { return f.Grade == "core" }),
	}
}

// fieldRule judges the fields that a query reads.
func (l *law) fieldRule(d *Dataset, fields []string) Rule {
	for _, name := range fields {
		f := d.FieldNamed(name)
		if f == nil {
			return FieldUnknown
		}
		for _, rule := range l.field {
			if r := rule(f); r != "" {
				return r
			}
		}
	}
	return ""
}

func askLaw() []clause {
	named := func(hits func(*queryGrant, *Field, string) bool) func(*claim) bool {
		return func(c *claim) bool {
			for _, name := range c.ask.Fields {
				if hits(c.q, c.q.dataset.FieldNamed(name), name) {
					return true
				}
			}
			return false
		}
	}
	return []clause{
		{RoleNotAllowed, func(c *claim) bool { return c.u.operator && c.act != ActMask }},
		{BatchNotAllowed, func(c *claim) bool { return c.act == ActBatch && c.q.rare }},
		{FieldUnknown, named(func(_ *queryGrant, f *Field, _ string) bool { return f == nil })},
		{FieldUngraded, named(func(_ *queryGrant, f *Field, _ string) bool { return f != nil && !f.Graded() })},
		{ThresholdSupplied, named(func(q *queryGrant, _ *Field, name string) bool { return !slices.Contains(q.fields, name) })},
		{ThresholdSupplied, func(c *claim) bool { return c.ask.Threshold }},
		{PolicyForbidden, func(c *claim) bool { return !c.q.grants(c.act, c.u.class) }},
		{PolicyForbidden, func(c *claim) bool { return c.p.forbids(c) }},
	}
}

func absentLaw() []clause {
	return []clause{
		{ConsentMissing, func(c *claim) bool { return c.ask.Consent == "" && c.q.needsConsent }},
		{ConsentMissing, func(c *claim) bool { return c.ask.Consent != "" && c.w == nil }},
	}
}

// consentLaw: a consent that is named must hold, needed or not: it goes into the receipt.
func consentLaw() []clause {
	return []clause{
		{ConsentForeign, func(c *claim) bool { return c.w.consent.Unit != c.u.unit.Party }},
		{ConsentForeign, func(c *claim) bool { return c.w.consent.Scenario != c.u.scenario.ID }},
		{ConsentForeign, func(c *claim) bool { return c.w.consent.Identifier != c.q.dataset.Subject.Identifier }},
		{ConsentForeign, func(c *claim) bool {
			return c.q.template == nil || !slices.Contains(c.w.consent.Templates, c.q.template.ID)
		}},
		{ConsentForeign, func(c *claim) bool { return !c.w.consent.Subject.Equal(c.ask.Subject) }},
		{ConsentRevoked, func(c *claim) bool { return c.w.consent.Revoked }},
		{ConsentExpired, func(c *claim) bool { return c.now >= c.w.until }},
	}
}

// timeLaw is asked before it is known what is asked for.
func timeLaw() []clause {
	return []clause{
		{AgreementNotYet, func(c *claim) bool { return c.now < c.u.from }},
		{AgreementExpired, func(c *claim) bool { return c.now >= c.u.until }},
	}
}
