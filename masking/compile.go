package masking

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Compile checks the policy against the schema and makes a Masker. It fails on
// a column of the schema the policy does not name or grade, a policy column
// the schema lacks, a duplicate on either side, null handling not said, an
// unknown technique or parameter, a technique that cannot treat the type, and
// a direct identifier that would leave more than design allows.
//
// keys may be nil while no technique asks for a key; alloc nil means Go's
// allocator. The policy is copied: later changes to it have no effect.
func Compile(p *Policy, in *arrow.Schema, keys KeySource, alloc memory.Allocator) (Masker, error) {
	if p == nil || in == nil {
		return nil, errors.New("compile masking policy: policy and schema are needed")
	}
	if alloc == nil {
		alloc = memory.DefaultAllocator
	}
	byName, err := columnsByName(p, in)
	if err != nil {
		return nil, fmt.Errorf("compile masking policy: %w", err)
	}
	m := &masker{hash: p.Hash(), in: in, alloc: alloc}
	var fields []arrow.Field
	for _, f := range in.Fields() {
		c, err := compileColumn(byName[f.Name], f.Type, keys)
		if err != nil {
			return nil, fmt.Errorf("compile masking policy: column %q: %w", f.Name, err)
		}
		m.columns = append(m.columns, c)
		if c.kernel != nil {
			fields = append(fields, arrow.Field{Name: f.Name, Type: c.out, Nullable: true})
		}
	}
	if len(fields) == 0 {
		return nil, errors.New("compile masking policy: no column is left")
	}
	m.out = arrow.NewSchema(fields, nil)
	return m, nil
}

func columnsByName(p *Policy, in *arrow.Schema) (map[string]*Column, error) {
	byName := make(map[string]*Column, len(p.Columns))
	for i := range p.Columns {
		name := p.Columns[i].Name
		if byName[name] != nil {
			return nil, fmt.Errorf("column %q appears twice in the policy", name)
		}
		byName[name] = &p.Columns[i]
	}
	seen := make(map[string]bool, in.NumFields())
	for _, f := range in.Fields() {
		if seen[f.Name] {
			return nil, fmt.Errorf("column %q appears twice in the schema", f.Name)
		}
		seen[f.Name] = true
		if byName[f.Name] == nil {
			return nil, fmt.Errorf("column %q is not in the policy", f.Name)
		}
	}
	for i := range p.Columns {
		if !seen[p.Columns[i].Name] {
			return nil, fmt.Errorf("column %q is not in the schema", p.Columns[i].Name)
		}
	}
	return byName, nil
}

func compileColumn(c *Column, in arrow.DataType, keys KeySource) (*column, error) {
	if err := checkWords(c); err != nil {
		return nil, err
	}
	out := &column{name: c.Name, technique: c.Technique, nulls: c.Nulls, malformed: c.malformed()}
	k, err := build(c, keys)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return out, kernel.Supported(in)
	}
	out.kernel = k
	if out.out, err = kernel.OutputType(k, in); err != nil {
		return nil, fmt.Errorf("technique %s: %w", c.Technique, err)
	}
	return out, nil
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
