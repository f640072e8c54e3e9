package lookup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
)

// crowd is a table of n subjects with 1 to 3 rows each, in batches.
func crowd(b testing.TB, n int) array.RecordReader {
	var recs []arrow.Record
	rng := rand.New(rand.NewPCG(1, 2))
	bl := array.NewRecordBuilder(memory.DefaultAllocator, personSchema)
	rows := 0
	for i := 0; i < n; i++ {
		for range 1 + rng.IntN(10)/8 + rng.IntN(10)/9 {
			for j, v := range []any{
				0, numbered(i), fmt.Sprint(220200 + rng.IntN(10)), rng.IntN(90), 200 * rng.Float64(),
				rng.IntN(500) == 0, "王小明", fmt.Sprintf("138%08d", i),
			} {
				appendCell(bl.Field(j), v)
			}
			rows++
		}
		if rows%65536 < 2 || i == n-1 {
			recs = append(recs, bl.NewRecord())
		}
	}
	rr, err := array.NewRecordReader(personSchema, recs)
	require.NoError(b, err)
	return rr
}

const benchSubjects = 1_000_000

func benchBuild(b *testing.B, preds []Predicate) {
	p, err := Compile(preds, personSchema, opaque)
	require.NoError(b, err)
	for i := range b.N {
		b.StopTimer()
		src := crowd(b, benchSubjects)
		o := BuildOptions{Dir: filepath.Join(b.TempDir(), fmt.Sprint(i)), Dataset: "household", Version: "v", Keys: testKeys(b, "v")}
		b.StartTimer()
		stats, err := Build(context.Background(), src, p, o)
		require.NoError(b, err)
		b.ReportMetric(float64(stats.Rows), "rows")
	}
}

func BenchmarkBuild(b *testing.B)         { benchBuild(b, persons[:4]) }
func BenchmarkBuildIdentity(b *testing.B) { benchBuild(b, persons) }

func benchIndex(b *testing.B) *Index {
	p := personProgram(b)
	o := BuildOptions{Dir: filepath.Join(b.TempDir(), "ix"), Dataset: "household", Version: "v", Keys: testKeys(b, "v")}
	_, err := Build(context.Background(), crowd(b, benchSubjects), p, o)
	require.NoError(b, err)
	ix, err := Open(o.Dir, p, "household", "v", o.Keys, 256<<20)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, ix.Close()) })
	return ix
}

func BenchmarkIndex(b *testing.B) {
	ix := benchIndex(b)
	ctx := context.Background()
	subjects := make([][]byte, 1<<20)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range subjects {
		subjects[i] = []byte(numbered(rng.IntN(benchSubjects * 11 / 10)))
	}
	b.Run("Lookup", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			_, err := ix.Lookup(ctx, &Query{Predicate: 2, Subject: subjects[i&(1<<20-1)]})
			require.NoError(b, err)
		}
	})
	b.Run("LookupParallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := rand.IntN(1 << 20); pb.Next(); i++ {
				if _, err := ix.Lookup(ctx, &Query{Predicate: 2, Subject: subjects[i&(1<<20-1)]}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("LookupIdentity", func(b *testing.B) {
		for i := range b.N {
			_, err := ix.Lookup(ctx, &Query{Predicate: 4, Subject: subjects[i&(1<<20-1)], Name: []byte("王小明"), Phone: []byte("13800138000")})
			require.NoError(b, err)
		}
	})
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("LookupBatch/%d", n), func(b *testing.B) {
			qs, out := make([]Query, n), make([]Answer, n)
			for i := range b.N {
				for j := range qs {
					qs[j] = Query{Predicate: 2, Subject: subjects[(i*n+j)&(1<<20-1)]}
				}
				require.NoError(b, ix.LookupBatch(ctx, qs, out))
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "answers/s")
		})
	}
	b.Run("Refinement", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			src := crowd(b, benchSubjects)
			b.StartTimer()
			ref, err := ix.Refinement(ctx, src, opaque, []int{1, 2, 3})
			require.NoError(b, err)
			require.EqualValues(b, benchSubjects, ref.Universe)
		}
	})
}
