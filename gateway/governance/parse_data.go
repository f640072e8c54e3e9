package governance

import (
	"slices"
	"unicode/utf8"

	"github.com/yumen-project/yumen/masking/identifier"
	"go.yaml.in/yaml/v3"
)

func (l *loader) dataset(n *yaml.Node, path string) Dataset {
	o := l.object(n, path, "id", "name", "provider", "source", "version", "as_of", "privacy_unit",
		"subject", "roster", "withhold", "sharing", "max_invalid", "privacy_budget", "fields")
	l.datasets = append(l.datasets, o)
	d := Dataset{
		ID: o.id("id"), Name: o.text("name", maxName), Provider: o.id("provider"),
		Version: o.text("version", maxName), AsOf: o.date("as_of"),
		PrivacyUnit: o.enum("privacy_unit", "person", "enterprise"), Roster: o.textOr("roster", maxName),
		Withhold: o.textOr("withhold", maxName), MaxInvalid: o.textOr("max_invalid", maxName), Fields: each(o, "fields", maxFields, l.field), line: o.node.Line,
		Sharing: o.enum("sharing", SharingOpen, SharingConditional, SharingVerifyOnly, SharingProhibited),
	}
	if n := o.nodes["source"]; n != nil {
		d.Source = l.source(n, join(path, "source"))
	} else {
		o.report("source", Malformed)
	}
	if n := o.nodes["subject"]; n != nil {
		d.Subject = l.subject(n, join(path, "subject"))
	} else {
		o.report("subject", Malformed)
	}
	if len(d.Fields) == 0 {
		o.report("fields", Malformed)
	}
	if n := o.nodes["privacy_budget"]; n != nil {
		d.Budget = l.privacyBudget(n, join(path, "privacy_budget"))
	}
	if d.MaxInvalid != "" && !isShare(d.MaxInvalid) {
		o.report("max_invalid", Malformed)
	}
	return d
}

func (l *loader) source(n *yaml.Node, path string) Source {
	o := l.object(n, path, "kind", "path", "format", "separator", "header")
	s := Source{Kind: o.enum("kind", "file"), Path: o.text("path", maxText), Format: o.enum("format", "csv", "parquet")}
	if s.Format == "csv" {
		s.Header, s.Separator = o.boolean("header", true), ","
	}
	if !o.has("separator") {
		return s
	}
	sep, ok := o.scalar("separator")
	if ok && (s.Format != "csv" || utf8.RuneCountInString(sep) != 1 || sep == "\"" || sep == "\n" || sep == "\r" || sep == "\x00") {
		o.report("separator", Malformed)
	}
	s.Separator = sep
	return s
}

func (l *loader) subject(n *yaml.Node, path string) Subject {
	o := l.object(n, path, "field", "identifier", "row_number")
	if o.boolean("row_number", false) {
		if o.has("field") || o.has("identifier") {
			o.report("row_number", Malformed)
		}
		return Subject{RowNumber: true}
	}
	return Subject{Field: o.text("field", maxName), Identifier: l.identifier(o)}
}

// identifier reads the kind of an identifier.
func (l *loader) identifier(o *object) string {
	s, ok := o.scalar("identifier")
	if _, err := identifier.ParseKind(s); ok && err != nil {
		o.report("identifier", Malformed)
	}
	return s
}

func (l *loader) field(n *yaml.Node, path string) Field {
	o := l.object(n, path, "name", "type", "class", "grade")
	f := Field{
		Name: o.text("name", maxName), Type: o.text("type", maxName),
		Class: o.enumOr("class", "", "direct_identifier", "quasi_identifier", "sensitive", "attribute"),
		Grade: o.enumOr("grade", "", "1", "2", "3", "4", "important", "core"),
	}
	if _, err := parseType(f.Type); f.Type != "" && err != nil {
		o.report("type", Malformed)
	}
	return f
}

