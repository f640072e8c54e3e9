package audit

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func exported(t *testing.T, l *Log) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "export")
	require.NoError(t, l.Export(context.Background(), dir))
	return dir
}

func verifyDir(o Options, dir string, claims ...Claim) error {
	_, err := VerifyDir(context.Background(), dir, o.Origin, o.KeyName, o.Verify, claims...)
	return err
}

func requireClaim(t *testing.T, err error, name string) {
	t.Helper()
	var c *ClaimError
	require.ErrorAs(t, err, &c)
	require.Equal(t, name, c.Claim)
}

func TestExportVerifiesAtEverySize(t *testing.T) {
	o := memOptions(newMemStore())
	o.Dir, o.CheckpointDir, o.store = filepath.Join(t.TempDir(), "l"), filepath.Join(t.TempDir(), "c"), nil
	l := mustOpen(t, o)
	for _, n := range []int{0, 1, 2, 255, 256, 257, 512, 600} {
		fill(t, l, int(l.Size()), n)
		dir := exported(t, l)
		rep, err := VerifyDir(context.Background(), dir, o.Origin, o.KeyName, o.Verify)
		require.NoError(t, err, "size %d", n)
		require.Equal(t, uint64(n), rep.Checkpoint.Size)
		require.NoError(t, l.Publish(context.Background()))
		require.NoError(t, verifyDir(o, filepath.Join(o.Dir, "public")), "size %d", n)
	}
	require.ErrorContains(t, l.Export(context.Background(), o.Dir), "not empty")
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Publish(context.Background()), ErrClosed)
	require.ErrorIs(t, l.Export(context.Background(), filepath.Join(t.TempDir(), "x")), ErrClosed)
	require.ErrorIs(t, l.SaveSnapshot("a", 1, nil), ErrClosed)
}

func TestExportHoldsNothingPrivate(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	secret := []byte("a private record of somebody")
	for range 300 {
		_, err := l.Append(context.Background(), Record{Kind: Release, Private: secret})
		require.NoError(t, err)
	}
	for _, dir := range []string{exported(t, l), filepath.Join(o.Dir, "public")} {
		require.NoError(t, l.Publish(context.Background()))
		for path, body := range dirContent(t, dir) {
			require.NotContains(t, body, string(secret[:12]))
			rel, err := filepath.Rel(dir, path)
			require.NoError(t, err)
			_, _, _, ok := parseTilePath(filepath.ToSlash(rel))
			require.True(t, ok || rel == "checkpoint", rel)
		}
	}
	require.NoError(t, l.Close())
}

func TestEveryChangedByteOfAnExportIsFound(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 260)
	dir := exported(t, l)
	require.NoError(t, l.Close())
	for path, body := range dirContent(t, dir) {
		step := 1 + len(body)/150
		for at := 0; at < len(body); at += step {
			changed := []byte(body)
			changed[at] ^= 1 << (at % 8)
			require.NoError(t, os.WriteFile(path, changed, 0o600))
			var c *ClaimError
			require.ErrorAs(t, verifyDir(o, dir), &c, "%s byte %d", filepath.Base(path), at)
		}
		for _, other := range []string{body[:len(body)-1], body + "\x00", ""} {
			require.NoError(t, os.WriteFile(path, []byte(other), 0o600))
			require.Error(t, verifyDir(o, dir))
		}
		require.NoError(t, os.Remove(path))
		require.Error(t, verifyDir(o, dir))
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
	}
	require.NoError(t, verifyDir(o, dir))
	for _, stray := range []string{"x", "tile/0/002", "tile/0/001.p/5", "tile/entries/001.p/3", "tile/2/000.p/1", "tile/0/001.p/4.tmp"} {
		path := filepath.Join(dir, stray)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		requireClaim(t, verifyDir(o, dir), "log files")
		require.NoError(t, os.Remove(path))
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, "checkpoint"), filepath.Join(dir, "tile", "000")))
	requireClaim(t, verifyDir(o, dir), "log files")
}

