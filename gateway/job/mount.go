package job

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/masking/identifier"
)

// errData: a register could not be read or does not fit the domain file.
var errData = errors.New("job: dataset unusable")

// plan is what mounting one dataset needs.
type plan struct {
	domain    *governance.Domain
	dataset   *governance.Dataset
	roster    *governance.Dataset
	templates []*governance.Template
}

// plans lists the datasets with templates, in the order of the domain file.
func plans(d *governance.Domain) []plan {
	var out []plan
	for i := range d.Datasets {
		p := plan{domain: d, dataset: &d.Datasets[i]}
		for j := range d.Templates {
			if d.Templates[j].Dataset == p.dataset.ID {
				p.templates = append(p.templates, &d.Templates[j])
			}
		}
		if len(p.templates) == 0 {
			continue
		}
		roster := p.dataset.Roster
		if roster == "" {
			roster = p.dataset.ID
		}
		for j := range d.Datasets {
			if d.Datasets[j].ID == roster {
				p.roster = &d.Datasets[j]
			}
		}
		out = append(out, p)
	}
	return out
}

func predicates(templates []*governance.Template) []lookup.Predicate {
	out := make([]lookup.Predicate, len(templates))
	for i, t := range templates {
		out[i] = lookup.Predicate{
			ID: t.ID, Kind: lookup.Kind(t.Kind), Field: t.Field, Op: t.Op, Value: t.Value, Values: t.Values,
			Low: t.Low, High: t.High, NameField: t.NameField, PhoneField: t.PhoneField,
		}
	}
	return out
}

func subjectOf(d *governance.Dataset) lookup.Subject {
	return lookup.Subject{Field: d.Subject.Field, Identifier: identifier.Kind(d.Subject.Identifier), Withhold: d.Withhold}
}

// mount opens or builds the index of one dataset version and registers its templates, unless known
// holds their registration already. old is the mounted predecessor, or nil; it goes on answering.
func (r *Runner) mount(ctx context.Context, p plan, known map[string]*registration, old *mounted) (*mounted, *registration, error) {
	m, reg, err := r.mountPlan(ctx, p, known, old)
	if err != nil {
		return nil, nil, fmt.Errorf("dataset %s: %w", p.dataset.ID, err)
	}
	return m, reg, nil
}

func (r *Runner) mountPlan(ctx context.Context, p plan, known map[string]*registration, old *mounted) (*mounted, *registration, error) {
	source, err := r.o.Source(p.dataset)
	if err != nil {
		return nil, nil, err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errAway, err)
	}
	past := predecessors(known[p.dataset.ID], p.templates, about.Schema)
	program, err := lookup.Compile(predicates(slices.Concat(p.templates, past)), about.Schema, subjectOf(p.dataset))
	if err != nil {
		return nil, nil, err
	}
	m := &mounted{
		program: program, cited: cite(p.domain, p.dataset),
		version: indexVersion(p.dataset, about.Fingerprint, program),
	}
	if err := r.openIndex(ctx, m, p.dataset, source, old); err != nil {
		return nil, nil, err
	}
	digest := program.Digest()
	reg := known[p.dataset.ID]
	if reg == nil || reg.Program != hex.EncodeToString(digest[:]) || reg.judgedBy() != p.domain.Settings.SharePermille {
		if reg, err = r.registerAt(ctx, p, m, reg, past); err != nil {
			return nil, nil, errors.Join(err, m.giveUp(old))
		}
	}
	m.templates = templatesOf(p.templates, program, reg)
	return m, reg, nil
}

// giveUp closes a mounted index that was not put in force, unless its predecessor uses it too.
func (m *mounted) giveUp(old *mounted) error {
	if old != nil && old.set == m.set {
		return nil
	}
	return m.set.Close()
}

// registerAt measures the common refinement over the roster and registers the templates.
func (r *Runner) registerAt(ctx context.Context, p plan, m *mounted, before *registration, past []*governance.Template) (*registration, error) {
	program, templates := m.program, givenFirst(before, p.templates)
	index, done, err := m.set.Current()
	if err != nil {
		return nil, err
	}
	defer done()
	var preds []int
	for _, t := range slices.Concat(templates, past) {
		if n, ok := program.Find(t.ID); ok && ordinary(t) {
			preds = append(preds, n)
		}
	}
	if len(preds) == 0 {
		return carried(before, register(p.dataset, templates, program, nil, nil, p.domain.Settings.SharePermille)), nil
	}
	roster, err := r.openRoster(ctx, p.roster)
	if err != nil {
		return nil, err
	}
	defer roster.Release()
	ref, err := index.Refinement(ctx, roster, lookup.Subject{Field: p.roster.Subject.Field, Identifier: identifier.Kind(p.roster.Subject.Identifier)}, preds)
	if err != nil {
		return nil, err
	}
	return carried(before, register(p.dataset, templates, program, ref, preds, p.domain.Settings.SharePermille, past...)), nil
}

func (r *Runner) openRoster(ctx context.Context, d *governance.Dataset) (array.RecordReader, error) {
	if d == nil {
		return nil, fmt.Errorf("%w: no roster", errData)
	}
	source, err := r.o.Source(d)
	if err != nil {
		return nil, err
	}
	return source.Open(ctx, connectors.Scan{Columns: []string{d.Subject.Field}})
}

func templatesOf(in []*governance.Template, p *lookup.Program, reg *registration) map[string]*template {
	out := make(map[string]*template, len(in))
	for _, t := range in {
		n, _ := p.Find(t.ID)
		out[t.ID] = &template{
			predicate: n, identity: t.Kind == governance.KindIdentity, registered: reg.Templates[t.ID],
			exempt:        t.Class != governance.ClassOrdinary,
			mergeAbsent:   t.NotFound != governance.ToldDistinct || reg.MergeAbsent && ordinary(t),
			mergeWithheld: t.Withheld != governance.ToldDistinct || reg.MergeWithheld && ordinary(t),
			technique:     receipt.Technique{Name: "sealed point index", Params: map[string]string{"template": t.Kind, "class": t.Class}},
		}
	}
	return out
}

func sortedIDs(m map[string]bool, want bool) []string {
	var out []string
	for id, ok := range m {
		if ok == want {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
