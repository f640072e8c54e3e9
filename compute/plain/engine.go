// Package plain computes tables in clear text, exactly. It is the oracle that
// every other engine is held against.
//
// # Exactness
//
// Counts and distinct subjects are exact: subjects are compared by their bytes,
// never by a hash alone, so the probability of taking two for one is zero. Sums
// of integers and decimals run in 192 bits and cannot wrap; a mean is the exact
// quotient, rounded once, half to even. Sums of floats are refused: they depend
// on the order of addition, and two engines would not agree on them. The result
// depends neither on the order of records nor on how they are cut into batches.
//
// # What is protected
//
// Working memory is bounded (compute.ErrLimit at the bound), wiped and given
// back when Run ends, whichever way. Chosen subjects or keys cannot slow the
// tables down: their placement is seeded anew for every run, and the seed shows
// nowhere in a result. Errors name field, row and rule, never a value.
//
// # What is not
//
// The process holds subjects and values in the clear while Run lasts, and text
// group keys on the Go heap until collected. Nothing is suppressed: a Result is
// for the gate only. Whether ErrLimit or ErrData arises depends on the data, so
// neither may reach a requester as it is. Dictionary look-up tables follow the
// size of the batch's own dictionary and are not part of the bound.
package plain

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/compute"
)

// Bounds that hold where Options leave them zero.
const (
	DefaultMaxGroups = 100_000
	DefaultMaxMemory = 2 << 30
)

// Options configure an engine. The zero value is usable.
type Options struct {
	// Subject appends the canonical form of the subject bytes v to dst; nil
	// takes them as they are. Integers come in decimal. A record whose subject
	// it refuses, or makes empty, counts as unattributed. It must not keep v
	// and is called by one goroutine per run.
	Subject func(dst, v []byte) ([]byte, error)
	// MaxGroups bounds the cells of a table.
	MaxGroups int
	// MaxMemory bounds the working memory of one run, in bytes.
	MaxMemory int64
	// Alloc provides that memory; nil is the Go heap.
	Alloc memory.Allocator
}

type engine struct{ opt Options }

// New makes an engine; it holds no state and serves any number of plans.
func New(o Options) compute.Engine {
	if o.MaxGroups <= 0 {
		o.MaxGroups = DefaultMaxGroups
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = DefaultMaxMemory
	}
	if o.Alloc == nil {
		o.Alloc = memory.NewGoAllocator()
	}
	return &engine{opt: o}
}

// plan is a query bound to a schema. It is immutable.
type plan struct {
	opt     Options
	groupBy []string
	measure []compute.Measure
	fields  []field
	filters []predicate
	subject int   // position in fields, -1 where every record is its own
	groups  []int // positions in fields
	sums    []int // positions in fields, each once
	sumOf   []int // by measure: position in sums, -1 for count and subjects
	counts  bool  // a count was asked
}

// Prepare implements compute.Engine.
func (e *engine) Prepare(ctx context.Context, q *compute.Query, in *arrow.Schema) (compute.Plan, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("prepare table: %w", err)
	}
	if err := q.Validate(); err != nil {
		return nil, fmt.Errorf("prepare table: %w", err)
	}
	if in == nil {
		return nil, fmt.Errorf("prepare table: %w: no schema", compute.ErrSchema)
	}
	p := &plan{
		opt: e.opt, subject: -1,
		groupBy: slices.Clone(q.GroupBy), measure: slices.Clone(q.Measures),
	}
	if err := p.bind(q, in); err != nil {
		return nil, fmt.Errorf("prepare table: %w", err)
	}
	return p, nil
}

// bind resolves every field of the query in the order subject, filters, groups,
// measures.
func (p *plan) bind(q *compute.Query, in *arrow.Schema) (err error) {
	if !q.RowSubjects {
		if p.subject, err = p.use(in, q.Subject, roleSubject); err != nil {
			return err
		}
	}
	for i := range q.Filters {
		f := &q.Filters[i]
		col, err := p.use(in, f.Field, roleFilter)
		if err != nil {
			return err
		}
		pred, err := newPredicate(i, f, p.fields[col], col)
		if err != nil {
			return err
		}
		p.filters = append(p.filters, pred)
	}
	for _, name := range q.GroupBy {
		col, err := p.use(in, name, roleGroup)
		if err != nil {
			return err
		}
		p.groups = append(p.groups, col)
	}
	return p.bindMeasures(in)
}

func (p *plan) bindMeasures(in *arrow.Schema) error {
	for _, m := range p.measure {
		p.counts = p.counts || m.Kind == compute.Count
		if m.Field == "" {
			p.sumOf = append(p.sumOf, -1)
			continue
		}
		col, err := p.use(in, m.Field, roleSum)
		if err != nil {
			return err
		}
		at := slices.Index(p.sums, col)
		if at < 0 {
			at = len(p.sums)
			p.sums = append(p.sums, col)
		}
		p.sumOf = append(p.sumOf, at)
	}
	return nil
}

// use finds a field, checks that its type fits the role and gives its position.
func (p *plan) use(in *arrow.Schema, name string, r role) (int, error) {
	at, err := find(in, name)
	if err != nil {
		return 0, err
	}
	dt := in.Field(at).Type
	kind, err := admit(name, dt, r)
	if err != nil {
		return 0, err
	}
	for i, f := range p.fields {
		if f.name == name {
			return i, nil
		}
	}
	p.fields = append(p.fields, field{name: name, dt: dt, kind: kind})
	return len(p.fields) - 1, nil
}

// find gives the only position of a field.
func find(in *arrow.Schema, name string) (int, error) {
	switch at := in.FieldIndices(name); len(at) {
	case 0:
		return 0, fmt.Errorf("field %q: %w: the source has no such field", name, compute.ErrSchema)
	case 1:
		return at[0], nil
	}
	return 0, fmt.Errorf("field %q: %w: the source has it more than once", name, compute.ErrSchema)
}

// Cost implements compute.Plan: exact, so no privacy budget; the working memory
// at most MaxMemory.
func (p *plan) Cost() compute.Cost { return compute.Cost{Bytes: p.opt.MaxMemory} }

// Columns implements compute.Plan.
func (p *plan) Columns() []string {
	names := make([]string, len(p.fields))
	for i, f := range p.fields {
		names[i] = f.name
	}
	return names
}
