package pseudonym

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

var (
	str    = arrow.BinaryTypes.String
	large  = arrow.BinaryTypes.LargeString
	coded  = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: str}
	fixed3 = &arrow.FixedSizeBinaryType{ByteWidth: 3}
)

// Answers of OpenSSL 3 for the key of bytes 0 to 31.
const (
	codeResident = "b0388348088fd3f9c27114fb639a0f32b762dd6e5194279ced98d8455eef3ac5" // 11010519491231002X
	codeEmpty    = "fda7c78d15984d8771f59f20a69d195c6e237070d37ec962e167326e517433db"
	codeMobile   = "497924d0a89a8ceca2e077b05c5a120909a5fbe1247f5d3ea4432f13393329f1" // 13800138000
	codeMinus42  = "dcd3293b3e5039a330a6f1983e0d092a9ed4b234ffe50416fa2795bddee73444" // -42
	codeZhang    = "7f3ddcf38f652305ccfcdec5f28f53c61af8f15afb57cacd269c1181b9a56ca9" // 张三
)

func TestKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		p        Params
		typ      arrow.DataType
		in, want string
	}{
		{Params{}, str, `"11010519491231002X"`, codeResident[:32]},
		{Params{}, large, `"11010519491231002X"`, codeResident[:32]},
		{Params{}, coded, `"11010519491231002X"`, codeResident[:32]},
		{Params{Bits: 256}, str, `""`, codeEmpty},
		{Params{Bits: 80}, str, `"张三"`, codeZhang[:20]},
		{Params{Bits: 88, Prefix: "人:"}, str, `"张三"`, "人:" + codeZhang[:22]},
		{Params{Bits: 80, Encoding: Base32}, str, `"11010519491231002X"`, "wa4igsair7j7tqtr"},
		{Params{Bits: 80, Encoding: Base32, Prefix: "m"}, arrow.PrimitiveTypes.Int64, `13800138000`, "mjf4sjufitkgozixa"},
		{Params{}, arrow.PrimitiveTypes.Uint64, `13800138000`, codeMobile[:32]},
		{Params{Type: identifier.Mobile}, str, `"+86 138-0013-8000"`, codeMobile[:32]},
		{Params{}, arrow.PrimitiveTypes.Int8, `-42`, codeMinus42[:32]},
		{Params{}, arrow.PrimitiveTypes.Int16, `-42`, codeMinus42[:32]},
		{Params{}, arrow.PrimitiveTypes.Int32, `-42`, codeMinus42[:32]},
		{Params{}, arrow.PrimitiveTypes.Int64, `-42`, codeMinus42[:32]},
		{Params{}, fixed3, `"LTQy"`, codeMinus42[:32]}, // base64 of -42
	} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		out, err := maskJSON(t, mem, c.p, c.typ, "["+c.in+"]")
		require.NoError(t, err)
		require.Equal(t, []string{c.want}, texts(out), "%s of %s", c.typ, c.in)
		out.Release()
		mem.AssertSize(t, 0)
	}
}

func TestEveryWidth(t *testing.T) {
	in := residents(t, 1100)
	for bits := MinBits; bits <= MaxBits; bits += 8 {
		for _, p := range []Params{{Bits: bits}, {Bits: bits, Encoding: Base32, Prefix: "p-"}} {
			k := newKernel(t, p, testKey())
			out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			require.NoError(t, err)
			for i := range in.Len() {
				require.Equal(t, slow(p, testKey(), in.Value(i)), out.(*array.String).Value(i))
			}
		}
	}
}

// TestOnePersonOnePseudonym: however a register writes a number.
func TestOnePersonOnePseudonym(t *testing.T) {
	ways := `["11010519491231002X","11010519491231002x","１１０１０５１９４９１２３１００２Ｘ"," 110105-19491231-002X","110105491231002"]`
	for _, typ := range []arrow.DataType{str, large, coded} {
		out, err := maskJSON(t, memory.DefaultAllocator, Params{Type: identifier.ResidentID}, typ, ways)
		require.NoError(t, err)
		for _, v := range texts(out) {
			require.Equal(t, codeResident[:32], v)
		}
	}
	out, err := maskJSON(t, memory.DefaultAllocator, Params{Type: identifier.ResidentID}, arrow.PrimitiveTypes.Int64, `[110105491231002]`)
	require.NoError(t, err)
	require.Equal(t, codeResident[:32], texts(out)[0])
}

