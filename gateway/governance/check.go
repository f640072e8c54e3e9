package governance

import "slices"

// lookups finds the objects of a domain by id.
type lookups struct {
	parties    map[string]*Party
	datasets   map[string]*Dataset
	templates  map[string]*Template
	tables     map[string]*Table
	masks      map[string]*Mask
	keySets    map[string]*KeySet
	aggregates map[string]*Aggregate
	agreements map[string]*Agreement
	scenarios  map[string]*Scenario
	consents   map[string]*Consent
}

func byID[T any](list []T, id func(*T) string) map[string]*T {
	out := make(map[string]*T, len(list))
	for i := range list {
		out[id(&list[i])] = &list[i]
	}
	return out
}

func (d *Domain) lookups() *lookups {
	return &lookups{
		parties:    byID(d.Parties, func(x *Party) string { return x.ID }),
		datasets:   byID(d.Datasets, func(x *Dataset) string { return x.ID }),
		templates:  byID(d.Templates, func(x *Template) string { return x.ID }),
		tables:     byID(d.Tables, func(x *Table) string { return x.ID }),
		masks:      byID(d.Masks, func(x *Mask) string { return x.ID }),
		keySets:    byID(d.KeySets, func(x *KeySet) string { return x.ID }),
		aggregates: byID(d.Aggregates, func(x *Aggregate) string { return x.ID }),
		agreements: byID(d.Agreements, func(x *Agreement) string { return x.ID }),
		scenarios:  byID(d.Scenarios, func(x *Scenario) string { return x.ID }),
		consents:   byID(d.Consents, func(x *Consent) string { return x.ID }),
	}
}

// check runs once every object is well formed by itself.
func (l *loader) check() {
	d := &l.d
	unique(l, l.parties, d.Parties, func(x *Party) string { return x.ID })
	unique(l, l.datasets, d.Datasets, func(x *Dataset) string { return x.ID })
	unique(l, l.templates, d.Templates, func(x *Template) string { return x.ID })
	unique(l, l.tables, d.Tables, func(x *Table) string { return x.ID })
	unique(l, l.masks, d.Masks, func(x *Mask) string { return x.ID })
	unique(l, l.keySets, d.KeySets, func(x *KeySet) string { return x.ID })
	unique(l, l.aggregates, d.Aggregates, func(x *Aggregate) string { return x.ID })
	unique(l, l.agreements, d.Agreements, func(x *Agreement) string { return x.ID })
	unique(l, l.scenarios, d.Scenarios, func(x *Scenario) string { return x.ID })
	unique(l, l.consents, d.Consents, func(x *Consent) string { return x.ID })
	ix := d.lookups()
	l.checkParties()
	for i := range d.Datasets {
		l.checkDataset(ix, &d.Datasets[i], l.datasets[i])
	}
	for i := range d.Templates {
		l.checkTemplate(ix, &d.Templates[i], l.templates[i])
	}
	l.checkLimit()
	for i := range d.Tables {
		l.checkTable(ix, &d.Tables[i], l.tables[i])
	}
	for i := range d.Masks {
		l.checkMask(ix, &d.Masks[i], l.masks[i])
	}
	for i := range d.KeySets {
		l.checkKeySet(ix, &d.KeySets[i], l.keySets[i])
	}
	for i := range d.Aggregates {
		l.checkAggregate(ix, &d.Aggregates[i], l.aggregates[i])
	}
	for i := range d.Agreements {
		l.checkAgreement(ix, &d.Agreements[i], l.agreements[i])
	}
	for i := range d.Scenarios {
		l.checkScenario(ix, &d.Scenarios[i], l.scenarios[i])
	}
	for i := range d.Consents {
		l.checkConsent(ix, &d.Consents[i], l.consents[i])
	}
}

func unique[T any](l *loader, objects []*object, list []T, id func(*T) string) {
	seen := make(map[string]bool, len(list))
	for i := range list {
		if seen[id(&list[i])] {
			objects[i].report("id", DuplicateID)
		}
		seen[id(&list[i])] = true
	}
}

