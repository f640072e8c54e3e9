package plan_test

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
)

var single = arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.PrimitiveTypes.Int64}}, nil)

// one is a dataset of one column and one lane of each given kind.
func one(dataset string, bound uint64, k *keys, kinds ...plan.LaneKind) plan.Spec {
	s := plan.Spec{Dataset: dataset, Version: "2026-01", Provider: "office of " + dataset, RowSubjects: true}
	for _, kind := range kinds {
		s.Lanes = append(s.Lanes, plan.LaneSpec{
			Name: map[plan.LaneKind]string{plan.Value: "v", plan.Square: "vv", plan.Reversed: "rev"}[kind], Kind: kind,
			Columns: []string{"v"}, Bounds: []uint64{bound}, Key: k.hash, Degree: k.params.N(),
		})
	}
	return s
}

// rowsV makes a reader of numbers as they are: JSON would round them.
func rowsV(t testing.TB, values []int64) array.RecordReader {
	b := array.NewRecordBuilder(memory.DefaultAllocator, single)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	r, err := array.NewRecordReader(single, []arrow.Record{b.NewRecord()})
	require.NoError(t, err)
	return r
}

func series(n int, seed uint64, bound int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		seed = seed*6364136223846793005 + 1442695040888963407
		out[i] = int64(seed>>20)%(2*bound+1) - bound
	}
	return out
}

func TestCorrelationAcrossTwoProviders(t *testing.T) {
	full, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	for rows, p := range map[int]*he.Parameters{300: smallParams(t, true), 2*full.N() + 5: full} {
		correlate(t, p, rows)
	}
}

func correlate(t *testing.T, p *he.Parameters, rows int) {
	k := newKeys(t, p, "a", "b")
	s := newStore()
	const bound = 1 << 18
	xs, ys := series(rows, 1, bound), series(rows, 2, bound)
	for i := range ys {
		ys[i] = (xs[i] + ys[i]/4) / 2
	}
	a := build(t, s, one("a", bound, k, plan.Value, plan.Square), rowsV(t, xs), k)
	b := build(t, s, one("b", bound, k, plan.Reversed, plan.Square), rowsV(t, ys), k)
	q := ask(plan.Correlation, plan.Column{Dataset: "a", Field: "v", Lane: "v"}, plan.Column{Dataset: "b", Field: "v", Lane: "rev"},
		plan.Column{Dataset: "a", Field: "v", Lane: "vv"}, plan.Column{Dataset: "b", Field: "v", Lane: "vv"})
	pl, err := plan.Compile(q, []*plan.Manifest{b, a}, []plan.Cert{k.cert})
	require.NoError(t, err)
	require.Equal(t, uint32(5), pl.Keys[0].Scalars)
	values := opened(t, pl, s, k)
	want := make([]*big.Int, 5)
	for i := range want {
		want[i] = new(big.Int)
	}
	for i := range xs {
		for n, v := range []int64{xs[i], ys[i], xs[i] * ys[i], xs[i] * xs[i], ys[i] * ys[i]} {
			want[n].Add(want[n], big.NewInt(v))
		}
	}
	for i := range want {
		require.Equal(t, want[i].String(), values[i].String())
	}
	res, err := plan.Finish(pl, values)
	require.NoError(t, err)
	require.Regexp(t, `^0\.9\d{11}$`, figure(t, res, 0, "correlation").Text)

	// Rows that are not joint, a key that does not multiply: refused.
	short := build(t, newStore(), one("b", bound, k, plan.Reversed, plan.Square), rowsV(t, ys[:rows-1]), k)
	_, err = plan.Compile(q, []*plan.Manifest{a, short}, []plan.Cert{k.cert})
	requireRule(t, err, plan.RuleAligned)
	single := k.cert
	single.Product = false
	_, err = plan.Compile(q, []*plan.Manifest{a, b}, []plan.Cert{single})
	requireRule(t, err, plan.RuleCertificate)
	other := k.cert
	other.Datasets = []string{"a", "c"}
	_, err = plan.Compile(q, []*plan.Manifest{a, b}, []plan.Cert{other})
	requireRule(t, err, plan.RuleCertificate)
	_, err = plan.Evaluate(context.Background(), pl, p, s, plan.Options{})
	requireRule(t, err, plan.RuleCertificate)
}

