package governance

import "time"

// outOfForce says why an agreement is not in force, or "".
func (a *Agreement) outOfForce(at time.Time) Rule {
	switch {
	case at.Before(a.From.Start()):
		return AgreementNotYet
	case !at.Before(a.Until.End()):
		return AgreementExpired
	}
	return ""
}

// grant enters a scenario into the tables of Decide.
func (p *Policy) grant(s *Scenario) {
	for i := range s.Units {
		u := p.unitGrant(s, &s.Units[i])
		p.units[[2]string{u.unit.Party, s.ID}] = u
	}
	for _, id := range s.Templates {
		t := p.index.templates[id]
		q := &queryGrant{template: t, dataset: p.index.datasets[t.Dataset], attempts: t.Kind == KindIdentity,
			rare: t.Class == ClassRare, fields: t.reads()}
		q.needsConsent = s.Consent == "required" || t.Class == ClassConsented || t.Class == ClassRare && t.Statute == ""
		p.enter(s, ActVerify, id, q)
	}
	for _, id := range s.Tables {
		t := p.index.tables[id]
		p.enter(s, ActTable, id, &queryGrant{table: t, dataset: p.index.datasets[t.Dataset], fields: t.reads()})
	}
	for _, id := range s.Masks {
		m := p.index.masks[id]
		p.enter(s, ActMask, id, &queryGrant{mask: m, dataset: p.index.datasets[m.Dataset], fields: m.reads()})
	}
	for _, id := range s.Aggregates {
		a := p.index.aggregates[id]
		q := &queryGrant{aggregate: a}
		for i, name := range a.Datasets() {
			if x := (source{p.index.datasets[name], a.reads(name)}); i == 0 {
				q.dataset, q.fields = x.dataset, x.fields
			} else {
				q.others = append(q.others, x)
			}
		}
		p.enter(s, ActAggregate, id, q)
	}
}

func (p *Policy) unitGrant(s *Scenario, unit *Unit) *unitGrant {
	u := &unitGrant{party: p.index.parties[unit.Party], unit: unit, scenario: s,
		use: p.index.agreements[unit.Agreement], operation: p.index.agreements[s.Operation]}
	u.operator = !u.party.HasRole(RoleApplicationUnit) && !u.party.HasRole(RoleServiceVendor)
	u.from = max(u.use.From.Start().Unix(), u.operation.From.Start().Unix())
	settings := p.Settings()
	u.days, u.attempts = min(int64(s.ResultDays), settings.ResultDaysMax), min(unit.PerSubjectDay, settings.AttemptsMax)
	u.until = min(u.use.Until.End().Unix(), u.operation.Until.End().Unix())
	u.class = p.verdicts.class(u.party, u.use)
	u.rule = judge(p.law.unit, &claim{p: p, u: u})
	return u
}

// enter adds a query with whatever refuses it always.
func (p *Policy) enter(s *Scenario, act Act, id string, q *queryGrant) {
	if field := q.dataset.Subject.Field; field != "" {
		q.fields = append(q.fields, field)
	}
	for _, x := range append([]source{{q.dataset, q.fields}}, q.others...) {
		if q.rule == "" {
			q.rule = p.settled(act, x)
		}
	}
	q.granted = p.verdicts.granted[queryKey{"", act, id}]
	p.queries[queryKey{s.ID, act, id}] = q
}

// settled is what refuses any query of the source, whatever is asked.
func (p *Policy) settled(act Act, x source) Rule {
	if rule := judge(p.law.query, &claim{p: p, act: act, q: &queryGrant{dataset: x.dataset}}); rule != "" {
		return rule
	}
	return p.law.fieldRule(x.dataset, x.fields)
}

// reads lists the fields a template reads besides the subject.
func (t *Template) reads() []string {
	var out []string
	for _, name := range []string{t.Field, t.NameField, t.PhoneField} {
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

func (t *Table) reads() []string {
	out := append([]string(nil), t.GroupBy...)
	for _, f := range t.Filters {
		out = append(out, f.Field)
	}
	for _, m := range t.Measures {
		if m.Field != "" {
			out = append(out, m.Field)
		}
	}
	return out
}

// reads lists the columns of a mask that leave in some form; a suppressed one does not.
func (m *Mask) reads() []string {
	var out []string
	for _, c := range m.Columns {
		if c.Technique != "suppress" {
			out = append(out, c.Name)
		}
	}
	return out
}
