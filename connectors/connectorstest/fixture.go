// Package connectorstest holds the conformance suite that every connector runs:
// the promises of package connectors, stated as tests.
//
// A connector's own test gives Run a function that stores a record in its system
// and returns a Source over it. The suite judges what comes back; it cannot judge
// what the connector does to its system.
package connectorstest

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/connectors"
)

// Fixture is what a connector must hold and what it must be told to expect.
type Fixture struct {
	// Stored is the data, to be stored in this order. Its strings are not empty,
	// but hold separators, quotes, line breaks and Chinese.
	Stored arrow.Record
	// Declared are the fields the Source is to be made with.
	Declared []connectors.Field
	// Alloc is the allocator the Source must take its batches from.
	Alloc memory.Allocator
}

// Make stores the fixture and gives a Source over it. It may register clean-ups
// with t; it must not keep the record.
type Make func(t *testing.T, f Fixture) connectors.Source

const rows = 1000

// declared are the fields of the standard fixture: every type there is.
func declared() []connectors.Field {
	return []connectors.Field{
		{Name: "id", Type: "int64"},
		{Name: "name", Type: "string", Nullable: true},
		{Name: "amount", Type: "decimal(12,2)", Nullable: true},
		{Name: "rate", Type: "float64", Nullable: true},
		{Name: "ok", Type: "bool", Nullable: true},
		{Name: "day", Type: "date", Nullable: true},
		{Name: "at", Type: "timestamp", Nullable: true},
	}
}

// standard builds the standard record: id is the row counted from 0, and every
// seventh row is null but for its id.
func standard(t *testing.T) arrow.Record {
	schema, err := connectors.Schema(declared())
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	texts := []string{"王小明", `with "quotes"`, "with, comma; and semicolon", "two\nlines", " spaces ", "𠮷·买买提"}
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%7 == 6 {
			for c := 1; c < len(b.Fields()); c++ {
				b.Field(c).AppendNull()
			}
			continue
		}
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("%s %d", texts[i%len(texts)], i*i))
		b.Field(2).(*array.Decimal128Builder).Append(decimal128.FromI64(int64(i*31 - 5000)))
		b.Field(3).(*array.Float64Builder).Append(float64(i) / 8)
		b.Field(4).(*array.BooleanBuilder).Append(i%3 == 0)
		b.Field(5).(*array.Date32Builder).Append(arrow.Date32(i*20 - 3000))
		b.Field(6).(*array.TimestampBuilder).Append(arrow.Timestamp(int64(i)*86_399_001 - 1_000_000))
	}
	return b.NewRecord()
}

// payload measures a record as connectors.Scan.MaxBatchBytes does.
func payload(r arrow.Record) int64 {
	n := r.NumRows() * connectors.RowBytes(r.Schema())
	for _, c := range r.Columns() {
		if s, ok := c.(array.StringLike); ok {
			for i := range s.Len() {
				if s.IsValid(i) {
					n += int64(s.ValueLen(i))
				}
			}
		}
	}
	return n
}
