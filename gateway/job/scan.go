package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute/plain"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
)

// maxShared bounds what a shared reading keeps, in bytes; beyond it each table reads the register itself.
const maxShared = 1 << 30

// shared is one reading of a register for all tables that are judged together. It is raw data, in memory
// for as long as they are.
type shared struct {
	schema  *arrow.Schema
	records []arrow.Record
}

func (s *shared) release() {
	if s == nil {
		return
	}
	for _, r := range s.records {
		r.Release()
	}
}

// share reads the columns of the tables once. Nil: it is not worth it, or too large.
func (j *judge) share(ctx context.Context, tables []governance.Table) (*shared, error) {
	if len(tables) < 2 {
		return nil, nil
	}
	var columns []string
	for i := range tables {
		d := &governance.Decision{Dataset: j.dataset, Table: &tables[i]}
		plan, err := plain.New(plain.Options{Subject: canonicaliser(j.dataset)}).Prepare(ctx, tableQuery(d), j.about.Schema)
		if err != nil {
			return nil, err
		}
		if len(plan.Columns()) == 0 {
			return nil, nil // its scan is of any column
		}
		columns = append(columns, plan.Columns()...)
	}
	slices.Sort(columns)
	reader, err := j.source.Open(ctx, connectors.Scan{Columns: slices.Compact(columns)})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	s := &shared{schema: reader.Schema()}
	var bytes int64
	for reader.Next() {
		rec := reader.Record()
		if bytes += bytesOf(rec); bytes > maxShared {
			s.release()
			return nil, nil
		}
		rec.Retain()
		s.records = append(s.records, rec)
	}
	if err := reader.Err(); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// bytesOf is what a record holds on to.
func bytesOf(rec arrow.Record) (n int64) {
	for _, c := range rec.Columns() {
		for _, b := range c.Data().Buffers() {
			if b != nil {
				n += int64(b.Cap())
			}
		}
		if d, ok := c.(*array.Dictionary); ok {
			for _, b := range d.Dictionary().Data().Buffers() {
				if b != nil {
					n += int64(b.Cap())
				}
			}
		}
	}
	return n
}

// open gives some of the columns.
func (s *shared) open(columns []string) (array.RecordReader, error) {
	fields := make([]arrow.Field, len(columns))
	at := make([]int, len(columns))
	for i, name := range columns {
		found := s.schema.FieldIndices(name)
		if len(found) != 1 {
			return nil, fmt.Errorf("%w: column %q was not read", errData, name)
		}
		at[i], fields[i] = found[0], s.schema.Field(found[0])
	}
	schema := arrow.NewSchema(fields, nil)
	records := make([]arrow.Record, 0, len(s.records))
	defer func() {
		for _, r := range records {
			r.Release()
		}
	}()
	for _, r := range s.records {
		arrays := make([]arrow.Array, len(at))
		for k, n := range at {
			arrays[k] = r.Column(n)
		}
		records = append(records, array.NewRecord(schema, arrays, r.NumRows()))
	}
	return array.NewRecordReader(schema, records)
}
