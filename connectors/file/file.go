package file

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/connectors"
)

// Formats.
const (
	CSV     = "csv"
	Parquet = "parquet"
)

// Bounds where Options leaves them 0, and the largest cell that may be asked for.
const (
	DefaultMaxFileBytes = 256 << 30
	DefaultMaxCellBytes = 1 << 20
	LargestCellBytes    = 64 << 20
)

// Options say where the file is and what it was declared to be.
type Options struct {
	// Path of the file; with Root set, a path inside Root.
	Path string
	// Root, if set, is a directory that Path and its symbolic links must not
	// leave. Without it the path is the operator's own and links are followed.
	Root string
	// Format is CSV or Parquet.
	Format string
	// Separator between CSV cells: a printable ASCII character or a tab; 0 is ','.
	Separator rune
	// Header says that the first CSV record holds the column names; columns may
	// then stand in any order. Without it they stand in declared order.
	Header bool
	// NullValues are the CSV cells that mean null. Nil means the empty cell; an
	// empty list means that no cell is null.
	NullValues []string
	// Fields are the declared columns: all of them, and no others, must be there.
	Fields []connectors.Field
	// RowNumber, if set, names one more int64 column, the last: the 1-based row.
	RowNumber string
	// Alloc serves the batches; nil means memory.DefaultAllocator.
	Alloc memory.Allocator
	// MaxFileBytes and MaxCellBytes bound file and cell; 0 means the defaults.
	MaxFileBytes, MaxCellBytes int64
}

type source struct {
	opt    Options
	sep    byte
	stored *arrow.Schema // the declared fields
	full   *arrow.Schema // with the row number
}

// New checks the options; it does not touch the file.
func New(o Options) (connectors.Source, error) {
	if o.Path == "" {
		return nil, errors.New("file: no path")
	}
	if o.Format != CSV && o.Format != Parquet {
		return nil, fmt.Errorf("file: unknown format %.16q: want csv or parquet", o.Format)
	}
	sep, err := separator(o.Separator)
	if err != nil {
		return nil, err
	}
	if err := setBounds(&o); err != nil {
		return nil, err
	}
	stored, err := connectors.Schema(o.Fields)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	full := stored
	if o.RowNumber != "" {
		full, err = connectors.Schema(append(slices.Clone(o.Fields), connectors.Field{Name: o.RowNumber, Type: "int64"}))
		if err != nil {
			return nil, fmt.Errorf("file: row number: %w", err)
		}
	}
	if o.NullValues == nil {
		o.NullValues = []string{""}
	}
	o.Fields, o.NullValues = slices.Clone(o.Fields), slices.Clone(o.NullValues)
	return &source{opt: o, sep: sep, stored: stored, full: full}, nil
}

func separator(r rune) (byte, error) {
	switch {
	case r == 0:
		return ',', nil
	case r == '\t', r > ' ' && r < 0x7f && r != '"':
		return byte(r), nil
	}
	return 0, errors.New("file: separator must be a printable ASCII character other than the quote, or a tab")
}

func setBounds(o *Options) error {
	if o.MaxFileBytes == 0 {
		o.MaxFileBytes = DefaultMaxFileBytes
	}
	if o.MaxCellBytes == 0 {
		o.MaxCellBytes = DefaultMaxCellBytes
	}
	if o.MaxFileBytes < 0 || o.MaxCellBytes < 0 || o.MaxCellBytes > LargestCellBytes {
		return fmt.Errorf("file: bounds must be positive, and a cell at most %d bytes", LargestCellBytes)
	}
	if o.Alloc == nil {
		o.Alloc = memory.DefaultAllocator
	}
	return nil
}

// Describe opens the file, compares its columns with the declared ones and
// leaves the rows alone. Rows is -1 for CSV. The fingerprint is over format,
// size, time of modification, and the first and last 64 KiB (for Parquet that is
// as a rule the whole footer): two files that differ in nothing but their middle
// share it if they also share size and time.
func (s *source) Describe(ctx context.Context) (*connectors.Dataset, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := openRegular(&s.opt)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	d := &connectors.Dataset{Schema: s.full, Rows: -1, Bytes: h.size}
	if s.opt.Format == Parquet {
		d.Rows, err = s.checkParquet(h)
	} else {
		err = s.checkCSV(ctx, h)
	}
	if err != nil {
		return nil, err
	}
	if d.Fingerprint, err = h.fingerprint(s.opt.Format); err != nil {
		return nil, err
	}
	return d, nil
}

// Open begins a read; see connectors.Source.
func (s *source) Open(ctx context.Context, sc connectors.Scan) (array.RecordReader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := s.plan(sc)
	if err != nil {
		return nil, err
	}
	h, err := openRegular(&s.opt)
	if err != nil {
		return nil, err
	}
	var b batcher
	if s.opt.Format == Parquet {
		b, err = newParquetBatches(ctx, s, p, h)
	} else {
		b, err = newCSVBatches(ctx, s, p, h)
	}
	if err != nil {
		_ = h.Close() // only read: nothing can be lost
		return nil, err
	}
	return newReader(ctx, p.schema, b), nil
}

// plan is a checked Scan.
type plan struct {
	schema *arrow.Schema
	slot   []int // for each declared field its place in the batch, or -1
	rowCol int   // place of the row number, or -1
	rows   int
	bytes  int64
}

func (s *source) plan(sc connectors.Scan) (*plan, error) {
	p := &plan{schema: s.full, rowCol: -1, rows: sc.BatchRows, bytes: int64(sc.MaxBatchBytes)}
	if p.rows == 0 {
		p.rows = connectors.DefaultBatchRows
	}
	if p.bytes == 0 {
		p.bytes = connectors.DefaultBatchBytes
	}
	if p.rows < 0 || p.rows > connectors.MaxBatchRows || p.bytes < 0 || p.bytes > connectors.MaxBatchBytes {
		return nil, fmt.Errorf("file: scan: batch bounds must be positive, at most %d rows and %d bytes",
			connectors.MaxBatchRows, connectors.MaxBatchBytes)
	}
	return p, s.project(p, sc.Columns)
}

func (s *source) project(p *plan, columns []string) error {
	n := len(s.opt.Fields)
	p.slot = slices.Repeat([]int{-1}, n)
	if columns == nil {
		for _, f := range s.full.Fields() {
			columns = append(columns, f.Name)
		}
	}
	if len(columns) == 0 {
		return fmt.Errorf("file: scan: %w: no column asked for", connectors.ErrColumn)
	}
	fields := make([]arrow.Field, len(columns))
	used := make(map[string]bool, len(columns))
	for at, name := range columns {
		idx := s.full.FieldIndices(name)
		if len(idx) != 1 || used[name] {
			return fmt.Errorf("file: scan: %w, or asked for twice: %q", connectors.ErrColumn, connectors.SafeName(name))
		}
		used[name] = true
		fields[at] = s.full.Field(idx[0])
		if idx[0] == n {
			p.rowCol = at
		} else {
			p.slot[idx[0]] = at
		}
	}
	p.schema = arrow.NewSchema(fields, nil)
	return nil
}
