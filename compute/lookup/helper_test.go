package lookup

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
)

func testKeys(t testing.TB, version string) *VersionKeys {
	k, err := NewKeys([32]byte{1, 2, 3}, version)
	require.NoError(t, err)
	return k
}

// countingKeys counts what a lookup asks of the keys, with lengths.
type countingKeys struct {
	Keys
	macs, macBytes, opens, openBytes atomic.Int64
}

func (c *countingKeys) Mac(dst, msg []byte) []byte {
	c.macs.Add(1)
	c.macBytes.Add(int64(len(msg)))
	return c.Keys.Mac(dst, msg)
}

func (c *countingKeys) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	c.opens.Add(1)
	c.openBytes.Add(int64(len(sealed) + len(aad)))
	return c.Keys.Open(dst, nonce, sealed, aad)
}

func (c *countingKeys) work() [4]int64 {
	return [4]int64{c.macs.Swap(0), c.macBytes.Swap(0), c.opens.Swap(0), c.openBytes.Swap(0)}
}

// person is one row of the tests' table; nil is null.
type person struct {
	id          any
	district    any
	age         any
	area        any // float64
	withhold    any // bool
	name, phone any
}

var personSchema = arrow.NewSchema([]arrow.Field{
	{Name: "unused", Type: arrow.PrimitiveTypes.Int64},
	{Name: "rid", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "district", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "area", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "objection", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "phone", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

var (
	opaque  = Subject{Field: "rid", Identifier: identifier.Opaque, Withhold: "objection"}
	persons = []Predicate{
		{ID: "there", Kind: Exists},
		{ID: "in-district", Kind: Member, Field: "district", Values: []string{"220202", "220203"}},
		{ID: "adult", Kind: Compare, Field: "age", Op: ">=", Value: "18"},
		{ID: "home-mid", Kind: Band, Field: "area", Low: "60", High: "144"},
		{ID: "same-person", Kind: Identity, NameField: "name", PhoneField: "phone"},
	}
)

func appendCell(b array.Builder, v any) {
	switch b := b.(type) {
	case *array.StringBuilder:
		if s, ok := v.(string); ok {
			b.Append(s)
			return
		}
	case *array.Int64Builder:
		if n, ok := v.(int); ok {
			b.Append(int64(n))
			return
		}
	case *array.Float64Builder:
		if f, ok := v.(float64); ok {
			b.Append(f)
			return
		}
	case *array.BooleanBuilder:
		if f, ok := v.(bool); ok {
			b.Append(f)
			return
		}
	}
	b.AppendNull()
}

// people makes a reader of rows, in batches of at most size rows.
func people(t testing.TB, mem memory.Allocator, rows []person, size int) array.RecordReader {
	var recs []arrow.Record
	for at := 0; at == 0 || at < len(rows); at += size {
		b := array.NewRecordBuilder(mem, personSchema)
		for _, r := range rows[at:min(at+size, len(rows))] {
			for i, v := range []any{0, r.id, r.district, r.age, r.area, r.withhold, r.name, r.phone} {
				appendCell(b.Field(i), v)
			}
		}
		recs = append(recs, b.NewRecord())
		b.Release()
	}
	rr, err := array.NewRecordReader(personSchema, recs)
	require.NoError(t, err)
	for _, r := range recs {
		r.Release()
	}
	return rr
}

func personProgram(t testing.TB) *Program {
	p, err := Compile(persons, personSchema, opaque)
	require.NoError(t, err)
	return p
}

// buildPeople builds an index of rows and gives its directory.
func buildPeople(t testing.TB, p *Program, version string, rows []person, change func(*BuildOptions)) (string, *BuildStats, error) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	src := people(t, mem, rows, 1000)
	o := BuildOptions{
		Dir: filepath.Join(t.TempDir(), "index"), Dataset: "household", Version: version, Keys: testKeys(t, version),
	}
	if change != nil {
		change(&o)
	}
	stats, err := Build(context.Background(), src, p, o)
	src.Release()
	if tt, ok := t.(*testing.T); ok {
		mem.AssertSize(tt, 0)
	}
	return o.Dir, stats, err
}

func openPeople(t testing.TB, p *Program, version string, rows []person) *Index {
	dir, _, err := buildPeople(t, p, version, rows, nil)
	require.NoError(t, err)
	ix, err := Open(dir, p, "household", version, testKeys(t, version), 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	return ix
}

func ask(t testing.TB, ix *Index, id, subject string) Answer {
	n, ok := ix.Program().Find(id)
	require.True(t, ok)
	a, err := ix.Lookup(context.Background(), &Query{Predicate: n, Subject: []byte(subject)})
	require.NoError(t, err)
	return a
}

func askIdentity(t testing.TB, ix *Index, subject, name, phone string) Answer {
	n, _ := ix.Program().Find("same-person")
	a, err := ix.Lookup(context.Background(), &Query{
		Predicate: n, Subject: []byte(subject), Name: []byte(name), Phone: []byte(phone),
	})
	require.NoError(t, err)
	return a
}

func numbered(n int) string { return fmt.Sprintf("p%07d", n) }
