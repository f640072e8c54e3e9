package pseudonym

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"hash"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
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

// builderLoop is the usual way: one call of the library for each row, and a
// builder for the result.
func builderLoop(in *array.String, newHash func() hash.Hash, key []byte, reuse bool) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	h := hmac.New(newHash, key)
	var sum [32]byte
	for i := range in.Len() {
		if reuse {
			h.Reset()
		} else {
			h = hmac.New(newHash, key)
		}
		h.Write([]byte(in.Value(i)))
		b.Append(hex.EncodeToString(h.Sum(sum[:0])[:16]))
	}
	return b.NewArray()
}

// BenchmarkKernel measures the whole kernel beside loops over the libraries, in
// turns, and reports how many times as fast it is.
func BenchmarkKernel(b *testing.B) {
	key := []byte("0123456789abcdef0123456789abcdef")
	in := residents(b, benchRows)
	env := func() *kernel.Env { return &kernel.Env{Alloc: memory.DefaultAllocator} }
	for _, p := range []Params{{}, {Type: identifier.ResidentID}, {Encoding: Base32}} {
		k, err := New(p, key)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("%s%s", p.Type, p.Encoding), func(b *testing.B) {
			ways := []func(){
				func() {
					out, err := k.Mask(env(), in)
					require.NoError(b, err)
					out.Release()
				},
				func() { builderLoop(in, sm3.New, key, true).Release() },
				func() { builderLoop(in, sm3.New, key, false).Release() },
				func() { builderLoop(in, tjfoc.New, key, true).Release() },
			}
			spent := make([]time.Duration, len(ways))
			for range b.N {
				for i, way := range ways {
					start := time.Now()
					way()
					spent[i] += time.Since(start)
				}
			}
			b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N*benchRows), "ns/row")
			for i, name := range []string{"", "x-reset", "x-new", "x-tjfoc"} {
				if i > 0 {
					b.ReportMetric(spent[i].Seconds()/spent[0].Seconds(), name)
				}
			}
		})
	}
}
