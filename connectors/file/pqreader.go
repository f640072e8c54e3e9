package file

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"github.com/yumen-project/yumen/connectors"
)

// firstDecode is how many rows are decoded before their width is known.
const firstDecode = 1024

// parquetBatches decodes one row group after the other, a slice of rows at a
// time, and copies the rows into batches of its own buffers: what the library
// allocates never leaves.
type parquetBatches struct {
	p      *plan
	f      *parquetFile
	mem    *budget
	alloc  memory.Allocator
	cell   int
	cols   []storedColumn
	reader *pqarrow.FileReader

	group   int   // next row group
	inGroup int64 // rows of the open group not yet decoded
	decode  int64 // rows to decode next
	rows    int64 // rows decoded and not yet given out
	at      int64 // first of them within the decoded arrays
	row     int64 // rows given out
	fixed   int64
}

// storedColumn is a wanted column.
type storedColumn struct {
	index int // in the file
	place int // in the batch
	field connectors.Field
	conv  converter
	rdr   *pqarrow.ColumnReader
	arr   arrow.Array // decoded, owned by the chunk
	text  array.StringLike
}

func newParquetBatches(ctx context.Context, s *source, p *plan, h *handle) (b *parquetBatches, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, err = nil, fromPanic(r)
		}
	}()
	mem := newBudget(leastBudget)
	f, err := s.openParquet(h, mem)
	if err != nil {
		return nil, err
	}
	b = &parquetBatches{
		p: p, f: f, mem: mem, alloc: s.opt.Alloc, cell: int(s.opt.MaxCellBytes),
		decode: firstDecode, fixed: connectors.RowBytes(p.schema),
	}
	for i, field := range f.order {
		if place := p.slot[field]; place >= 0 {
			b.cols = append(b.cols, storedColumn{index: i, place: place, field: s.opt.Fields[field], conv: f.conv[i]})
		}
	}
	b.reader, err = pqarrow.NewFileReader(f.rdr, pqarrow.ArrowReadProperties{}, mem)
	if err != nil {
		return nil, bad("schema that cannot be read")
	}
	return b, nil
}

// close lets go of the file. What the library holds is ordinary Go memory; it
// is left to the collector, since after corrupt input its own release code
// cannot be relied on.
func (b *parquetBatches) close() {
	b.cols, b.reader = nil, nil
	_ = b.f.h.Close() // only read: nothing can be lost
}

func (b *parquetBatches) next(ctx context.Context) (arrow.Record, error) {
	for b.rows == 0 {
		ok, err := b.fetch(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, b.f.h.unchanged()
		}
	}
	n, err := b.fit()
	if err != nil {
		return nil, err
	}
	rec, err := b.copyRows(n)
	if err != nil {
		return nil, err
	}
	b.at, b.rows, b.row = b.at+n, b.rows-n, b.row+n
	return rec, nil
}

// fetch decodes the next rows; false at the end.
func (b *parquetBatches) fetch(ctx context.Context) (bool, error) {
	for b.inGroup == 0 {
		if b.group == len(b.f.meta.RowGroups) {
			return false, nil
		}
		if err := b.openGroup(ctx); err != nil {
			return false, err
		}
	}
	n := min(b.inGroup, b.decode, int64(b.p.rows))
	size := n * b.fixed
	for i := range b.cols {
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		c := &b.cols[i]
		if err := c.load(n); err != nil {
			return false, err
		}
		if c.text != nil {
			size += int64(len(c.arr.Data().Buffers()[2].Bytes()))
		}
	}
	b.decode = min(4*n, max(1, b.p.bytes*n/max(size, 1)))
	b.inGroup -= n
	b.rows, b.at = n, 0
	return true, nil
}

// openGroup checks the pages of the next row group and starts its columns.
func (b *parquetBatches) openGroup(ctx context.Context) error {
	g := b.group
	b.group++
	meta := b.f.rdr.RowGroup(g).MetaData()
	hold, text := leastBudget+8*b.p.bytes, int64(0)
	for i := range b.cols {
		chunk, err := meta.ColumnChunk(b.cols[i].index)
		if err != nil {
			return bad(fmt.Sprintf("row group %d: column chunk that cannot be read", g+1))
		}
		largest, err := checkPages(ctx, b.f.h, chunk)
		if err != nil {
			return fmt.Errorf("row group %d, field %q: %w", g+1, b.cols[i].field.Name, err)
		}
		hold += 4 * largest
		if b.cols[i].field.Type == "string" {
			text += min(largest, int64(b.cell))
		}
	}
	b.mem.left.Store(hold)
	if b.row == 0 && text > 0 { // a dictionary may repeat its longest value in every row
		b.decode = min(b.decode, max(1, hold/8/text))
	}
	for i := range b.cols {
		c := &b.cols[i]
		c.release()
		leaf := map[int]bool{c.index: true}
		var err error
		if c.rdr, err = b.reader.GetFieldReader(ctx, c.index, leaf, []int{g}); err != nil {
			return bad(fmt.Sprintf("row group %d: column that cannot be read", g+1))
		}
	}
	b.inGroup = meta.NumRows()
	return nil
}

