package dp_test

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/dp"
)

func freshSource(tb testing.TB) *dp.Source {
	src, err := dp.NewSource(rand.Reader)
	require.NoError(tb, err)
	return src
}

func BenchmarkLaplace(b *testing.B) {
	for name, scale := range map[string]dp.Rat{"1": {Num: 1, Den: 1}, "20": {Num: 20, Den: 1}, "12345678.9": {Num: 123456789, Den: 10}} {
		b.Run(name, func(b *testing.B) {
			l, err := dp.NewLaplace(scale)
			require.NoError(b, err)
			src := freshSource(b)
			b.ReportAllocs()
			for b.Loop() {
				l.Sample(src)
			}
		})
	}
}

func BenchmarkGaussian(b *testing.B) {
	for name, sigma2 := range map[string]dp.Rat{"1": {Num: 1, Den: 1}, "400": {Num: 400, Den: 1}, "1e15over7": {Num: 1_000_000_000_000_000, Den: 7}} {
		b.Run(name, func(b *testing.B) {
			g, err := dp.NewGaussian(sigma2)
			require.NoError(b, err)
			src := freshSource(b)
			b.ReportAllocs()
			for b.Loop() {
				g.Sample(src)
			}
		})
	}
}

// The baselines draw in floating point from the system's source, a call for
// each uniform: what is written first, with the holes known since Mironov 2012.

func floatUniform() float64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return (float64(binary.LittleEndian.Uint64(b[:])>>11) + 0.5) / (1 << 53)
}

func BenchmarkFloatLaplaceBaseline(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		u := floatUniform() - 0.5
		_ = int64(math.Round(-20 * math.Copysign(math.Log(1-2*math.Abs(u)), u)))
	}
}

func BenchmarkFloatGaussianBaseline(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = int64(math.Round(20 * math.Sqrt(-2*math.Log(floatUniform())) * math.Cos(2*math.Pi*floatUniform())))
	}
}
