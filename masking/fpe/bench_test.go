package fpe

import (
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

const benchRows = 1 << 14

// BenchmarkFF1 compares a column of mobile numbers by many lanes with the same
// values one after the other and one block after the other, in turns: x-kept
// with 64-bit arithmetic and the constant block enciphered once, x-row with it
// enciphered for every row, x-big with big.Int.
func BenchmarkFF1(b *testing.B) {
	k, err := New(Params{}, testKey)
	require.NoError(b, err)
	t := k.(*text)
	col := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range benchRows {
		col.Append(fmt.Sprintf("138%08d", i*7919))
	}
	in := col.NewStringArray()
	const few = benchRows / 16
	ways := []func(){
		func() {
			out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			require.NoError(b, err)
			out.Release()
		},
		func() { rows(t, in, false) },
		func() { rows(t, in, true) },
		func() {
			var n numbers
			for i := range few {
				t.scan([]byte(in.Value(i)), &n)
				t.e.long(10, nil, n.x[:n.n], false)
			}
		},
	}
	spent := make([]time.Duration, len(ways))
	for range b.N {
		for i, way := range ways {
			start := time.Now()
			way()
			spent[i] += time.Since(start)
		}
	}
	spent[3] *= benchRows / few
	b.ReportMetric(float64(b.N)*benchRows/spent[0].Seconds()/1e6, "Mrows/s")
	for i, name := range []string{"", "x-kept", "x-row", "x-big"} {
		if i > 0 {
			b.ReportMetric(spent[i].Seconds()/spent[0].Seconds(), name)
		}
	}
}

// rows is the straightforward form, through a builder.
func rows(t *text, in *array.String, fresh bool) {
	var n numbers
	out := array.NewStringBuilder(memory.DefaultAllocator)
	var buf [16]byte
	for i := range in.Len() {
		t.scan([]byte(in.Value(i)), &n)
		s := t.shapes[n.n]
		if fresh {
			s, _ = t.e.newShape(10, n.n, nil)
		}
		h := n.join(s)
		h.a, h.b = t.e.one(s, h.a, h.b, false)
		n.split(s, h)
		for j, d := range n.x[:n.n] {
			buf[j] = byte('0' + d)
		}
		out.Append(string(buf[:n.n]))
	}
	out.NewArray().Release()
}

func BenchmarkResident(b *testing.B) {
	col := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range uint32(benchRows) {
		id, err := identifier.ResidentNumber{Region: 220202 + i%3, Day: 40000 + i*3%40000, Sequence: i % 1000}.Append(nil)
		require.NoError(b, err)
		col.Append(string(id))
	}
	in := col.NewArray()
	for _, region := range []string{RegionUnassigned, RegionAny, RegionSame} {
		k, err := New(Params{Type: TypeResident, Region: region}, testKey)
		require.NoError(b, err)
		b.Run(region, func(b *testing.B) {
			for b.Loop() {
				out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
				require.NoError(b, err)
				out.Release()
			}
			b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
