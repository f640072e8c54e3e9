package dp

import (
	"context"
	"fmt"
	"sync/atomic"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute"
)

// Bounded holds exact totals of bounded contributions. It has no reader: Release
// is the only way out, once. All formats print "[bounded aggregates]".
type Bounded struct {
	plan   *Plan
	keys   [][]string // by cell, sorted
	totals []int64    // plan.width slots a cell
	spent  atomic.Bool
}

// String hides the totals.
func (b *Bounded) String() string { return "[bounded aggregates]" }

// Format hides the totals from every verb.
func (b *Bounded) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(b.String())) }

// MarshalJSON refuses.
func (b *Bounded) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("write bounded aggregates: %w", ErrParameter)
}

// minKey is the least length of a selection key.
const minKey = 16

// Bound reads src to its end, keeps of every subject what the bounds allow, and
// adds it up. Which cells and records of a subject are kept is decided by an HMAC
// under key over the subject and what it contributes: it depends neither on the
// order of records nor on other subjects, and the same key decides alike the next
// time. The key keeps the choice from being steered; privacy does not rest on it.
//
// Bound neither releases src nor keeps anything of a batch. Errors wrap
// ErrParameter, compute.ErrSchema, compute.ErrData or compute.ErrLimit; the last
// two depend on the data and are not for the requester.
func (p *Plan) Bound(ctx context.Context, src array.RecordReader, key []byte) (*Bounded, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("bound contributions: %w: a key of at least %d bytes", ErrParameter, minKey)
	}
	r, err := newReading(p, src.Schema(), key)
	if err != nil {
		return nil, fmt.Errorf("bound contributions: %w", err)
	}
	defer r.units.wipe()
	r.each = r.count
	if err := r.read(ctx, src); err != nil {
		return nil, fmt.Errorf("bound contributions: %w", err)
	}
	return r.total(), nil
}

// reading is the state of one pass.
type reading struct {
	plan    *Plan
	at      []int // schema positions: subject, groups, values, filters
	cols    []column
	filters int // where those of the filters begin
	cells   cells
	units   units
	subject []byte
	canon   []byte
	text    []byte
	row     []int64
	code    cellKey
	room    *room
	now     int // row of the batch
	each    func(subject []byte, cell uint32) error
}

func newReading(p *Plan, in *arrow.Schema, key []byte) (*reading, error) {
	r := &reading{plan: p, row: make([]int64, len(p.values)+1)}
	add := func(where, name string, as use) error {
		dt, err := find(in, where, name, as)
		if err == nil {
			r.at = append(r.at, in.FieldIndices(name)[0])
			r.cols = append(r.cols, column{name: name, dt: dt})
		}
		return err
	}
	if err := add("subject", p.table.Subject, asSubject); err != nil {
		return nil, err
	}
	for _, g := range p.groups {
		if err := add("group", g.field, asKey); err != nil {
			return nil, err
		}
	}
	for _, v := range p.values {
		if err := add("measure", v, asValue); err != nil {
			return nil, err
		}
	}
	r.filters = len(r.cols)
	for _, f := range p.filters {
		as := asKey
		if f.nums != nil {
			as = asValue
		}
		if err := add("filter", f.field, as); err != nil {
			return nil, err
		}
	}
	r.room = &room{left: p.table.MaxBytes}
	r.cells = newCells(p, r.room)
	r.units = newUnits(p, r.room, key)
	return r, nil
}

