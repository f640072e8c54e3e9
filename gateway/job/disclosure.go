package job

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/disclosure"
	"github.com/yumen-project/yumen/compute/plain"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// judge judges the exact tables of one dataset version. It keeps which registries hold which
// tables: counts of subjects are judged with subjects as units, figures over records with records as
// units, and figures over the values of a field that some records lack over the records that have one.
// It is raw data and lives in memory only.
type judge struct {
	r       *Runner
	dataset *governance.Dataset
	source  connectors.Source
	about   *connectors.Dataset
	basis   string
	least   int64   // subjects
	shared  *shared // while it catches up; nil: each table reads the register itself

	done    []*pattern // what its registries hold, in order
	subject []uint32   // by record, as the first reading numbered them
	units   map[string]*units
	kept    []kept // for the attack
	cores   int    // 0: all
}

// units is one registry: the units, and the unit of each record.
type units struct {
	registry *disclosure.Registry // nil where there are too few subjects to tell of any
	of       []uint32             // by record; plain.None for one without
	n        int
}

// kinds of units.
const (
	bySubject = "subjects"
	byRecord  = "records"
	byValue   = "values of " // and the field
)

// read assigns every record of the dataset to a cell of the table.
func (j *judge) read(ctx context.Context, t *governance.Table) (*plain.Assignment, error) {
	d := &governance.Decision{Dataset: j.dataset, Table: t}
	plan, err := plain.New(plain.Options{Subject: canonicaliser(j.dataset)}).Prepare(ctx, tableQuery(d), j.about.Schema)
	if err != nil {
		return nil, err
	}
	columns := plan.Columns()
	if len(columns) == 0 {
		columns = nil
	}
	reader, err := j.openColumns(ctx, columns)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	a, err := plain.Assign(ctx, plan, reader)
	if err != nil {
		return nil, err
	}
	if j.subject == nil {
		j.subject = a.Subject
	}
	if !slices.Equal(j.subject, a.Subject) {
		return nil, fmt.Errorf("%w: two readings differ", errData)
	}
	return a, nil
}

func (j *judge) openColumns(ctx context.Context, columns []string) (array.RecordReader, error) {
	if j.shared != nil && columns != nil {
		return j.shared.open(columns)
	}
	return j.source.Open(ctx, connectors.Scan{Columns: columns})
}

