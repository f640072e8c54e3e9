package governance

import "slices"

func (l *loader) checkAgreement(ix *lookups, a *Agreement, o *object) {
	operator, authority := false, false
	for i, id := range a.Parties {
		p := ix.parties[id]
		if p == nil {
			n, path := o.nodeAt("parties", i)
			l.report(n, path, DanglingReference)
			return
		}
		operator = operator || p.HasRole(RoleOperator)
		authority = authority || p.authority()
	}
	if !operator || a.Kind == "operation" && !authority {
		o.report("parties", AgreementMissing)
	}
}

func (l *loader) checkScenario(ix *lookups, s *Scenario, o *object) {
	authority := l.withRole(ix, o, "authority", s.Authority, (*Party).authority)
	op := ix.agreements[s.Operation]
	switch {
	case op == nil:
		o.report("operation", DanglingReference)
	case op.Kind != "operation" || authority != nil && authority.authority() && !slices.Contains(op.Parties, s.Authority):
		o.report("operation", AgreementMissing)
	}
	l.checkUnits(ix, s, o, op)
	used, complete := l.checkQueries(ix, s, o)
	if !complete {
		return
	}
	for i, id := range s.Providers {
		if !slices.Contains(used, id) {
			n, path := o.nodeAt("providers", i)
			l.report(n, path, DanglingReference)
		}
	}
	for _, id := range used {
		if !slices.Contains(s.Providers, id) {
			o.report("providers", ApprovalMissing)
		}
	}
}

func (l *loader) checkUnits(ix *lookups, s *Scenario, o *object, op *Agreement) {
	seen := map[string]bool{}
	for i, u := range s.Units {
		n, path := o.nodeAt("units", i)
		uo := l.object(n, path, "party", "agreement", "per_day", "per_subject_day")
		p := l.withRole(ix, uo, "party", u.Party, (*Party).asks)
		if seen[u.Party] {
			uo.report("party", DuplicateID)
		}
		seen[u.Party] = true
		a := ix.agreements[u.Agreement]
		switch {
		case a == nil:
			uo.report("agreement", DanglingReference)
		case p != nil && op != nil && !covers(ix, a, p, op):
			uo.report("agreement", AgreementMissing)
		}
	}
}

// covers says whether a is a use agreement between the unit and an operator of
// the operation agreement. An operator in development works under the operation agreement itself.
func covers(ix *lookups, a *Agreement, p *Party, op *Agreement) bool {
	if !slices.Contains(a.Parties, p.ID) {
		return false
	}
	if p.HasRole(RoleOperator) && a == op {
		return true
	}
	return a.Kind == "use" && slices.ContainsFunc(a.Parties, func(id string) bool {
		q := ix.parties[id]
		return id != p.ID && q != nil && q.HasRole(RoleOperator) && slices.Contains(op.Parties, id)
	})
}

// checkQueries reports queries that are not registered and datasets that may not
// be used, and returns the providers of all datasets used, in order of use, and
// whether every query was found.
func (l *loader) checkQueries(ix *lookups, s *Scenario, o *object) (used []string, complete bool) {
	complete = true
	use := func(key string, i int, d *Dataset, missing Rule) {
		n, path := o.nodeAt(key, i)
		switch {
		case d == nil:
			l.report(n, path, missing)
			complete = false
			return
		case d.Sharing == SharingProhibited:
			l.report(n, path, DatasetProhibited)
		}
		if !slices.Contains(used, d.Provider) {
			used = append(used, d.Provider)
		}
	}
	each := func(key string, ids []string, dataset func(id string) *Dataset, missing Rule) {
		for i, id := range ids {
			use(key, i, dataset(id), missing)
		}
	}
	each("templates", s.Templates, ix.templateDataset, TemplateUnregistered)
	each("tables", s.Tables, ix.tableDataset, TableUnregistered)
	each("masks", s.Masks, ix.maskDataset, MaskUnregistered)
	for i, id := range s.Aggregates {
		a := ix.aggregates[id]
		if a == nil {
			use("aggregates", i, nil, AggregateUnregistered)
			continue
		}
		for _, name := range a.Datasets() {
			use("aggregates", i, ix.datasets[name], AggregateUnregistered)
		}
	}
	return used, complete
}

func (ix *lookups) templateDataset(id string) *Dataset {
	if t := ix.templates[id]; t != nil {
		return ix.datasets[t.Dataset]
	}
	return nil
}

func (ix *lookups) tableDataset(id string) *Dataset {
	if t := ix.tables[id]; t != nil {
		return ix.datasets[t.Dataset]
	}
	return nil
}

func (ix *lookups) maskDataset(id string) *Dataset {
	if m := ix.masks[id]; m != nil {
		return ix.datasets[m.Dataset]
	}
	return nil
}

func (l *loader) checkConsent(ix *lookups, c *Consent, o *object) {
	if c.Scenario == "" {
		return // reported when read
	}
	s := ix.scenarios[c.Scenario]
	if s == nil {
		o.report("scenario", DanglingReference)
		return
	}
	if !slices.ContainsFunc(s.Units, func(u Unit) bool { return u.Party == c.Unit }) {
		o.report("unit", DanglingReference)
	}
	for i, id := range c.Templates {
		n, path := o.nodeAt("templates", i)
		if !slices.Contains(s.Templates, id) {
			l.report(n, path, DanglingReference)
			continue
		}
		if d := ix.templateDataset(id); d != nil && d.Subject.Identifier != c.Identifier {
			l.report(n, path, ConsentForeign)
		}
	}
}
