package run

import (
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/run/internal/pqwrite"
)

var errSeek = errors.New("output is written from beginning to end")

// format turns masked batches into the bytes of a file: the costly half on any
// goroutine, the other in order.
type format interface {
	// encode is safe for concurrent use; the caller keeps its reference.
	encode(rec arrow.Record) (encoded, error)
	begin(out io.Writer) (partWriter, error)
}

// encoded is a batch in the form a partWriter of the same format takes.
type encoded interface {
	rows() int64
	release()
}

type partWriter interface {
	write(encoded) error
	close() error // completes the content; the file stays open
}

func newFormat(f Format, schema *arrow.Schema) (format, error) {
	if f == Arrow {
		return newIPC(schema)
	}
	s, err := pqwrite.NewSchema(schema)
	if err != nil {
		return nil, err
	}
	return parquetFormat{s}, nil
}

type parquetFormat struct{ schema *pqwrite.Schema }

type parquetPages struct{ *pqwrite.Pages }

func (p parquetPages) rows() int64 { return p.Rows() }
func (parquetPages) release()      {}

func (f parquetFormat) encode(rec arrow.Record) (encoded, error) {
	p, err := f.schema.Encode(rec)
	if err != nil {
		return nil, err
	}
	return parquetPages{p}, nil
}

func (f parquetFormat) begin(out io.Writer) (partWriter, error) {
	w, err := pqwrite.NewWriter(out, f.schema)
	return parquetPart{w}, err
}

type parquetPart struct{ w *pqwrite.Writer }

func (p parquetPart) write(e encoded) error { return p.w.Write(e.(parquetPages).Pages) }
func (p parquetPart) close() error          { return p.w.Close() }

// ipcFormat writes the Arrow IPC file format. Dictionaries, which the format
// could hold only once a file, become their values.
type ipcFormat struct {
	schema *arrow.Schema
	spell  []bool
}

func newIPC(s *arrow.Schema) (format, error) {
	f := &ipcFormat{spell: make([]bool, s.NumFields())}
	fields := make([]arrow.Field, s.NumFields())
	for i, field := range s.Fields() {
		fields[i] = arrow.Field{Name: field.Name, Type: field.Type, Nullable: true}
		if d, ok := field.Type.(*arrow.DictionaryType); ok {
			fields[i].Type, f.spell[i] = d.ValueType, true
		}
		if err := kernel.Supported(fields[i].Type); err != nil {
			return nil, err
		}
	}
	f.schema = arrow.NewSchema(fields, nil)
	return f, nil
}

type batch struct{ arrow.Record }

func (b batch) rows() int64 { return b.NumRows() }
func (b batch) release()    { b.Release() }

func (f *ipcFormat) encode(rec arrow.Record) (encoded, error) {
	columns := make([]arrow.Array, len(f.spell))
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, spell := range f.spell {
		if !spell {
			columns[i] = rec.Column(i)
			columns[i].Retain()
			continue
		}
		var err error
		if columns[i], err = kernel.Spell(memory.DefaultAllocator, rec.Column(i)); err != nil {
			return nil, err
		}
	}
	return batch{array.NewRecord(f.schema, columns, rec.NumRows())}, nil
}

func (f *ipcFormat) begin(out io.Writer) (partWriter, error) {
	w, err := ipc.NewFileWriter(&counter{out: out}, ipc.WithSchema(f.schema))
	return &ipcPart{w}, err
}

// counter tells the library where it stands, which is all it seeks for.
type counter struct {
	out io.Writer
	at  int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.out.Write(b)
	c.at += int64(n)
	return n, err
}

func (c *counter) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errSeek
	}
	return c.at, nil
}

type ipcPart struct{ w *ipc.FileWriter }

func (p *ipcPart) write(e encoded) error { return p.w.Write(e.(batch).Record) }
func (p *ipcPart) close() error          { return p.w.Close() }
