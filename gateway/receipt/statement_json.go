package receipt

import (
	"unicode/utf8"

	"github.com/yumen-project/yumen/gateway/audit"
)

// isText tells whether s is valid UTF-8 of at most limit bytes.
func isText(s string, limit int) bool { return len(s) <= limit && utf8.ValidString(s) }

// StatementHash is what the log's entry holds of a statement: SM3 over a
// domain tag and the canonical text.
func StatementHash(canonical []byte) audit.Hash { return audit.StatementHash(canonical) }

// AppendCanonical appends the canonical JSON of the statement. A field out of
// its bounds is an error that names the field and never its value.
func (s *Statement) AppendCanonical(dst []byte) ([]byte, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	start := len(dst)
	dst = s.render(dst, &marks{})
	if len(dst)-start > MaxStatement {
		return nil, ErrSize
	}
	return dst, nil
}

// render writes the canonical text and marks the values that differ from result to result.
func (s *Statement) render(dst []byte, m *marks) []byte {
	dst = appendField(dst, `{"agreement":`, s.Agreement)
	dst = appendField(dst, `,"allowed_use":`, s.AllowedUse)
	dst = s.Budget.append(dst, m)
	dst = appendField(dst, `,"build":`, s.Build)
	dst = appendChecks(dst, s.Checks)
	dst = m.field(dst, `,"consent":`, s.Consent)
	dst = s.Dataset.append(dst)
	dst = appendField(dst, `,"domain":`, s.Domain)
	dst = m.field(dst, `,"expires":`, s.Expires)
	dst = appendInt(append(dst, `,"format":`...), s.Format)
	dst = m.field(dst, `,"id":`, s.ID)
	dst = appendField(dst, `,"kind":`, s.Kind)
	dst = appendField(dst, `,"party":`, s.Party)
	dst = appendField(dst, `,"policy":`, s.Policy)
	dst = appendField(dst, `,"query":`, s.Query)
	dst = m.field(dst, `,"request":`, s.Request)
	dst = m.field(dst, `,"result":`, s.Result)
	dst = m.number(dst, `,"rows":`, s.Rows)
	dst = appendField(dst, `,"rule_pack":`, s.RulePack)
	dst = appendField(dst, `,"scenario":`, s.Scenario)
	dst = m.field(dst, `,"serial":`, s.Serial)
	dst = s.Technique.append(dst)
	dst = m.field(dst, `,"time":`, s.Time)
	dst = appendField(dst, `,"trust":`, s.Trust)
	return append(dst, '}')
}

// appendField appends punctuation and key as given, then the value.
func appendField(dst []byte, key, value string) []byte {
	return appendString(append(dst, key...), value)
}

func (b *Budget) append(dst []byte, m *marks) []byte {
	dst = m.number(dst, `,"budget":{"after":`, b.After)
	dst = m.number(dst, `,"before":`, b.Before)
	dst = appendField(dst, `,"global":`, b.Global)
	dst = appendInt(append(dst, `,"limit":`...), b.Limit)
	dst = appendField(dst, `,"name":`, b.Name)
	return append(dst, '}')
}

func appendChecks(dst []byte, checks []Check) []byte {
	dst = append(dst, `,"checks":[`...)
	for i := range checks {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendField(dst, `{"outcome":`, checks[i].Outcome)
		dst = appendField(dst, `,"rule":`, checks[i].Rule)
		dst = appendField(dst, `,"threshold":`, checks[i].Threshold)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (d *Dataset) append(dst []byte) []byte {
	dst = appendField(dst, `,"dataset":{"as_of":`, d.AsOf)
	dst = appendField(dst, `,"id":`, d.ID)
	dst = appendField(dst, `,"source":`, d.Source)
	dst = appendField(dst, `,"version":`, d.Version)
	return append(dst, '}')
}

func (t *Technique) append(dst []byte) []byte {
	dst = appendField(dst, `,"technique":{"name":`, t.Name)
	dst = append(dst, `,"params":{`...)
	var space [MaxParams]string
	keys := space[:0]
	for key := range t.Params {
		keys = append(keys, key)
		for i := len(keys) - 1; i > 0 && compareUTF16(keys[i], keys[i-1]) < 0; i-- {
			keys[i], keys[i-1] = keys[i-1], keys[i]
		}
	}
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, key), ':')
		dst = appendString(dst, t.Params[key])
	}
	return append(dst, `}}`...)
}

