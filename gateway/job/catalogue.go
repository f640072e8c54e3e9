package job

import (
	"context"
	"slices"
	"time"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// staleAfter is how old a dataset's as-of date may be before the catalogue flags it (R5).
const staleAfter = 92 * 24 * time.Hour

// Catalogue shows metadata and no row (R1): everything to those who govern, operate or supervise; to
// others what their scenarios name.
func (r *Runner) Catalogue(ctx context.Context, party string) (*spec.Catalogue, error) {
	policy := r.state.Load().policy
	d := policy.Domain()
	if d == nil {
		return &spec.Catalogue{}, nil
	}
	if !slices.ContainsFunc(d.Parties, func(p governance.Party) bool { return p.ID == party }) && party != Local {
		return nil, r.denyAct(ctx, party, "catalogue", policy.Refuse(governance.UnknownParty))
	}
	all := may(policy, party, governance.RoleOperator, governance.RoleDataAuthority, governance.RoleImplementingBody,
		governance.RoleRegulator, governance.RoleProvider, governance.RoleExchange)
	items := catalogueItems(d, party, all)
	out := &spec.Catalogue{Items: items}
	for i := range d.Datasets {
		ds := &d.Datasets[i]
		if all || slices.ContainsFunc(items, func(it spec.CatalogueItem) bool { return it.Dataset == ds.ID }) {
			out.Datasets = append(out.Datasets, catalogueDataset(ds, r.o.Clock()))
		}
	}
	return out, nil
}

func catalogueDataset(d *governance.Dataset, now time.Time) spec.CatalogueDataset {
	out := spec.CatalogueDataset{ID: d.ID, Name: d.Name, Provider: d.Provider, Version: d.Version, AsOf: d.AsOf.String()}
	out.Stale = now.Sub(d.AsOf.Start()) > staleAfter
	for _, f := range d.Fields {
		out.Fields = append(out.Fields, spec.CatalogueField{Name: f.Name, Type: f.Type, Class: f.Class, Grade: f.Grade})
	}
	return out
}

func catalogueItems(d *governance.Domain, party string, all bool) []spec.CatalogueItem {
	var out []spec.CatalogueItem
	add := func(id, kind, dataset string, of func(*governance.Scenario) []string) {
		item := spec.CatalogueItem{ID: id, Kind: kind, Dataset: dataset}
		for i := range d.Scenarios {
			s := &d.Scenarios[i]
			member := all || slices.ContainsFunc(s.Units, func(u governance.Unit) bool { return u.Party == party })
			if member && slices.Contains(of(s), id) {
				item.Scenarios = append(item.Scenarios, s.ID)
			}
		}
		if all || len(item.Scenarios) > 0 {
			out = append(out, item)
		}
	}
	for _, t := range d.Templates {
		add(t.ID, "template", t.Dataset, func(s *governance.Scenario) []string { return s.Templates })
	}
	for _, t := range d.Tables {
		add(t.ID, "table", t.Dataset, func(s *governance.Scenario) []string { return s.Tables })
	}
	for _, m := range d.Masks {
		add(m.ID, "mask", m.Dataset, func(s *governance.Scenario) []string { return s.Masks })
	}
	return out
}
