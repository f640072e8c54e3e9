package pseudonym

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	canary    = "CANARYBIRD"
	canaryNum = int64(0x4352494143595242)
)

// planted is a column of six rows, all holding the canary, of which row 3 is
// null with the canary under it.
func planted(t *testing.T, typ arrow.DataType) arrow.Array {
	t.Helper()
	bits := memory.NewBufferBytes([]byte{0b110111})
	var data []byte
	for range 6 {
		data = append(data, canary...)
	}
	var off32, off64 []byte
	for i := range 7 {
		off32 = binary.NativeEndian.AppendUint32(off32, uint32(i*len(canary)))
		off64 = binary.NativeEndian.AppendUint64(off64, uint64(i*len(canary)))
	}
	build := func(bufs ...[]byte) arrow.Array {
		all := []*memory.Buffer{bits}
		for _, b := range bufs {
			all = append(all, memory.NewBufferBytes(b))
		}
		return array.MakeFromData(array.NewData(typ, 6, all, nil, 1, 0))
	}
	switch typ := typ.(type) {
	case *arrow.StringType:
		return build(off32, data)
	case *arrow.LargeStringType:
		return build(off64, data)
	case *arrow.FixedSizeBinaryType:
		return build(data)
	case *arrow.DictionaryType:
		dict := fromJSON(t, memory.DefaultAllocator, str, `["CANARYBIRDunused","CANARYBIRD","CANARYBIRD1"]`)
		idx := array.NewInt8Builder(memory.DefaultAllocator)
		idx.AppendValues([]int8{0, 1, 2, 0, 1, 0}, []bool{true, true, true, false, true, true})
		return array.NewDictionaryArray(typ, idx.NewArray(), dict)
	}
	var numbers []byte
	for range 6 {
		numbers = binary.NativeEndian.AppendUint64(numbers, uint64(canaryNum))
	}
	return build(numbers)
}

// TestNoByteOfAValueSurvives: not under nulls, not beyond the slice, not in an
// unused dictionary value, nor what the allocator's memory held before.
func TestNoByteOfAValueSurvives(t *testing.T) {
	types := []arrow.DataType{str, large, coded, &arrow.FixedSizeBinaryType{ByteWidth: len(canary)}, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64}
	for _, typ := range types {
		for _, p := range []Params{{}, {Encoding: Base32, Bits: 200}, {Prefix: "p-"}, {Type: identifier.Opaque}, {Type: identifier.Mobile}} {
			t.Run(fmt.Sprintf("%s %v", typ, p), func(t *testing.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				defer mem.AssertSize(t, 0)
				whole := planted(t, typ)
				in := array.NewSlice(whole, 1, 5)
				env := &kernel.Env{Alloc: dirty{mem}, Tolerate: true}
				out, err := kernel.Apply(newKernel(t, p, testKey()), env, in)
				require.NoError(t, err)
				defer out.Release()
				require.Equal(t, 4, out.Len())
				require.True(t, out.IsNull(2))
				require.Equal(t, p.Type == identifier.Mobile, out.IsNull(0))
				all := string(everyByte(out.Data()))
				for n := 4; n <= len(canary); n++ {
					require.NotContains(t, all, canary[:n])
				}
				require.NotContains(t, all, "BRYCAIRC", "the number, as bytes")
				require.NotContains(t, all, fmt.Sprint(canaryNum)[:6], "the number, as digits")
				require.NotContains(t, all, oldSecret[:4])
				requireApart(t, whole, out)
			})
		}
	}
}

// requireApart proves that no output buffer is an input buffer.
func requireApart(t *testing.T, in, out arrow.Array) {
	t.Helper()
	mine := map[*byte]bool{}
	for _, b := range in.Data().Buffers() {
		if b != nil && b.Len() > 0 {
			mine[&b.Bytes()[0]] = true
		}
	}
	for _, b := range out.Data().Buffers() {
		require.False(t, b != nil && b.Len() > 0 && mine[&b.Bytes()[0]])
	}
}

// TestErrorsHoldNoValue: of a refused value, the row and the rule alone.
func TestErrorsHoldNoValue(t *testing.T) {
	for _, typ := range []arrow.DataType{str, large, coded, arrow.PrimitiveTypes.Int64} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		_, err := kernel.Apply(newKernel(t, Params{Type: identifier.ResidentID}, testKey()), &kernel.Env{Alloc: mem}, planted(t, typ))
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary[:4])
		require.NotContains(t, err.Error(), fmt.Sprint(canaryNum)[:4])
		mem.AssertSize(t, 0)
	}
}

// TestEqualValuesStayEqual, in a dictionary too: codes come in the order of the
// first row, so that they tell nothing that the pseudonyms do not.
func TestEqualValuesStayEqual(t *testing.T) {
	d, err := maskJSON(t, memory.DefaultAllocator, Params{}, coded, `["a","b","a",null,"b"]`)
	require.NoError(t, err)
	s, err := maskJSON(t, memory.DefaultAllocator, Params{}, str, `["a","b","a",null,"b"]`)
	require.NoError(t, err)
	require.Equal(t, texts(s), texts(d))
	require.Equal(t, 2, d.(*array.Dictionary).Dictionary().Len())
	require.Equal(t, 0, d.(*array.Dictionary).GetValueIndex(0))
}