// Reordered and edited entries with matching tiles still do not lead to the
// signed root; an older log lacks what receipts claim; a fork contradicts them.
func TestForksAndOlderLogsContradictReceipts(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 300)
	old := exported(t, l)
	fork := o
	fork.Dir, fork.CheckpointDir = o.Dir+".fork", o.CheckpointDir+".fork"
	require.NoError(t, l.Close())
	copyTree(t, o.Dir, fork.Dir)
	copyTree(t, o.CheckpointDir, fork.CheckpointDir)
	l = mustOpen(t, o)
	receipt := fill(t, l, 300, 320)[10]
	honest := exported(t, l)
	require.NoError(t, l.Close())
	l = mustOpen(t, fork)
	fill(t, l, 1300, 1340)
	forged := exported(t, l)
	require.NoError(t, l.Close())

	c := Claim{Name: "receipts/7.json", Checkpoint: receipt.Checkpoint, Index: receipt.Index, Entry: receipt.Entry}
	require.NoError(t, verifyDir(o, honest, c))
	require.NoError(t, verifyDir(o, forged))
	requireClaim(t, verifyDir(o, forged, c), c.Name)
	requireClaim(t, verifyDir(o, forged, Claim{Name: "witness", Checkpoint: receipt.Checkpoint}), "witness")
	require.NoError(t, verifyDir(o, old))
	requireClaim(t, verifyDir(o, old, c), c.Name)
	wrong := c
	wrong.Index--
	requireClaim(t, verifyDir(o, honest, wrong), c.Name)
	wrong.Index = 5000
	requireClaim(t, verifyDir(o, honest, wrong), c.Name)
	requireClaim(t, verifyDir(o, honest, Claim{Name: "n"}), "n")

	// The forger who also rewrites the tiles lacks the key.
	cp, err := os.ReadFile(filepath.Join(honest, "checkpoint"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(forged, "checkpoint"), cp, 0o600))
	require.Error(t, verifyDir(o, forged))
	o.Verify = fakeSigner{"two"}.verify
	requireClaim(t, verifyDir(o, honest), "log checkpoint")
	err = verifyDir(o, filepath.Join(honest, "missing"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), honest)
}

func TestSnapshotsShortenTheReplay(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 1000)
	require.ErrorIs(t, l.SaveSnapshot("ledger", 1001, nil), ErrNoEntry)
	require.ErrorIs(t, l.SaveSnapshot("../x", 1, nil), ErrRecord)
	for _, n := range []uint64{300, 700, 900} {
		require.NoError(t, l.SaveSnapshot("ledger", n, []byte("state at "+string(rune('a'+n/100)))))
	}
	fill(t, l, 1000, 1100)
	want := l.Latest()
	require.NoError(t, l.Close())

	files, err := filepath.Glob(filepath.Join(o.Dir, "snapshots", "*"))
	require.NoError(t, err)
	require.Len(t, files, snapshotsKept)
	s, err := LoadSnapshot(context.Background(), o, "ledger")
	require.NoError(t, err)
	require.Equal(t, uint64(900), s.Index)
	require.Equal(t, "state at j", string(s.Payload))
	_, err = LoadSnapshot(context.Background(), o, "other")
	require.ErrorIs(t, err, ErrNoSnapshot)

	check := func() {
		t.Helper()
		m := &machine{next: s.Index}
		o.Apply, o.From = m.apply, s
		l, err := Open(context.Background(), o)
		require.NoError(t, err)
		require.Equal(t, want.Root, l.Latest().Root)
		require.Len(t, m.frames, int(1100-s.Index))
		require.Equal(t, int64(2099), l.LastTime())
		for _, i := range []uint64{0, 255, 256, 700, 899, 900, 1099} {
			a, err := l.Prove(context.Background(), i)
			require.NoError(t, err)
			require.NoError(t, VerifyInclusion(a.Entry, i, a.Proof, a.Checkpoint))
		}
		require.NoError(t, verifyDir(o, exported(t, l)))
		require.NoError(t, l.Close())
	}
	check()
	// Tiles that were damaged or lost do not matter: the frames tell.
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "public/tile/0/001"), make([]byte, fullTile), 0o600))
	check()
	require.NoError(t, os.RemoveAll(filepath.Join(o.Dir, "public/tile")))
	check()
}

