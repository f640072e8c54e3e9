package pseudonym

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"hash"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
	tjfoc "github.com/tjfoc/gmsm/sm3"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

const benchRows = 1 << 14

// residents builds a column of valid 18-character resident numbers.
func residents(tb testing.TB, n int) *array.String {
	tb.Helper()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	var buf [18]byte
	for i := range n {
		first := fmt.Sprintf("%06d%04d%02d%02d%03d", 110100+i%17, 1950+i%70, 1+i%12, 1+i%28, i%1000)
		out, err := identifier.AppendResidentID(buf[:0], []byte(first))
		require.NoError(tb, err)
		b.Append(string(out))
	}
	return b.NewStringArray()
}

// recycler keeps freed memory, as a gateway that masks batch after batch would.
type recycler struct{ free map[int][][]byte }

func (r recycler) Allocate(n int) []byte {
	if l := r.free[n]; len(l) > 0 {
		r.free[n] = l[:len(l)-1]
		return l[len(l)-1]
	}
	return memory.DefaultAllocator.Allocate(n)
}

func (r recycler) Reallocate(n int, b []byte) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	fresh := r.Allocate(n)
	copy(fresh, b)
	return fresh
}

func (r recycler) Free(b []byte) { r.free[cap(b)] = append(r.free[cap(b)], b[:cap(b)]) }

// builderLoop is the usual way at its best: one call of the library for each
// row, and a builder with all its memory reserved.
func builderLoop(mem memory.Allocator, in *array.String, kind identifier.Kind, h hash.Hash) {
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	b.ReserveData(in.Len() * 32)
	var sum, text, canonical [32]byte
	for i := range in.Len() {
		v := []byte(in.Value(i))
		if kind != "" {
			v, _ = identifier.AppendCanonical(canonical[:0], kind, v)
		}
		h.Reset()
		h.Write(v)
		hex.Encode(text[:], h.Sum(sum[:0])[:16])
		b.BinaryBuilder.Append(text[:])
	}
	b.NewArray().Release()
}

// BenchmarkKernel measures the whole kernel beside loops over the libraries, in
// turns, and reports how many times as fast it is.
func BenchmarkKernel(b *testing.B) {
	in := residents(b, benchRows)
	mem := recycler{map[int][][]byte{}}
	for _, p := range []Params{{}, {Type: identifier.ResidentID}, {Encoding: Base32}} {
		k := newKernel(b, p, testKey())
		one, two := hmac.New(sm3.New, testKey()), hmac.New(tjfoc.New, testKey())
		ways := []func(){
			func() {
				out, err := k.Mask(&kernel.Env{Alloc: mem}, in)
				require.NoError(b, err)
				out.Release()
			},
			func() { builderLoop(mem, in, p.Type, one) },
			func() { builderLoop(mem, in, p.Type, two) },
		}
		b.Run(fmt.Sprintf("type=%s,encoding=%s", p.Type, p.Encoding), func(b *testing.B) {
			spent := make([]time.Duration, len(ways))
			for range b.N {
				for i, way := range ways {
					start := time.Now()
					way()
					spent[i] += time.Since(start)
				}
			}
			b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N*benchRows), "ns/row")
			b.ReportMetric(spent[1].Seconds()/spent[0].Seconds(), "x-emmansun")
			b.ReportMetric(spent[2].Seconds()/spent[0].Seconds(), "x-tjfoc")
		})
	}
}
