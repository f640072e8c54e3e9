package plan

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Compile turns a query into its plan. It is deterministic; manifests and
// certificates that the query does not need are not looked at. It proves, from the
// signed rows and bounds, that no result can exceed the plaintext modulus and that
// the noise leaves room to open with every component's masks, and refuses
// otherwise: with a *Refusal for what the numbers do not allow. Whether atoms are
// large enough is Validate's question, asked at ingest and by Check.
func Compile(q *Query, manifests []*Manifest, certs []Cert) (*Plan, error) {
	hash, err := q.Hash()
	if err != nil {
		return nil, err
	}
	c := &compiler{query: q, certs: certs, plan: &Plan{
		Query: hash, Kind: q.Kind, Requester: q.Requester, Expiry: q.Expiry,
	}}
	for _, step := range []func() error{
		func() error { return c.findManifests(manifests) }, c.findLanes, c.findKeys, c.shape, c.prove, c.charge,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := c.plan.check(); err != nil {
		return nil, err
	}
	return c.plan, nil
}

// column is a resolved column of the query.
type column struct {
	Column
	source   int
	manifest *Manifest
	lane     *Lane
	sections []*Section // those asked for, in the lane's order
	fold     uint32
}

// counts adds the rows of a group and finds its greatest count of subjects over the sections asked for.
func (c *column) counts(group int) (rows, subjects uint64) {
	for _, s := range c.sections {
		rows += s.Counts[group].Rows
		subjects = max(subjects, s.Counts[group].Subjects)
	}
	return rows, subjects
}

func (c *column) extents() []Extent {
	out := make([]Extent, len(c.sections))
	for i, s := range c.sections {
		out[i] = Extent{First: s.First, Batches: s.Batches, Positions: s.Positions}
	}
	return out
}

type compiler struct {
	query   *Query
	certs   []Cert
	used    []Cert // by rising hash
	sources []*Manifest
	columns []*column
	plan    *Plan
}

func (c *compiler) findManifests(manifests []*Manifest) error {
	for _, d := range c.query.Datasets {
		var found *Manifest
		for _, m := range manifests {
			if m == nil || m.Dataset != d.Dataset || m.Version != d.Version {
				continue
			}
			if found != nil {
				return fmt.Errorf("%w: two manifests of dataset %q", ErrInvalid, d.Dataset)
			}
			found = m
		}
		if found == nil {
			return refuse(RuleUnknown, "")
		}
		hash, err := found.Hash()
		if err != nil {
			return err
		}
		c.sources = append(c.sources, found)
		c.plan.Sources = append(c.plan.Sources, Source{Dataset: d.Dataset, Version: d.Version, Manifest: hash})
	}
	return nil
}

func (c *compiler) findLanes() error {
	for _, q := range c.query.Columns {
		source := slices.IndexFunc(c.query.Datasets, func(r Ref) bool { return r.Dataset == q.Dataset })
		col := &column{Column: q, source: source, manifest: c.sources[source]}
		if col.lane = col.manifest.Lane(q.Lane); col.lane == nil || !col.lane.reads(q.Field) {
			return refuse(RuleUnknown, q.Lane)
		}
		for i := range col.lane.Sections {
			if s := &col.lane.Sections[i]; len(c.query.Sections) == 0 || slices.Contains(c.query.Sections, s.Name) {
				col.sections = append(col.sections, s)
			}
		}
		if len(c.query.Sections) > 0 && len(col.sections) != len(c.query.Sections) {
			return refuse(RuleUnknown, q.Lane)
		}
		c.columns = append(c.columns, col)
	}
	return nil
}

// reads reports whether a lane is made of a field.
func (l *Lane) reads(field string) bool {
	if len(l.Columns) > 0 {
		return slices.Contains(l.Columns, field)
	}
	return len(l.Present) == 0 || slices.Contains(l.Present, field)
}

func (c *compiler) findKeys() error {
	for _, col := range c.columns {
		i := slices.IndexFunc(c.certs, func(k Cert) bool { return k.Hash == col.lane.Key })
		if i < 0 || c.certs[i].Parameters == nil || !slices.Contains(c.certs[i].Datasets, col.Dataset) {
			return refuse(RuleCertificate, col.Lane)
		}
		k := c.certs[i]
		if k.Expiry <= c.query.Expiry {
			return refuse(RuleExpired, col.Lane)
		}
		if k.Parameters.N() != int(col.lane.Degree) {
			return refuse(RuleParameters, col.Lane)
		}
		if len(c.used) > 0 {
			first := c.used[0]
			if k.Parameters.ID() != first.Parameters.ID() {
				return refuse(RuleParameters, col.Lane)
			}
			if k.Threshold != first.Threshold || !slices.Equal(k.Holders, first.Holders) {
				return refuse(RuleHolders, col.Lane)
			}
		}
		if !slices.ContainsFunc(c.used, func(u Cert) bool { return u.Hash == k.Hash }) {
			c.used = append(c.used, k)
		}
	}
	slices.SortFunc(c.used, func(a, b Cert) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	first := c.used[0]
	if _, err := threshold.NewSharing(len(first.Holders), first.Threshold); err != nil {
		return refuse(RuleHolders, "")
	}
	c.plan.Parameters = first.Parameters.ID()
	c.plan.Holders, c.plan.Threshold = slices.Clone(first.Holders), uint8(first.Threshold)
	for _, k := range c.used {
		c.plan.Keys = append(c.plan.Keys, KeyUse{Key: k.Hash})
	}
	return nil
}

// input gives the index of a column's lane among the inputs.
func (c *compiler) input(col *column) uint32 {
	l := col.lane
	for i, in := range c.plan.Inputs {
		if int(in.Source) == col.source && in.Lane == l.Name {
			return uint32(i)
		}
	}
	in := Input{
		Source: uint32(col.source), Lane: l.Name, Key: l.Key, Root: l.Root, Degree: l.Degree,
		Whole: l.Kind == Bucketed, Leaves: l.Leaves(),
	}
	for _, s := range l.Sections {
		in.Layout = append(in.Layout, Extent{First: s.First, Batches: s.Batches, Positions: s.Positions})
	}
	c.plan.Inputs = append(c.plan.Inputs, in)
	return uint32(len(c.plan.Inputs) - 1)
}

// sum folds a column's lane; every lane is folded at most once.
func (c *compiler) sum(col *column) {
	col.fold = uint32(len(c.plan.Folds))
	c.plan.Folds = append(c.plan.Folds, Fold{X: c.input(col), Y: NoInput, Extents: col.extents()})
}

// output adds a scalar with its proven bound: bounds times rows, by weight.
func (c *compiler) output(terms []Term, bound *big.Int) {
	c.plan.Outputs = append(c.plan.Outputs, Output{Terms: terms, Bound: bound})
}

// part adds a line of the result; subjects is the greatest count among its atoms.
func (c *compiler) part(label string, rows, subjects uint64) {
	c.plan.Parts = append(c.plan.Parts, Part{Label: label, Rows: rows})
	if rows > 0 && (c.plan.Minimum == 0 || subjects < c.plan.Minimum) {
		c.plan.Minimum = subjects
	}
}

// charge counts the outputs that each key takes part in.
func (c *compiler) charge() error {
	for i := range c.plan.Keys {
		k := &c.plan.Keys[i]
		for _, o := range c.plan.Outputs {
			if slices.ContainsFunc(o.Terms, func(t Term) bool { return c.plan.keyOf(t) == k.Key }) {
				k.Scalars++
			}
		}
		if uint64(k.Scalars) > c.used[i].Cap {
			return refuse(RuleScalars, "")
		}
	}
	return nil
}

func (p *Plan) keyOf(t Term) [32]byte { return p.Inputs[p.Folds[t.Fold].X].Key }
