package masking

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sample"
)

// Compile is CompileWith for policies that need keys at most. keys may be nil
// while no technique asks for a key; alloc nil means Go's allocator.
func Compile(p *Policy, in *arrow.Schema, keys KeySource, alloc memory.Allocator) (Masker, error) {
	return CompileWith(p, in, Sources{Keys: keys, Alloc: alloc})
}

// CompileWith checks the policy against the schema and makes a Masker. It fails
// on a column of the schema the policy does not name or grade, a policy column
// the schema lacks, a duplicate on either side, null handling not said, an
// unknown technique or parameter, a technique that cannot treat the type, a key
// that is missing or not called for, and a direct identifier that would leave
// more than the design allows. Check lists every such fault at once.
//
// The policy is copied: later changes to it have no effect.
func CompileWith(p *Policy, in *arrow.Schema, s Sources) (Masker, error) {
	if p == nil || in == nil {
		return nil, errors.New("compile masking policy: policy and schema are needed")
	}
	if s.Alloc == nil {
		s.Alloc = memory.DefaultAllocator
	}
	m, faults := inspect(p, in, &s)
	if len(faults) > 0 {
		return nil, fmt.Errorf("compile masking policy: %w", &faults[0])
	}
	return m, nil
}

// inspect compiles what it can and lists every fault: of the policy as a whole
// first, then of the columns in the order of the schema.
func inspect(p *Policy, in *arrow.Schema, s *Sources) (*masker, []Finding) {
	m := &masker{hash: p.Hash(), in: in, alloc: s.Alloc}
	byName, faults := columnsByName(p, in)
	if p.release() != Inside && p.release() != Outside {
		faults = append(faults, Finding{Rule: errors.New("release: want inside or outside")})
	}
	if err := m.compileSample(p.Sample, in, s.Keys); err != nil {
		faults = append(faults, Finding{Rule: fmt.Errorf("sample: %w", err)})
	}
	var fields []arrow.Field
	for i, f := range in.Fields() {
		pc := byName[f.Name]
		if pc == nil || slices.ContainsFunc(in.Fields()[:i], func(g arrow.Field) bool { return g.Name == f.Name }) {
			continue // said above
		}
		c, err := compileColumn(p, pc, in, f.Type, s)
		if err != nil {
			faults = append(faults, Finding{Column: f.Name, Rule: err})
			continue
		}
		m.columns = append(m.columns, c)
		if c.kernel != nil {
			fields = append(fields, arrow.Field{Name: f.Name, Type: c.out, Nullable: true})
		}
	}
	if len(fields) == 0 && len(faults) == 0 {
		faults = append(faults, Finding{Rule: errors.New("no column is left")})
	}
	m.out = arrow.NewSchema(fields, nil)
	return m, faults
}

func columnsByName(p *Policy, in *arrow.Schema) (map[string]*Column, []Finding) {
	var faults []Finding
	fault := func(name, rule string) { faults = append(faults, Finding{Column: name, Rule: errors.New(rule)}) }
	byName := make(map[string]*Column, len(p.Columns))
	for i := range p.Columns {
		name := p.Columns[i].Name
		if byName[name] != nil {
			fault(name, "appears twice in the policy")
		}
		byName[name] = &p.Columns[i]
	}
	seen := make(map[string]bool, in.NumFields())
	for _, f := range in.Fields() {
		if seen[f.Name] {
			fault(f.Name, "appears twice in the schema")
		}
		seen[f.Name] = true
		if byName[f.Name] == nil {
			fault(f.Name, "is not in the policy")
		}
	}
	for i := range p.Columns {
		if !seen[p.Columns[i].Name] {
			fault(p.Columns[i].Name, "is not in the schema")
		}
	}
	return byName, faults
}

func compileColumn(p *Policy, c *Column, in *arrow.Schema, typ arrow.DataType, s *Sources) (*column, error) {
	if err := checkWords(c); err != nil {
		return nil, err
	}
	if c.Technique == "" {
		return nil, errors.New("no technique given")
	}
	if orderPreserving(c.Technique) {
		return nil, errOrder
	}
	t := techniqueOf(c.Technique)
	if t == nil {
		return nil, fmt.Errorf("technique %q is unknown", c.Technique)
	}
	k, err := t.make(p, c, in, s)
	if err != nil {
		return nil, err
	}
	out := &column{name: c.Name, technique: c.Technique, nulls: c.Nulls, malformed: c.malformed(), kernel: k}
	if k == nil {
		return out, kernel.Supported(typ)
	}
	if d, ok := typ.(*arrow.DictionaryType); ok && t.spelt {
		if err := kernel.Supported(d); err != nil {
			return nil, fmt.Errorf("technique %s: %w", c.Technique, err)
		}
		out.spell, typ = true, d.ValueType
	}
	if out.out, err = kernel.OutputType(k, typ); err != nil {
		return nil, fmt.Errorf("technique %s: %w", c.Technique, err)
	}
	return out, nil
}

func (m *masker) compileSample(s *Sample, in *arrow.Schema, keys KeySource) error {
	if s == nil {
		return nil
	}
	p, err := sample.Parse(s.Rate, s.Kind)
	if err != nil {
		return err
	}
	at := in.FieldIndices(s.Column)
	if len(at) != 1 {
		return fmt.Errorf("column %q is not in the schema", s.Column)
	}
	if err := sample.Type(in.Field(at[0]).Type); err != nil {
		return err
	}
	if s.Key == "" {
		return errors.New("key: the name of a lineage key is needed")
	}
	key, err := keyOf(keys, PurposeSample, s.Key)
	if err != nil {
		return err
	}
	m.subject = at[0]
	m.sampler, err = sample.New(p, key)
	return err
}

func checkWords(c *Column) error {
	if !slices.Contains([]string{ClassDirect, ClassQuasi, ClassSensitive, ClassAttribute}, c.Class) {
		return errors.New("class: want direct_identifier, quasi_identifier, sensitive or attribute")
	}
	if !slices.Contains([]string{"1", "2", "3", "4", "important", "core"}, c.Grade) {
		return errors.New("grade: want 1, 2, 3, 4, important or core")
	}
	if !slices.Contains([]string{NullsKeep, Refuse, Suppress}, c.Nulls) {
		return errors.New("nulls: want keep, refuse or suppress")
	}
	if !slices.Contains([]string{Refuse, Suppress}, c.malformed()) {
		return errors.New("malformed: want refuse or suppress")
	}
	if c.Nulls == Refuse && c.malformed() == Suppress {
		return errors.New("malformed: suppress makes nulls, which nulls: refuse forbids")
	}
	return nil
}