func TestBadSnapshotsArePassedOver(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 50)
	require.NoError(t, l.SaveSnapshot("ledger", 20, []byte("old")))
	require.NoError(t, l.SaveSnapshot("ledger", 40, []byte("new")))
	require.NoError(t, l.Close())
	path := filepath.Join(o.Dir, "snapshots", snapshotFile("ledger", 40))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	var logged bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	for at := range whole {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		s, err := LoadSnapshot(context.Background(), o, "ledger")
		require.NoError(t, err)
		require.Equal(t, uint64(20), s.Index, "byte %d", at)
	}
	require.Contains(t, logged.String(), "snapshot passed over")
	require.NotContains(t, logged.String(), o.Dir)
	// A checksum that was computed again does not help: the signature is missing.
	changed := bytes.Clone(whole)
	copy(changed[snapshotHeader:], "odd")
	sum := HashOf(changed[:len(changed)-HashSize])
	copy(changed[len(changed)-HashSize:], sum[:])
	require.NoError(t, os.WriteFile(path, changed, 0o600))
	s, err := LoadSnapshot(context.Background(), o, "ledger")
	require.NoError(t, err)
	require.Equal(t, uint64(20), s.Index)
	// Nor does a whole one under another name or index.
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	require.NoError(t, os.Rename(path, filepath.Join(o.Dir, "snapshots", snapshotFile("ledger", 45))))
	s, err = LoadSnapshot(context.Background(), o, "ledger")
	require.NoError(t, err)
	require.Equal(t, uint64(20), s.Index)
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "snapshots", snapshotFile("other", 40)), whole, 0o600))
	_, err = LoadSnapshot(context.Background(), o, "other")
	require.ErrorIs(t, err, ErrNoSnapshot)
}

func TestSnapshotTheLogDoesNotBearOutSealsIt(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 300)
	require.NoError(t, l.Close())
	fork := o
	fork.Dir, fork.CheckpointDir = o.Dir+".fork", o.CheckpointDir+".fork"
	copyTree(t, o.Dir, fork.Dir)
	copyTree(t, o.CheckpointDir, fork.CheckpointDir)
	l = mustOpen(t, o)
	fill(t, l, 300, 350)
	require.NoError(t, l.SaveSnapshot("ledger", 340, nil))
	require.NoError(t, l.Close())
	s, err := LoadSnapshot(context.Background(), o, "ledger")
	require.NoError(t, err)

	fork.From = s
	_, err = Open(context.Background(), fork) // shorter
	var se *SealedError
	require.True(t, errors.As(err, &se) && strings.Contains(se.Reason, "a snapshot was made at 340"), err)
	fork.From = nil
	l = mustOpen(t, fork)
	fill(t, l, 900, 950)
	require.NoError(t, l.Close())
	applied := &machine{next: 340}
	fork.From, fork.Apply = s, applied.apply
	_, err = Open(context.Background(), fork) // another history
	require.True(t, errors.As(err, &se) && strings.Contains(se.Reason, "a snapshot differ at size 340"), err)
	require.Empty(t, applied.frames, "nothing is applied on top of a snapshot of another log")
}

func TestDamagedTilesAreReportedAndWrittenAnew(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 600)
	require.NoError(t, l.Close())
	tile := filepath.Join(o.Dir, "public/tile/0/000")
	whole, err := os.ReadFile(tile)
	require.NoError(t, err)
	for at := 0; at < len(whole); at += 97 {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		require.NoError(t, os.WriteFile(tile, changed, 0o600))
		rep, err := Fsck(context.Background(), o)
		require.NoError(t, err)
		require.Equal(t, []string{"tile/0/000"}, rep.BadTiles)
	}
	require.NoError(t, os.Remove(filepath.Join(o.Dir, "public/tile/entries/001")))
	rep, err := Fsck(context.Background(), o)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"tile/entries/001", "tile/0/000"}, rep.BadTiles)
	l = mustOpen(t, o)
	require.NoError(t, l.Close())
	rep, err = Fsck(context.Background(), o)
	require.NoError(t, err)
	require.True(t, rep.OK())
	got, err := os.ReadFile(tile)
	require.NoError(t, err)
	require.Equal(t, whole, got)
}

