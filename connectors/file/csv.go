package file

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/connectors"
)

// column receives the cells of one CSV column.
type column struct {
	field connectors.Field
	text  bool
	size  int                             // bytes of its strings in the batch before, and now
	b     array.Builder                   // nil if the column is not wanted
	add   func(cell []byte) (rule string) // appends a value, or says why not
}

// csvBatches turns records into batches.
type csvBatches struct {
	p       *plan
	h       *handle
	scan    *scanner
	nulls   []string
	cols    []column            // in the order of the file
	byPlace []array.Builder     // in the order of the batch
	rowNo   *array.Int64Builder // nil if not wanted
	fixed   int64               // bytes of a row without its strings
	row     int64               // of the current record
	held    bool                // the current record awaits the next batch
}

func newCSVBatches(ctx context.Context, s *source, p *plan, h *handle) (*csvBatches, error) {
	scan, order, err := s.startCSV(ctx, io.NewSectionReader(h, 0, h.size))
	if err != nil {
		return nil, err
	}
	b := &csvBatches{p: p, h: h, scan: scan, nulls: s.opt.NullValues, fixed: connectors.RowBytes(p.schema)}
	b.byPlace = make([]array.Builder, p.schema.NumFields())
	b.cols = make([]column, len(order))
	for at, f := range order {
		c := column{field: s.opt.Fields[f], text: s.stored.Field(f).Type.ID() == arrow.STRING}
		if place := p.slot[f]; place >= 0 {
			c.b, c.add = newColumn(s.opt.Alloc, s.stored.Field(f).Type)
			b.byPlace[place] = c.b
		}
		b.cols[at] = c
	}
	if p.rowCol >= 0 {
		b.rowNo = array.NewInt64Builder(s.opt.Alloc)
		b.byPlace[p.rowCol] = b.rowNo
	}
	return b, nil
}

// startCSV reads the header, if there is one, and gives for each column of the
// file the index of its declared field.
func (s *source) startCSV(ctx context.Context, src io.Reader) (*scanner, []int, error) {
	n := len(s.opt.Fields)
	scan := newScanner(ctx, src, s.sep, n, s.opt.MaxCellBytes)
	if err := scan.skipBOM(); err != nil {
		return nil, nil, err
	}
	if s.opt.Header {
		order, err := s.header(scan)
		return scan, order, err
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return scan, order, nil
}

func (s *source) checkCSV(ctx context.Context, h *handle) error {
	_, _, err := s.startCSV(ctx, io.NewSectionReader(h, 0, h.size))
	return err
}

func (b *csvBatches) close() {
	for _, c := range b.byPlace {
		c.Release()
	}
	_ = b.h.Close() // only read: nothing can be lost
}

func (b *csvBatches) next(ctx context.Context) (arrow.Record, error) {
	rows, size := 0, int64(0)
	b.reserve()
	for rows < b.p.rows {
		ok, err := b.advance()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		cost := b.cost()
		if size+cost > b.p.bytes && rows > 0 {
			b.held = true
			break
		}
		if cost > b.p.bytes {
			return nil, connectors.LimitAt(&connectors.RowError{Row: b.row, Rule: "row over the batch size limit"})
		}
		if err := b.appendRow(); err != nil {
			return nil, err
		}
		size += cost
		rows++
	}
	if rows == 0 {
		return nil, b.h.unchanged()
	}
	return b.record(rows), nil
}

// reserve makes room for a batch like the one before.
func (b *csvBatches) reserve() {
	for _, c := range b.byPlace {
		c.Reserve(min(b.p.rows, connectors.DefaultBatchRows))
	}
	for i := range b.cols {
		if text, ok := b.cols[i].b.(*array.StringBuilder); ok {
			text.ReserveData(b.cols[i].size + b.cols[i].size/16)
			b.cols[i].size = 0
		}
	}
}

// advance makes the next record current; false at the end.
func (b *csvBatches) advance() (bool, error) {
	if b.held {
		b.held = false
		return true, nil
	}
	b.row++
	ok, err := b.scan.record()
	if err == nil {
		return ok, nil
	}
	var f *fault
	if errors.As(err, &f) {
		return false, b.place(f)
	}
	return false, err
}

// place names row and field of a fault.
func (b *csvBatches) place(f *fault) error {
	e := &connectors.RowError{Row: b.row, Rule: f.rule}
	if f.cell >= 0 && f.cell < len(b.cols) {
		e.Field = b.cols[f.cell].field.Name
	}
	if f.limit {
		return connectors.LimitAt(e)
	}
	return e
}

// cost is the payload of the current record in this batch.
func (b *csvBatches) cost() int64 {
	n := b.fixed
	for i := range b.cols {
		if b.cols[i].text && b.cols[i].b != nil {
			n += int64(b.scan.cells[i].end - b.scan.cells[i].off)
		}
	}
	return n
}

func (b *csvBatches) appendRow() error {
	for i := range b.cols {
		c := &b.cols[i]
		if c.b == nil {
			continue
		}
		ref := b.scan.cells[i]
		text := b.scan.bytes(ref)
		rule := ""
		if b.isNull(text, ref.quoted && c.text) {
			if !c.field.Nullable {
				rule = ruleNull
			} else {
				c.b.AppendNull()
			}
		} else {
			rule = c.add(text)
			c.size += len(text)
		}
		if rule != "" {
			return &connectors.RowError{Row: b.row, Field: c.field.Name, Rule: rule}
		}
	}
	if b.rowNo != nil {
		b.rowNo.Append(b.row)
	}
	return nil
}

func (b *csvBatches) isNull(text []byte, literal bool) bool {
	if literal {
		return false
	}
	for _, n := range b.nulls {
		if string(text) == n {
			return true
		}
	}
	return false
}

func (b *csvBatches) record(rows int) arrow.Record {
	arrs := make([]arrow.Array, len(b.byPlace))
	for i, c := range b.byPlace {
		arrs[i] = c.NewArray()
	}
	rec := array.NewRecord(b.p.schema, arrs, int64(rows))
	for _, a := range arrs {
		a.Release()
	}
	return rec
}
