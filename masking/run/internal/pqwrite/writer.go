package pqwrite

import (
	"encoding/binary"
	"io"
)

const (
	magic     = "PAR1"
	createdBy = "yumen"
	// groupRows and groupBytes end a row group.
	groupRows  = 1 << 17
	groupBytes = 32 << 20
)

// Writer puts pages into row groups of one file. It holds the pages of one row
// group. It is for one goroutine.
type Writer struct {
	out    io.Writer
	schema *Schema
	at     int64
	rows   int64
	groups []group

	open      []*Pages
	openRows  int64
	openBytes int64
}

type group struct {
	rows   int64
	chunks []chunk
}

type chunk struct{ at, plain, stored int64 }

// NewWriter begins a file on out.
func NewWriter(out io.Writer, s *Schema) (*Writer, error) {
	w := &Writer{out: out, schema: s}
	return w, w.put([]byte(magic))
}

// Write takes the pages of the next batch.
func (w *Writer) Write(p *Pages) error {
	if p.rows == 0 {
		return nil
	}
	w.open = append(w.open, p)
	w.openRows += p.rows
	w.openBytes += p.Size()
	if w.openRows >= groupRows || w.openBytes >= groupBytes {
		return w.flush()
	}
	return nil
}

// flush writes the open row group, column after column.
func (w *Writer) flush() error {
	if w.openRows == 0 {
		return nil
	}
	g := group{rows: w.openRows, chunks: make([]chunk, len(w.schema.kinds))}
	for i := range g.chunks {
		c := chunk{at: w.at}
		for _, p := range w.open {
			if err := w.put(p.columns[i].stored); err != nil {
				return err
			}
			c.plain += p.columns[i].plain
			c.stored += int64(len(p.columns[i].stored))
		}
		g.chunks[i] = c
	}
	w.groups = append(w.groups, g)
	w.rows += g.rows
	w.open, w.openRows, w.openBytes = nil, 0, 0
	return nil
}

// Close writes what is left and the footer. The file is whole only afterwards.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	foot := w.footer()
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(foot)))
	return w.put(append(foot, magic...))
}

// Rows written, those of an open row group included.
func (w *Writer) Rows() int64 { return w.rows + w.openRows }

func (w *Writer) put(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func (w *Writer) footer() []byte {
	c := &compact{}
	c.open()
	c.i32(1, 1)
	c.list(2, wireStruct, len(w.schema.kinds)+1)
	c.open()
	c.text(4, "schema")
	c.i32(5, int32(len(w.schema.kinds)))
	c.close()
	for i := range w.schema.kinds {
		w.element(c, i)
	}
	c.i64(3, w.rows)
	c.list(4, wireStruct, len(w.groups))
	for _, g := range w.groups {
		w.group(c, g)
	}
	c.text(6, createdBy)
	c.close()
	return c.out
}

func (w *Writer) element(c *compact, i int) {
	k := &w.schema.kinds[i]
	c.open()
	c.i32(1, k.physical)
	if k.length > 0 {
		c.i32(2, k.length)
	}
	c.i32(3, 1) // optional
	c.text(4, w.schema.names[i])
	if k.converted >= 0 {
		c.i32(6, k.converted)
	}
	if k.precision > 0 {
		c.i32(7, k.scale)
		c.i32(8, k.precision)
	}
	if k.logical != nil {
		c.field(10, wireStruct)
		c.open()
		k.logical(c)
		c.close()
	}
	c.close()
}

func (w *Writer) group(c *compact, g group) {
	plain := int64(0)
	c.open()
	c.list(1, wireStruct, len(g.chunks))
	for i, k := range g.chunks {
		plain += k.plain
		c.open()
		c.i64(2, k.at)
		c.within(3, func() { w.meta(c, i, k, g.rows) })
		c.close()
	}
	c.i64(2, plain)
	c.i64(3, g.rows)
	c.close()
}

func (w *Writer) meta(c *compact, i int, k chunk, rows int64) {
	c.i32(1, w.schema.kinds[i].physical)
	c.list(2, wireI32, 2)
	c.zigzag(0) // PLAIN
	c.zigzag(3) // RLE
	c.list(3, wireBinary, 1)
	c.bare(w.schema.names[i])
	c.i32(4, 1) // Snappy
	c.i64(5, rows)
	c.i64(6, k.plain)
	c.i64(7, k.stored)
	c.i64(9, k.at)
}
