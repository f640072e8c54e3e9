package audit

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func memOptions(st *memStore) Options {
	s := fakeSigner{"one"}
	return Options{Dir: "log", CheckpointDir: "second", Origin: testOrigin, KeyName: testName,
		Signer: s, Verify: s.verify, SegmentBytes: minSegmentBytes, MaxGroup: 16, store: st,
		Clock: func() time.Time { return time.UnixMilli(1_700_000_000_000) }}
}

// drive appends from several callers until all are done or the log fails, and
// gives the acknowledged records by index.
func drive(l *Log, workers, each int) map[uint64]int {
	acked := map[uint64]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				n := w*each + i
				a, err := l.Append(context.Background(), record(n))
				if err != nil {
					return
				}
				mu.Lock()
				acked[a.Index] = n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acked
}

// requireAll checks that every acknowledged record is where it was promised,
// that the log still works and that its public material verifies.
func requireAll(t require.TestingT, o Options, acked map[uint64]int) {
	m := &machine{}
	o.Apply = m.apply
	l, err := Open(context.Background(), o)
	require.NoError(t, err)
	for index, n := range acked {
		require.Less(t, index, uint64(len(m.frames)))
		require.Equal(t, record(n).Private, m.frames[index].Private)
		require.Equal(t, record(n).Stated.Text(), m.frames[index].Text)
	}
	size := l.Size()
	require.Equal(t, uint64(len(m.frames)), size)
	a, err := l.Append(context.Background(), record(1))
	require.NoError(t, err)
	require.Equal(t, size, a.Index)
	for index := range size {
		p, err := l.Prove(context.Background(), index)
		require.NoError(t, err)
		require.NoError(t, VerifyInclusion(p.Entry, index, p.Proof, p.Checkpoint))
	}
	require.NoError(t, l.Close())
}

// Every operation, reads among them, fails once, with every kind of failure: what
// was acknowledged is there, and after the failure nothing is accepted.
func TestFailureAtEveryOperation(t *testing.T) {
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EINTR, errTorn, syscall.EROFS} {
		for at := 0; ; at++ {
			st := newMemStore()
			ops, failed := 0, false
			st.hook = func(op, _ string) error {
				ops++
				if ops == at+1 || failed && fault == syscall.EROFS {
					failed = true
					if fault == errTorn && op != "write" {
						return syscall.EIO
					}
					return fault
				}
				return nil
			}
			o := memOptions(st)
			l, err := Open(context.Background(), o)
			acked := map[uint64]int{}
			if err == nil {
				acked = drive(l, 1, 40)
				if len(acked) < 40 {
					_, err := l.Append(context.Background(), record(0))
					require.ErrorIs(t, err, ErrNotDurable)
					require.NotErrorIs(t, err, ErrOutcomeUnknown)
					require.ErrorIs(t, l.Err(), ErrNotDurable)
				}
				_ = l.Close()
			}
			st.hook = nil
			requireAll(t, memOptions(st), acked)
			if !failed {
				break
			}
		}
	}
}

// Every operation of a start over a log with several segments and tiles, reads among them, fails once.
// The start ends with an error that is no verdict on the log, or the log works; without the failure it
// starts with every record.
func TestFailureAtEveryOperationOfAStart(t *testing.T) {
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EINTR} {
		sites := map[string]int{}
		for at := 0; ; at++ {
			st := newMemStore()
			l, err := Open(context.Background(), memOptions(st))
			require.NoError(t, err)
			acked := drive(l, 1, 300)
			require.Len(t, acked, 300)
			require.NoError(t, l.Close())
			ops, failed := 0, false
			st.hook = func(op, _ string) error {
				if ops++; ops != at+1 {
					return nil
				}
				failed = true
				sites[op]++
				return fault
			}
			l, err = Open(context.Background(), memOptions(st))
			var verdict *SealedError
			require.False(t, errors.As(err, &verdict), "operation %d: %v", at, err)
			if err == nil {
				_ = l.Close()
			}
			st.hook = nil
			requireAll(t, memOptions(st), acked)
			if !failed {
				break
			}
		}
		for _, op := range []string{"create", "open", "read", "readdir", "write", "sync"} {
			require.Positive(t, sites[op], op)
		}
	}
}