// checkParties refuses a key used twice, and an operator who would approve himself (R53).
func (l *loader) checkParties() {
	keys := map[string]bool{}
	for i := range l.d.Parties {
		p, o := &l.d.Parties[i], l.parties[i]
		for _, k := range []struct{ name, key string }{
			{"key", p.Key}, {"agent_key", p.AgentKey}, {"envelope_key", p.EnvelopeKey}, {"request_key", p.RequestKey}} {
			if k.key != "" && keys[k.key] {
				o.report(k.name, DuplicateID)
			}
			keys[k.key] = true
		}
		if p.HasRole(RoleOperator) && (p.authority() || p.HasRole(RoleProvider) || p.HasRole(RoleRegulator)) {
			o.report("roles", RoleNotAllowed)
		}
	}
}

// authority says whether the party may be the authority of a scenario.
func (p *Party) authority() bool {
	return p.HasRole(RoleDataAuthority) || p.HasRole(RoleImplementingBody)
}

// asks says whether the party may be a unit of a scenario.
func (p *Party) asks() bool {
	return p.HasRole(RoleApplicationUnit) || p.HasRole(RoleServiceVendor) || p.HasRole(RoleOperator)
}

// withRole finds a party and reports its absence or the lack of a role.
func (l *loader) withRole(ix *lookups, o *object, key, id string, has func(*Party) bool) *Party {
	p := ix.parties[id]
	switch {
	case p == nil:
		o.report(key, DanglingReference)
	case !has(p):
		o.report(key, RoleNotAllowed)
	}
	return p
}

func (l *loader) checkDataset(ix *lookups, d *Dataset, o *object) {
	l.withRole(ix, o, "provider", d.Provider, func(p *Party) bool { return p.HasRole(RoleProvider) })
	names := map[string]bool{}
	for i := range d.Fields {
		if names[d.Fields[i].Name] {
			n, path := o.nodeAt("fields", i)
			l.report(n, path, DuplicateID)
		}
		names[d.Fields[i].Name] = true
	}
	if d.Roster != "" && ix.datasets[d.Roster] == nil {
		o.report("roster", DanglingReference)
	}
	if f := d.FieldNamed(d.Withhold); d.Withhold != "" && f == nil {
		o.report("withhold", FieldUnknown)
	} else if f != nil && f.Type != "bool" {
		o.report("withhold", Malformed)
	}
	if d.Subject.RowNumber {
		return
	}
	if f := d.FieldNamed(d.Subject.Field); f == nil {
		o.report("subject", FieldUnknown)
	} else if f.Type != "string" && f.Type != "int64" {
		o.report("subject", Malformed)
	}
}

// typed finds a field and its type, reporting its absence under key.
func typed(d *Dataset, o *object, key, name string) (fieldType, bool) {
	f := d.FieldNamed(name)
	if f == nil {
		o.report(key, FieldUnknown)
		return fieldType{}, false
	}
	t, err := parseType(f.Type)
	return t, err == nil
}

func (l *loader) checkTemplate(ix *lookups, t *Template, o *object) {
	d := ix.datasets[t.Dataset]
	if d == nil {
		o.report("dataset", DanglingReference)
		return
	}
	if t.Kind == KindIdentity {
		for _, kv := range [][2]string{{"name_field", t.NameField}, {"phone_field", t.PhoneField}} {
			if ft, ok := typed(d, o, kv[0], kv[1]); ok && ft.name != "string" {
				o.report(kv[0], Malformed)
			}
		}
		return
	}
	if t.Field == "" {
		return
	}
	ft, ok := typed(d, o, "field", t.Field)
	if !ok {
		return
	}
	equality := t.Kind == KindEquals || t.Kind == KindMember || t.Op == "=" || t.Op == "!="
	if equality && ft.name == "float64" || !equality && !ft.ordered() {
		o.report("field", Malformed)
		return
	}
	l.checkValues(t, o, ft)
}

