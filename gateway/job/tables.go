package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// judged is what judging the exact tables of a domain file found anew.
type judged struct {
	patterns []*pattern
	unread   []string // datasets that could not be read
	// unmounted are datasets that could not be described, so that their templates are not registered.
	unmounted []string
	attacks   []attacked
	with      map[string]int // by dataset: tables registered before
}

// away notes datasets whose tables could not be planned.
func (f *judged) away(datasets []string) {
	for _, id := range datasets {
		if !slices.Contains(f.unread, id) {
			f.unread = append(f.unread, id)
		}
	}
}

// judgement numbers the rules of compute/disclosure: where they grow stricter, what was registered before is
// judged anew.
const judgement = 2

// basisOf identifies the data, how its subjects and columns are read, the least number of subjects and the
// rules: patterns hold for one basis.
func basisOf(d *governance.Dataset, about *connectors.Dataset, least int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %q %q %+v %q", judgement, least, d.Version, about.Fingerprint, d.Subject, about.Schema.String()))
	return hex.EncodeToString(sum[:])
}

// exactTables lists the exact tables of a dataset in the order of the domain file, aliases left out.
func exactTables(d *governance.Domain, dataset string) (tables []governance.Table, keys []string, err error) {
	for i := range d.Tables {
		t := &d.Tables[i]
		if t.Dataset != dataset || t.Privacy != nil {
			continue
		}
		key, err := tableKey(t)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(keys, key) {
			tables, keys = append(tables, canonicalExact(t)), append(keys, key)
		}
	}
	return tables, keys, nil
}

// judgeTables judges the exact tables that the log has no pattern for. A register that cannot be read
// keeps its tables unregistered: questions on them are refused until it can.
func (r *Runner) judgeTables(ctx context.Context, d *governance.Domain) (*judged, error) {
	out := &judged{with: map[string]int{}}
	for i := range d.Datasets {
		dataset := &d.Datasets[i]
		r.domainMu.Lock()
		logged := patternsOf(r.domain.patterns[dataset.ID], dataset.Version)
		r.domainMu.Unlock()
		err := r.judgeDataset(ctx, d, dataset, logged, out)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.forget(dataset.ID)
			out.unread = append(out.unread, dataset.ID)
			r.o.Logger.ErrorContext(ctx, "exact tables not registered", slog.String("dataset", dataset.ID), slog.String("error", err.Error()))
		}
	}
	return out, nil
}

func (r *Runner) judgeDataset(ctx context.Context, d *governance.Domain, dataset *governance.Dataset, logged []*pattern, out *judged) error {
	tables, keys, err := exactTables(d, dataset.ID)
	if err != nil || len(tables) == 0 {
		return err
	}
	source, err := r.o.Source(dataset)
	if err != nil {
		return err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return err
	}
	basis := basisOf(dataset, about, d.Settings.MinimumSubjects)
	before := map[string]*pattern{}
	if len(logged) > 0 && logged[0].Fingerprint != basis {
		// Other data or least number under the same version: all its tables anew, none showing more.
		r.o.Logger.WarnContext(ctx, "data or settings changed under the same version", slog.String("dataset", dataset.ID), slog.String("version", dataset.Version))
		tables, _, before, err = afterLogged(logged, tables, keys)
		logged = nil
	} else {
		tables, err = unlogged(logged, tables, keys)
	}
	if err != nil || len(tables) == 0 {
		return err
	}
	j, err := r.judgeOf(ctx, dataset, source, about, basis, logged, d.Settings.MinimumSubjects)
	if err != nil {
		return err
	}
	var found []*pattern
	for i := range tables {
		key, err := tableKey(&tables[i])
		if err != nil {
			return err
		}
		p, err := j.next(ctx, &tables[i], before[key])
		if err != nil {
			return err
		}
		found = append(found, p)
	}
	if about, err = source.Describe(ctx); err != nil {
		return err
	}
	if basisOf(dataset, about, d.Settings.MinimumSubjects) != basis {
		return fmt.Errorf("%w: changed while it was read", errData)
	}
	out.patterns = append(out.patterns, found...)
	out.with[dataset.ID] = len(logged)
	out.attacks = append(out.attacks, j.attack(ctx, found)...)
	return nil
}