func (l *loader) template(n *yaml.Node, path string) Template {
	o := l.object(n, path, "id", "dataset", "kind", "field", "op", "value", "values", "low", "high",
		"name_field", "phone_field", "class", "not_found", "withheld", "statute")
	l.templates = append(l.templates, o)
	t := Template{
		ID: o.id("id"), Dataset: o.id("dataset"),
		Kind:     o.enum("kind", KindExists, KindEquals, KindMember, KindBand, KindCompare, KindIdentity),
		Class:    o.enum("class", ClassOrdinary, ClassRare, ClassConsented),
		NotFound: o.enum("not_found", ToldMerged, ToldDistinct), Withheld: o.enum("withheld", ToldMerged, ToldDistinct),
		Statute: o.textOr("statute", maxText), line: o.node.Line,
	}
	needs := templateKeys(t.Kind)
	for _, key := range []string{"field", "op", "value", "values", "low", "high", "name_field", "phone_field"} {
		if o.has(key) && !needs[key] {
			o.report(key, Malformed)
		}
	}
	t.fill(o, needs)
	return t
}

// templateKeys says which keys a kind of template has; all of them are required.
func templateKeys(kind string) map[string]bool {
	switch kind {
	case KindEquals:
		return map[string]bool{"field": true, "value": true}
	case KindMember:
		return map[string]bool{"field": true, "values": true}
	case KindBand:
		return map[string]bool{"field": true, "low": true, "high": true}
	case KindCompare:
		return map[string]bool{"field": true, "op": true, "value": true}
	case KindIdentity:
		return map[string]bool{"name_field": true, "phone_field": true}
	}
	return nil
}

func (t *Template) fill(o *object, needs map[string]bool) {
	read := func(key string) string {
		if !needs[key] {
			return ""
		}
		return o.text(key, maxName)
	}
	t.Field, t.Value, t.Low, t.High = read("field"), read("value"), read("low"), read("high")
	t.NameField, t.PhoneField = read("name_field"), read("phone_field")
	if needs["op"] {
		t.Op = o.enum("op", "=", "!=", "<", "<=", ">", ">=")
	}
	if needs["values"] {
		t.Values = o.listRequired("values")
	}
}

func (l *loader) table(n *yaml.Node, path string) Table {
	o := l.object(n, path, "id", "dataset", "filters", "group_by", "measures", "privacy")
	l.tables = append(l.tables, o)
	t := Table{ID: o.id("id"), Dataset: o.id("dataset"), Filters: each(o, "filters", maxParts, l.filter),
		GroupBy: o.list("group_by"), Measures: each(o, "measures", maxParts, l.measure), line: o.node.Line}
	if len(t.Measures) == 0 {
		o.report("measures", Malformed)
	}
	if n := o.nodes["privacy"]; n != nil {
		t.Privacy = l.privacy(n, join(path, "privacy"))
	}
	return t
}

func (l *loader) filter(n *yaml.Node, path string) Filter {
	o := l.object(n, path, "field", "op", "value", "values")
	f := Filter{Field: o.text("field", maxName), Op: o.enum("op", "=", "!=", "<", "<=", ">", ">=", "in")}
	other := "values"
	if f.Op == "in" {
		other = "value"
		f.Values = o.listRequired("values")
	} else {
		f.Value = o.text("value", maxName)
	}
	if o.has(other) {
		o.report(other, Malformed)
	}
	return f
}

func (l *loader) measure(n *yaml.Node, path string) Measure {
	o := l.object(n, path, "kind", "field", "low", "high", "bands", "quantiles", "rho")
	m := Measure{Kind: o.enum("kind", "count", "sum", "mean", "variance", "histogram", "quantiles"), Rho: o.textOr("rho", maxName)}
	switch m.Kind {
	case "count":
		if o.has("field") {
			o.report("field", Malformed)
		}
		return m
	case "histogram", "quantiles":
		m.Bands = o.list("bands")
		m.Quantiles = o.list("quantiles")
	default:
		m.Low, m.High = o.textOr("low", maxName), o.textOr("high", maxName)
	}
	m.Field = o.text("field", maxName)
	return m
}

