package inorder

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var errTest = errors.New("test")

// ledger counts what is held.
type ledger struct{ items, results atomic.Int64 }

// pipe squares 0 to n-1; the items from bad on fail.
func pipe(ctx context.Context, l *ledger, n, workers, bad int, size func(int) int64, limit int64) *Pipe[int, int] {
	at := 0
	return New(ctx, Config[int, int]{
		Workers: workers, Bytes: limit,
		Source: func(context.Context) (int, int64, bool, error) {
			if at == n {
				return 0, 0, false, nil
			}
			at++
			l.items.Add(1)
			return at - 1, size(at - 1), true, nil
		},
		Work: func(_ context.Context, i int) (int, error) {
			l.items.Add(-1)
			if i%3 == 0 {
				runtime.Gosched()
			}
			if i >= bad {
				return 0, errTest
			}
			l.results.Add(1)
			return i * i, nil
		},
		Drop:    func(int) { l.items.Add(-1) },
		Discard: func(int) { l.results.Add(-1) },
	})
}

func TestOrderAndAccounts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, workers := rapid.IntRange(0, 60).Draw(rt, "n"), rapid.IntRange(0, 5).Draw(rt, "workers")
		bad := rapid.IntRange(0, 80).Draw(rt, "bad")
		stop := rapid.IntRange(0, 80).Draw(rt, "stop")
		limit := rapid.Int64Range(1, 40).Draw(rt, "limit")
		l := &ledger{}
		p := pipe(context.Background(), l, n, workers, bad, func(i int) int64 { return int64(i % 50) }, limit)
		got := 0
		for got < stop {
			v, ok, err := p.Next()
			if !ok {
				if got == n {
					require.NoError(rt, err)
				} else {
					require.ErrorIs(rt, err, errTest)
					require.Equal(rt, bad, got, "the first in order fails, and no earlier one")
				}
				_, again, same := p.Next()
				require.False(rt, again)
				require.Equal(rt, err, same)
				break
			}
			require.Equal(rt, got*got, v)
			l.results.Add(-1)
			got++
		}
		p.Close()
		require.Zero(rt, l.items.Load())
		require.Zero(rt, l.results.Load())
	})
}

func TestNothingRunsBeforeNextOrAfterClose(t *testing.T) {
	before := runtime.NumGoroutine()
	l := &ledger{}
	p := pipe(context.Background(), l, 1000, 4, 2000, func(int) int64 { return 1 }, 10)
	require.Equal(t, before, runtime.NumGoroutine())
	require.Zero(t, l.items.Load())
	_, ok, err := p.Next()
	require.True(t, ok)
	require.NoError(t, err)
	l.results.Add(-1)
	p.Close()
	require.Zero(t, l.items.Load()+l.results.Load())
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		runtime.Gosched() // they have said that they end; let them
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	l := &ledger{}
	p := pipe(ctx, l, 1000, 4, 2000, func(int) int64 { return 1 }, 10)
	_, ok, _ := p.Next()
	require.True(t, ok)
	l.results.Add(-1)
	cancel(errTest)
	_, ok, err := p.Next()
	require.False(t, ok)
	require.ErrorIs(t, err, errTest)
	p.Close()
	require.Zero(t, l.items.Load()+l.results.Load())
	unused := pipe(ctx, l, 10, 4, 2000, func(int) int64 { return 1 }, 10)
	_, ok, err = unused.Next()
	require.False(t, ok)
	require.ErrorIs(t, err, errTest)
	unused.Close()
}

// TestBytesAreBounded: what is admitted and not yet taken stays within the
// bound, but for one item alone.
func TestBytesAreBounded(t *testing.T) {
	var used, most atomic.Int64
	at := int64(0)
	p := New(context.Background(), Config[int64, int64]{
		Workers: 3, Bytes: 100,
		Source: func(context.Context) (int64, int64, bool, error) {
			at++
			size := at%37 + 1
			return size, size, at <= 500, nil
		},
		Work: func(_ context.Context, n int64) (int64, error) {
			now := used.Add(n)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			return n, nil
		},
		Drop: func(int64) {}, Discard: func(int64) {},
	})
	defer p.Close()
	for n := 0; ; n++ {
		v, ok, err := p.Next()
		require.NoError(t, err)
		if !ok {
			require.Equal(t, 500, n)
			break
		}
		used.Add(-v)
	}
	require.LessOrEqual(t, most.Load(), int64(100))
}