func TestNullsAndEmpty(t *testing.T) {
	for _, typ := range []arrow.DataType{str, large, coded} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		out, err := maskJSON(t, mem, Params{}, typ, `[null,"","张三",null,""]`)
		require.NoError(t, err)
		require.Equal(t, []string{"-", codeEmpty[:32], codeZhang[:32], "-", codeEmpty[:32]}, texts(out))
		out.Release()
		for _, none := range []string{`[]`, `[null,null]`} {
			out, err := maskJSON(t, mem, Params{}, typ, none)
			require.NoError(t, err)
			require.Equal(t, out.Len(), out.NullN())
			out.Release()
		}
		mem.AssertSize(t, 0)
	}
}

func TestMalformed(t *testing.T) {
	secret := "110105194912310021"
	rows := `[null,"11010519491231002X","` + secret + `","","11010519491231002X"]`
	p := Params{Type: identifier.ResidentID}
	for _, typ := range []arrow.DataType{str, large, coded} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		_, err := maskJSON(t, mem, p, typ, rows)
		var ve *kernel.ValueError
		require.ErrorAs(t, err, &ve)
		require.Equal(t, 2, ve.Row)
		require.NotContains(t, err.Error(), secret[:4])
		require.Contains(t, err.Error(), "check")

		in := fromJSON(t, mem, typ, rows)
		env := &kernel.Env{Alloc: mem, Tolerate: true}
		out, err := kernel.Apply(newKernel(t, p, testKey()), env, in)
		require.NoError(t, err)
		require.Equal(t, []int{2, 3}, env.Suppressed())
		require.Equal(t, []string{"-", codeResident[:32], "-", "-", codeResident[:32]}, texts(out))
		out.Release()
		in.Release()
		mem.AssertSize(t, 0)
	}
}

func TestTypes(t *testing.T) {
	k := newKernel(t, Params{}, testKey())
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Date32,
		arrow.BinaryTypes.Binary, arrow.ListOf(str), arrow.StructOf(arrow.Field{Name: "a", Type: str}), arrow.Null,
		&arrow.Decimal128Type{Precision: 9}, &arrow.FixedSizeBinaryType{ByteWidth: 0}, &arrow.FixedSizeBinaryType{ByteWidth: -1}} {
		_, err := kernel.OutputType(k, typ)
		require.ErrorIs(t, err, kernel.ErrType, typ.String())
	}
	for in, want := range map[arrow.DataType]arrow.DataType{str: str, large: large, coded: coded, fixed3: str,
		arrow.PrimitiveTypes.Int32: str, arrow.PrimitiveTypes.Uint8: str} {
		got, err := kernel.OutputType(k, in)
		require.NoError(t, err)
		require.True(t, arrow.TypeEqual(want, got), in.String())
	}
	_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, fromJSON(t, memory.DefaultAllocator, arrow.PrimitiveTypes.Float64, `[1]`))
	require.ErrorIs(t, err, kernel.ErrType)
}

// TestCorrupt: offsets that step back or beyond, and buffers that are short.
func TestCorrupt(t *testing.T) {
	k := newKernel(t, Params{}, testKey())
	data := memory.NewBufferBytes([]byte("abcdef"))
	for _, off := range [][]int32{{0, 9}, {0, 4, 2, 6}, {-1, 3}, {3, 2}, {0, 1 << 30, 6}} {
		o := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(off))
		d := array.NewData(str, len(off)-1, []*memory.Buffer{nil, o, data}, nil, 0, 0)
		require.NotPanics(t, func() {
			// MakeFromData checks some of it: what passes there must not pass here.
			defer func() {
				if r := recover(); r != nil && !strings.Contains(fmt.Sprint(r), "arrow") && !strings.Contains(fmt.Sprint(r), "string") {
					panic(r)
				}
			}()
			_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, array.MakeFromData(d))
			require.ErrorIs(t, err, kernel.ErrCorrupt)
		})
	}
	short := array.NewData(arrow.PrimitiveTypes.Int64, 2, []*memory.Buffer{nil, memory.NewBufferBytes(make([]byte, 16))}, nil, 0, 0)
	a := array.MakeFromData(short)
	short.Buffers()[1] = memory.NewBufferBytes(make([]byte, 15))
	_, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, a)
	require.ErrorIs(t, err, kernel.ErrCorrupt)
}