func (l *loader) mask(n *yaml.Node, path string) Mask {
	o := l.object(n, path, "id", "dataset", "k", "max_suppression", "columns", "sample")
	l.masks = append(l.masks, o)
	m := Mask{ID: o.id("id"), Dataset: o.id("dataset"), K: int(o.integer("k", 2, 1_000_000)),
		MaxSuppression: o.text("max_suppression", maxName), Columns: each(o, "columns", maxFields, l.column), line: o.node.Line}
	if m.MaxSuppression != "" && !isShare(m.MaxSuppression) {
		o.report("max_suppression", Malformed)
	}
	if len(m.Columns) == 0 {
		o.report("columns", Malformed)
	}
	if n := o.nodes["sample"]; n != nil {
		s := l.object(n, path+".sample", "column", "rate")
		m.Sample = &Sample{Column: s.text("column", maxName), Rate: s.text("rate", maxName)}
		if !isShare(m.Sample.Rate) {
			s.report("rate", Malformed)
		}
	}
	return m
}

func (l *loader) column(n *yaml.Node, path string) Column {
	o := l.object(n, path, "name", "technique", "params", "key", "nulls", "malformed")
	c := Column{Name: o.text("name", maxName), Technique: o.enum("technique", MaskTechniques()...),
		Nulls: o.enumOr("nulls", "", "keep", "refuse", "suppress"), Malformed: o.enumOr("malformed", "", "refuse", "suppress")}
	if o.has("key") || slices.Contains(KeyedTechniques(), c.Technique) {
		c.Key = o.id("key")
	}
	if c.Key != "" && !slices.Contains(KeyedTechniques(), c.Technique) {
		o.report("key", Malformed)
	}
	for _, m := range o.members("params") {
		v := m.node
		if v.Kind != yaml.ScalarNode || v.Tag == "!!null" || !printable(v.Value, maxName) || !safeKey.MatchString(m.key) {
			l.report(v, m.path, Malformed)
			continue
		}
		if c.Params == nil {
			c.Params = map[string]string{}
		}
		c.Params[m.key] = v.Value
	}
	return c
}

func (l *loader) consent(n *yaml.Node, path string) Consent {
	o := l.object(n, path, "id", "subject", "identifier", "unit", "scenario", "templates", "until", "letter", "revoked")
	l.consents = append(l.consents, o)
	c := Consent{ID: o.id("id"), Identifier: l.identifier(o), Until: o.date("until"),
		Letter: o.digest("letter", 32), Revoked: o.boolean("revoked", false)}
	if l.blanket(o) {
		return c
	}
	c.Unit, c.Scenario, c.Templates = o.id("unit"), o.id("scenario"), o.listRequired("templates")
	s, ok := o.scalar("subject")
	canonical, err := identifier.Canonical(identifier.Kind(c.Identifier), s)
	if ok && c.Identifier != "" && err != nil {
		o.report("subject", SubjectMalformed)
	}
	c.Subject = SubjectID{canonical}
	return c
}

// blanket reports a consent that names no templates, or all of anything (R31).
func (l *loader) blanket(o *object) bool {
	all := func(n *yaml.Node) bool {
		return n != nil && n.Kind == yaml.ScalarNode && (n.Value == "*" || n.Value == "all")
	}
	t := o.nodes["templates"]
	blanket := t == nil && o.node.Kind == yaml.MappingNode || t != nil && (len(t.Content) == 0 || all(t))
	if t != nil {
		for _, c := range t.Content {
			blanket = blanket || all(c)
		}
	}
	if blanket {
		o.report("templates", ConsentBlanket)
	}
	for _, key := range []string{"scenario", "unit", "subject"} {
		if all(o.nodes[key]) {
			o.report(key, ConsentBlanket)
			blanket = true
		}
	}
	return blanket
}
