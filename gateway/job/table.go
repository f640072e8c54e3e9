package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/plain"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/masking/identifier"
)

// table computes a registered table and hands it over suppressed.
func (r *Runner) table(ctx context.Context, w *question, hold *ledger.Hold) (*release.Candidate, *governance.Refusal, error) {
	d := w.decision
	if d.Table.Privacy != nil {
		return r.private(ctx, w, hold)
	}
	registered := w.state.tables[d.Table.ID]
	if registered == nil {
		return nil, w.state.policy.Refuse(governance.TableUnregistered), nil
	}
	source, err := r.o.Source(d.Dataset)
	if err != nil {
		return nil, nil, err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return nil, nil, err
	}
	if basisOf(d.Dataset, about, d.Policy.Settings().MinimumSubjects) != registered.pattern.Fingerprint {
		return nil, w.state.policy.Refuse(governance.TableUnregistered), nil
	}
	engine := plain.New(plain.Options{Subject: canonicaliser(d.Dataset)})
	plan, err := engine.Prepare(ctx, tableQuery(d), about.Schema)
	if err != nil {
		return nil, nil, err
	}
	columns := plan.Columns()
	if len(columns) == 0 {
		columns = nil // a count over rows reads any column; a scan of none is refused
	}
	reader, err := source.Open(ctx, connectors.Scan{Columns: columns})
	if err != nil {
		return nil, nil, err
	}
	defer reader.Release()
	result, err := plan.Run(ctx, reader)
	if err != nil {
		return nil, nil, err
	}
	c, err := release.PrepareTable(r.facts(w), result, registered.shows, w.rows[0], hold)
	return c, nil, err
}

// canonicaliser makes two spellings of one subject one subject.
func canonicaliser(d *governance.Dataset) func(dst, v []byte) ([]byte, error) {
	if d.Subject.RowNumber {
		return nil
	}
	kind := identifier.Kind(d.Subject.Identifier)
	return func(dst, v []byte) ([]byte, error) { return identifier.AppendCanonical(dst, kind, v) }
}

func tableQuery(d *governance.Decision) *compute.Query {
	q := &compute.Query{Dataset: d.Dataset.ID, Subject: d.Dataset.Subject.Field, RowSubjects: d.Dataset.Subject.RowNumber, GroupBy: d.Table.GroupBy}
	for _, f := range d.Table.Filters {
		q.Filters = append(q.Filters, compute.Filter{Field: f.Field, Op: compute.Op(f.Op), Value: f.Value, Values: f.Values})
	}
	for _, m := range d.Table.Measures {
		q.Measures = append(q.Measures, compute.Measure{Kind: compute.MeasureKind(m.Kind), Field: m.Field})
	}
	return q
}

func tableTechnique(d *governance.Decision) receipt.Technique {
	return receipt.Technique{Name: "exact table", Params: map[string]string{"minimum_subjects": strconv.FormatInt(d.Policy.Settings().MinimumSubjects, 10)}}
}

// cite names dataset, version, date and source department of a result (R44).
func cite(domain *governance.Domain, d *governance.Dataset) receipt.Dataset {
	out := receipt.Dataset{ID: d.ID, Version: d.Version, AsOf: d.AsOf.String(), Source: d.Provider}
	for i := range domain.Parties {
		if domain.Parties[i].ID == d.Provider {
			out.Source = domain.Parties[i].Name
		}
	}
	return out
}

// checkTables plans every registered table against its dataset's schema, so that one that cannot be
// computed is refused when it is registered and not when it is asked. It gives the datasets that cannot be
// described now: their tables are left unregistered, and refused until they can.
func (r *Runner) checkTables(ctx context.Context, domain *governance.Domain) (unread []string, err error) {
	for i := range domain.Tables {
		t := &domain.Tables[i]
		for j := range domain.Datasets {
			if domain.Datasets[j].ID != t.Dataset {
				continue
			}
			err := r.checkTable(ctx, &governance.Decision{Dataset: &domain.Datasets[j], Table: t})
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case errors.Is(err, errAway):
				unread = append(unread, t.Dataset)
				r.o.Logger.WarnContext(ctx, "table not registered", slog.String("table", t.ID), slog.String("error", err.Error()))
			case err != nil:
				return nil, fmt.Errorf("table %s: %w", t.ID, err)
			}
		}
	}
	return unread, nil
}

// errAway: a register cannot be described now.
var errAway = errors.New("job: dataset not there")

func (r *Runner) checkTable(ctx context.Context, d *governance.Decision) error {
	source, err := r.o.Source(d.Dataset)
	if err != nil {
		return err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	if d.Table.Privacy == nil {
		_, err = plain.New(plain.Options{}).Prepare(ctx, tableQuery(d), about.Schema)
		return err
	}
	plan, err := r.privatePlan(ctx, d)
	if err != nil {
		return err
	}
	for _, s := range plan.Scales() {
		if err := r.noise.Register(s); err != nil {
			return err
		}
	}
	return nil
}
