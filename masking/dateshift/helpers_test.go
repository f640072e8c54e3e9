package dateshift

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/kernel"
)

var (
	testKey = []byte("0123456789abcdef0123456789abcdef")
	year    = Params{Subject: "who", Range: 365, NonZero: true}
)

func fromJSON(t require.TestingT, mem memory.Allocator, typ arrow.DataType, json string) arrow.Array {
	a, _, err := array.FromJSON(mem, typ, strings.NewReader(json))
	require.NoError(t, err)
	return a
}

func envOf(mem memory.Allocator, who arrow.Array) *kernel.Env {
	return &kernel.Env{Alloc: mem, Column: func(string) (arrow.Array, error) { return who, nil }}
}

func kernelOf(t require.TestingT, p Params) *shifter {
	k, err := New(p, testKey)
	require.NoError(t, err)
	return k.(*shifter)
}

// dirty is an allocator that hands out memory full of an old secret.
type dirty struct{ inner memory.Allocator }

const oldSecret = "OLDSECRET"

func (d dirty) Allocate(n int) []byte { return fill(d.inner.Allocate(n), 0) }

func (d dirty) Reallocate(n int, b []byte) []byte {
	old := len(b)
	return fill(d.inner.Reallocate(n, b), old)
}

func (d dirty) Free(b []byte) { d.inner.Free(b) }

func fill(b []byte, from int) []byte {
	for i := from; i < len(b); i++ {
		b[i] = oldSecret[i%len(oldSecret)]
	}
	return b
}

// everyByte gives all bytes an array holds on to, to the capacity of each buffer.
func everyByte(a arrow.Array) string {
	var all []byte
	for _, b := range a.Data().Buffers() {
		if b != nil {
			buf := b.Buf()
			all = append(append(all, buf[:cap(buf)]...), 0)
		}
	}
	return string(all)
}

// mask masks and returns every value as text, "-" for null.
func mask(t testing.TB, k kernel.Kernel, env *kernel.Env, in arrow.Array) []string {
	t.Helper()
	out, err := k.Mask(env, in)
	require.NoError(t, err)
	defer out.Release()
	require.Equal(t, in.Len(), out.Len())
	got := make([]string, out.Len())
	for i := range got {
		if got[i] = "-"; !out.IsNull(i) {
			got[i] = strings.Clone(out.ValueStr(i))
		}
	}
	return got
}
