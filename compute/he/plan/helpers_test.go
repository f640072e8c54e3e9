package plan_test

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

const (
	now    = 1_780_000_000
	expiry = now + 3600
)

// keys is a key set with its planner's view.
type keys struct {
	*hetest.Set
	params *he.Parameters
	hash   [32]byte
	cert   plan.Cert
}

func newKeys(t testing.TB, p *he.Parameters, datasets ...string) *keys {
	set := hetest.New(t, hetest.Literal{Params: p, Datasets: datasets})
	hash, err := set.Cert.Hash()
	require.NoError(t, err)
	var holders []string
	for _, h := range set.Cert.Holders {
		holders = append(holders, h.Name)
	}
	return &keys{Set: set, params: p, hash: hash, cert: plan.Cert{
		Hash: hash, Parameters: p, Holders: holders, Threshold: set.Cert.Threshold, Datasets: datasets,
		Product: set.Cert.Use == ceremony.UseMul, Cap: set.Cert.Cap, Expiry: set.Cert.Expiry,
	}}
}

func smallParams(t testing.TB, multiply bool) *he.Parameters {
	p, err := he.InsecureTestParameters(6, multiply)
	require.NoError(t, err)
	return p
}

// store is an honest source of leaves in memory.
type store struct {
	leaves map[string][][]byte
	hashes map[string][][32]byte
}

func newStore() *store {
	return &store{leaves: map[string][][]byte{}, hashes: map[string][][32]byte{}}
}

func name(dataset, version, lane string) string {
	return strings.Join([]string{dataset, version, lane}, "/")
}

func (s *store) Hashes(_ context.Context, dataset, version, lane string) ([][32]byte, error) {
	return s.hashes[name(dataset, version, lane)], nil
}

func (s *store) Leaf(_ context.Context, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error) {
	return append(buf[:0], s.leaves[name(dataset, version, lane)][batch]...), nil
}

// table makes one record from JSON rows.
func table(t testing.TB, schema *arrow.Schema, rows string) array.RecordReader {
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	require.NoError(t, err)
	r, err := array.NewRecordReader(schema, []arrow.Record{rec})
	require.NoError(t, err)
	return r
}

// build encrypts a whole source and gives its manifest.
func build(t testing.TB, s *store, spec plan.Spec, r array.RecordReader, sets ...*keys) *plan.Manifest {
	b, err := plan.NewBuilder(r.Schema(), spec)
	require.NoError(t, err)
	encryptors := map[[32]byte]*he.Encryptor{}
	for _, k := range sets {
		encryptors[k.hash], err = he.NewEncryptor(k.params, k.Public, rand.Reader)
		require.NoError(t, err)
	}
	for batch, err := range b.Batches(context.Background(), r) {
		require.NoError(t, err)
		l, err := batch.Encrypt(encryptors[batch.Header.Key], nil)
		require.NoError(t, err)
		at := name(spec.Dataset, spec.Version, batch.Lane)
		require.Equal(t, len(s.leaves[at]), int(batch.Header.Batch))
		s.leaves[at] = append(s.leaves[at], l.Bytes())
		require.NoError(t, b.AddLeaf(batch.Lane, batch.Header.Batch, l.Hash()))
	}
	m, err := b.Manifest()
	require.NoError(t, err)
	for _, l := range m.Lanes {
		s.hashes[name(spec.Dataset, spec.Version, l.Name)] = b.LeafHashes(l.Name)
	}
	return m
}

// answer evaluates, opens with two holders and finishes.
func answer(t testing.TB, p *plan.Plan, s plan.LeafSource, sets ...*keys) *plan.Result {
	values := opened(t, p, s, sets...)
	res, err := plan.Finish(p, values)
	require.NoError(t, err)
	return res
}

func opened(t testing.TB, p *plan.Plan, s plan.LeafSource, sets ...*keys) []*big.Int {
	if p.Opens() == 0 {
		return nil
	}
	o := plan.Options{Relin: map[[32]byte]*he.RelinKey{}}
	for _, k := range sets {
		o.Relin[k.hash] = k.Relin
	}
	openings, err := plan.Evaluate(context.Background(), p, sets[0].params, s, o)
	require.NoError(t, err)
	return decrypt(t, p, openings, sets...)
}

func decrypt(t testing.TB, p *plan.Plan, openings []*he.Opening, sets ...*keys) []*big.Int {
	sharing, err := sets[0].Cert.Sharing()
	require.NoError(t, err)
	answers := map[int][]threshold.Answer{}
	for _, holder := range []int{1, 3} {
		var shares []*threshold.Share
		for _, k := range sets {
			shares = append(shares, k.Shares[holder])
		}
		answers[holder], err = threshold.Open(shares, openings)
		require.NoError(t, err)
	}
	values, err := threshold.Combine(sets[0].params, sharing, openings, answers, p.Bounds())
	require.NoError(t, err)
	return values
}

func figure(t testing.TB, r *plan.Result, line int, name string) plan.Figure {
	for _, f := range r.Lines[line].Figures {
		if f.Name == name {
			return f
		}
	}
	require.Fail(t, "no figure", name)
	return plan.Figure{}
}

func openedVouched(t testing.TB, p *plan.Plan, s plan.LeafSource, k *keys) []*big.Int {
	openings, err := plan.Evaluate(context.Background(), p, k.params, s, plan.Options{Vouched: true})
	require.NoError(t, err)
	return decrypt(t, p, openings, k)
}
