package city

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// parquetSink writes row groups of rowGroupSize rows; one group is in memory.
type parquetSink struct{ w *pqarrow.FileWriter }

func newParquetSink(out io.Writer, t *table, schema *arrow.Schema) (*parquetSink, error) {
	opts := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Snappy),
		parquet.WithMaxRowGroupLength(rowGroupSize),
		parquet.WithCreatedBy("yumen city"),
	}
	for _, name := range t.distinct {
		opts = append(opts, parquet.WithDictionaryFor(name, false))
	}
	w, err := pqarrow.NewFileWriter(schema, out, parquet.NewWriterProperties(opts...), pqarrow.DefaultWriterProps())
	return &parquetSink{w}, err
}

func (s *parquetSink) write(rec arrow.Record) error { return s.w.WriteBuffered(rec) }
func (s *parquetSink) close() error                 { return s.w.Close() }

// csvSink writes text; a null is an empty field.
type csvSink struct {
	out    io.Writer
	buf    []byte
	header bool
	schema *arrow.Schema
}

func newCSVSink(out io.Writer, schema *arrow.Schema) *csvSink {
	return &csvSink{out: out, schema: schema}
}

// cellWriter appends the text of the value in one row of a column.
type cellWriter func(dst []byte, row int) []byte

func (s *csvSink) write(rec arrow.Record) error {
	s.buf = s.heading(s.buf[:0])
	cells := make([]cellWriter, rec.NumCols())
	for i := range cells {
		if cells[i] = cellsOf(rec.Column(i)); cells[i] == nil {
			return fmt.Errorf("column %q has no text form", s.schema.Field(i).Name)
		}
	}
	for row := range int(rec.NumRows()) {
		for i, cell := range cells {
			if i > 0 {
				s.buf = append(s.buf, ',')
			}
			if rec.Column(i).IsValid(row) {
				s.buf = cell(s.buf, row)
			}
		}
		s.buf = append(s.buf, '\n')
	}
	_, err := s.out.Write(s.buf)
	return err
}

func (s *csvSink) close() error {
	_, err := s.out.Write(s.heading(nil)) // of a register without rows
	return err
}

// heading appends the header line the first time it is asked.
func (s *csvSink) heading(dst []byte) []byte {
	if s.header {
		return dst
	}
	s.header = true
	for i, f := range s.schema.Fields() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, f.Name)
	}
	return append(dst, '\n')
}

func cellsOf(col arrow.Array) cellWriter {
	switch a := col.(type) {
	case *array.String:
		return func(dst []byte, row int) []byte { return appendQuoted(dst, a.Value(row)) }
	case *array.Boolean:
		return func(dst []byte, row int) []byte { return strconv.AppendBool(dst, a.Value(row)) }
	case *array.Int64:
		return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, a.Value(row), 10) }
	case *array.Date32:
		return func(dst []byte, row int) []byte { return dateOf(int(a.Value(row))).AppendFormat(dst, "2006-01-02") }
	case *array.Decimal128:
		return func(dst []byte, row int) []byte { return appendHundredths(dst, int64(a.Value(row).LowBits())) }
	}
	return nil
}

// appendHundredths writes a non-negative amount with two decimals.
func appendHundredths(dst []byte, v int64) []byte {
	dst = strconv.AppendInt(dst, v/100, 10)
	return appendDigits(append(dst, '.'), int(v%100), 2)
}

// appendQuoted quotes a field that holds a separator, a quote or a line break,
// or that begins or ends with a space, and one that is empty but not null.
func appendQuoted(dst []byte, v string) []byte {
	if v != "" && v[0] != ' ' && v[len(v)-1] != ' ' && !needsQuotes(v) {
		return append(dst, v...)
	}
	dst = append(dst, '"')
	dst = append(dst, bytes.ReplaceAll([]byte(v), []byte{'"'}, []byte{'"', '"'})...)
	return append(dst, '"')
}

func needsQuotes(v string) bool {
	for i := range len(v) {
		switch v[i] {
		case ',', '"', '\n', '\r':
			return true
		}
	}
	return false
}
