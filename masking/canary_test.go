package masking_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
)

const (
	canary    = "CANARYBIRD"
	canaryNum = 0x4352494143595242 // bytes that no coarse value holds
)

// hidden sets every buffer of an array to hold canaries under its nulls.
func hidden(a arrow.Array, width int) {
	raw := a.Data().Buffers()[1].Bytes()
	for i := range a.Len() {
		if a.IsNull(i) {
			copy(raw[i*width:(i+1)*width], bytes.Repeat([]byte(canary), 2))
		}
	}
}

// planted builds a column of six rows: 0 and 5 lie outside the slice [1,5),
// row 3 is null, and every hidden place holds the canary.
func planted(t *testing.T, typ arrow.DataType) arrow.Array {
	t.Helper()
	valid := []bool{true, true, true, false, true, true}
	mem := memory.DefaultAllocator
	switch typ.ID() {
	case arrow.STRING, arrow.LARGE_STRING:
		vals := []string{canary, canary + "1", canary + "2", canary, canary + "44", canary}
		if typ.ID() == arrow.LARGE_STRING {
			b := array.NewLargeStringBuilder(mem)
			b.AppendValues(vals, valid)
			return withNullBytes(b.NewArray())
		}
		b := array.NewStringBuilder(mem)
		b.AppendValues(vals, valid)
		return withNullBytes(b.NewArray())
	case arrow.DICTIONARY:
		b := array.NewStringBuilder(mem)
		b.AppendValues([]string{canary + "unused", canary, canary + "1"}, nil)
		idx := array.NewInt8Builder(mem)
		idx.AppendValues([]int8{0, 1, 2, 0, 1, 0}, valid)
		return array.NewDictionaryArray(dict, idx.NewArray(), b.NewArray())
	case arrow.INT64:
		b := array.NewInt64Builder(mem)
		b.AppendValues([]int64{canaryNum, canaryNum, canaryNum + 1, canaryNum, canaryNum + 2, canaryNum}, valid)
		a := b.NewArray()
		hidden(a, 8)
		return a
	case arrow.DECIMAL128:
		b := array.NewDecimal128Builder(mem, typ.(*arrow.Decimal128Type))
		x := decimal128.New(0, canaryNum)
		b.AppendValues([]decimal128.Num{x, x, x, x, x, x}, valid)
		a := b.NewArray()
		hidden(a, 16)
		return a
	}
	require.FailNow(t, "no such type")
	return nil
}

// withNullBytes is the same text with bytes under its null: a builder would
// have left none.
func withNullBytes(a arrow.Array) arrow.Array {
	bufs := a.Data().Buffers()
	old := bufs[2].Bytes()
	at := len(canary)*3 + len("1") + len("2")
	data := append(append(append([]byte{}, old[:at]...), canary...), old[at:]...)
	shift := len(canary)
	off := append([]byte{}, bufs[1].Bytes()...)
	if a.DataType().ID() == arrow.LARGE_STRING {
		o := arrow.Int64Traits.CastFromBytes(off)
		for i := 4; i < len(o); i++ {
			o[i] += int64(shift)
		}
	} else {
		o := arrow.Int32Traits.CastFromBytes(off)
		for i := 4; i < len(o); i++ {
			o[i] += int32(shift)
		}
	}
	d := array.NewData(a.DataType(), a.Len(), []*memory.Buffer{bufs[0], memory.NewBufferBytes(off), memory.NewBufferBytes(data)}, nil, a.NullN(), 0)
	return array.MakeFromData(d)
}