// A proof from a damaged tile is not given out.
func TestDamagedTileYieldsNoProof(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 600)
	require.NoError(t, l.SaveSnapshot("a", 600, nil))
	require.NoError(t, l.Close())
	s, err := LoadSnapshot(context.Background(), o, "a")
	require.NoError(t, err)
	o.From = s
	l = mustOpen(t, o)
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "public/tile/0/000"), make([]byte, fullTile), 0o600))
	l.tree.forget()
	_, err = l.Prove(context.Background(), 3)
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, l.Close())
}

// Copies of the files at arbitrary moments, the second path first, always open
// with every record acknowledged before the copying began.
func TestCopiesOfALiveLogOpen(t *testing.T) {
	o := testOptions(t)
	o.SegmentBytes = minSegmentBytes
	l := mustOpen(t, o)
	done := make(chan map[uint64]int)
	go func() { done <- drive(l, 4, 300) }()
	for range 10 {
		size := l.Size()
		c := o
		base := t.TempDir()
		c.Dir, c.CheckpointDir = filepath.Join(base, "log"), filepath.Join(base, "second")
		copyTree(t, o.CheckpointDir, c.CheckpointDir)
		copyLive(t, filepath.Join(o.Dir, "frames"), filepath.Join(c.Dir, "frames"))
		m := &machine{}
		c.Apply = m.apply
		copied := mustOpen(t, c)
		require.GreaterOrEqual(t, copied.Size(), size)
		require.Len(t, m.frames, int(copied.Size()))
		require.NoError(t, copied.Close())
	}
	require.Len(t, <-done, 1200)
	require.NoError(t, l.Close())
}

// copyLive copies segments in order; ones that vanish meanwhile are temporary.
func copyLive(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(to, 0o700))
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, e.Name()), b, 0o600))
	}
}

// A start from a snapshot mends what was not synced when the snapshot was made.
func TestTornTilesAboveASnapshotAreMended(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 300)
	require.NoError(t, l.SaveSnapshot("a", 300, nil))
	fill(t, l, 300, 1100)
	require.NoError(t, l.Close())
	var err error
	o.From, err = LoadSnapshot(context.Background(), o, "a")
	require.NoError(t, err)
	for _, name := range []string{"tile/0/001", "tile/0/003", "tile/entries/001", "tile/entries/003"} {
		path := filepath.Join(o.Dir, "public", name)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		for what, torn := range map[string][]byte{
			"empty": {}, "cut": whole[:4096], "sector": append(make([]byte, 512), whole[512:]...), "zeros": make([]byte, len(whole)),
		} {
			require.NoError(t, os.WriteFile(path, torn, 0o600))
			l := mustOpen(t, o)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, whole, got, "%s %s", name, what)
			require.NoError(t, l.Publish(context.Background()))
			require.NoError(t, verifyDir(o, filepath.Join(o.Dir, "public")))
			require.NoError(t, l.Close())
		}
	}
}

// An older checkpoint that only damaged tiles contradict does not seal the log.
func TestDamagedTileBelowASnapshotDoesNotSeal(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 300)
	require.NoError(t, l.Publish(context.Background()))
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range 1100 {
				_, _ = l.Append(context.Background(), record(w*1100+i))
			}
		})
	}
	wg.Wait()
	require.Equal(t, uint64(70_700), l.Size())
	require.NoError(t, l.SaveSnapshot("a", l.Size(), nil))
	require.NoError(t, l.Close())
	s, err := LoadSnapshot(context.Background(), o, "a")
	require.NoError(t, err)
	o.From = s
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "public/tile/0/001"), make([]byte, fullTile), 0o600))
	l = mustOpen(t, o)
	a, err := l.Prove(context.Background(), 290)
	require.NoError(t, err)
	require.NoError(t, VerifyInclusion(a.Entry, 290, a.Proof, a.Checkpoint))
	require.NoError(t, verifyDir(o, exported(t, l)))
	require.NoError(t, l.Close())
}
