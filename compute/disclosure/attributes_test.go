package disclosure

import (
	"context"
	"errors"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// attributes is a skewed population over a base partition: five attributes.
type attributes struct {
	levels []int
	value  [][]uint8 // attribute -> unit
}

func newAttributes(rng *mrand.Rand, units int) *attributes {
	w := &attributes{levels: []int{12, 8, 2, 5, 4}}
	for _, k := range w.levels {
		v := make([]uint8, units)
		for u := range v {
			v[u] = uint8(min(rng.IntN(k), rng.IntN(k+k/2)))
		}
		w.value = append(w.value, v)
	}
	return w
}

// table groups by one or two attributes what passes a filter on a third and,
// half of the time, a fourth.
func (w *attributes) table(rng *mrand.Rand) *Table {
	order := rng.Perm(len(w.levels))
	group := order[:1+rng.IntN(2)]
	filter := order[len(group) : len(group)+rng.IntN(3)]
	var low, high []int
	for _, f := range filter {
		a, b := rng.IntN(w.levels[f]), rng.IntN(w.levels[f])
		low, high = append(low, min(a, b)), append(high, max(a, b))
	}
	k := 1
	for _, g := range group {
		k *= w.levels[g]
	}
	table := by(len(w.value[0]), k, func(u int) int {
		for i, f := range filter {
			if v := int(w.value[f][u]); v < low[i] || v > high[i] {
				return -1
			}
		}
		c := 0
		for _, g := range group {
			c = c*w.levels[g] + int(w.value[g][u])
		}
		return c
	})
	table.Total = rng.IntN(2) == 0
	return table
}

// register suppresses and registers tables until there are as many as wanted.
func (w *attributes) register(t testing.TB, r *Registry, rng *mrand.Rand, tables int) (withheld, refused int) {
	ctx := context.Background()
	for r.Tables() < tables {
		tr, err := r.Suppress(ctx, w.table(rng))
		if errors.Is(err, ErrUnsafe) {
			refused++
			continue
		}
		require.NoError(t, err)
		for _, on := range tr.Shown() {
			if !on {
				withheld++
			}
		}
		require.NoError(t, tr.Commit())
	}
	return withheld, refused
}