func TestNoByteOfAMaskedValueSurvives(t *testing.T) {
	gen := func(p ...string) masking.Column { return column("generalize", p...) }
	table := "CANARYBIRD;X\nCANARYBIRD1;X\nCANARYBIRD2;Y\nCANARYBIRD44;Y"
	masks := map[arrow.DataType][]masking.Column{
		str: {column("redact"), column("redact", "keep_last", "2"), column("suppress"), column("suppress", "as", "null"),
			column("suppress", "as", "*"), gen("to", "hierarchy", "level", "1", "table", table),
			tolerant(gen("to", "year")), tolerant(gen("to", "region", "digits", "2")), keyed(column("pseudonym")),
			keyed(column("pseudonym", "encoding", "base32", "prefix", "p-")), keyed(column("encrypt")), keyed(column("encrypt", "encoding", "hex")),
			tolerant(keyed(column("fpe", "alphabet", "upper"))), tolerant(keyed(column("date_shift", "subject", "kept", "range", "9"))),
			tolerant(keyed(column("pram", "categories", "a;b", "keep", "1/2")))},
		large: {column("redact", "mask", "●"), column("suppress"), column("suppress", "as", "null"), column("suppress", "as", "*"),
			gen("to", "hierarchy", "level", "1", "table", table), tolerant(gen("to", "region", "digits", "2")),
			keyed(column("pseudonym")), keyed(column("encrypt")), tolerant(keyed(column("fpe", "alphabet", "upper")))},
		dict: {column("redact", "keep_first", "2"), column("suppress"), column("suppress", "as", "null"), column("suppress", "as", "*"),
			gen("to", "hierarchy", "level", "1", "table", table), tolerant(gen("to", "year")),
			keyed(column("pseudonym")), keyed(column("encrypt")), tolerant(keyed(column("fpe", "alphabet", "upper"))),
			tolerant(keyed(column("date_shift", "subject", "kept", "range", "9"))),
			tolerant(keyed(column("pram", "categories", "a;b", "keep", "1/2")))},
		i64: {column("suppress"), column("suppress", "as", "null"), gen("to", "clamp", "top", "9"),
			gen("to", "range", "width", "10", "top", "90"), gen("to", "range", "width", "10", "top", "90", "as", "start"),
			keyed(column("pseudonym")), column("perturb", "epsilon", "1", "lower", "0", "upper", "99")},
		dec: {column("perturb", "epsilon", "1", "lower", "0", "upper", "99"), column("suppress", "as", "null"), gen("to", "clamp", "top", "9"), gen("to", "range", "width", "10", "top", "90")},
	}
	for typ, columns := range masks {
		for _, c := range columns {
			t.Run(fmt.Sprintf("%s %s %v", typ, c.Technique, c.Params["to"]), func(t *testing.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				defer mem.AssertSize(t, 0)
				out := maskPlanted(t, mem, typ, c)
				defer out.Release()
				all := recordBytes(out)
				for n := 5; n <= len(canary); n++ {
					require.NotContains(t, string(all), canary[:n])
				}
				require.NotContains(t, string(all), "BRYCAIRC", "the number, as bytes")
				require.NotContains(t, string(all), oldSecret[:5])
				require.False(t, out.Schema().HasMetadata())
				require.False(t, out.Schema().Field(0).HasMetadata())
			})
		}
	}
}

// maskPlanted masks the slice [1,5) of a planted column whose schema carries
// the canary in its metadata.
func maskPlanted(t *testing.T, mem memory.Allocator, typ arrow.DataType, c masking.Column) arrow.Record {
	t.Helper()
	m, _, err := compile(t, dirty{mem}, col{name: "c", typ: typ, mask: c}, col{name: "kept", typ: str, mask: column("keep")})
	require.NoError(t, err)
	meta := arrow.NewMetadata([]string{"pandas"}, []string{canary})
	schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ, Nullable: true, Metadata: meta},
		{Name: "kept", Type: str, Nullable: true}}, &meta)
	kept := fromJSON(t, memory.DefaultAllocator, str, `["CANARYBIRD","a","b","c","d","CANARYBIRD"]`)
	whole := array.NewRecord(schema, []arrow.Array{planted(t, typ), kept}, 6)
	out, err := m.Mask(context.Background(), whole.NewSlice(1, 5))
	require.NoError(t, err)
	require.EqualValues(t, 4, out.NumRows())
	requireApart(t, whole, out)
	return out
}