func requireRule(t testing.TB, err error, rule string) *plan.Refusal {
	t.Helper()
	var r *plan.Refusal
	require.ErrorAs(t, err, &r)
	require.Equal(t, rule, r.Rule)
	require.ErrorIs(t, err, plan.ErrRefused)
	return r
}

// three makes three providers with a key set each.
func three(t testing.TB, s *store, n int) (*plan.Query, []*plan.Manifest, []plan.Cert, []*keys, *big.Int) {
	p := smallParams(t, false)
	var ms []*plan.Manifest
	var certs []plan.Cert
	var sets []*keys
	var columns []plan.Column
	want := new(big.Int)
	for i, d := range []string{"a", "b", "c"} {
		k := newKeys(t, p, d)
		values := series(n+i, uint64(i), 1<<40)
		ms = append(ms, build(t, s, one(d, 1<<40, k, plan.Value), rowsV(t, values), k))
		certs, sets = append(certs, k.cert), append(sets, k)
		columns = append(columns, plan.Column{Dataset: d, Field: "v", Lane: "v"})
		for _, v := range values {
			want.Add(want, big.NewInt(v))
		}
	}
	return ask(plan.Mean, columns...), ms, certs, sets, want
}

func TestSumOverThreeProvidersKeepsOnePartAKey(t *testing.T) {
	s := newStore()
	q, ms, certs, sets, want := three(t, s, 200)
	pl, err := plan.Compile(q, ms, certs)
	require.NoError(t, err)
	require.Equal(t, uint64(202), pl.Minimum, "the greatest count, never the sum")
	require.Equal(t, uint64(603), pl.Parts[0].Rows)
	for _, k := range pl.Keys {
		require.Equal(t, uint32(1), k.Scalars)
	}
	openings, err := plan.Evaluate(context.Background(), pl, sets[0].params, s, plan.Options{})
	require.NoError(t, err)
	require.Len(t, openings, 2)
	require.Len(t, openings[0].Keys, 3)
	require.Equal(t, want.String(), decrypt(t, pl, openings, sets...)[0].String())
}

func TestSamePlanAndLeavesGiveTheSameBytes(t *testing.T) {
	s := newStore()
	q, ms, certs, sets, _ := three(t, s, 700)
	p := sets[0].params
	var first []byte
	for run := range 12 {
		// Manifests and certificates in any order, any number of workers, hashed or vouched for.
		rotate := func(i int) int { return (i + run) % 3 }
		pl, err := plan.Compile(q, []*plan.Manifest{ms[rotate(0)], ms[rotate(1)], ms[rotate(2)]}, []plan.Cert{certs[rotate(1)], certs[rotate(0)], certs[rotate(2)]})
		require.NoError(t, err)
		all, err := pl.Bytes()
		require.NoError(t, err)
		back, err := plan.ParsePlan(all)
		require.NoError(t, err)
		require.Equal(t, pl, back)
		openings, err := plan.Evaluate(context.Background(), back, p, s, plan.Options{Workers: run + 1, Vouched: run%2 == 0})
		require.NoError(t, err)
		for _, o := range openings {
			b, err := o.Bytes(p)
			require.NoError(t, err)
			all = append(all, b...)
		}
		if run == 0 {
			first = all
		}
		require.True(t, bytes.Equal(first, all), "run %d", run)
	}
}

// hostile alters what an honest source gives.
type hostile struct {
	*store
	leaf   func(lane string, batch uint32, honest []byte) []byte
	hashes func([][32]byte) [][32]byte
}

func (h *hostile) Hashes(ctx context.Context, d, v, l string) ([][32]byte, error) {
	out, err := h.store.Hashes(ctx, d, v, l)
	if h.hashes != nil {
		out = h.hashes(append([][32]byte(nil), out...))
	}
	return out, err
}