// need returns the registries that must find the table safe.
func (j *judge) need(t *governance.Table, a *plain.Assignment) ([]*units, error) {
	names := []string{bySubject}
	for _, m := range t.Measures {
		if m.Kind == string(compute.Subjects) {
			continue
		}
		names = append(names, byRecord)
		if a.Valued[m.Field] != nil {
			names = append(names, byValue+m.Field)
		}
	}
	var out []*units
	for _, name := range names {
		u, err := j.unitsOf(name, a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out, nil
}

func (j *judge) unitsOf(name string, a *plain.Assignment) (*units, error) {
	if u := j.units[name]; u != nil {
		return u, nil
	}
	var u *units
	switch name {
	case bySubject:
		u = &units{of: j.subject, n: int(a.Result.UniverseSubjects)}
		if err := j.open(u, nil); err != nil {
			return nil, err
		}
	case byRecord:
		if a.Result.UniverseRows-a.Result.Unattributed == a.Result.UniverseSubjects {
			u = j.units[bySubject] // one record each
			break
		}
		fallthrough
	default:
		u = &units{of: make([]uint32, len(j.subject))}
		var owners []uint32
		valued := a.Valued[name[min(len(byValue), len(name)):]]
		for i, s := range j.subject {
			u.of[i] = plain.None
			if s == plain.None || name != byRecord && !valued[i] {
				continue
			}
			u.of[i] = uint32(len(owners))
			owners = append(owners, s)
		}
		u.n = len(owners)
		if err := j.open(u, dense(owners)); err != nil {
			return nil, err
		}
	}
	j.units[name] = u
	return u, nil
}

// dense numbers owners anew, so that the numbers stay below how many units there are.
func dense(owners []uint32) []uint32 {
	known := make(map[uint32]uint32, len(owners))
	out := make([]uint32, len(owners))
	for i, o := range owners {
		n, ok := known[o]
		if !ok {
			n = uint32(len(known))
			known[o] = n
		}
		out[i] = n
	}
	return out
}

// open starts the registry of the units. Where there are fewer subjects than may be told of, no cell of
// any table is shown and there is nothing to judge.
func (j *judge) open(u *units, owners []uint32) error {
	subjects := u.n
	if owners != nil {
		subjects = int(slices.Max(append([]uint32{0}, owners...))) + 1
	}
	if u.n == 0 || subjects < int(j.least) {
		return nil
	}
	var err error
	u.registry, err = disclosure.New(disclosure.Universe{
		Units: u.n, Owners: owners, Least: int(j.least), KnownTotal: true,
	}, j.r.o.Rand)
	if err == nil {
		u.registry.Workers(j.cores)
	}
	return err
}

// table lays the cells out over the units.
func (u *units) table(a *plain.Assignment, shown []bool, total bool) *disclosure.Table {
	t := &disclosure.Table{Cells: slices.Repeat([]uint32{disclosure.None}, u.n), Shown: shown, Total: total}
	for i, c := range a.Cell {
		unit := u.of[i]
		if c == plain.None || unit == plain.None {
			continue
		}
		switch t.Cells[unit] {
		case disclosure.None:
			t.Cells[unit] = c
		case c:
		default:
			t.Also = append(t.Also, disclosure.Member{Unit: unit, Cell: c})
		}
	}
	return t
}

// again takes an earlier table up as it was registered.
func (j *judge) again(ctx context.Context, p *pattern) error {
	if !p.Refused && len(p.Shown) > 0 {
		a, err := j.read(ctx, &p.Table)
		if err != nil {
			return err
		}
		shown := make([]bool, len(a.Result.Cells))
		for i := range shown {
			shown[i] = p.keys[joinKeys(a.Result.Cells[i].Keys)]
		}
		all, err := j.need(&p.Table, a)
		if err != nil {
			return err
		}
		for _, u := range all {
			if u.registry == nil {
				return fmt.Errorf("%w: other data than was registered", errData)
			}
			if _, err := u.registry.Add(ctx, u.table(a, shown, p.Total)); err != nil {
				return err
			}
		}
		j.keep(&p.Table, a, shown)
	}
	j.done = append(j.done, p)
	return nil
}

// next chooses the pattern of one more table. before, if set, bounds it: what the same table withheld
// under the same version stays withheld.
func (j *judge) next(ctx context.Context, t *governance.Table, before *pattern) (*pattern, error) {
	p := &pattern{Dataset: j.dataset.ID, Version: j.dataset.Version, Fingerprint: j.basis, Table: *t}
	a, err := j.read(ctx, t)
	if errors.Is(err, compute.ErrLimit) { // more cells or memory than a table may take
		p.Refused = true
		j.done = append(j.done, p)
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	shown := release.ShownCells(a.Result, j.least)
	for i := range shown {
		shown[i] = shown[i] && (before == nil || before.keys[joinKeys(a.Result.Cells[i].Keys)])
	}
	p.Refused = before != nil && before.Refused
	if slices.Contains(shown, true) {
		if shown, err = j.choose(ctx, p, a, shown); err != nil {
			return nil, err
		}
		p.Refused = !slices.Contains(shown, true)
	}
	for i, on := range shown {
		if on {
			p.Shown = append(p.Shown, a.Result.Cells[i].Keys)
		}
	}
	p.index()
	if !p.Refused {
		p.Cells = len(shown)
		j.keep(&p.Table, a, shown)
	}
	j.done = append(j.done, p)
	return p, nil
}

// choose finds what may be shown beside all earlier tables. The number over the whole table is taken as
// told besides, unless it alone would tell too much: then it must not come from here, and it does not.
// Nothing is shown where nothing is safe or a bound was reached.
func (j *judge) choose(ctx context.Context, p *pattern, a *plain.Assignment, shown []bool) ([]bool, error) {
	all, err := j.need(&p.Table, a)
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		if u.registry == nil { // too few have a value
			return make([]bool, len(shown)), nil
		}
	}
	for _, total := range []bool{true, false} {
		if total && len(p.Table.GroupBy) == 0 {
			continue
		}
		p.Total = total
		got, err := agree(ctx, all, a, shown, total)
		switch {
		case err == nil && (!total || slices.Contains(got, true)):
			return got, nil
		case err == nil:
		case errors.Is(err, disclosure.ErrLimit):
			return make([]bool, len(shown)), nil
		case !errors.Is(err, disclosure.ErrUnsafe):
			return nil, err
		}
	}
	return make([]bool, len(shown)), nil
}

// agree lets every registry withhold what it must until one pattern is safe for all, and registers it.
func agree(ctx context.Context, all []*units, a *plain.Assignment, shown []bool, total bool) ([]bool, error) {
	shown = slices.Clone(shown)
	for {
		trials := make([]*disclosure.Trial, len(all))
		same := true
		for i, u := range all {
			var err error
			if trials[i], err = u.registry.Suppress(ctx, u.table(a, shown, total)); err != nil {
				return nil, err
			}
			if got := trials[i].Shown(); !slices.Equal(got, shown) {
				shown, same = got, false
			}
		}
		if !same {
			continue
		}
		if !slices.Contains(shown, true) {
			return shown, nil
		}
		for _, t := range trials {
			if err := t.Commit(); err != nil {
				return nil, err
			}
		}
		return shown, nil
	}
}
