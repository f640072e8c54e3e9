package disclosure

import (
	"context"
	mrand "math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestScale registers many tables by suppression and reports what one more
// costs, and the attack on all. YUMEN_DISCLOSURE_UNITS and _TABLES enlarge it:
// 1000000 and 1000 are the figures of the requirement.
func TestScale(t *testing.T) {
	units, tables := size(t, "YUMEN_DISCLOSURE_UNITS", 100_000), size(t, "YUMEN_DISCLOSURE_TABLES", 60)
	ctx := context.Background()
	rng := mrand.New(seeded(3).(mrand.Source))
	w := newAttributes(rng, units)
	r := newRegistry(t, city(units))
	start := time.Now()
	withheld, refused := w.register(t, r, rng, tables)
	t.Logf("%d units, %d tables: %v for all; %d cells withheld, %d tables refused; %d atoms, rank %d, %d rows",
		units, tables, time.Since(start).Round(time.Millisecond), withheld, refused, r.Atoms(), r.Rank(), len(r.rows))
	for range 3 {
		next := w.table(rng)
		start = time.Now()
		tr, err := r.Suppress(ctx, next)
		if err == nil {
			t.Logf("one more by Suppress: %v, %d cells, %d small atoms", time.Since(start).Round(time.Millisecond), len(next.Shown), tr.Report().Small)
		} else {
			require.ErrorIs(t, err, ErrUnsafe)
			t.Logf("one more by Suppress, refused: %v, %d cells", time.Since(start).Round(time.Millisecond), len(next.Shown))
		}
		start = time.Now()
		tr, err = r.Try(ctx, next)
		require.NoError(t, err)
		t.Logf("  as declared by Try: %v, %v", time.Since(start).Round(time.Millisecond), rules(tr.Report()))
	}
	start = time.Now()
	got, err := r.Reconstruct(ctx, coins(rng, units), nil, Attack{})
	require.NoError(t, err)
	t.Logf("attack: %v %+v", time.Since(start).Round(time.Millisecond), got)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("live heap %d MB, from the system %d MB", m.HeapAlloc>>20, m.Sys>>20)
	runtime.KeepAlive(r)
}

func size(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
