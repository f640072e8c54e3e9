package fpe

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

const benchRows = 1 << 14

// BenchmarkFF1 compares, in one run, a column of mobile numbers by many lanes
// with the same values one by one: 64-bit arithmetic with the constant block
// enciphered once, the same with it enciphered every time, and big.Int.
func BenchmarkFF1(b *testing.B) {
	k, err := New(Params{}, testKey)
	require.NoError(b, err)
	t := k.(*text)
	col := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range benchRows {
		col.Append(fmt.Sprintf("138%08d", i*7919))
	}
	in := col.NewStringArray()
	rate := func(b *testing.B, rows int) {
		b.ReportMetric(float64(b.N)*float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	}
	b.Run("lanes", func(b *testing.B) {
		for b.Loop() {
			out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
			require.NoError(b, err)
			out.Release()
		}
		rate(b, benchRows)
	})
	b.Run("row by row", func(b *testing.B) { rows(b, t, in, false); rate(b, benchRows) })
	b.Run("row by row, nothing kept", func(b *testing.B) { rows(b, t, in, true); rate(b, benchRows) })
	b.Run("row by row, big.Int", func(b *testing.B) {
		var n numbers
		for b.Loop() {
			for i := range 1024 {
				t.scan([]byte(in.Value(i)), &n)
				t.e.long(10, nil, n.x[:n.n], false)
			}
		}
		rate(b, 1024)
	})
}

// rows is the straightforward form: one value after the other, one block after
// the other, through a builder.
func rows(b *testing.B, t *text, in *array.String, fresh bool) {
	var n numbers
	for b.Loop() {
		out := array.NewStringBuilder(memory.DefaultAllocator)
		var buf [16]byte
		for i := range in.Len() {
			t.scan([]byte(in.Value(i)), &n)
			s := t.shapes[n.n]
			if fresh {
				p := s.p(0)
				for range rounds {
					t.e.block.Encrypt(buf[:], p[:])
				}
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