// requireApart proves that no output buffer is an input buffer.
func requireApart(t *testing.T, in, out arrow.Record) {
	t.Helper()
	mine := map[*byte]bool{}
	for _, c := range in.Columns() {
		for _, b := range c.Data().Buffers() {
			if b != nil && b.Len() > 0 {
				mine[&b.Bytes()[0]] = true
			}
		}
	}
	for _, c := range out.Columns() {
		for _, b := range c.Data().Buffers() {
			require.False(t, b != nil && b.Len() > 0 && mine[&b.Bytes()[0]])
		}
	}
}

// TestMovedValuesCarryNothingHidden: of techniques that move values about, the
// visible cells stay and the rest goes.
func TestMovedValuesCarryNothingHidden(t *testing.T) {
	for typ, columns := range map[arrow.DataType][]masking.Column{
		str: {keyed(column("shuffle", "least", "2"))}, large: {keyed(column("shuffle", "least", "2"))}, dict: {keyed(column("shuffle", "least", "2"))},
		i64: {keyed(column("shuffle", "least", "2")), keyed(column("rank_swap", "percent", "50", "least", "2")), column("microaggregate", "k", "3")},
		dec: {keyed(column("shuffle", "least", "2")), keyed(column("rank_swap", "percent", "50", "least", "2")), column("microaggregate", "k", "3")},
	} {
		for _, c := range columns {
			t.Run(fmt.Sprintf("%s %s", typ, c.Technique), func(t *testing.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				defer mem.AssertSize(t, 0)
				out := maskPlanted(t, mem, typ, c)
				defer out.Release()
				require.EqualValues(t, 1, out.Column(0).NullN())
				all := string(recordBytes(out))
				require.NotContains(t, all, canary+"unused")
				require.NotContains(t, all, oldSecret[:5])
				switch typ {
				case str, large:
					require.Equal(t, 3, bytes.Count([]byte(all), []byte(canary)))
				case i64, dec:
					require.NotContains(t, all, canary[:5])
				}
			})
		}
	}
}

func TestKeepCarriesNothingHidden(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for _, typ := range []arrow.DataType{str, large, dict, i64, dec} {
		out := maskPlanted(t, mem, typ, column("keep"))
		all := string(recordBytes(out))
		require.NotContains(t, all, canary+"unused")
		if typ == str || typ == large {
			require.Equal(t, 3, bytes.Count([]byte(all), []byte(canary)), "rows 1, 2 and 4, no others")
		}
		if typ == i64 || typ == dec {
			require.NotContains(t, all, canary[:5])
		}
		out.Release()
	}
}

// TestDictionaryCodesTellNothing: values that mask alike share one code, in
// the order of first appearance, whatever the order of the input dictionary.
func TestDictionaryCodesTellNothing(t *testing.T) {
	mask := func(dictionary, rows string) *array.Dictionary {
		m, schema, err := compile(t, nil, col{name: "c", typ: dict, mask: column("redact", "keep_first", "1")})
		require.NoError(t, err)
		a := array.NewDictionaryArray(dict, fromJSON(t, memory.DefaultAllocator, arrow.PrimitiveTypes.Int8, rows),
			fromJSON(t, memory.DefaultAllocator, str, dictionary))
		out, err := m.Mask(context.Background(), array.NewRecord(schema, []arrow.Array{a}, int64(a.Len())))
		require.NoError(t, err)
		return out.Column(0).(*array.Dictionary)
	}
	a := mask(`["张三","李四","张五"]`, `[0,1,2,0]`)
	b := mask(`["李四","张五",null,"张三"]`, `[3,0,1,3]`)
	require.True(t, array.Equal(a, b))
	require.Equal(t, 2, a.Dictionary().Len())
	require.Equal(t, []string{"张*", "李*", "张*", "张*"}, valuesOf(a))
}
