package masking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sample"
)

// ErrNull is the rule behind a refused null.
var ErrNull = errors.New("null where the policy refuses nulls")

// Masker masks batches of one schema. It is safe for concurrent use.
type Masker interface {
	// Schema is that of masked batches: the columns left, in the order of the
	// input, without metadata.
	Schema() *arrow.Schema
	// Mask treats in as a whole read: it is MaskAt from row 0.
	Mask(ctx context.Context, in arrow.Record) (arrow.Record, error)
	// MaskAt masks a batch that first rows of the read precede. It returns a
	// batch that owns every buffer, and what was counted over it. The caller
	// releases the batch and keeps its reference to in. A refused cell is a
	// *RowError, counted over the read. Batches may be masked in any order and
	// at once: what a technique draws for a row depends on the row's place.
	MaskAt(ctx context.Context, in arrow.Record, first int64) (arrow.Record, *Report, error)
	// Report counts over all batches masked so far without error.
	Report() Report
}

// RowError says where masking stopped. It holds no value.
type RowError struct {
	Column string
	Row    int64 // counted from 1 over the read
	Rule   error
}

func (e *RowError) Error() string {
	return fmt.Sprintf("mask column %q at row %d: %v", e.Column, e.Row, e.Rule)
}

func (e *RowError) Unwrap() error { return e.Rule }

type column struct {
	name, technique  string
	nulls, malformed string
	kernel           kernel.Kernel // nil: left out
	spell            bool          // a dictionary is spelt out before
	out              arrow.DataType
}

type masker struct {
	hash    [32]byte
	in, out *arrow.Schema
	columns []*column
	alloc   memory.Allocator
	sampler *sample.Sampler // nil: every record
	subject int             // column the sampler reads

	mu    sync.Mutex
	total *Report
}

func (m *masker) Schema() *arrow.Schema { return m.out }

func (m *masker) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.blank()
	r.Add(m.total)
	return *r
}

// blank is a report of nothing.
func (m *masker) blank() *Report {
	r := &Report{Policy: m.hash, Columns: make([]ColumnReport, len(m.columns))}
	for i, c := range m.columns {
		r.Columns[i] = ColumnReport{Name: c.name, Technique: c.technique, Left: c.kernel != nil}
	}
	return r
}

// batch is the work on one record.
type batch struct {
	in     arrow.Record
	first  int64 // rows of the read before the batch
	picked []int // rows of the batch as it was read; nil: all of them
	rows   int
	drop   []bool // nil until a record is dropped
	report *Report
	out    []arrow.Array
}

func (b *batch) release() {
	b.in.Release()
	for _, a := range b.out {
		a.Release()
	}
}

// fault turns a row of the batch into a row of the read.
func (b *batch) fault(c *column, row int, rule error) *RowError {
	if b.picked != nil {
		row = b.picked[row]
	}
	return &RowError{Column: c.name, Row: b.first + int64(row) + 1, Rule: rule}
}

func (m *masker) Mask(ctx context.Context, in arrow.Record) (arrow.Record, error) {
	out, _, err := m.MaskAt(ctx, in, 0)
	return out, err
}

func (m *masker) MaskAt(ctx context.Context, in arrow.Record, first int64) (arrow.Record, *Report, error) {
	if err := m.checkSchema(in.Schema()); err != nil {
		return nil, nil, err
	}
	b, err := m.begin(in, first)
	if err != nil {
		return nil, nil, err
	}
	defer b.release()
	for i, c := range m.columns {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := m.maskColumn(b, i, c); err != nil {
			return nil, nil, err
		}
	}
	dropped, err := m.dropRows(b)
	if err != nil {
		return nil, nil, err
	}
	b.report.Dropped = int64(dropped)
	m.mu.Lock()
	if m.total == nil {
		m.total = m.blank()
	}
	m.total.Add(b.report)
	m.mu.Unlock()
	return array.NewRecord(m.out, b.out, int64(b.rows-dropped)), b.report, nil
}