func (c *storedColumn) release() {
	if c.arr != nil {
		c.arr.Release()
		c.arr, c.text = nil, nil
	}
	if c.rdr != nil {
		c.rdr.Release()
		c.rdr = nil
	}
}

// load decodes exactly n rows.
func (c *storedColumn) load(n int64) error {
	if c.arr != nil {
		c.arr.Release()
		c.arr, c.text = nil, nil
	}
	got, err := c.rdr.NextBatch(n)
	if err != nil {
		return bad(fmt.Sprintf("field %q: page that cannot be decoded", c.field.Name))
	}
	defer got.Release()
	if int64(got.Len()) != n || len(got.Chunks()) != 1 {
		return bad(fmt.Sprintf("field %q: fewer values than rows", c.field.Name))
	}
	c.arr = got.Chunk(0)
	c.arr.Retain()
	c.text, _ = c.arr.(array.StringLike)
	return nil
}

// fit counts the rows, from b.at on, that make a batch.
func (b *parquetBatches) fit() (int64, error) {
	var n, size int64
	if b.rows <= int64(b.p.rows) && b.sizeOf(b.rows) <= b.p.bytes {
		return b.rows, nil
	}
	for n < b.rows && n < int64(b.p.rows) {
		cost := b.fixed
		for i := range b.cols {
			if t := b.cols[i].text; t != nil {
				cost += int64(t.ValueLen(int(b.at + n)))
			}
		}
		if cost > b.p.bytes {
			if n > 0 {
				break
			}
			return 0, connectors.LimitAt(&connectors.RowError{Row: b.row + 1, Rule: "row over the batch size limit"})
		}
		if size += cost; size > b.p.bytes {
			break
		}
		n++
	}
	return n, nil
}

// sizeOf is what the next n rows take.
func (b *parquetBatches) sizeOf(n int64) int64 {
	size := n * b.fixed
	for i := range b.cols {
		if t, ok := b.cols[i].text.(interface{ ValueOffset64(int) int64 }); ok {
			size += t.ValueOffset64(int(b.at+n)) - t.ValueOffset64(int(b.at))
		} else if b.cols[i].text != nil {
			size += int64(b.cols[i].textBytes(int(b.at), int(n)))
		}
	}
	return size
}

// copyRows builds a batch of the n rows from b.at on.
func (b *parquetBatches) copyRows(n int64) (arrow.Record, error) {
	cols := make([]arrow.Array, b.p.schema.NumFields())
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i := range b.cols {
		var err error
		c := &b.cols[i]
		if cols[c.place], err = b.copyColumn(c, int(n)); err != nil {
			return nil, err
		}
	}
	if b.p.rowCol >= 0 {
		ids := array.NewInt64Builder(b.alloc)
		defer ids.Release()
		ids.Reserve(int(n))
		for i := range n {
			ids.UnsafeAppend(b.row + i + 1)
		}
		cols[b.p.rowCol] = ids.NewArray()
	}
	return array.NewRecord(b.p.schema, cols, n), nil
}

func (b *parquetBatches) copyColumn(c *storedColumn, n int) (arrow.Array, error) {
	want := b.p.schema.Field(c.place).Type
	if whole := bulkColumn(b.alloc, c, want, int(b.at), n, b.cell); whole != nil {
		return whole, nil
	}
	to := array.NewBuilder(b.alloc, want)
	defer to.Release()
	to.Reserve(n)
	if text, ok := to.(*array.StringBuilder); ok {
		text.ReserveData(c.textBytes(int(b.at), n))
	}
	add := c.conv(c.arr)
	nulls := c.arr.NullN() > 0
	for i := range n {
		at := int(b.at) + i
		rule := ""
		switch {
		case nulls && c.arr.IsNull(at):
			if c.field.Nullable {
				to.AppendNull()
			} else {
				rule = ruleNull
			}
		case c.text != nil && c.text.ValueLen(at) > b.cell:
			return nil, connectors.LimitAt(&connectors.RowError{Row: b.row + int64(i) + 1, Field: c.field.Name, Rule: ruleCellSize})
		default:
			rule = add(at, to)
		}
		if rule != "" {
			return nil, &connectors.RowError{Row: b.row + int64(i) + 1, Field: c.field.Name, Rule: rule}
		}
	}
	return to.NewArray(), nil
}

// textBytes sums the bytes of n strings from at on.
func (c *storedColumn) textBytes(at, n int) (size int) {
	for i := at; i < at+n; i++ {
		size += c.text.ValueLen(i)
	}
	return size
}
