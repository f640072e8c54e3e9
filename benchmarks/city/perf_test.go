package city

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkWrite writes 100,000 persons per operation, all four tables, to disk.
func BenchmarkWrite(b *testing.B) {
	for _, f := range []Format{Parquet, CSV} {
		b.Run(string(f), func(b *testing.B) {
			c, dir := newCity(b, Params{Persons: 100_000, Seed: 1}), b.TempDir()
			for b.Loop() {
				require.NoError(b, c.Write(context.Background(), dir, f, nil))
			}
			b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "persons/s")
		})
	}
}

// BenchmarkReader generates batches and drops them, on one core.
func BenchmarkReader(b *testing.B) {
	for _, table := range newCity(b, Params{Persons: 1}).Tables() {
		b.Run(table, func(b *testing.B) {
			c := newCity(b, Params{Persons: 100_000, Seed: 1})
			rows := int64(0)
			for b.Loop() {
				r, err := c.Reader(table, writeBatch)
				require.NoError(b, err)
				for r.Next() {
					rows += r.Record().NumRows()
				}
				require.NoError(b, r.Err())
				r.Release()
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkPerson(b *testing.B) {
	c, i := newCity(b, Params{Persons: 1_000_000, Seed: 1}), 0
	for b.Loop() {
		p := c.Person(i % 1_000_000)
		_, _ = io.WriteString(io.Discard, p.RID)
		i++
	}
}