func (l *loader) checkValues(t *Template, o *object, ft fieldType) {
	for _, kv := range [][2]string{{"value", t.Value}, {"low", t.Low}, {"high", t.High}} {
		if kv[1] == "" {
			continue
		}
		if _, err := ft.parse(kv[1]); err != nil {
			o.report(kv[0], Malformed)
			return
		}
	}
	for i, value := range t.Values {
		if _, err := ft.parse(value); err != nil {
			n, path := o.nodeAt("values", i)
			l.report(n, path, Malformed)
		}
	}
	if t.Kind != KindBand {
		return
	}
	low, err1 := ft.parse(t.Low)
	high, err2 := ft.parse(t.High)
	if err1 == nil && err2 == nil && low.Cmp(high) >= 0 {
		o.report("high", Malformed)
	}
}

// checkLimit counts ordinary templates by dataset and field, for all units together; "exists" counts
// under the row itself.
func (l *loader) checkLimit() {
	count := map[[2]string]int64{}
	for i := range l.d.Templates {
		t := &l.d.Templates[i]
		if t.Class != ClassOrdinary || t.Kind == KindIdentity {
			continue
		}
		k := [2]string{t.Dataset, t.Field}
		if count[k]++; count[k] > l.d.Settings.TemplatesPerField {
			l.templates[i].report("field", TemplateLimit)
		}
	}
}

func (l *loader) checkTable(ix *lookups, t *Table, o *object) {
	d := ix.datasets[t.Dataset]
	if d == nil {
		o.report("dataset", DanglingReference)
		return
	}
	for i := range t.Filters {
		l.checkFilter(d, &t.Filters[i], o, i)
	}
	for _, name := range t.GroupBy {
		if _, ok := typed(d, o, "group_by", name); ok && d.FieldNamed(name).Class == "direct_identifier" {
			o.report("group_by", RawExport)
		}
	}
	for i, m := range t.Measures {
		n, path := o.nodeAt("measures", i)
		if slices.ContainsFunc(t.Measures[:i], func(o Measure) bool { return o.equal(&m) }) {
			l.report(n, path, DuplicateID)
		}
		if m.Kind == "count" {
			continue
		}
		if ft, ok := typed(d, o, "measures", m.Field); ok && !ft.numeric() {
			l.report(n, path, Malformed)
		}
	}
	l.checkPrivacy(d, t, o)
}

func (l *loader) checkFilter(d *Dataset, f *Filter, o *object, i int) {
	n, path := o.nodeAt("filters", i)
	ft, ok := typed(d, o, "filters", f.Field)
	if !ok {
		return
	}
	if !ft.ordered() && (f.Op == "<" || f.Op == "<=" || f.Op == ">" || f.Op == ">=") {
		l.report(n, path, Malformed)
		return
	}
	values := f.Values
	if f.Op != "in" {
		values = []string{f.Value}
	}
	for _, v := range values {
		if _, err := ft.parse(v); err != nil {
			l.report(n, path, Malformed)
			return
		}
	}
}

// identifierTechniques leave no direct identifier as it is.
func identifierTechniques() []string {
	return []string{"suppress", "redact", "pseudonym", "fpe", "encrypt"}
}

func (l *loader) checkMask(ix *lookups, m *Mask, o *object) {
	d := ix.datasets[m.Dataset]
	if d == nil {
		o.report("dataset", DanglingReference)
		return
	}
	seen := map[string]bool{}
	for i, c := range m.Columns {
		n, path := o.nodeAt("columns", i)
		f := d.FieldNamed(c.Name)
		switch {
		case f == nil:
			l.report(n, path, FieldUnknown)
		case seen[c.Name]:
			l.report(n, path, DuplicateID)
		case f.Class == "direct_identifier" && !slices.Contains(identifierTechniques(), c.Technique):
			l.report(n, path, RawExport)
		}
		seen[c.Name] = true
	}
	if m.Sample != nil && d.FieldNamed(m.Sample.Column) == nil {
		o.report("sample", FieldUnknown)
	}
}