// read passes every record with a subject and a cell to each.
func (r *reading) read(ctx context.Context, src array.RecordReader) error {
	for ctx.Err() == nil && src.Next() {
		if err := r.batch(ctx, src.Record()); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := src.Err(); err != nil {
		return fmt.Errorf("read source: %w", err)
	}
	return nil
}

// rowsPerLook is how many rows pass between two looks at the context.
const rowsPerLook = 8192

func (r *reading) batch(ctx context.Context, rec arrow.Record) error {
	for i, at := range r.at {
		if at >= int(rec.NumCols()) || rec.Column(at).Len() != int(rec.NumRows()) {
			return fmt.Errorf("%w: a batch has other columns than the schema", compute.ErrSchema)
		}
		if err := r.cols[i].begin(rec.Column(at)); err != nil {
			return err
		}
	}
	for i := range int(rec.NumRows()) {
		if i%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.record(i); err != nil {
			return fmt.Errorf("row %d of a batch: %w", i, err)
		}
	}
	return nil
}

func (r *reading) record(i int) error {
	for k := range r.plan.filters {
		if !r.plan.filters[k].keeps(&r.cols[r.filters+k], i, &r.text) {
			return nil
		}
	}
	id, ok := r.unit(i)
	if !ok {
		return nil
	}
	cell, ok, err := r.cell(i)
	if err != nil || !ok {
		return err
	}
	r.now = i
	return r.each(id, cell)
}

// count offers the record to what its subject has.
func (r *reading) count(subject []byte, cell uint32) error {
	nulls := int64(0)
	for k := range r.plan.values {
		c := &r.cols[1+len(r.plan.groups)+k]
		r.row[k] = 0
		if c.null(r.now) {
			nulls |= 1 << k
		} else {
			r.row[k] = c.num(r.now)
		}
	}
	r.row[len(r.row)-1] = nulls
	return r.units.add(subject, cell, r.cells.keys[cell], r.row)
}

// unit is the canonical subject of a row, if it has one.
func (r *reading) unit(i int) ([]byte, bool) {
	c := &r.cols[0]
	if c.null(i) {
		return nil, false
	}
	r.subject = c.appendText(r.subject[:0], i)
	if r.plan.table.Canon == nil || len(r.subject) == 0 {
		return r.subject, len(r.subject) > 0
	}
	out, err := r.plan.table.Canon(r.canon[:0], r.subject)
	if err != nil || len(out) == 0 {
		return nil, false
	}
	r.canon = append(r.canon[:0], out...)
	return r.canon, true
}

// cell is the number of a row's cell; ok is false for keys that are not public.
func (r *reading) cell(i int) (n uint32, ok bool, err error) {
	for k := range r.plan.groups {
		c := &r.cols[1+k]
		if r.code[k], ok, err = r.cells.code(k, c, i); err != nil || !ok {
			if err != nil {
				err = fmt.Errorf("field %q: %w", c.name, err)
			}
			return 0, false, err
		}
	}
	n, err = r.cells.number(r.code)
	return n, err == nil, err
}

// cellKey holds the codes of a cell's keys.
type cellKey [compute.MaxGroupBy]uint32

// cells numbers the cells met, or all of the public product.
type cells struct {
	plan    *Plan
	room    *room
	codes   []map[string]uint32
	texts   [][]string
	numbers map[cellKey]uint32
	keys    [][]string
	scratch []byte
}

func newCells(p *Plan, room *room) cells {
	c := cells{plan: p, room: room, numbers: make(map[cellKey]uint32)}
	for _, g := range p.groups {
		codes := g.codes
		if codes == nil {
			codes = make(map[string]uint32)
		}
		c.codes, c.texts = append(c.codes, codes), append(c.texts, g.keys)
	}
	if !p.selected {
		for n := range p.product {
			var code cellKey
			for k := len(p.groups) - 1; k >= 0; k-- {
				code[k] = uint32(n % len(p.groups[k].keys))
				n /= len(p.groups[k].keys)
			}
			c.append(code)
		}
	}
	return c
}

// code is the code of a group key; a public list is never added to.
func (c *cells) code(k int, col *column, i int) (uint32, bool, error) {
	if c.scratch = c.scratch[:0]; col.null(i) {
		c.scratch = append(c.scratch, compute.NullKey...)
	} else {
		if col.text != nil && len(col.text(i)) > 0 && col.text(i)[0] == 0 {
			c.scratch = append(c.scratch, 0) // as compute.TextKey
		}
		c.scratch = col.appendText(c.scratch, i)
	}
	if code, ok := c.codes[k][string(c.scratch)]; ok {
		return code, true, nil
	}
	if c.plan.groups[k].codes != nil {
		return 0, false, nil
	}
	if !utf8.Valid(c.scratch) {
		return 0, false, fmt.Errorf("%w: text is not UTF-8", compute.ErrData)
	}
	if len(c.texts[k]) >= c.plan.table.MaxCells {
		return 0, false, fmt.Errorf("%w: more than %d groups", compute.ErrLimit, c.plan.table.MaxCells)
	}
	if err := c.room.take(96 + 2*len(c.scratch)); err != nil {
		return 0, false, err
	}
	text, code := string(c.scratch), uint32(len(c.texts[k]))
	c.codes[k][text] = code
	c.texts[k] = append(c.texts[k], text)
	return code, true, nil
}

func (c *cells) number(code cellKey) (uint32, error) {
	if n, ok := c.numbers[code]; ok {
		return n, nil
	}
	if len(c.keys) >= c.plan.table.MaxCells {
		return 0, fmt.Errorf("%w: more than %d groups", compute.ErrLimit, c.plan.table.MaxCells)
	}
	if err := c.room.take(128 + 8*c.plan.width); err != nil {
		return 0, err
	}
	return c.append(code), nil
}

func (c *cells) append(code cellKey) uint32 {
	n := uint32(len(c.keys))
	keys := make([]string, len(c.texts))
	for k := range keys {
		keys[k] = c.texts[k][code[k]]
	}
	c.numbers[code] = n
	c.keys = append(c.keys, keys)
	return n
}

// room accounts for working memory, by estimate.
type room struct{ left int64 }

func (r *room) take(n int) error {
	if r.left -= int64(n); r.left < 0 {
		return fmt.Errorf("%w: working memory is used up", compute.ErrLimit)
	}
	return nil
}
