package masking_test

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/perturb"
)

// dirty is an allocator that hands out memory full of an old secret and, as a
// pool would, more of it than was asked for.
type dirty struct{ inner memory.Allocator }

const oldSecret = "OLDSECRET"

func (d dirty) Allocate(n int) []byte {
	b := d.inner.Allocate(n)
	for i := range b {
		b[i] = oldSecret[i%len(oldSecret)]
	}
	return b
}

func (d dirty) Reallocate(n int, b []byte) []byte {
	old := len(b)
	b = d.inner.Reallocate(n, b)
	for i := old; i < len(b); i++ {
		b[i] = oldSecret[i%len(oldSecret)]
	}
	return b
}

func (d dirty) Free(b []byte) { d.inner.Free(b) }

// everyByte gives all bytes an array holds on to, to the capacity of each
// buffer, its dictionary included.
func everyByte(d arrow.ArrayData) []byte {
	var all []byte
	for _, b := range d.Buffers() {
		if b != nil {
			buf := b.Buf()
			all = append(all, buf[:cap(buf)]...)
			all = append(all, 0)
		}
	}
	for _, c := range d.Children() {
		all = append(all, everyByte(c)...)
	}
	a := array.MakeFromData(d)
	defer a.Release()
	if coded, ok := a.(*array.Dictionary); ok {
		all = append(all, everyByte(coded.Dictionary().Data())...)
	}
	return all
}

func recordBytes(r arrow.Record) []byte {
	var all []byte
	for _, c := range r.Columns() {
		all = append(all, everyByte(c.Data())...)
	}
	return append(all, r.Schema().String()...)
}

// col is one column of a test: name, type, and how to mask it.
type col struct {
	name string
	typ  arrow.DataType
	mask masking.Column
}

func column(technique string, params ...string) masking.Column {
	c := masking.Column{Class: masking.ClassAttribute, Grade: "2", Technique: technique,
		Nulls: masking.NullsKeep, Params: map[string]string{}}
	for i := 0; i+1 < len(params); i += 2 {
		c.Params[params[i]] = params[i+1]
	}
	return c
}

func compile(t testing.TB, mem memory.Allocator, cols ...col) (masking.Masker, *arrow.Schema, error) {
	t.Helper()
	p := &masking.Policy{Name: "t"}
	var fields []arrow.Field
	for _, c := range cols {
		c.mask.Name = c.name
		p.Columns = append(p.Columns, c.mask)
		fields = append(fields, arrow.Field{Name: c.name, Type: c.typ, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	m, err := masking.CompileWith(p, schema, masking.Sources{Keys: testKeys{}, Noise: testNoise{}, Alloc: mem})
	return m, schema, err
}

// testKeys gives every purpose and name a key of its own.
type testKeys struct{}

func (testKeys) Key(purpose, name string) ([]byte, error) {
	sum := sm3.Sum([]byte(purpose + "/" + name))
	return sum[:], nil
}

// testNoise adds 1 to everything.
type testNoise struct{}

func (testNoise) Noise(string) (perturb.Noise, error) { return testNoise{}, nil }

func (testNoise) Draw(dst []int64, _, _ uint64) error {
	for i := range dst {
		dst[i] = 1
	}
	return nil
}

// keyed names a key.
func keyed(c masking.Column) masking.Column {
	c.Key = "k"
	return c
}

// tolerant makes malformed cells nulls.
func tolerant(c masking.Column) masking.Column {
	c.Malformed = "suppress"
	return c
}

// maskOne masks one column and gives the result; the input is released.
func maskOne(t testing.TB, mem memory.Allocator, typ arrow.DataType, json string, mc masking.Column) (arrow.Record, error) {
	t.Helper()
	m, schema, err := compile(t, mem, col{name: "c", typ: typ, mask: mc})
	if err != nil {
		return nil, err
	}
	in := fromJSON(t, mem, typ, json)
	defer in.Release()
	rec := array.NewRecord(schema, []arrow.Array{in}, int64(in.Len()))
	defer rec.Release()
	return m.Mask(context.Background(), rec)
}

func fromJSON(t testing.TB, mem memory.Allocator, typ arrow.DataType, json string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(mem, typ, strings.NewReader(json))
	require.NoError(t, err)
	return a
}

func valuesOf(a arrow.Array) []string {
	out := make([]string, a.Len())
	for i := range out {
		out[i] = a.ValueStr(i)
		if a.IsNull(i) {
			out[i] = "-"
		}
		if d, ok := a.(*array.Dictionary); ok && !a.IsNull(i) {
			out[i] = d.Dictionary().ValueStr(d.GetValueIndex(i))
		}
	}
	return out
}
