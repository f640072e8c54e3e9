package dp

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var wideScale = Scale{LaplaceNoise, Rat{1 << 48, 1}}

// start runs a pool to the end of the test.
func start(t *testing.T, src *Source, depth int, scales ...Scale) *Pool {
	p, err := NewPool(src, depth)
	require.NoError(t, err)
	for _, s := range scales {
		require.NoError(t, p.Register(s))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return p
}

func system(t *testing.T) *Source {
	src, err := NewSource(rand.Reader)
	require.NoError(t, err)
	return src
}

// TestPoolHandsOutOnce: over a scale so wide that no draw repeats by chance
// (40,000 draws over 2^48: below 1e-5), eight takers of single draws and of
// bundles never see a value twice.
func TestPoolHandsOutOnce(t *testing.T) {
	p := start(t, system(t), 100, wideScale)
	var wg sync.WaitGroup
	got := make([][]int64, 8)
	for i := range got {
		wg.Go(func() {
			for len(got[i]) < 5000 {
				dst := make([]int64, 1+i*40) // up to three depths
				if err := p.Take(context.Background(), wideScale, dst); err != nil {
					return
				}
				got[i] = append(got[i], dst...)
			}
		})
	}
	wg.Wait()
	seen := map[int64]bool{}
	for _, part := range got {
		require.GreaterOrEqual(t, len(part), 5000)
		for _, v := range part {
			require.False(t, seen[v], "a draw was handed out twice")
			seen[v] = true
		}
	}
}

// TestPoolIsBoundedAndBlocks: nothing before Run, at most depth in stock, and a
// taker waits no longer than its context.
func TestPoolIsBoundedAndBlocks(t *testing.T) {
	p, err := NewPool(system(t), 300)
	require.NoError(t, err)
	require.NoError(t, p.Register(wideScale))
	require.NoError(t, p.Register(wideScale))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	dst := []int64{7}
	require.ErrorIs(t, p.Take(ctx, wideScale, dst), context.DeadlineExceeded)
	require.Zero(t, dst[0])
	require.ErrorIs(t, p.Take(ctx, Scale{GaussianNoise, Rat{1, 1}}, dst), ErrUnknownScale)

	run, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(run) }()
	require.Eventually(t, func() bool { return p.Level(wideScale) == 300 }, 5*time.Second, time.Millisecond)
	require.NoError(t, p.Take(context.Background(), wideScale, dst))
	require.Equal(t, 299, p.Level(wideScale), "above half nothing is refilled")
	p.mu.Lock()
	require.Zero(t, p.shelves[wideScale].ring[0], "what was handed out is wiped")
	p.mu.Unlock()
	late := Scale{GaussianNoise, Rat{25, 1}}
	require.NoError(t, p.Register(late))
	require.NoError(t, p.Take(context.Background(), late, make([]int64, 10)))
	stop()
	require.NoError(t, <-done)
	require.ErrorIs(t, p.Take(context.Background(), wideScale, dst), ErrStopped)
	require.Zero(t, p.Level(wideScale))
	require.ErrorIs(t, p.Run(context.Background()), ErrStopped)
	for _, sh := range p.order {
		for _, v := range sh.ring {
			require.Zero(t, v)
		}
	}
}

// TestPoolWithoutEntropyStops: no noise rather than noise that can be foretold.
func TestPoolWithoutEntropyStops(t *testing.T) {
	src, err := NewSource(bytes.NewReader(make([]byte, seedBytes)))
	require.NoError(t, err)
	p, err := NewPool(src, 10)
	require.NoError(t, err)
	require.NoError(t, p.Register(wideScale))
	require.ErrorContains(t, p.Run(context.Background()), "seed noise source")
	require.ErrorIs(t, p.Take(context.Background(), wideScale, make([]int64, 1)), ErrStopped)
}

func TestPoolRefuses(t *testing.T) {
	for _, depth := range []int{0, -1, maxPoolDepth + 1} {
		_, err := NewPool(system(t), depth)
		require.ErrorIs(t, err, ErrParameter)
	}
	_, err := NewPool(nil, 1)
	require.ErrorIs(t, err, ErrParameter)
	p, err := NewPool(system(t), 1)
	require.NoError(t, err)
	require.ErrorIs(t, p.Register(Scale{}), ErrParameter)
}

func TestDirect(t *testing.T) {
	d := NewDirect(system(t))
	ctx, cancel := context.WithCancel(context.Background())
	dst := make([]int64, 20)
	require.NoError(t, d.Take(ctx, wideScale, dst))
	require.NotContains(t, dst, int64(0))
	require.ErrorIs(t, d.Take(ctx, Scale{}, dst), ErrParameter)
	cancel()
	require.ErrorIs(t, d.Take(ctx, wideScale, dst), context.Canceled)
}

func BenchmarkPoolTake(b *testing.B) {
	src, err := NewSource(rand.Reader)
	require.NoError(b, err)
	p, err := NewPool(src, 1<<16)
	require.NoError(b, err)
	s := Scale{LaplaceNoise, Rat{20, 1}}
	require.NoError(b, p.Register(s))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	dst := make([]int64, 1)
	for b.Loop() {
		_ = p.Take(ctx, s, dst)
	}
	cancel()
	<-done
}
