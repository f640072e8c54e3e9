package plan_test

import (
	"context"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
)

// heldLeaves gives leaves that lie in memory, far beyond the caches.
type heldLeaves struct {
	*repeated
	all [][]byte
}

func (h heldLeaves) Leaf(_ context.Context, _, _, _ string, batch uint32, _ []byte) ([]byte, error) {
	return h.all[batch], nil
}

// BenchmarkEvaluate sums 2^21 encrypted values: with hashes and every residue
// looked at, and from a copy vouched for; on one worker and on two.
func BenchmarkEvaluate(b *testing.B) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(b, err)
	k := newKeys(b, p, "a")
	const rows = 1 << 21
	m := synthetic(k, rows, 1<<40)
	src := &repeated{t: b, keys: k, manifest: m, value: 1 << 40}
	hashes, err := src.Hashes(context.Background(), "", "", "")
	require.NoError(b, err)
	all := make([][]byte, len(hashes))
	for i := range all {
		all[i], err = src.Leaf(context.Background(), "", "", "", uint32(i), make([]byte, 0, p.LeafSize()))
		require.NoError(b, err)
	}
	m.Lanes[0].Root = plan.MerkleRoot(hashes)
	pl, err := plan.Compile(ask(plan.Sum, plan.Column{Dataset: "a", Field: "v", Lane: "v"}), []*plan.Manifest{m}, []plan.Cert{k.cert})
	require.NoError(b, err)
	held := heldLeaves{src, all}
	for name, o := range map[string]plan.Options{
		"first verification/1 worker": {Workers: 1}, "first verification/2 workers": {Workers: 2},
		"vouched/1 worker": {Workers: 1, Vouched: true}, "vouched/2 workers": {Workers: 2, Vouched: true},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.Evaluate(context.Background(), pl, p, held, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}

// BenchmarkBuilder makes the batches of a value and a square lane, without
// encryption: rows that are subjects, and subjects by name.
func BenchmarkBuilder(b *testing.B) {
	const rows = 1 << 18
	r := manyRows(b, memory.DefaultAllocator, rows, func(i int) int32 { return int32(i) }, func(i int) int64 { return int64(i % 1000) })
	var records []arrow.Record
	for r.Next() {
		r.Record().Retain()
		records = append(records, r.Record())
	}
	for name, own := range map[string]bool{"rows as subjects": true, "subjects by name": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				x, sq := lane(plan.Value, 1000, "x"), lane(plan.Square, 1000, "x")
				sq.Name = "sq"
				spec := mixedSpec(x, sq)
				for i := range spec.Lanes {
					spec.Lanes[i].Degree = 4096
				}
				if spec.RowSubjects = own; own {
					spec.Subject = ""
				}
				src, err := array.NewRecordReader(r.Schema(), records)
				require.NoError(b, err)
				_, _, err = collect(b, spec, src)
				require.NoError(b, err)
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
