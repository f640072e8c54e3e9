package risk

import (
	"context"

	"github.com/stretchr/testify/require"
)

// Exhaustive looks at every node of the lattice, each from the records
// themselves, once for all measures, and gives the best of each: the same
// pricing as Search, and none of its conclusions from one node about another.
func Exhaustive(t require.TestingT, table *Table, quasi []Quasi, c Constraints) []*Recoding {
	var searches []*search
	for m := range measureNames {
		s, err := newSearch(table, quasi, c, Measure(m))
		require.NoError(t, err)
		searches = append(searches, s)
	}
	k := searches[0].checker
	for node := range k.l.nodes {
		v := k.check(node, &k.base)
		if v.suppressed > k.limit {
			continue
		}
		for _, s := range searches {
			cost := k.cost
			k.cost = s.cost
			k.price(node, k.classes.len(), &v)
			k.cost = cost
			s.offer(node, v.value)
		}
	}
	best := make([]*Recoding, len(searches))
	for m, s := range searches {
		if s.best.node < 0 {
			continue
		}
		r, err := s.recoding(table, c, Measure(m))
		require.NoError(t, err)
		best[m] = r
	}
	return best
}

// RequireOptimal compares Search with Exhaustive for every measure, ties
// included.
func RequireOptimal(t require.TestingT, table *Table, quasi []Quasi, c Constraints) {
	for m, want := range Exhaustive(t, table, quasi, c) {
		got, err := Search(context.Background(), table, quasi, c, Measure(m))
		if want == nil {
			require.ErrorIs(t, err, ErrNoRecoding)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want.Levels, got.Levels, Measure(m))
		require.Equal(t, want.Value, got.Value, Measure(m))
		require.Equal(t, want.Suppressed, got.Suppressed)
		require.LessOrEqual(t, got.Checked, got.Nodes)
	}
}
