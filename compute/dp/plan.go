package dp

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/compute"
)

// Plan is a checked Table, bound to a schema. It holds no data, its cost is known
// before any record is read, and it may be run again and from several goroutines;
// each release costs anew.
type Plan struct {
	table    Table
	groups   []group
	filters  []filter
	values   []string // fields of measures, each once
	measures []measure
	cells    stat // the subject counts: slot 0
	width    int  // slots of a cell
	cost     Budget
	tau      int64
	selected bool
	product  int // cells of the public lists, if nothing is selected
}

type group struct {
	field string
	codes map[string]uint32 // of the public list, else nil
	keys  []string
}

// NewPlan checks a table against the schema of its source. Errors wrap
// compute.ErrQuery, compute.ErrSchema or ErrParameter and depend on nothing in
// the data.
func NewPlan(t Table, in *arrow.Schema) (*Plan, error) {
	p := &Plan{table: t}
	for _, step := range []func(*arrow.Schema) error{p.checkHead, p.addFilters, p.addGroups, p.addMeasures} {
		if err := step(in); err != nil {
			return nil, fmt.Errorf("plan private table: %w", err)
		}
	}
	for _, step := range []func() error{p.spendOnCells, p.spendOnMeasures} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("plan private table: %w", err)
		}
	}
	return p, nil
}

func (p *Plan) checkHead(in *arrow.Schema) error {
	t := &p.table
	if err := (Bounds{MaxGroups: t.MaxGroups, MaxRecords: t.MaxRecords}).check(); err != nil {
		return err
	}
	if len(t.Groups) > compute.MaxGroupBy || len(t.Measures) > compute.MaxMeasures {
		return fmt.Errorf("%w: more than %d groups or %d measures", compute.ErrQuery, compute.MaxGroupBy, compute.MaxMeasures)
	}
	if t.MaxCells < 0 || t.MaxBytes < 0 || t.Delta < 0 || t.Tau < 0 {
		return fmt.Errorf("%w: a limit, delta or tau is negative", ErrParameter)
	}
	if t.MaxCells == 0 {
		t.MaxCells = DefaultMaxCells
	}
	if t.MaxBytes == 0 {
		t.MaxBytes = DefaultMaxBytes
	}
	_, err := find(in, "subject", t.Subject, asSubject)
	return err
}

// addFilters lets compute judge the form, over a query that has nothing else.
func (p *Plan) addFilters(in *arrow.Schema) error {
	form := compute.Query{
		Dataset: "-", Subject: p.table.Subject, Filters: p.table.Filters,
		Measures: []compute.Measure{{Kind: compute.Count}},
	}
	if err := form.Validate(); err != nil {
		return err
	}
	for i, lit := range p.table.Filters {
		f, err := newFilter(in, fmt.Sprintf("filter %d", i+1), lit)
		if err != nil {
			return err
		}
		p.filters = append(p.filters, f)
	}
	p.table.Filters = nil
	return nil
}

func (p *Plan) addGroups(in *arrow.Schema) error {
	p.product = 1
	for i, g := range p.table.Groups {
		where := fmt.Sprintf("group %d", i+1)
		if g.Field == p.table.Subject || slices.ContainsFunc(p.groups, func(o group) bool { return o.field == g.Field }) {
			return fmt.Errorf("%s: %w: the subject, or a field named twice", where, compute.ErrQuery)
		}
		if _, err := find(in, where, g.Field, asKey); err != nil {
			return err
		}
		kept := group{field: g.Field}
		if g.Public == nil {
			p.selected = true
		} else {
			kept.codes, kept.keys = make(map[string]uint32, len(g.Public)), slices.Clone(g.Public)
			for k, key := range g.Public {
				kept.codes[key] = uint32(k)
			}
			if len(kept.codes) != len(g.Public) || len(g.Public) == 0 || len(g.Public) > p.table.MaxCells/p.product {
				return fmt.Errorf("%s: %w: public keys are distinct, some, and make at most %d cells", where, compute.ErrQuery, p.table.MaxCells)
			}
			p.product *= len(g.Public)
		}
		p.groups = append(p.groups, kept)
	}
	p.table.Groups = nil // p.groups from here on
	return nil
}

