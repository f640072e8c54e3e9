package masking

import (
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/masking/suppress"
)

// Classes of a column.
const (
	ClassDirect    = "direct_identifier"
	ClassQuasi     = "quasi_identifier"
	ClassSensitive = "sensitive"
	ClassAttribute = "attribute"
)

// Ways to treat nulls (Column.Nulls) and malformed values (Column.Malformed).
const (
	// NullsKeep leaves a null a null.
	NullsKeep = "keep"
	// Refuse ends the batch with an error naming column and row.
	Refuse = "refuse"
	// Suppress leaves the record out (Nulls), or makes the cell a null, which
	// Nulls then treats like any other (Malformed).
	Suppress = "suppress"
)

// Column says how one column is masked.
type Column struct {
	Name      string
	Class     string            // direct_identifier, quasi_identifier, sensitive, attribute
	Grade     string            // 1, 2, 3, 4, important, core
	Technique string            // one of the Technique constants
	Params    map[string]string // of the technique; unknown ones are refused
	Key       string            // name of the key, for a keyed technique; refused for others
	Nulls     string            // keep, refuse, suppress; must be said
	Malformed string            // refuse (also when empty), suppress
}

// Where a masked table goes (Policy.Release).
const (
	// Inside: the table stays in the domain, for processing. The default.
	Inside = "inside"
	// Outside: the table may leave the domain; techniques that keep equality
	// or order of every value under one key are refused.
	Outside = "outside"
)

// Sample keeps the same persons in every job that uses the same key: a record
// stays when HMAC-SM3(key, subject) lies below the rate (package sample).
type Sample struct {
	Column string // whose record it is; may itself be suppressed
	Rate   string // decimal above 0 and below 1
	Key    string // name of the lineage key
	Kind   string // kind of identifier whose canonical form is taken; empty: the bytes as they are
}

// Policy is a literal: nothing is checked until Check or Compile.
type Policy struct {
	Name    string
	Release string  // inside (also when empty) or outside
	Sample  *Sample // nil: every record
	Columns []Column
}

// Hash is the SM3 of a canonical form: every field length-prefixed, columns in
// order, parameters sorted by name, an empty Malformed written as refuse and
// an empty Release as inside. It holds the names of keys, not the keys.
func (p *Policy) Hash() [32]byte {
	h := sm3.New()
	writeField(h, "yumen masking policy 2")
	writeField(h, p.Name)
	writeField(h, p.release())
	if s := p.Sample; s == nil {
		writeCount(h, 0)
	} else {
		writeCount(h, 1)
		for _, v := range []string{s.Column, s.Rate, s.Key, s.Kind} {
			writeField(h, v)
		}
	}
	writeCount(h, len(p.Columns))
	for _, c := range p.Columns {
		for _, s := range []string{c.Name, c.Class, c.Grade, c.Technique, c.Key, c.Nulls, c.malformed()} {
			writeField(h, s)
		}
		names := make([]string, 0, len(c.Params))
		for name := range c.Params {
			names = append(names, name)
		}
		slices.Sort(names)
		writeCount(h, len(names))
		for _, name := range names {
			writeField(h, name)
			writeField(h, c.Params[name])
		}
	}
	return [32]byte(h.Sum(nil))
}

// Quasi names the columns of class quasi_identifier that appear in the output.
func (p *Policy) Quasi() []string { return p.visible(ClassQuasi) }

// Linkable names the output columns somebody else may know of a person: the
// quasi-identifiers, and direct identifiers of which a part was left.
func (p *Policy) Linkable() []string { return p.visible(ClassQuasi, ClassDirect) }

// Exposed is Linkable without the direct identifiers that are wholly under a
// key: nobody outside knows those, and each is alone in its class by design.
// Classes for k-anonymity are made of these.
func (p *Policy) Exposed() []string {
	return slices.DeleteFunc(p.Linkable(), func(name string) bool {
		i := slices.IndexFunc(p.Columns, func(c Column) bool { return c.Name == name })
		return p.Columns[i].Class == ClassDirect && p.Columns[i].whollyKeyed()
	})
}

// whollyKeyed: no part of a value is left in clear.
func (c *Column) whollyKeyed() bool {
	switch c.Technique {
	case TechniquePseudonym, TechniqueEncrypt:
		return true
	case TechniqueFPE:
		for _, name := range []string{"keep_first", "keep_last", "pass", "region"} {
			if _, partly := c.Params[name]; partly {
				return false
			}
		}
		return true
	}
	return false
}

// Published is the parameters as reports and receipts show them: the table of a
// hierarchy, which lists values of the column, stands there as its SM3.
func (c *Column) Published() map[string]string {
	table, ok := c.Params["table"]
	if !ok {
		return c.Params
	}
	out := maps.Clone(c.Params)
	sum := sm3.Sum([]byte(table))
	delete(out, "table")
	out["table_sm3"] = hex.EncodeToString(sum[:])
	return out
}

// Visible names the output columns of the classes given of which something is
// left in clear.
func (p *Policy) Visible(classes ...string) []string {
	return slices.DeleteFunc(p.visible(classes...), func(name string) bool {
		i := slices.IndexFunc(p.Columns, func(c Column) bool { return c.Name == name })
		return p.Columns[i].whollyKeyed()
	})
}

func (p *Policy) visible(classes ...string) []string {
	var names []string
	for _, c := range p.Columns {
		if slices.Contains(classes, c.Class) && !c.valueless() {
			names = append(names, c.Name)
		}
	}
	return names
}

// valueless: the column is suppressed, as a whole or in every cell.
func (c *Column) valueless() bool {
	if c.Technique != TechniqueSuppress {
		return false
	}
	p, err := suppress.Parse(c.Params)
	return err == nil && (p.Dropped() || p.As == "null")
}

func (p *Policy) release() string {
	if p.Release == "" {
		return Inside
	}
	return p.Release
}

func (c *Column) malformed() string {
	if c.Malformed == "" {
		return Refuse
	}
	return c.Malformed
}

func writeCount(h hash.Hash, n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

func writeField(h hash.Hash, s string) {
	writeCount(h, len(s))
	h.Write([]byte(s))
}
