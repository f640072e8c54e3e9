package lookup

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/masking/identifier"
)

// MaxPredicates bounds a program: a record holds one bit per predicate.
const MaxPredicates = 64

// Kind is the form of a registered predicate.
type Kind string

// The kinds of predicate. Every one is false where its field is null.
const (
	// Exists holds for every subject that has a row.
	Exists Kind = "exists"
	// Equals holds where Field is exactly Value. Not for floats.
	Equals Kind = "equals"
	// Member holds where Field is one of Values. Not for floats.
	Member Kind = "member"
	// Band holds where Low <= Field < High.
	Band Kind = "band"
	// Compare holds where Field Op Value; Op is one of = != < <= > >=.
	Compare Kind = "compare"
	// Identity matches where the name and the phone asked for are those of the
	// subject's row.
	Identity Kind = "identity"
)

// Predicate is one registered template as written, unchecked. Literals are
// decimal integers, plain decimals, true or false, YYYY-MM-DD, or RFC 3339
// times, according to the type of Field; text is compared byte for byte.
type Predicate struct {
	ID                    string
	Kind                  Kind
	Field, Op, Value      string
	Values                []string
	Low, High             string
	NameField, PhoneField string
}

// Subject says which column names the subject and in which canonical form.
// Withhold is an optional bool column: true in any row withholds the subject;
// null is not an objection.
type Subject struct {
	Field      string
	Identifier identifier.Kind
	Withhold   string
}

// Program is a checked, immutable list of predicates over one schema. The
// position of a predicate in the list is its number everywhere else.
type Program struct {
	subject Subject
	preds   []compiled
	fields  []arrow.Field // the columns read, each once: subject, withhold, others
	name    string        // the identity columns, empty if there is no identity predicate
	phone   string
	digest  [32]byte
}

type compiled struct {
	src  Predicate
	test test // nil for exists and identity
}

// Compile checks preds against the schema in and parses every literal once by
// the type of its field. All identity predicates of one program read the same
// two columns. Errors wrap ErrProgram and name predicate, field and rule.
func Compile(preds []Predicate, in *arrow.Schema, subject Subject) (*Program, error) {
	if len(preds) > MaxPredicates {
		return nil, fmt.Errorf("compile: %w: more than %d predicates", ErrProgram, MaxPredicates)
	}
	p := &Program{subject: subject}
	if err := p.addSubject(in); err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	for i := range preds {
		if err := p.add(&preds[i], in); err != nil {
			return nil, fmt.Errorf("compile predicate %q: %w", preds[i].ID, err)
		}
	}
	p.digest = p.canonicalDigest()
	return p, nil
}

func (p *Program) addSubject(in *arrow.Schema) error {
	f, err := p.use(in, p.subject.Field)
	if err != nil {
		return err
	}
	switch f.Type.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.INT64:
	default:
		return fieldError(f.Name, "a subject is text or int64")
	}
	if _, err := identifier.ParseKind(string(p.subject.Identifier)); err != nil {
		return fieldError(f.Name, "unknown identifier kind")
	}
	if p.subject.Withhold == "" {
		return nil
	}
	if f, err = p.use(in, p.subject.Withhold); err != nil {
		return err
	}
	if f.Type.ID() != arrow.BOOL {
		return fieldError(f.Name, "withhold is a bool field")
	}
	return nil
}

func (p *Program) add(src *Predicate, in *arrow.Schema) error {
	if src.ID == "" {
		return fmt.Errorf("%w: id is empty", ErrProgram)
	}
	if _, ok := p.Find(src.ID); ok {
		return fmt.Errorf("%w: id is used twice", ErrProgram)
	}
	if err := checkShape(src); err != nil {
		return err
	}
	c := compiled{src: *src}
	c.src.Values = slices.Clone(src.Values)
	switch src.Kind {
	case Exists:
	case Identity:
		if err := p.addIdentity(src, in); err != nil {
			return err
		}
	default:
		f, err := p.use(in, src.Field)
		if err != nil {
			return err
		}
		if c.test, err = compileTest(src, f.Type); err != nil {
			return fmt.Errorf("field %q: %w", src.Field, err)
		}
	}
	p.preds = append(p.preds, c)
	return nil
}

func (p *Program) addIdentity(src *Predicate, in *arrow.Schema) error {
	for _, field := range []string{src.NameField, src.PhoneField} {
		f, err := p.use(in, field)
		if err != nil {
			return err
		}
		if !isText(f.Type) {
			return fieldError(field, "identity fields are text")
		}
	}
	if p.name != "" && (p.name != src.NameField || p.phone != src.PhoneField) {
		return fieldError(src.NameField, "all identity predicates of a dataset use the same two fields")
	}
	p.name, p.phone = src.NameField, src.PhoneField
	return nil
}

// use finds a column by its name and notes that the program reads it.
func (p *Program) use(in *arrow.Schema, name string) (arrow.Field, error) {
	idx := in.FieldIndices(name)
	switch {
	case name == "":
		return arrow.Field{}, fmt.Errorf("%w: field is empty", ErrProgram)
	case len(idx) == 0:
		return arrow.Field{}, fieldError(name, "no such field")
	case len(idx) > 1:
		return arrow.Field{}, fieldError(name, "field is ambiguous")
	}
	f := in.Field(idx[0])
	if !slices.ContainsFunc(p.fields, func(g arrow.Field) bool { return g.Name == name }) {
		p.fields = append(p.fields, f)
	}
	return f, nil
}

// Columns are the names of the columns Build reads, each once, subject first.
func (p *Program) Columns() []string {
	names := make([]string, len(p.fields))
	for i, f := range p.fields {
		names[i] = f.Name
	}
	return names
}

// Len is the number of predicates.
func (p *Program) Len() int { return len(p.preds) }

// Find gives the number of the predicate with this id.
func (p *Program) Find(id string) (int, bool) {
	i := slices.IndexFunc(p.preds, func(c compiled) bool { return c.src.ID == id })
	return i, i >= 0
}

// Digest is the SM3 digest of the program's canonical form: subject, predicates
// in order, and the types of the columns they read. Two programs with one
// digest give one index the same meaning.
func (p *Program) Digest() [32]byte { return p.digest }

func (p *Program) canonicalDigest() [32]byte {
	b := appendFields(nil, "yumen/lookup/program/1", p.subject.Field, string(p.subject.Identifier), p.subject.Withhold)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.fields)))
	for _, f := range p.fields {
		b = appendFields(b, f.Name, f.Type.Fingerprint(), f.Type.String())
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.preds)))
	for i := range p.preds {
		s := &p.preds[i].src
		b = appendFields(b, s.ID, string(s.Kind), s.Field, s.Op, s.Value, s.Low, s.High, s.NameField, s.PhoneField)
		b = binary.BigEndian.AppendUint32(b, uint32(len(s.Values)))
		b = appendFields(b, s.Values...)
	}
	return sm3.Sum(b)
}

func (p *Program) hasIdentity() bool { return p.name != "" }

// appendFields appends each field behind its length in four big-endian bytes.
func appendFields(dst []byte, fields ...string) []byte {
	for _, f := range fields {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f)))
		dst = append(dst, f...)
	}
	return dst
}

func fieldError(field, rule string) error {
	return fmt.Errorf("field %q: %w: %s", field, ErrProgram, rule)
}

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
}
