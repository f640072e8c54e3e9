package disclosure

import (
	"context"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func coins(rng *mrand.Rand, n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = rng.IntN(2) == 1
	}
	return out
}

func half(rng *mrand.Rand, n int) *Table {
	return by(n, 1, func(int) int { return rng.IntN(2) - 1 })
}

func told(table *Table, secret []bool, noise func() float64) []float64 {
	out := make([]float64, len(table.Shown))
	for u, c := range table.Cells {
		if c != None && secret[u] {
			out[c]++
		}
	}
	for c := range out {
		out[c] += noise()
	}
	return out
}

// The attack must work where it should: random subsets, as many as units, give
// back everything, and with noise below the root of the size nearly so.
func TestAttackOnDenseQueriesWorks(t *testing.T) {
	ctx := context.Background()
	rng := mrand.New(seeded(7).(mrand.Source))
	const n = 128
	secret := coins(rng, n)
	r := newRegistry(t, Universe{Units: n, Least: 1, KnownTotal: true})
	for range n + n/4 {
		_, err := r.Add(ctx, half(rng, n))
		if err != nil {
			require.ErrorIs(t, err, ErrUnsafe) // least 1: only an empty complement
		}
	}
	got, err := r.Reconstruct(ctx, secret, nil, Attack{})
	require.NoError(t, err)
	t.Logf("exact: %+v rank %d", got, r.Rank())
	require.InDelta(t, 1, got.Recovered, 0)
	require.InDelta(t, 1, got.Ceiling, 0)
	require.Less(t, got.Base, 0.6)

	var noisy []Noisy
	for range 4 * n {
		table := half(rng, n)
		noisy = append(noisy, Noisy{Table: table, Spread: 2, Values: told(table, secret, func() float64 { return 2 * rng.NormFloat64() })})
	}
	empty := newRegistry(t, Universe{Units: n, Least: 10, KnownTotal: true})
	got, err = empty.Reconstruct(ctx, secret, noisy, Attack{})
	require.NoError(t, err)
	t.Logf("noise 2: %+v", got)
	require.Greater(t, got.Recovered, 0.95)
	require.Equal(t, 1, empty.Atoms(), "the attack leaves the registry alone")
}

// Noise of the order of the size hides the bits from the same queries.
func TestAttackFailsAgainstLargeNoise(t *testing.T) {
	ctx := context.Background()
	rng := mrand.New(seeded(8).(mrand.Source))
	const n = 128
	secret := coins(rng, n)
	var noisy []Noisy
	for range n {
		table := half(rng, n)
		noisy = append(noisy, Noisy{Table: table, Spread: 100, Values: told(table, secret, func() float64 { return 100 * rng.NormFloat64() })})
	}
	r := newRegistry(t, Universe{Units: n, Least: 10})
	got, err := r.Reconstruct(ctx, secret, noisy, Attack{})
	require.NoError(t, err)
	t.Logf("%+v", got)
	require.Less(t, got.Recovered, 0.65)
}

// Registered tables over a base partition give back less than 60 of 100 bits.
func TestReconstructionFromRegisteredTables(t *testing.T) {
	ctx := context.Background()
	rng := mrand.New(seeded(9).(mrand.Source))
	const n = 10_000
	w := newAttributes(rng, n)
	secret := coins(rng, n)
	r := newRegistry(t, city(n))
	withheld, refused := w.register(t, r, rng, 30)
	got, err := r.Reconstruct(ctx, secret, nil, Attack{})
	require.NoError(t, err)
	t.Logf("tables %d (refused %d) withheld %d atoms %d rank %d: %+v", r.Tables(), refused, withheld, r.Atoms(), r.Rank(), got)
	require.Less(t, got.Recovered, 0.6)
	again, err := r.Reconstruct(ctx, secret, nil, Attack{})
	require.NoError(t, err)
	require.Equal(t, got, again)
}

func TestReconstructRefusesMalformedInput(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t, city(100))
	secret := make([]bool, 100)
	_, err := r.Reconstruct(ctx, secret[1:], nil, Attack{})
	require.ErrorIs(t, err, ErrTable)
	table := inRange(100, 0, 50)
	for _, bad := range []Noisy{{}, {Table: table}, {Table: table, Values: []float64{1}, Spread: -1}} {
		_, err = r.Reconstruct(ctx, secret, []Noisy{bad}, Attack{})
		require.ErrorIs(t, err, ErrTable)
	}
	_, err = r.Reconstruct(ctx, secret, nil, Attack{})
	require.NoError(t, err)
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = r.Reconstruct(stopped, secret, nil, Attack{})
	require.ErrorIs(t, err, context.Canceled)
}
