package fpe

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/kernel"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

func alphabetOf(t require.TestingT, p Params) *alphabet {
	symbols, err := p.symbols()
	require.NoError(t, err)
	a, err := newAlphabet(symbols, p.Pass)
	require.NoError(t, err)
	return a
}

func numeralsOf(t require.TestingT, p Params, s string) []uint16 {
	a := alphabetOf(t, p)
	var x []uint16
	for _, r := range s {
		require.GreaterOrEqual(t, a.of(r), int8(0))
		x = append(x, uint16(a.of(r)))
	}
	return x
}

func stringsOf(mem memory.Allocator, vals ...string) arrow.Array {
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.AppendValues(vals, nil)
	return b.NewArray()
}

// enciphered masks values that must all be sound.
func enciphered(t testing.TB, k kernel.Kernel, vals ...string) []string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := stringsOf(mem, vals...)
	defer in.Release()
	out, err := k.Mask(&kernel.Env{Alloc: mem}, in)
	require.NoError(t, err)
	defer out.Release()
	got := make([]string, out.Len())
	for i := range got {
		got[i] = string(append([]byte{}, out.(*array.String).Value(i)...))
	}
	return got
}
