package job

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
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
// holds their registration already. old is the mounted predecessor, or nil; its set is kept so that
// questions under way finish on the index they began with.
func (r *Runner) mount(ctx context.Context, p plan, known map[string]*registration, old *mounted) (*mounted, *registration, error) {
	source, err := r.o.Source(p.dataset)
	if err != nil {
		return nil, nil, fmt.Errorf("dataset %s: %w", p.dataset.ID, err)
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("dataset %s: %w", p.dataset.ID, err)
	}
	program, err := lookup.Compile(predicates(p.templates), about.Schema, subjectOf(p.dataset))
	if err != nil {
		return nil, nil, fmt.Errorf("dataset %s: %w", p.dataset.ID, err)
	}
	index, err := r.openIndex(ctx, p.dataset, source, program, about.Fingerprint, old)
	if err != nil {
		return nil, nil, fmt.Errorf("dataset %s: %w", p.dataset.ID, err)
	}
	digest := program.Digest()
	reg := known[p.dataset.ID]
	if reg == nil || reg.Program != hex.EncodeToString(digest[:]) {
		if reg, err = r.registerAt(ctx, p, program, index); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("dataset %s: %w", p.dataset.ID, err), closeUnmounted(index, old))
		}
	}
	m := &mounted{
		set: &lookup.Set{}, program: program, identifier: identifier.Kind(p.dataset.Subject.Identifier),
		templates: templatesOf(p.templates, program, reg), cited: cite(p.domain, p.dataset), pending: index,
	}
	if old != nil {
		m.set = old.set
	}
	return m, reg, nil
}

func closeUnmounted(index *lookup.Index, old *mounted) error {
	if old != nil {
		if current, done, err := old.set.Current(); err == nil {
			done()
			if current == index {
				return nil
			}
		}
	}
	return index.Close()
}

// openIndex reuses the mounted index or the one on disk where version, content and program are the
// same, and builds it aside otherwise.
func (r *Runner) openIndex(ctx context.Context, d *governance.Dataset, source connectors.Source, p *lookup.Program, fingerprint string, old *mounted) (*lookup.Index, error) {
	digest := p.Digest()
	version := scopeOf(d.Version, fingerprint, string(digest[:]))
	name := d.ID + "-" + hex.EncodeToString(version[:8])
	if old != nil {
		if ix, done, err := old.set.Current(); err == nil {
			done()
			if ix.Version() == name {
				return ix, nil
			}
		}
	}
	keys, err := r.indexKeys(name)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(r.o.IndexDir, name)
	if _, err := os.Stat(dir); err == nil {
		if ix, err := lookup.Open(dir, p, d.ID, name, keys, r.o.CacheBytes); err == nil {
			return ix, nil
		}
		r.o.Logger.WarnContext(ctx, "index on disk unusable, building anew", "dataset", d.ID)
		if err := os.RemoveAll(dir); err != nil {
			return nil, errData
		}
	}
	return r.buildIndex(ctx, dir, name, d, source, p, keys)
}

func (r *Runner) buildIndex(ctx context.Context, dir, name string, d *governance.Dataset, source connectors.Source, p *lookup.Program, keys lookup.Keys) (*lookup.Index, error) {
	reader, err := source.Open(ctx, connectors.Scan{Columns: p.Columns()})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	began := r.o.Clock()
	stats, err := lookup.Build(ctx, reader, p, lookup.BuildOptions{Dir: dir, Dataset: d.ID, Version: name, Keys: keys, Random: r.o.Rand, MaxInvalidShare: shareOf(d.MaxInvalid)})
	if err != nil {
		return nil, err
	}
	if stats.Invalid > 0 {
		r.o.Logger.WarnContext(ctx, "rows without a usable subject left out", "dataset", d.ID, "rows", stats.Invalid, "first", stats.FirstInvalidRow)
	}
	r.o.Logger.InfoContext(ctx, "index built", "dataset", d.ID, "rows", stats.Rows, "subjects", stats.Subjects,
		"seconds", r.o.Clock().Sub(began).Seconds())
	return lookup.Open(dir, p, d.ID, name, keys, r.o.CacheBytes)
}

// shareOf reads a decimal share whose form governance has checked; none is 0.
func shareOf(s string) float64 {
	share, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return share
}

// indexKeys derives the keys of one index version from a key of the ring; destroying that key makes
// the index unreadable.
func (r *Runner) indexKeys(name string) (lookup.Keys, error) {
	mac, err := r.o.Ring.MAC(keyring.Index, name)
	if err != nil {
		return nil, err
	}
	var master [32]byte
	copy(master[:], mac.Sum(nil, []byte("index master")))
	return lookup.NewKeys(master, name)
}

// registerAt measures the common refinement over the roster and registers the templates.
func (r *Runner) registerAt(ctx context.Context, p plan, program *lookup.Program, index *lookup.Index) (*registration, error) {
	var preds []int
	for _, t := range p.templates {
		if n, ok := program.Find(t.ID); ok && ordinary(t) {
			preds = append(preds, n)
		}
	}
	if len(preds) == 0 {
		return register(p.dataset, p.templates, program, nil, nil), nil
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
	return register(p.dataset, p.templates, program, ref, preds), nil
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

// swap puts the mounted index in the place of its predecessor. What was before the predecessor is
// closed, removed, and its key destroyed, so that two versions exist at most.
func (r *Runner) swap(ctx context.Context, m *mounted) error {
	if m.pending == nil {
		return nil
	}
	next := m.pending
	m.pending = nil
	if current, done, err := m.set.Current(); err == nil {
		done()
		if current == next {
			return nil
		}
	}
	retired, err := m.set.Swap(next)
	if err != nil {
		return err
	}
	if retired != nil {
		r.retire(ctx, retired)
	}
	return nil
}

func (r *Runner) retire(ctx context.Context, ix *lookup.Index) {
	r.background.Go(func() {
		<-ix.Done()
		name := ix.Version()
		err := errors.Join(os.RemoveAll(filepath.Join(r.o.IndexDir, filepath.Base(name))), r.o.Ring.Destroy(keyring.Index, name))
		if err != nil {
			r.o.Logger.ErrorContext(ctx, "retired index not removed", "dataset", ix.Dataset())
		}
	})
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