// begin takes the members of the sample, or the whole batch.
func (m *masker) begin(in arrow.Record, first int64) (*batch, error) {
	b := &batch{in: in, first: first, rows: int(in.NumRows()), report: m.blank()}
	b.report.Rows = in.NumRows()
	b.in = in.NewSlice(0, in.NumRows()) // a column may be longer than the record
	if m.sampler == nil {
		return b, nil
	}
	in = b.in
	defer in.Release()
	rows, err := m.sampler.Members(in.Column(m.subject))
	if err != nil {
		return nil, fmt.Errorf("mask batch: sample: %w", err)
	}
	columns := make([]arrow.Array, in.NumCols())
	defer func() {
		for _, a := range columns {
			if a != nil {
				a.Release()
			}
		}
	}()
	for i := range columns {
		if columns[i], err = kernel.Take(m.alloc, in.Column(i), rows); err != nil {
			return nil, fmt.Errorf("mask batch: sample: %w", err)
		}
	}
	b.picked, b.rows = rows, len(rows)
	b.report.NotSampled = in.NumRows() - int64(len(rows))
	b.in = array.NewRecord(m.in, columns, int64(len(rows)))
	return b, nil
}

func (m *masker) checkSchema(got *arrow.Schema) error {
	if got.NumFields() != m.in.NumFields() {
		return errors.New("mask batch: schema differs from the compiled one")
	}
	for i, f := range m.in.Fields() {
		if g := got.Field(i); g.Name != f.Name || !arrow.TypeEqual(g.Type, f.Type) {
			return fmt.Errorf("mask batch: column %q differs from the compiled schema", f.Name)
		}
	}
	return nil
}

func (m *masker) maskColumn(b *batch, i int, c *column) error {
	in := b.in.Column(i)
	nulls, err := kernel.Nulls(in)
	if err != nil {
		return fmt.Errorf("mask column %q: %w", c.name, err)
	}
	b.report.Columns[i].Nulls = int64(len(nulls))
	if len(nulls) > 0 && c.nulls == Refuse {
		return b.fault(c, nulls[0], ErrNull)
	}
	b.mark(c, nulls)
	if c.kernel == nil {
		return nil
	}
	env := &kernel.Env{Alloc: m.alloc, Tolerate: c.malformed == Suppress, Row: b.first, Column: b.column}
	out, err := c.apply(env, in)
	if err != nil {
		var ve *kernel.ValueError
		if errors.As(err, &ve) {
			return b.fault(c, ve.Row, errors.New(ve.Rule))
		}
		return fmt.Errorf("mask column %q: %w", c.name, err)
	}
	b.out = append(b.out, out)
	if out.Len() != b.rows {
		return fmt.Errorf("mask column %q: %w", c.name, kernel.ErrCorrupt)
	}
	b.report.Columns[i].Malformed = int64(len(env.Suppressed()))
	b.mark(c, env.Suppressed())
	return nil
}

func (c *column) apply(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if !c.spell {
		return kernel.Apply(c.kernel, env, in)
	}
	spelt, err := kernel.Spell(env.Alloc, in)
	if err != nil {
		return nil, err
	}
	defer spelt.Release()
	return c.kernel.Mask(env, spelt)
}

// column gives a column of the batch as it was read (kernel.Env.Column).
func (b *batch) column(name string) (arrow.Array, error) {
	at := b.in.Schema().FieldIndices(name)
	if len(at) != 1 {
		return nil, fmt.Errorf("column %q is not in the batch", name)
	}
	return b.in.Column(at[0]), nil
}

// mark notes the rows that nulls: suppress leaves out.
func (b *batch) mark(c *column, rows []int) {
	if c.nulls != Suppress || len(rows) == 0 {
		return
	}
	if b.drop == nil {
		b.drop = make([]bool, b.rows)
	}
	for _, r := range rows {
		b.drop[r] = true
	}
}

// dropRows rebuilds the output columns without the marked rows.
func (m *masker) dropRows(b *batch) (int, error) {
	if b.drop == nil {
		return 0, nil
	}
	kept := make([]int, 0, b.rows)
	for i, d := range b.drop {
		if !d {
			kept = append(kept, i)
		}
	}
	old := slices.Clone(b.out)
	for i, a := range old {
		taken, err := kernel.Take(m.alloc, a, kept)
		if err != nil {
			return 0, fmt.Errorf("mask batch: drop records: %w", err)
		}
		b.out[i] = taken
		a.Release()
	}
	return b.rows - len(kept), nil
}
