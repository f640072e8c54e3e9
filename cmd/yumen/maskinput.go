package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/connectors"
	csvfile "github.com/yumen-project/yumen/connectors/file"
)

// tableFlags say how a file is read. Parquet says itself; the columns of a CSV file are text unless
// --types says otherwise: nothing is guessed that would change what a technique does.
type tableFlags struct {
	separator string
	header    bool
	types     []string
	nulls     []string
}

func (f *tableFlags) flags(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.separator, "separator", ",", "of CSV cells")
	s.BoolVar(&f.header, "header", true, "the first CSV record holds the names; without it columns are c1, c2, ...")
	s.StringSliceVar(&f.types, "types", nil, "types of CSV columns, NAME=TYPE: string, int64, float64, bool, date, timestamp, decimal(p;s)")
	s.StringSliceVar(&f.nulls, "null", nil, "CSV cells that mean null; the empty cell where not given")
}

// open finds the columns of the file and makes a source of it.
func (f *tableFlags) open(ctx context.Context, path string) (*opened, error) {
	o := csvfile.Options{Path: path, Format: csvfile.CSV, Header: f.header}
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		err = f.csv(&o)
	case ".parquet":
		o.Format = csvfile.Parquet
		if len(f.types) > 0 {
			return nil, usageError{errors.New("types: a Parquet file says its own")}
		}
		o.Fields, err = parquetFields(path)
	default:
		return nil, usageError{errors.New("input: want a .csv or .parquet file")}
	}
	if err != nil {
		return nil, err
	}
	source, err := csvfile.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return &opened{path: path, source: source, about: about}, nil
}

func (f *tableFlags) csv(o *csvfile.Options) error {
	var size int
	if o.Separator, size = utf8.DecodeRuneInString(f.separator); size != len(f.separator) || size == 0 {
		return usageError{errors.New("separator: want one character")}
	}
	if f.nulls != nil {
		o.NullValues = f.nulls
	}
	names, err := csvNames(o.Path, o.Separator, f.header)
	if err != nil {
		return err
	}
	types, err := f.declared()
	if err != nil {
		return err
	}
	for _, name := range names {
		typ, ok := types[name]
		if !ok {
			typ = "string"
		}
		delete(types, name)
		o.Fields = append(o.Fields, connectors.Field{Name: name, Type: typ, Nullable: true})
	}
	if len(types) > 0 {
		return usageError{errors.New("types: a column is named that the file does not have")}
	}
	return nil
}

// declared reads NAME=TYPE. Commas separate flags, so a decimal is written decimal(p;s).
func (f *tableFlags) declared() (map[string]string, error) {
	out := map[string]string{}
	for _, one := range f.types {
		name, typ, ok := strings.Cut(one, "=")
		typ = strings.ReplaceAll(typ, ";", ",")
		if _, err := connectors.ParseType(typ); !ok || err != nil || out[name] != "" {
			return nil, usageError{errors.New("types: want NAME=TYPE, each name once")}
		}
		out[name] = typ
	}
	return out, nil
}

// maxHeader bounds the first record of a CSV file.
const maxHeader = 1 << 20

// csvNames reads the first record. What is wrong with the rest is the source's to say.
func csvNames(path string, separator rune, header bool) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{errors.New("input file unreadable")}
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(f, maxHeader))
	r.Comma = separator
	record, err := r.Read()
	if err != nil || len(record) > connectors.MaxFields {
		return nil, errors.New("input: the first record is not well formed")
	}
	names := make([]string, len(record))
	for i, cell := range record {
		names[i] = fmt.Sprintf("c%d", i+1)
		if header {
			names[i] = strings.TrimSpace(strings.TrimPrefix(cell, "\ufeff"))
		}
	}
	return names, nil
}

// parquetFields declares what the file stores. The file is the operator's own; the source checks it
// again before a row is read.
func parquetFields(path string) (fields []connectors.Field, err error) {
	bad := errors.New("input: not a readable Parquet file")
	defer func() {
		if recover() != nil {
			fields, err = nil, bad
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{errors.New("input file unreadable")}
	}
	defer f.Close()
	r, err := file.NewParquetReader(f)
	if err != nil {
		return nil, bad
	}
	schema, err := pqarrow.FromParquet(r.MetaData().Schema, nil, nil)
	if err != nil {
		return nil, bad
	}
	for _, one := range schema.Fields() {
		typ := declaredType(one.Type)
		if typ == "" {
			return nil, fmt.Errorf("input: column %q has a type that is not read", connectors.SafeName(one.Name))
		}
		fields = append(fields, connectors.Field{Name: one.Name, Type: typ, Nullable: true})
	}
	return fields, nil
}

func declaredType(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return "string"
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type:
		return "int64"
	case *arrow.Float32Type, *arrow.Float64Type:
		return "float64"
	case *arrow.BooleanType:
		return "bool"
	case *arrow.Date32Type:
		return "date"
	case *arrow.TimestampType:
		return "timestamp"
	case *arrow.Decimal128Type:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	return ""
}