// afterLogged lists the tables of the log first, in its order, and then the new ones.
func afterLogged(logged []*pattern, tables []governance.Table, keys []string) ([]governance.Table, []string, map[string]*pattern, error) {
	before := map[string]*pattern{}
	var all []governance.Table
	var names []string
	for _, p := range logged {
		key, err := tableKey(&p.Table)
		if err != nil {
			return nil, nil, nil, err
		}
		before[key], all, names = p, append(all, p.Table), append(names, key)
	}
	for i, key := range keys {
		if before[key] == nil {
			all, names = append(all, tables[i]), append(names, key)
		}
	}
	return all, names, before, nil
}

// unlogged lists the tables that have no pattern yet.
func unlogged(logged []*pattern, tables []governance.Table, keys []string) ([]governance.Table, error) {
	var had []string
	for _, p := range logged {
		key, err := tableKey(&p.Table)
		if err != nil {
			return nil, err
		}
		had = append(had, key)
	}
	var out []governance.Table
	for i, key := range keys {
		if !slices.Contains(had, key) {
			out = append(out, tables[i])
		}
	}
	return out, nil
}

func sameTable(a, b *pattern) bool {
	x, errX := tableKey(&a.Table)
	y, errY := tableKey(&b.Table)
	return errors.Join(errX, errY) == nil && x == y
}

// recordTables writes the patterns found, one frame a table, and says what became of them.
func (r *Runner) recordTables(ctx context.Context, d *governance.Domain, found *judged) ([]spec.Registered, error) {
	for _, p := range found.patterns {
		var nonce receipt.Nonce
		if _, err := r.o.Rand.Read(nonce[:]); err != nil {
			return nil, fmt.Errorf("draw nonce: %w", err)
		}
		key, err := tableKey(&p.Table)
		if err != nil {
			return nil, err
		}
		statement := receipt.Commit("registration", &nonce, []byte(key))
		if _, err := r.write(ctx, audit.Registration, statement, &change{Table: p}); err != nil {
			return nil, err
		}
	}
	return tableFindings(d, found)
}

// tableFindings names the tables of the domain file that were registered or refused now.
func tableFindings(d *governance.Domain, found *judged) ([]spec.Registered, error) {
	var out []spec.Registered
	for i := range d.Datasets {
		ds := &d.Datasets[i]
		good := spec.Registered{Dataset: ds.ID, Version: ds.Version, OK: true}
		bad := spec.Registered{Dataset: ds.ID, Version: ds.Version, Rule: string(governance.SmallCell)}
		unread := spec.Registered{Dataset: ds.ID, Version: ds.Version, Rule: string(governance.DatasetMissing)}
		for k := range d.Templates {
			if t := &d.Templates[k]; t.Dataset == ds.ID && slices.Contains(found.unmounted, ds.ID) {
				unread.Templates = append(unread.Templates, t.ID)
			}
		}
		for k := range d.Tables {
			t := &d.Tables[k]
			if t.Dataset != ds.ID {
				continue
			}
			if slices.Contains(found.unread, ds.ID) {
				unread.Templates = append(unread.Templates, t.ID)
				continue
			}
			if t.Privacy != nil {
				continue
			}
			key, err := tableKey(t)
			if err != nil {
				return nil, err
			}
			for _, p := range found.patterns {
				if had, err := tableKey(&p.Table); err == nil && had == key && p.Refused {
					bad.Templates = append(bad.Templates, t.ID)
				} else if err == nil && had == key {
					good.Templates = append(good.Templates, t.ID)
				}
			}
		}
		for _, f := range []spec.Registered{good, bad, unread} {
			if len(f.Templates) > 0 {
				out = append(out, f)
			}
		}
	}
	for _, a := range found.attacks {
		if a.outcome == outAbove {
			out = append(out, a.finding())
		}
	}
	return out, nil
}
