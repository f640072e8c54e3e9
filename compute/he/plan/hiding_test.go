package plan_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
)

// Weights whose noise decodes but is too long for the masks are refused: many such openings could be averaged to
// equations in the secret.
func TestWeightsThatMasksWouldNotHideAreRefused(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	k := newKeys(t, p, "a")
	score := func(weights ...int64) error {
		m := synthetic(k, 1_000_000, 1)
		q := ask(plan.Score)
		q.Datasets = []plan.Ref{{Dataset: "a", Version: "2026-01"}}
		lane := m.Lanes[0]
		m.Lanes = nil
		for i, w := range weights {
			lane.Name = string(rune('v' + i))
			m.Lanes = append(m.Lanes, lane)
			q.Columns = append(q.Columns, plan.Column{Dataset: "a", Field: "v", Lane: lane.Name, Weight: w})
		}
		_, err := plan.Compile(q, []*plan.Manifest{m}, []plan.Cert{k.cert})
		return err
	}
	// The greatest weight that hides, from the bound itself: batches are full ones, rounded up.
	rows := big.NewInt(int64((1_000_000 + p.N() - 1) / p.N() * p.N()))
	hidden := func(w int64) bool {
		v := new(big.Int).Mul(big.NewInt(w), big.NewInt(w))
		return p.CheckHiding(v.Mul(v, rows).Mul(v, p.FreshVariance(3)), 3) == nil
	}
	edge := int64(1 << 15)
	for hidden(edge + 1) {
		edge++
	}
	require.Less(t, edge, int64(1<<17))
	require.NoError(t, p.CheckNoise(new(big.Int).Mul(p.FreshNoise(3), new(big.Int).Mul(rows, big.NewInt(edge+1))), 3), "decoding would bear it")
	require.NoError(t, score(edge))
	require.NoError(t, score(-edge))
	requireRule(t, score(edge+1), plan.RuleNoise)
	requireRule(t, score(-edge-1), plan.RuleNoise)
	require.NoError(t, score(edge*7/10, edge*7/10), "squares add")
	requireRule(t, score(edge*8/10, edge*8/10), plan.RuleNoise)
	requireRule(t, score(1, edge+1), plan.RuleNoise)
}
