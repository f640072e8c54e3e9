package he_test

import (
	"crypto/rand"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/math"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

type bench struct {
	params *he.Parameters
	enc    *he.Encryptor
	values []int64
	header he.Header
}

func newBench(tb testing.TB) *bench {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(tb, err)
	_, key := newWholeSecret(tb, p, 1)
	enc, err := he.NewEncryptor(p, key, rand.Reader)
	require.NoError(tb, err)
	b := &bench{params: p, enc: enc, values: make([]int64, p.N())}
	for i := range b.values {
		b.values[i] = int64(i)*1_234_567 - 1<<31
	}
	b.header = he.Header{Key: [32]byte{1}, Rows: uint32(p.N())}
	return b
}

func (b *bench) leaves(tb testing.TB, n int) []*he.Leaf {
	out := make([]*he.Leaf, n)
	for i := range out {
		var err error
		h := b.header
		h.Batch = uint32(i)
		out[i], err = b.enc.Encrypt(nil, h, b.values, 1<<40)
		require.NoError(tb, err)
	}
	return out
}

func (b *bench) report(t *testing.B, batches int) {
	perValue := float64(t.Elapsed().Nanoseconds()) / float64(batches) / float64(b.params.N())
	t.ReportMetric(perValue, "ns/value")
	t.ReportMetric(1e3/perValue, "Mvalues/s")
	t.ReportMetric(0, "ns/op")
}

func BenchmarkEncrypt(t *testing.B) {
	b := newBench(t)
	dst := make([]byte, b.params.LeafSize())
	t.ReportMetric(float64(len(dst))/float64(b.params.N()), "B/value")
	for t.Loop() {
		if _, err := b.enc.Encrypt(dst, b.header, b.values, 1<<40); err != nil {
			t.Fatal(err)
		}
	}
	b.report(t, t.N)
}

func BenchmarkEncryptAndHash(t *testing.B) {
	b := newBench(t)
	dst := make([]byte, b.params.LeafSize())
	for t.Loop() {
		l, err := b.enc.Encrypt(dst, b.header, b.values, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		l.Hash()
	}
	b.report(t, t.N)
}

// BenchmarkFirstVerification is what a receiver does once per leaf: hash and look
// at every residue.
func BenchmarkFirstVerification(t *testing.B) {
	b := newBench(t)
	data := b.leaves(t, 1)[0].Bytes()
	for t.Loop() {
		he.LeafHash(data)
		if _, err := he.ParseLeafAs(b.params, b.header, data); err != nil {
			t.Fatal(err)
		}
	}
	b.report(t, t.N)
}

// BenchmarkAgainstArrow alternates every step with the clear sum of the same
// values as an Arrow column and reports medians of one value's time and the
// ratio to the clear sum: run it with GOMAXPROCS=1.
func BenchmarkAgainstArrow(t *testing.B) {
	b := newBench(t)
	leaves := b.leaves(t, 256)
	build := array.NewInt64Builder(memory.DefaultAllocator)
	for range leaves {
		build.AppendValues(b.values, nil)
	}
	column := build.NewInt64Array()
	defer column.Release()
	acc := he.NewAccumulator(b.params, b.header.Key)
	dst := make([]byte, b.params.LeafSize())
	steps := []step{
		{name: "clear", batches: len(leaves), work: func() error { math.Int64.Sum(column); return nil }},
		{name: "sum", batches: len(leaves), work: func() error { return acc.Add(leaves...) }},
		{name: "encrypt", batches: 1, work: func() error {
			_, err := b.enc.Encrypt(dst, b.header, b.values, 1<<40)
			return err
		}},
		{name: "hash", batches: 1, work: func() error { he.LeafHash(leaves[0].Bytes()); return nil }},
		{name: "verify", batches: 1, work: func() error {
			he.LeafHash(leaves[0].Bytes())
			_, err := he.ParseLeafAs(b.params, leaves[0].Header(), leaves[0].Bytes())
			return err
		}},
		{name: "recompute", batches: len(leaves), work: func() error {
			return acc.AddAll(func(yield func(*he.Leaf, error) bool) {
				for _, l := range leaves {
					if !yield(he.ReadVerifiedLeaf(b.params, l.Bytes())) {
						return
					}
				}
			})
		}},
	}
	for t.Loop() {
		for i := range steps {
			require.NoError(t, steps[i].run())
		}
	}
	clearSum := steps[0].median() / float64(b.params.N())
	t.ReportMetric(clearSum, "ns/clear")
	for _, s := range steps[1:] {
		perValue := s.median() / float64(b.params.N())
		t.ReportMetric(perValue, "ns/"+s.name)
		t.ReportMetric(perValue/clearSum, "x-"+s.name)
	}
	t.ReportMetric(0, "ns/op")
}

func BenchmarkExtract(t *testing.B) {
	b := newBench(t)
	acc := he.NewAccumulator(b.params, b.header.Key)
	require.NoError(t, acc.Add(b.leaves(t, 1)[0]))
	terms := []he.Term{{Sum: acc.Sum(), Mask: b.params.AllMask()}}
	for t.Loop() {
		if _, err := he.Extract(b.params, terms); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkLinearScore weighs 32 features of one batch.
func BenchmarkLinearScore(t *testing.B) {
	b := newBench(t)
	leaves := b.leaves(t, 32)
	for t.Loop() {
		acc := he.NewAccumulator(b.params, b.header.Key)
		for f, l := range leaves {
			if err := acc.AddWeighted(l, int64(f)*7919-100_000); err != nil {
				t.Fatal(err)
			}
		}
		acc.Sum()
	}
}

// BenchmarkProduct multiplies one pair of batches of 8192 rows.
func BenchmarkProduct(t *testing.B) {
	p, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	w := newWorld(t, p, 1)
	product, err := he.NewProduct(p, w.key, w.secret.relinKey(t))
	require.NoError(t, err)
	x := w.leaf(t, 0, make([]int64, p.N()))
	for t.Loop() {
		if err := product.Add(x, x); err != nil {
			t.Fatal(err)
		}
	}
	t.ReportMetric(float64(t.Elapsed().Nanoseconds())/float64(t.N*p.N()), "ns/row")
}