// A failed sync may have lost data: what was in flight has an unknown outcome,
// and no later sync makes it good.
func TestFailedSyncIsNotTriedAgain(t *testing.T) {
	st := newMemStore()
	l, err := Open(context.Background(), memOptions(st))
	require.NoError(t, err)
	_, err = l.Append(context.Background(), record(0))
	require.NoError(t, err)
	st.mu.Lock()
	syncs := 0
	st.hook = func(op, name string) error {
		if op == "sync" && name != "second/checkpoints" {
			syncs++
			return syscall.EIO
		}
		return nil
	}
	st.mu.Unlock()
	_, err = l.Append(context.Background(), record(1))
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.ErrorIs(t, err, ErrNotDurable)
	for range 3 {
		_, err = l.Append(context.Background(), record(2))
		require.ErrorIs(t, err, ErrNotDurable)
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
	}
	require.Equal(t, uint64(1), l.Size())
	require.ErrorIs(t, l.Close(), ErrNotDurable)
	require.Equal(t, 1, syncs)
}

func TestFailingApplyOrSignerStopsTheLog(t *testing.T) {
	st := newMemStore()
	o := memOptions(st)
	o.Apply = func(f Frame) error {
		if f.Index == 2 {
			return errors.New("state machine refuses")
		}
		return nil
	}
	l, err := Open(context.Background(), o)
	require.NoError(t, err)
	require.Len(t, drive(l, 1, 5), 2)
	require.ErrorIs(t, l.Close(), ErrNotDurable)
	_, err = Open(context.Background(), o)
	require.ErrorContains(t, err, "apply frame 2")
	requireAll(t, memOptions(st), map[uint64]int{0: 0, 1: 1, 2: 2})
}

// After a power failure at any moment every acknowledged append is there, or,
// where the disk lost what it had called durable, the log is sealed.
func TestPowerFailureKeepsWhatWasAcknowledged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 1))
		st := newMemStore()
		all := map[uint64]int{}
		for round := range rapid.IntRange(1, 3).Draw(t, "rounds") {
			limit := rapid.IntRange(1, 400).Draw(t, "operations")
			ops := 0
			st.hook = func(op, _ string) error {
				if op == "open" || op == "read" || op == "readdir" {
					return nil // what is left in memory is looked at below
				}
				if ops++; ops > limit {
					return syscall.EIO // the machine is gone
				}
				return nil
			}
			o := memOptions(st)
			if l, err := Open(context.Background(), o); err == nil {
				for index := range drive(l, rapid.IntRange(1, 4).Draw(t, "workers"), 12) {
					f, err := l.Frame(context.Background(), index)
					require.NoError(t, err)
					all[index] = int(f.Entry.Time - 1000)
				}
				_ = l.Close()
			} else {
				var sealedErr *SealedError
				require.False(t, errors.As(err, &sealedErr), "round %d: %v", round, err)
			}
			st = st.crash(r)
		}
		requireAll(t, memOptions(st), all)
	})
}

// Tiles are written in place. Whatever part of them a power failure leaves, the
// next start, from a snapshot or not, has them whole again.
func TestPowerFailureLeavesNoTornTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		st, limit, ops := newMemStore(), rapid.IntRange(20, 700).Draw(t, "operations"), 0
		st.hook = func(op, _ string) error {
			if op == "open" || op == "read" || op == "readdir" {
				return nil
			}
			if ops++; ops > limit {
				return syscall.EIO
			}
			return nil
		}
		if l, err := Open(context.Background(), memOptions(st)); err == nil {
			for range 3 {
				drive(l, 8, 30)
				_ = l.SaveSnapshot("a", l.Size(), nil)
			}
			_ = l.Close()
		}
		st = st.crash(r)
		o := memOptions(st)
		if s, err := LoadSnapshot(context.Background(), o, "a"); err == nil {
			o.From = s
		}
		l, err := Open(context.Background(), o)
		require.NoError(t, err)
		for i := range l.Size() >> tileHeight {
			for _, level := range []int{bundleLevel, 0} {
				id := tileID{level, i}
				want, err := l.rebuild(id)
				require.NoError(t, err)
				got, err := readFile(st, publicFile(publicRoot(&l.o), level, i, tileWidth), fullBundle)
				require.NoError(t, err)
				require.Equal(t, want, got, "level %d, index %d", level, i)
			}
		}
		require.NoError(t, l.Close())
	})
}
