package pseudonym

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/kernel"
)

// testKey is the bytes 0 to 31.
func testKey() []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// slow is what a pseudonym is, written for reading.
func slow(p Params, key []byte, canonical string) string {
	h := hmac.New(sm3.New, key)
	h.Write([]byte(canonical))
	bits := p.Bits
	if bits == 0 {
		bits = DefaultBits
	}
	code := h.Sum(nil)[:bits/8]
	if p.Encoding == Base32 {
		return p.Prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(code))
	}
	return p.Prefix + hex.EncodeToString(code)
}

func newKernel(t testing.TB, p Params, key []byte) kernel.Kernel {
	t.Helper()
	k, err := New(p, key)
	require.NoError(t, err)
	return k
}

func fromJSON(t testing.TB, mem memory.Allocator, typ arrow.DataType, json string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(mem, typ, strings.NewReader(json))
	require.NoError(t, err)
	return a
}

// texts gives the values of a string or dictionary array, "-" for null.
func texts(a arrow.Array) []string {
	out := make([]string, a.Len())
	for i := range out {
		switch a := a.(type) {
		case *array.Dictionary:
			if !a.IsNull(i) {
				out[i] = a.Dictionary().ValueStr(a.GetValueIndex(i))
			}
		default:
			out[i] = a.ValueStr(i)
		}
		if a.IsNull(i) {
			out[i] = "-"
		}
	}
	return out
}

// maskJSON masks one column; all but the result is released.
func maskJSON(t testing.TB, mem memory.Allocator, p Params, typ arrow.DataType, json string) (arrow.Array, error) {
	t.Helper()
	in := fromJSON(t, mem, typ, json)
	defer in.Release()
	return kernel.Apply(newKernel(t, p, testKey()), &kernel.Env{Alloc: mem}, in)
}

const oldSecret = "OLDSECRET"

// dirty is an allocator that hands out memory full of an old secret.
type dirty struct{ inner memory.Allocator }

func (d dirty) Allocate(n int) []byte { return soil(d.inner.Allocate(n), 0) }

func (d dirty) Reallocate(n int, b []byte) []byte {
	old := len(b)
	return soil(d.inner.Reallocate(n, b), old)
}

func (d dirty) Free(b []byte) { d.inner.Free(b) }

func soil(b []byte, from int) []byte {
	for i := from; i < len(b); i++ {
		b[i] = oldSecret[i%len(oldSecret)]
	}
	return b
}

// everyByte gives all bytes an array holds on to, to the capacity of each
// buffer, its dictionary included.
func everyByte(d arrow.ArrayData) []byte {
	var all []byte
	for _, b := range d.Buffers() {
		if b != nil {
			buf := b.Buf()
			all = append(append(all, buf[:cap(buf)]...), 0)
		}
	}
	a := array.MakeFromData(d)
	defer a.Release()
	if coded, ok := a.(*array.Dictionary); ok {
		all = append(all, everyByte(coded.Dictionary().Data())...)
	}
	return all
}