// ParseStatement reads a canonical statement. Every deviation is refused:
// another order, an unknown or a missing key, a value out of its bounds.
func ParseStatement(b []byte) (*Statement, error) {
	if len(b) > MaxStatement {
		return nil, ErrSize
	}
	s, r := &Statement{}, &reader{b: b}
	s.read(r)
	r.end()
	if r.err != nil {
		return nil, r.err
	}
	if err := s.validate(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Statement) read(r *reader) {
	r.field(`{"agreement":`, &s.Agreement)
	r.field(`,"allowed_use":`, &s.AllowedUse)
	s.Budget.read(r)
	r.field(`,"build":`, &s.Build)
	s.Checks = readChecks(r)
	r.field(`,"consent":`, &s.Consent)
	s.Dataset.read(r)
	r.field(`,"domain":`, &s.Domain)
	r.field(`,"expires":`, &s.Expires)
	r.number(`,"format":`, &s.Format)
	r.field(`,"id":`, &s.ID)
	r.field(`,"kind":`, &s.Kind)
	r.field(`,"party":`, &s.Party)
	r.field(`,"policy":`, &s.Policy)
	r.field(`,"query":`, &s.Query)
	r.field(`,"request":`, &s.Request)
	r.field(`,"result":`, &s.Result)
	r.number(`,"rows":`, &s.Rows)
	r.field(`,"rule_pack":`, &s.RulePack)
	r.field(`,"scenario":`, &s.Scenario)
	r.field(`,"serial":`, &s.Serial)
	s.Technique.read(r)
	r.field(`,"time":`, &s.Time)
	r.field(`,"trust":`, &s.Trust)
	r.lit("}")
}

func (r *reader) field(key string, value *string) {
	r.lit(key)
	*value = r.text()
}

func (r *reader) number(key string, value *int64) {
	r.lit(key)
	*value = r.integer()
}

func (b *Budget) read(r *reader) {
	r.number(`,"budget":{"after":`, &b.After)
	r.number(`,"before":`, &b.Before)
	r.field(`,"global":`, &b.Global)
	r.number(`,"limit":`, &b.Limit)
	r.field(`,"name":`, &b.Name)
	r.lit("}")
}

func readChecks(r *reader) []Check {
	r.lit(`,"checks":[`)
	var checks []Check
	for !r.has("]") && r.err == nil {
		if len(checks) > 0 {
			r.lit(",")
		}
		var c Check
		r.field(`{"outcome":`, &c.Outcome)
		r.field(`,"rule":`, &c.Rule)
		r.field(`,"threshold":`, &c.Threshold)
		r.lit("}")
		checks = append(checks, c)
	}
	return checks
}

func (d *Dataset) read(r *reader) {
	r.field(`,"dataset":{"as_of":`, &d.AsOf)
	r.field(`,"id":`, &d.ID)
	r.field(`,"source":`, &d.Source)
	r.field(`,"version":`, &d.Version)
	r.lit("}")
}

func (t *Technique) read(r *reader) {
	r.field(`,"technique":{"name":`, &t.Name)
	r.lit(`,"params":{`)
	previous := ""
	for !r.has("}") && r.err == nil {
		key := ""
		if t.Params == nil {
			t.Params = make(map[string]string)
			key = r.text()
		} else {
			r.field(",", &key)
			if r.err == nil && !ascends(previous, key) {
				r.fail(ErrNotCanonical)
			}
		}
		value := ""
		r.field(":", &value)
		t.Params[key] = value
		previous = key
	}
	r.lit("}")
}