func (h *hostile) Leaf(ctx context.Context, d, v, l string, batch uint32, buf []byte) ([]byte, error) {
	out, err := h.store.Leaf(ctx, d, v, l, batch, buf)
	if h.leaf != nil {
		out = h.leaf(l, batch, out)
	}
	return out, err
}

var errDown = errors.New("source down")

func (h *hostile) down() plan.LeafSource { return down{h} }

type down struct{ *hostile }

func (down) Leaf(context.Context, string, string, string, uint32, []byte) ([]byte, error) {
	return nil, errDown
}

func TestAlteredLeavesAreRefused(t *testing.T) {
	s := newStore()
	q, ms, certs, sets, _ := three(t, s, 700)
	pl, err := plan.Compile(q, ms, certs)
	require.NoError(t, err)
	eval := func(src plan.LeafSource, o plan.Options) error {
		_, err := plan.Evaluate(context.Background(), pl, sets[0].params, src, o)
		return err
	}
	for what, h := range map[string]*hostile{
		"one bit of a residue": {store: s, leaf: func(_ string, b uint32, l []byte) []byte { l[len(l)-1-int(b)] ^= 1; return l }},
		"cut short":            {store: s, leaf: func(_ string, _ uint32, l []byte) []byte { return l[:len(l)-1] }},
		"nothing":              {store: s, leaf: func(string, uint32, []byte) []byte { return nil }},
		"one leaf for all":     {store: s, leaf: func(string, uint32, []byte) []byte { return s.leaves["a/2026-01/v"][0] }},
		"another hash":         {store: s, hashes: func(h [][32]byte) [][32]byte { h[0][3] ^= 1; return h }},
		"a hash too few":       {store: s, hashes: func(h [][32]byte) [][32]byte { return h[1:] }},
		"none":                 {store: s, hashes: func([][32]byte) [][32]byte { return nil }},
	} {
		require.ErrorIs(t, eval(h, plan.Options{}), plan.ErrLeaf, what)
	}
	for what, h := range map[string]*hostile{ // what a copy of one's own still notices
		"another batch":  {store: s, leaf: func(string, uint32, []byte) []byte { return s.leaves["a/2026-01/v"][1] }},
		"another header": {store: s, leaf: func(_ string, _ uint32, l []byte) []byte { l[40] ^= 1; return l }},
		"cut short":      {store: s, leaf: func(_ string, _ uint32, l []byte) []byte { return l[:100] }},
	} {
		require.ErrorIs(t, eval(h, plan.Options{Vouched: true}), plan.ErrLeaf, what)
	}
	require.ErrorIs(t, eval((&hostile{store: s}).down(), plan.Options{}), errDown)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = plan.Evaluate(ctx, pl, sets[0].params, s, plan.Options{})
	require.ErrorIs(t, err, context.Canceled)
	other, err := he.InsecureTestParameters(7, false)
	require.NoError(t, err)
	_, err = plan.Evaluate(context.Background(), pl, other, s, plan.Options{})
	requireRule(t, err, plan.RuleParameters)
}

func TestCompileRefuses(t *testing.T) {
	s := newStore()
	q, ms, certs, _, _ := three(t, s, 100)
	change := func(i int, f func(*plan.Cert)) []plan.Cert {
		out := append([]plan.Cert(nil), certs...)
		f(&out[i])
		return out
	}
	for rule, list := range map[string][]plan.Cert{
		plan.RuleCertificate: certs[:2],
		plan.RuleExpired:     change(1, func(c *plan.Cert) { c.Expiry = expiry }),
		plan.RuleScalars:     change(2, func(c *plan.Cert) { c.Cap = 0 }),
		plan.RuleHolders:     change(0, func(c *plan.Cert) { c.Holders = []string{c.Holders[1], c.Holders[0], c.Holders[2]} }),
	} {
		_, err := plan.Compile(q, ms, list)
		requireRule(t, err, rule)
	}
	_, err := plan.Compile(q, ms, change(0, func(c *plan.Cert) { c.Threshold = 3 }))
	requireRule(t, err, plan.RuleHolders)
	_, err = plan.Compile(q, ms, change(0, func(c *plan.Cert) { c.Parameters = smallParams(t, true) }))
	requireRule(t, err, plan.RuleParameters)
	_, err = plan.Compile(q, ms[1:], certs)
	requireRule(t, err, plan.RuleUnknown)
	_, err = plan.Compile(q, append(ms, ms[0]), certs)
	require.ErrorIs(t, err, plan.ErrInvalid)
	for _, f := range []func(*plan.Query){
		func(q *plan.Query) { q.Columns[0].Lane = "w" },
		func(q *plan.Query) { q.Columns[0].Field = "w" },
		func(q *plan.Query) { q.Sections = []string{"north"} },
		func(q *plan.Query) { q.Datasets[1].Version = "2025-12" },
	} {
		c := *q
		c.Columns, c.Datasets = append([]plan.Column(nil), q.Columns...), append([]plan.Ref(nil), q.Datasets...)
		f(&c)
		_, err = plan.Compile(&c, ms, certs)
		requireRule(t, err, plan.RuleUnknown)
	}
}

