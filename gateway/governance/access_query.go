package governance

import (
	"maps"
	"slices"
)

// Forms in which a result leaves, as the access policies name them.
const (
	outputAnswer  = "answer"
	outputTable   = "table"
	outputPrivate = "private_table"
	outputMasked  = "masked_table"
	// outputEncrypted: shares that the requester alone can combine.
	outputEncrypted = "encrypted"
)

// acts that a query can be asked by.
func (q *accessQuery) acts() []Act {
	switch q.output {
	case outputAnswer:
		return []Act{ActVerify, ActBatch}
	case outputMasked:
		return []Act{ActMask}
	case outputEncrypted:
		return []Act{ActAggregate}
	}
	return []Act{ActTable}
}

// accessQueries lists every registered query with the fields it reads, each once by use and technique;
// an aggregate once for each of its datasets.
func (d *Domain) accessQueries(ix *lookups) []*accessQuery {
	var out []*accessQuery
	add := func(id, dataset, kind, class, output string, statute bool, technique string, uses ...accessField) {
		set := ix.datasets[dataset]
		q := &accessQuery{id: id, dataset: dataset, provider: set.Provider, sharing: set.Sharing, kind: kind, class: class,
			output: output, statute: statute}
		parts := map[accessField]bool{{use: "row", technique: technique}: true}
		for _, f := range append(uses, accessField{name: set.Subject.Field, use: "subject"}) {
			if f.name == "" {
				continue
			}
			if f.technique == "" {
				f.technique = technique
			}
			if field := set.FieldNamed(f.name); field != nil {
				f.class, f.grade = field.Class, field.Grade
			}
			parts[f] = true
		}
		q.parts = slices.Collect(maps.Keys(parts))
		out = append(out, q)
	}
	for i := range d.Templates {
		t := &d.Templates[i]
		add(t.ID, t.Dataset, t.Kind, t.Class, outputAnswer, t.Statute != "", "lookup", t.uses()...)
	}
	for i := range d.Tables {
		t, output, technique := &d.Tables[i], outputTable, "exact"
		if t.Privacy != nil {
			output, technique = outputPrivate, t.Privacy.Mechanism
		}
		add(t.ID, t.Dataset, "table", "", output, false, technique, t.uses()...)
	}
	for i := range d.Masks {
		m := &d.Masks[i]
		add(m.ID, m.Dataset, "mask", "", outputMasked, false, "mask", m.uses()...)
	}
	for i := range d.Aggregates {
		a := &d.Aggregates[i]
		for _, dataset := range a.Datasets() {
			add(a.ID, dataset, "aggregate", "", outputEncrypted, false, "encrypted", a.uses(dataset)...)
		}
	}
	return out
}

func (t *Template) uses() []accessField {
	return []accessField{{name: t.Field, use: "predicate"}, {name: t.NameField, use: "identity"}, {name: t.PhoneField, use: "identity"}}
}

func (t *Table) uses() []accessField {
	var out []accessField
	for _, name := range t.GroupBy {
		out = append(out, accessField{name: name, use: "group"})
	}
	for _, f := range t.Filters {
		out = append(out, accessField{name: f.Field, use: "filter"})
	}
	for _, m := range t.Measures {
		out = append(out, accessField{name: m.Field, use: "measure"})
	}
	return out
}

func (m *Mask) uses() []accessField {
	var out []accessField
	for _, c := range m.Columns {
		if c.Technique != "suppress" {
			out = append(out, accessField{name: c.Name, use: "column", technique: c.Technique})
		}
	}
	return out
}

// valid: every role and agreement is one that the policies know.
func (u *accessUnit) valid() bool {
	return len(u.roles) > 0 && oneOf(u.agreement, "use", "operation") && !slices.ContainsFunc(u.roles, func(r string) bool {
		return !oneOf(r, RoleDataAuthority, RoleImplementingBody, RoleExchange, RoleProvider, RoleOperator,
			RoleApplicationUnit, RoleServiceVendor, RoleRegulator)
	})
}

func (q *accessQuery) valid() bool {
	if !oneOf(q.sharing, SharingOpen, SharingConditional, SharingVerifyOnly, SharingProhibited) {
		return false
	}
	switch q.output {
	case outputAnswer:
		return oneOf(q.kind, KindExists, KindEquals, KindMember, KindBand, KindCompare, KindIdentity) &&
			oneOf(q.class, ClassOrdinary, ClassRare, ClassConsented)
	case outputTable, outputPrivate:
		return q.kind == "table" && q.class == ""
	case outputEncrypted:
		return q.kind == "aggregate" && q.class == ""
	}
	return q.output == outputMasked && q.kind == "mask" && q.class == ""
}

// valid: a field has class and grade, the row has neither.
func (f *accessField) valid() bool {
	if !oneOf(f.technique, "lookup", "exact", "laplace", "gaussian", "encrypted", "mask", "keep", "redact", "generalize",
		"pseudonym", "fpe", "encrypt", "date_shift", "perturb", "shuffle", "rank_swap", "pram", "microaggregate") {
		return false
	}
	if f.use == "row" {
		return f.name == "" && f.class == "" && f.grade == ""
	}
	return oneOf(f.use, "subject", "predicate", "identity", "group", "filter", "measure", "column") &&
		oneOf(f.class, "direct_identifier", "quasi_identifier", "sensitive", "attribute") &&
		oneOf(f.grade, "1", "2", "3", "4", "important", "core")
}

func oneOf(s string, of ...string) bool { return slices.Contains(of, s) }
