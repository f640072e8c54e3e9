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
)

// ErrNull is the rule behind a refused null.
var ErrNull = errors.New("null where the policy refuses nulls")

// Masker masks batches of one schema. It is safe for concurrent use.
type Masker interface {
	// Schema is that of masked batches: the columns left, in the order of the
	// input, without metadata.
	Schema() *arrow.Schema
	// Mask returns a batch that owns every buffer; the caller releases it and
	// keeps its reference to in. A refused cell is a *RowError.
	Mask(ctx context.Context, in arrow.Record) (arrow.Record, error)
	// Report says what has been masked so far.
	Report() Report
}

// Report counts over all batches masked without error.
type Report struct {
	Policy  [32]byte // hash of the policy
	Rows    int64    // read
	Dropped int64    // records left out for a null under nulls: suppress
	Columns []ColumnReport
}

// ColumnReport is the part of one input column.
type ColumnReport struct {
	Name      string
	Technique string
	Left      bool  // the column appears in the output
	Nulls     int64 // nulls met in the input
	Malformed int64 // cells suppressed as malformed
}

// RowError says where masking stopped. It holds no value.
type RowError struct {
	Column string
	Row    int64 // counted from 1, in the batch or, from a reader, in the whole read
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
	out              arrow.DataType
}

type masker struct {
	hash    [32]byte
	in, out *arrow.Schema
	columns []*column
	alloc   memory.Allocator

	mu            sync.Mutex
	rows, dropped int64
	nulls, bad    []int64
}

func (m *masker) Schema() *arrow.Schema { return m.out }

func (m *masker) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := Report{Policy: m.hash, Rows: m.rows, Dropped: m.dropped}
	for i, c := range m.columns {
		cr := ColumnReport{Name: c.name, Technique: c.technique, Left: c.kernel != nil}
		if m.nulls != nil {
			cr.Nulls, cr.Malformed = m.nulls[i], m.bad[i]
		}
		r.Columns = append(r.Columns, cr)
	}
	return r
}

// batch is the work on one record.
type batch struct {
	rows       int
	drop       []bool // nil until a record is dropped
	nulls, bad []int64
	out        []arrow.Array
}

func (b *batch) release() {
	for _, a := range b.out {
		a.Release()
	}
}

func (m *masker) Mask(ctx context.Context, in arrow.Record) (arrow.Record, error) {
	if err := m.checkSchema(in.Schema()); err != nil {
		return nil, err
	}
	n := len(m.columns)
	b := &batch{rows: int(in.NumRows()), nulls: make([]int64, n), bad: make([]int64, n)}
	defer b.release()
	for i, c := range m.columns {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.maskColumn(b, i, c, in.Column(i)); err != nil {
			return nil, err
		}
	}
	dropped, err := m.dropRows(b)
	if err != nil {
		return nil, err
	}
	m.count(b, dropped)
	return array.NewRecord(m.out, b.out, int64(b.rows-dropped)), nil
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

func (m *masker) maskColumn(b *batch, i int, c *column, in arrow.Array) error {
	if in.Len() > b.rows {
		in = array.NewSlice(in, 0, int64(b.rows))
		defer in.Release()
	}
	nulls, err := kernel.Nulls(in)
	if err != nil {
		return fmt.Errorf("mask column %q: %w", c.name, err)
	}
	b.nulls[i] = int64(len(nulls))
	if len(nulls) > 0 && c.nulls == Refuse {
		return &RowError{Column: c.name, Row: int64(nulls[0]) + 1, Rule: ErrNull}
	}
	b.mark(c, nulls)
	if c.kernel == nil {
		return nil
	}
	env := &kernel.Env{Alloc: m.alloc, Tolerate: c.malformed == Suppress}
	out, err := kernel.Apply(c.kernel, env, in)
	if err != nil {
		var ve *kernel.ValueError
		if errors.As(err, &ve) {
			return &RowError{Column: c.name, Row: int64(ve.Row) + 1, Rule: errors.New(ve.Rule)}
		}
		return fmt.Errorf("mask column %q: %w", c.name, err)
	}
	b.out = append(b.out, out)
	b.bad[i] = int64(len(env.Suppressed()))
	b.mark(c, env.Suppressed())
	return nil
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

func (m *masker) count(b *batch, dropped int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nulls == nil {
		m.nulls, m.bad = make([]int64, len(m.columns)), make([]int64, len(m.columns))
	}
	m.rows += int64(b.rows)
	m.dropped += int64(dropped)
	for i := range m.columns {
		m.nulls[i] += b.nulls[i]
		m.bad[i] += b.bad[i]
	}
}
