package audit

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAppendReplayProve(t *testing.T) {
	o := testOptions(t)
	live := &machine{}
	o.Apply = live.apply
	l := mustOpen(t, o)
	require.Zero(t, l.Size())
	acks := fill(t, l, 0, 700)
	leaves := make([][]byte, 0, len(acks))
	for i, a := range acks {
		require.Equal(t, uint64(i), a.Index)
		require.NoError(t, VerifyInclusion(a.Entry, a.Index, a.Proof, a.Checkpoint))
		leaves = append(leaves, a.Entry)
		cp, err := ParseCheckpoint(a.Checkpoint.Text, testOrigin, testName, o.Verify)
		require.NoError(t, err)
		require.Equal(t, a.Checkpoint, cp)
	}
	require.Equal(t, naiveRoot(leaves), l.Latest().Root)
	require.Equal(t, int64(1699), l.LastTime())
	for _, i := range []uint64{0, 1, 255, 256, 511, 512, 699} {
		a, err := l.Prove(context.Background(), i)
		require.NoError(t, err)
		require.Equal(t, naivePath(int(i), leaves), a.Proof)
		f, err := l.Frame(context.Background(), i)
		require.NoError(t, err)
		require.Equal(t, record(int(i)).Private, f.Private)
		require.Equal(t, record(int(i)).Stated.Text(), f.Text)
	}
	_, err := l.Prove(context.Background(), 700)
	require.ErrorIs(t, err, ErrNoEntry)
	n := 650
	for f, err := range l.Frames(context.Background(), 650) {
		require.NoError(t, err)
		require.Equal(t, uint64(n), f.Index)
		require.Equal(t, record(n).Private, f.Private)
		n++
	}
	require.Equal(t, 700, n)
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Close(), ErrClosed)
	_, err = l.Append(context.Background(), record(0))
	require.ErrorIs(t, err, ErrClosed)

	again := &machine{}
	o.Apply = again.apply
	l = mustOpen(t, o)
	require.Equal(t, live.frames, again.frames)
	require.Equal(t, uint64(700), l.Size())
	fill(t, l, 700, 1100)
	older := acks[len(acks)-1].Checkpoint
	path, newest, err := l.ProveConsistency(context.Background(), older.Size)
	require.NoError(t, err)
	require.NoError(t, VerifyConsistency(older, newest, path))

	out := filepath.Join(t.TempDir(), "export")
	require.NoError(t, l.Export(context.Background(), out))
	rep, err := VerifyDir(context.Background(), out, testOrigin, testName, o.Verify,
		Claim{Name: "receipt", Checkpoint: older, Index: 699, Entry: acks[699].Entry})
	require.NoError(t, err)
	require.Equal(t, uint64(1100), rep.Entries[Release]+rep.Entries[Refusal])
	require.NoError(t, l.Publish(context.Background()))
	_, err = VerifyDir(context.Background(), filepath.Join(o.Dir, "public"), testOrigin, testName, o.Verify)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	*again = machine{} // it sees every frame once more
	fsck, err := Fsck(context.Background(), o)
	require.NoError(t, err)
	require.True(t, fsck.OK())
	require.Equal(t, uint64(1100), fsck.Frames)
	require.Len(t, again.frames, 1100)
}

func TestSecondProcessIsLockedOut(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	_, err := Open(context.Background(), o)
	require.ErrorIs(t, err, ErrLocked)
	_, err = Fsck(context.Background(), o)
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, l.Close())
	require.NoError(t, mustOpen(t, o).Close())
}

func TestConcurrentAppendsShareGroups(t *testing.T) {
	o := testOptions(t)
	m := &machine{}
	o.Apply = m.apply
	l := mustOpen(t, o)
	const workers, each = 32, 40
	acks := make([][]*Appended, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				a, err := l.Append(context.Background(), record(w*each+i))
				if err == nil && VerifyInclusion(a.Entry, a.Index, a.Proof, a.Checkpoint) == nil {
					acks[w] = append(acks[w], a)
				}
			}
		})
	}
	wg.Wait()
	seen := map[uint64]bool{}
	for w := range workers {
		require.Len(t, acks[w], each)
		for i, a := range acks[w] {
			require.False(t, seen[a.Index])
			seen[a.Index] = true
			require.Equal(t, record(w*each+i).Private, m.frames[a.Index].Private)
		}
	}
	require.NoError(t, l.Close())
}

func TestContextBoundsTheWait(t *testing.T) {
	o := testOptions(t)
	hold := make(chan struct{})
	entered := make(chan struct{}, 8)
	o.Apply = func(Frame) error { entered <- struct{}{}; <-hold; return nil }
	l := mustOpen(t, o)
	first := make(chan error, 1)
	ctx1, cancel1 := context.WithCancel(context.Background())
	go func() { _, err := l.Append(ctx1, record(0)); first <- err }()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := l.Append(ctx, record(1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
	cancel1() // its frame is written already
	require.ErrorIs(t, <-first, ErrOutcomeUnknown)
	close(hold)
	require.NoError(t, l.Close())
	o.Apply = nil
	l = mustOpen(t, o)
	require.Equal(t, uint64(1), l.Size())
	require.NoError(t, l.Close())
}

func stating(text []byte) Record {
	s := State(text)
	return Record{Kind: Release, Statement: s.Hash(), Stated: s}
}

func TestRecordsOutsideTheFormatAreRefused(t *testing.T) {
	l := mustOpen(t, testOptions(t))
	for _, r := range []Record{{Kind: 0}, {Kind: 12}, {Kind: Release, Time: -1},
		{Kind: Release, Private: make([]byte, MaxPrivate+1)}, stating(nil), stating([]byte{}), stating(make([]byte, MaxStatement+1)),
		{Kind: Release, Statement: Hash{1}, Stated: State([]byte("a"))}, {Kind: Release, Stated: State([]byte("a"))}} {
		_, err := l.Append(context.Background(), r)
		require.ErrorIs(t, err, ErrRecord)
	}
	a, err := l.Append(context.Background(), Record{Kind: Genesis, Private: make([]byte, MaxPrivate)})
	require.NoError(t, err)
	require.Zero(t, a.Index)
	a, err = l.Append(context.Background(), Record{Kind: Outcome})
	require.NoError(t, err)
	require.Equal(t, uint64(1), a.Index)
	_, err = l.Append(context.Background(), stating(make([]byte, MaxStatement)))
	require.NoError(t, err)
	f, err := l.Frame(context.Background(), 0)
	require.NoError(t, err)
	require.Len(t, f.Private, MaxPrivate)
	f, err = l.Frame(context.Background(), 2)
	require.NoError(t, err)
	require.Len(t, f.Text, MaxStatement)
	require.Empty(t, f.Private)
	require.NoError(t, l.Close())
}