// Range: 2^71 is the limit of the plaintext primes; signed rows and bounds decide.
func TestCompileProvesTheRange(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	k := newKeys(t, p, "a")
	m := synthetic(k, 1_000_000_000, 1<<40)
	q := ask(plan.Sum, plan.Column{Dataset: "a", Field: "v", Lane: "v"})
	pl, err := plan.Compile(q, []*plan.Manifest{m}, []plan.Cert{k.cert})
	require.NoError(t, err)
	require.Equal(t, new(big.Int).Mul(big.NewInt(1_000_000_000), big.NewInt(1<<40)).String(), pl.Outputs[0].Bound.String())
	_, err = plan.Compile(q, []*plan.Manifest{synthetic(k, 1_000_000_000, 1<<42)}, []plan.Cert{k.cert})
	requireRule(t, err, plan.RuleRange)
	_, err = plan.Compile(q, []*plan.Manifest{synthetic(k, 1_000_000_000, he.MaxValue)}, []plan.Cert{k.cert})
	requireRule(t, err, plan.RuleRange)
	score := ask(plan.Score, plan.Column{Dataset: "a", Field: "v", Lane: "v", Weight: -1 << 10})
	_, err = plan.Compile(score, []*plan.Manifest{synthetic(k, 1_000_000_000, 1)}, []plan.Cert{k.cert})
	require.NoError(t, err)
	_, err = plan.Compile(score, []*plan.Manifest{synthetic(k, 1_000_000_000, 1<<32)}, []plan.Cert{k.cert})
	requireRule(t, err, plan.RuleRange)
	score.Columns[0].Weight = 1 << 20
	_, err = plan.Compile(score, []*plan.Manifest{synthetic(k, 60_000_000_000, 0)}, []plan.Cert{k.cert})
	requireRule(t, err, plan.RuleNoise)
}

// synthetic is a manifest of one lane without leaves.
func synthetic(k *keys, rows, bound uint64) *plan.Manifest {
	n := uint64(k.params.N())
	return &plan.Manifest{Dataset: "a", Version: "2026-01", Provider: "p", Lanes: []plan.Lane{{
		Name: "v", Kind: plan.Value, Columns: []string{"v"}, Key: k.hash, Degree: uint32(n), Bound: bound,
		Sections: []plan.Section{{Name: "all", Batches: uint32((rows + n - 1) / n), Positions: rows,
			Counts: []plan.Count{{Rows: rows, Subjects: rows, Top1: 1, Top2: 2}}}},
	}}}
}

func TestBillionRowsOf2To40(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a million leaves")
	}
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	k := newKeys(t, p, "a")
	m := synthetic(k, 1_000_000_000, 1<<40)
	pl, err := plan.Compile(ask(plan.Sum, plan.Column{Dataset: "a", Field: "v", Lane: "v"}), []*plan.Manifest{m}, []plan.Cert{k.cert})
	require.NoError(t, err)
	require.Equal(t, "-1099511627776000000000", openedVouched(t, pl, &repeated{t: t, keys: k, manifest: m, value: -1 << 40}, k)[0].String())
}