func (p *Plan) addMeasures(in *arrow.Schema) error {
	for i, lit := range p.table.Measures {
		m := measure{Measure: lit.clone(), col: -1}
		where := fmt.Sprintf("measure %d", i+1)
		if err := m.check(); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		if m.Kind != compute.Count && m.Kind != compute.Subjects {
			if m.Field == p.table.Subject {
				return fmt.Errorf("%s: %w: the subject is no measure", where, compute.ErrQuery)
			}
			dt, err := find(in, where, m.Field, asValue)
			if err != nil {
				return err
			}
			if d, ok := dt.(*arrow.Decimal128Type); ok {
				m.digit = int(d.Scale)
			}
			if m.col = slices.Index(p.values, m.Field); m.col < 0 {
				m.col = len(p.values)
				p.values = append(p.values, m.Field)
			}
		}
		p.measures = append(p.measures, m)
	}
	p.table.Measures = nil
	return nil
}

// spendOnCells finds the noise of the subject counts, tau, and their cost.
func (p *Plan) spendOnCells() error {
	t := &p.table
	of, err := SubjectsSensitivity(Bounds{MaxGroups: t.MaxGroups, MaxRecords: 1})
	if err != nil {
		return err
	}
	if p.cells, err = p.place(of, 1, t.Rho); err != nil {
		return fmt.Errorf("subject counts: %w", err)
	}
	p.tau = max(1, t.Tau)
	if p.selected != (t.Delta > 0) {
		return fmt.Errorf("%w: selected keys have a delta, public keys have none", ErrParameter)
	}
	if !p.selected {
		return nil
	}
	least, err := Threshold(p.cells.scale, t.MaxGroups, t.Delta)
	if err != nil {
		return err
	}
	if t.Tau != 0 && t.Tau < least {
		return fmt.Errorf("%w: tau is below %d, the least for this noise and delta", ErrParameter, least)
	}
	p.tau = max(p.tau, least)
	p.cost, err = p.cost.Add(Budget{Delta: t.Delta})
	return err
}

func (p *Plan) spendOnMeasures() error {
	for i := range p.measures {
		m := &p.measures[i]
		of, slots, err := m.figures(&p.table)
		if err != nil {
			return fmt.Errorf("measure %d: %w", i+1, err)
		}
		for _, sens := range of {
			s, err := p.place(sens, slots, m.Rho/Rho(len(of)))
			if err != nil {
				return fmt.Errorf("measure %d: %w", i+1, err)
			}
			m.stats = append(m.stats, s)
		}
	}
	return nil
}

// place gives a statistic its slots and its noise, and adds its cost.
func (p *Plan) place(of Sensitivity, slots int, rho Rho) (stat, error) {
	scale, err := ScaleFor(p.table.Mechanism, of, rho)
	if err != nil {
		return stat{}, err
	}
	cost, err := scale.Cost(of)
	if err != nil {
		return stat{}, err
	}
	if p.cost, err = p.cost.Add(cost); err != nil {
		return stat{}, err
	}
	s := stat{first: p.width, slots: slots, scale: scale}
	p.width += slots
	return s, nil
}

// Cost is what one release spends.
func (p *Plan) Cost() Budget { return p.cost }

// Tau is the least noisy subject count that is shown.
func (p *Plan) Tau() int64 { return p.tau }

// Scales are the kinds of noise a release takes, each once, to be registered.
func (p *Plan) Scales() []Scale {
	out := []Scale{p.cells.scale}
	for _, m := range p.measures {
		for _, s := range m.stats {
			if !slices.Contains(out, s.scale) {
				out = append(out, s.scale)
			}
		}
	}
	return out
}

// Columns names the fields that Bound reads, each once.
func (p *Plan) Columns() []string {
	out := []string{p.table.Subject}
	for _, g := range p.groups {
		out = append(out, g.field)
	}
	for _, v := range p.values {
		out = once(out, v)
	}
	for _, f := range p.filters {
		out = once(out, f.field)
	}
	return out
}

func once(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
