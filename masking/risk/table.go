package risk

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Bounds of a Table.
const (
	// MaxRows is the most records a Table can hold; its memory is 4 bytes a
	// cell of the columns chosen, at most half as much again while it grows,
	// and the text of each different value once.
	MaxRows = math.MaxInt32
	// MaxDistinct is the most different values of one column. A column with
	// more is an identifier and no quasi-identifier.
	MaxDistinct = 1 << 24
)

// Table holds columns as codes, one number for each different value. It keeps
// nothing of the batches it was made from. Equality is that of Classes.
type Table struct {
	rows int
	cols []*coded
}

// coded is one column.
type coded struct {
	name   string
	codes  []uint32 // by row
	labels []string // by code; "" for null
	first  []int    // by code: the row that showed it first
	null   int      // the code of null, or -1
	order  []uint32 // numbers and dates: the codes by rising value, null left out; else nil
}

// Rows is the number of records.
func (t *Table) Rows() int { return t.rows }

// Columns are the names in order.
func (t *Table) Columns() []string {
	var names []string
	for _, c := range t.cols {
		names = append(names, c.name)
	}
	return names
}

// Distinct is the number of different values of a column, null counted; 0 if
// there is no such column.
func (t *Table) Distinct(column string) int {
	if c := t.column(column); c != nil {
		return len(c.labels)
	}
	return 0
}

func (t *Table) column(name string) *coded {
	for _, c := range t.cols {
		if c.name == name {
			return c
		}
	}
	return nil
}

// want gives the columns named.
func (t *Table) want(names []string) ([]*coded, error) {
	var cols []*coded
	for i, name := range names {
		c := t.column(name)
		if c == nil || slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("column %q: want it exactly once", name)
		}
		cols = append(cols, c)
	}
	return cols, nil
}

// TableBuilder codes a stream of batches. It is not safe for concurrent use.
type TableBuilder struct {
	in      *Classes // schema and encoders
	codes   []map[string]uint32
	numbers [][]number
	most    int64
	t       *Table
	scratch []byte
}

// NewTableBuilder prepares coding of the columns named of batches of a schema,
// each flat and there once. Beyond most records, at most MaxRows, Add fails; 0
// is MaxRows.
func NewTableBuilder(schema *arrow.Schema, columns []string, most int64) (*TableBuilder, error) {
	if most < 0 || most > MaxRows {
		return nil, fmt.Errorf("code table: want a limit of 0 to %d records", MaxRows)
	}
	in, err := NewClasses(schema, columns)
	if err != nil {
		return nil, fmt.Errorf("code table: %w", err)
	}
	if most == 0 {
		most = MaxRows
	}
	b := &TableBuilder{in: in, most: most, t: &Table{}, numbers: make([][]number, len(columns))}
	for _, name := range columns {
		b.codes = append(b.codes, make(map[string]uint32))
		b.t.cols = append(b.t.cols, &coded{name: name, null: -1})
	}
	return b, nil
}

// Add codes the records of a batch, or fails and must not be used further.
func (b *TableBuilder) Add(rec arrow.Record) error {
	cols, err := b.in.open(rec)
	if err != nil {
		return err
	}
	n := int(rec.NumRows())
	if int64(b.t.rows)+int64(n) > b.most {
		return fmt.Errorf("code table: more than %d records", b.most)
	}
	for i, cell := range cols {
		if err := b.column(i, rec.Column(b.in.encs[i].column), cell, n); err != nil {
			return fmt.Errorf("code table: column %q: %w", b.t.cols[i].name, err)
		}
	}
	b.t.rows += n
	return nil
}

func (b *TableBuilder) column(at int, a arrow.Array, cell cells, n int) error {
	c := b.t.cols[at]
	c.codes = grow(c.codes, n)
	if d, ok := a.(*array.Dictionary); ok {
		return b.dictionary(at, d, cell, n)
	}
	for i := range n {
		code, err := b.code(at, a, cell, i)
		if err != nil {
			return err
		}
		c.codes = append(c.codes, code)
	}
	return nil
}

// dictionary looks each entry that is referred to up once a batch.
func (b *TableBuilder) dictionary(at int, d *array.Dictionary, cell cells, n int) error {
	entries, err := kernel.Codes(d)
	if err != nil {
		return err
	}
	c := b.t.cols[at]
	met := make([]uint32, d.Dictionary().Len()+1) // code+1; the last for null
	for i := range n {
		slot := entries[i]
		if slot < 0 {
			slot = len(met) - 1
		}
		if met[slot] == 0 {
			code, err := b.code(at, d, cell, i)
			if err != nil {
				return err
			}
			met[slot] = code + 1
		}
		c.codes = append(c.codes, met[slot]-1)
	}
	return nil
}

func (b *TableBuilder) code(at int, a arrow.Array, cell cells, i int) (uint32, error) {
	b.scratch = cell(b.scratch[:0], i)
	if code, ok := b.codes[at][string(b.scratch)]; ok {
		return code, nil
	}
	c := b.t.cols[at]
	code := uint32(len(c.labels))
	if code == MaxDistinct {
		return 0, fmt.Errorf("at row %d: more than %d different values", b.t.rows+i, MaxDistinct)
	}
	b.codes[at][string(b.scratch)] = code
	c.first = append(c.first, b.t.rows+i)
	if b.scratch[0] == 0 {
		c.null = int(code)
		c.labels = append(c.labels, "")
		return code, nil
	}
	c.labels = append(c.labels, strings.Clone(a.ValueStr(i)))
	if x, ok := numberOf(a, i); ok {
		x.code = code
		b.numbers[at] = append(b.numbers[at], x)
	}
	return code, nil
}

// grow makes room for n more, a quarter more at a time once it is large.
func grow(codes []uint32, n int) []uint32 {
	need := len(codes) + n
	if need <= cap(codes) {
		return codes
	}
	more := make([]uint32, len(codes), max(need, min(2*len(codes), len(codes)+max(len(codes)/4, 1<<20))))
	copy(more, codes)
	return more
}

// Table gives the records so far. The builder must not be used further.
func (b *TableBuilder) Table() *Table {
	for i, c := range b.t.cols {
		c.order = orderOf(b.numbers[i])
	}
	return b.t
}

// ReadTable codes all batches of a reader: see NewTableBuilder.
func ReadTable(ctx context.Context, src array.RecordReader, columns []string, most int64) (*Table, error) {
	b, err := NewTableBuilder(src.Schema(), columns, most)
	if err != nil {
		return nil, err
	}
	for src.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := b.Add(src.Record()); err != nil {
			return nil, err
		}
	}
	if err := src.Err(); err != nil {
		return nil, fmt.Errorf("code table: %w", err)
	}
	return b.Table(), nil
}
