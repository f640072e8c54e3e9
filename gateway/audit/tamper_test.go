package audit

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// closedLog makes a log of n frames in small segments and closes it.
func closedLog(t *testing.T, n int) Options {
	t.Helper()
	o := testOptions(t)
	o.SegmentBytes = minSegmentBytes
	l := mustOpen(t, o)
	fill(t, l, 0, n)
	require.NoError(t, l.Publish(context.Background()))
	require.NoError(t, l.Close())
	return o
}

func requireSealed(t *testing.T, o Options, reason string) {
	t.Helper()
	before := dirContent(t, o.Dir)
	l, err := Open(context.Background(), o)
	if err == nil {
		require.NoError(t, l.Close())
	}
	var s *SealedError
	require.ErrorAs(t, err, &s)
	require.Contains(t, s.Reason, reason)
	require.NotContains(t, err.Error(), o.Dir)
	_, err = Fsck(context.Background(), o)
	require.ErrorAs(t, err, &s)
	require.Equal(t, before, dirContent(t, o.Dir), "a sealed log is evidence and stays as it is")
}

func dirContent(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	}))
	return out
}

func segmentPaths(t *testing.T, o Options) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(o.Dir, "frames", "*.seg"))
	require.NoError(t, err)
	return paths
}

func TestEveryBitFlipInAFrameIsFound(t *testing.T) {
	o := closedLog(t, 12)
	path := segmentPaths(t, o)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for at := range whole {
		changed := append([]byte(nil), whole...)
		changed[at] ^= 1 << (at % 8)
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		_, err := Open(context.Background(), o)
		var s *SealedError
		require.ErrorAs(t, err, &s, "byte %d", at)
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	l := mustOpen(t, o)
	require.Equal(t, uint64(12), l.Size())
	require.NoError(t, l.Close())
}

func TestTruncationIsFound(t *testing.T) {
	o := closedLog(t, 12)
	path := segmentPaths(t, o)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := 0; n < len(whole); n += 7 {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		requireSealed(t, o, "")
	}
}

func TestDeletionIsFound(t *testing.T) {
	o := closedLog(t, 200)
	paths := segmentPaths(t, o)
	require.Greater(t, len(paths), 4)
	for i, reason := range map[int]string{0: "first segment is missing", len(paths) / 2: "are missing", len(paths) - 1: "names 200"} {
		body, err := os.ReadFile(paths[i])
		require.NoError(t, err)
		require.NoError(t, os.Remove(paths[i]))
		requireSealed(t, o, reason)
		require.NoError(t, os.WriteFile(paths[i], body, 0o600))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(o.Dir, "frames")))
	_, err := Open(context.Background(), o)
	require.ErrorContains(t, err, "log has 0 frames")
}

func TestReorderAndForeignFilesAreFound(t *testing.T) {
	o := closedLog(t, 200)
	paths := segmentPaths(t, o)
	swap := func(a, b string) {
		require.NoError(t, os.Rename(a, a+"x"))
		require.NoError(t, os.Rename(b, a))
		require.NoError(t, os.Rename(a+"x", b))
	}
	swap(paths[1], paths[2])
	requireSealed(t, o, "header of the segment")
	swap(paths[1], paths[2])
	stray := filepath.Join(o.Dir, "frames", "0000.seg")
	require.NoError(t, os.WriteFile(stray, nil, 0o600))
	requireSealed(t, o, "unknown file")
	require.NoError(t, os.Remove(stray))
	require.NoError(t, mustOpen(t, o).Close())
}

// reseal rewrites one segment with the frames given, checksums and all: what an
// attacker with the disk can do.
func reseal(t *testing.T, o Options, path string, edit func([]rawFrame) []rawFrame) {
	t.Helper()
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	first, ok := parseSegmentName(filepath.Base(path))
	require.True(t, ok)
	salt, err := parseSegmentHeader(whole[:segmentHeader], first, HashOf([]byte(o.Origin)))
	require.NoError(t, err)
	var frames []rawFrame
	for b := whole[segmentHeader:]; len(b) > 0; {
		f, err := parseFrame(b, salt)
		require.NoError(t, err)
		frames, b = append(frames, f), b[f.size:]
	}
	out := append([]byte(nil), whole[:segmentHeader]...)
	for i, f := range edit(frames) {
		out = appendFrame(out, salt, first+uint64(i), first+uint64(i), f.entry, f.statement, f.private)
	}
	require.NoError(t, os.WriteFile(path, out, 0o600))
}

func TestEditsByDesignAreFound(t *testing.T) {
	edits := map[string]func([]rawFrame) []rawFrame{
		"swap":   func(f []rawFrame) []rawFrame { f[1], f[2] = f[2], f[1]; return f },
		"insert": func(f []rawFrame) []rawFrame { return append(f[:2:2], f[1:]...) },
		"remove": func(f []rawFrame) []rawFrame { return append(f[:1:1], f[2:]...) },
		"private": func(f []rawFrame) []rawFrame {
			f[1].private = append([]byte(nil), f[1].private...)
			f[1].private[0] ^= 1
			return f
		},
		"both": func(f []rawFrame) []rawFrame {
			e, err := ParseEntry(f[1].entry)
			require.NoError(t, err)
			f[1].private = []byte("cheaper")
			e.Private = PrivateHash(len(f[1].statement), f[1].private)
			f[1].entry = e.AppendTo(nil)
			return f
		},
		"statement": func(f []rawFrame) []rawFrame {
			f[1].statement = append([]byte(nil), f[1].statement...)
			f[1].statement[0] ^= 1
			return f
		},
		"statement and hash": func(f []rawFrame) []rawFrame {
			e, err := ParseEntry(f[1].entry)
			require.NoError(t, err)
			f[1].statement = append([]byte(nil), f[1].statement...)
			f[1].statement[0] ^= 1
			e.Statement = StatementHash(f[1].statement)
			f[1].entry = e.AppendTo(nil)
			return f
		},
		"statement taken out": func(f []rawFrame) []rawFrame {
			require.NotEmpty(t, f[1].statement)
			f[1].statement = nil
			return f
		},
		"statement moved to the private record": func(f []rawFrame) []rawFrame {
			f[1].private = append(append([]byte(nil), f[1].statement...), f[1].private...)
			f[1].statement = nil
			return f
		},
		"statement put in": func(f []rawFrame) []rawFrame {
			require.Empty(t, f[3].statement)
			f[3].statement = f[4].statement
			return f
		},
		"private record made a statement": func(f []rawFrame) []rawFrame {
			f[3].statement, f[3].private = f[3].private, nil
			return f
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			o := closedLog(t, 15)
			reseal(t, o, segmentPaths(t, o)[0], edit)
			requireSealed(t, o, "")
		})
	}
}

func TestRollbackIsFound(t *testing.T) {
	o := closedLog(t, 20)
	old, oldSecond := o.Dir+".old", o.CheckpointDir+".old"
	copyTree(t, o.Dir, old)
	copyTree(t, o.CheckpointDir, oldSecond)
	l := mustOpen(t, o)
	fill(t, l, 20, 30)
	require.NoError(t, l.Close())
	newer := o.Dir + ".new"
	copyTree(t, o.Dir, newer)

	copyTree(t, old, o.Dir)
	requireSealed(t, o, "log has 20 frames, the checkpoint of the second path names 30")

	copyTree(t, newer, o.Dir)
	second := o.CheckpointDir
	newSecond := second + ".new"
	copyTree(t, second, newSecond)
	copyTree(t, oldSecond, second) // a log ahead of its second path is replayed
	l = mustOpen(t, o)
	require.Equal(t, uint64(30), l.Size())
	require.NoError(t, l.Close())

	require.NoError(t, os.RemoveAll(second))
	requireSealed(t, o, "second path is missing")
	require.NoError(t, os.MkdirAll(second, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(second, slotsFile), make([]byte, 2*slotSize), 0o600))
	requireSealed(t, o, "holds no checkpoint of this log and key")
}

func TestForkIsFound(t *testing.T) {
	o := closedLog(t, 20)
	fork := o
	fork.Dir, fork.CheckpointDir = o.Dir+".fork", o.CheckpointDir+".fork"
	copyTree(t, o.Dir, fork.Dir)
	copyTree(t, o.CheckpointDir, fork.CheckpointDir)
	l := mustOpen(t, o)
	fill(t, l, 20, 30)
	require.NoError(t, l.Close())
	l = mustOpen(t, fork)
	fill(t, l, 120, 140)
	require.NoError(t, l.Close())
	fork.CheckpointDir = o.CheckpointDir
	requireSealed(t, fork, "differ at size 30")
}

func TestKeySwapIsFound(t *testing.T) {
	o := closedLog(t, 5)
	s := fakeSigner{"two"}
	o.Signer, o.Verify = s, s.verify
	requireSealed(t, o, "holds no checkpoint of this log and key")
	o = closedLog(t, 5)
	o.Origin = "yumen.test/other"
	requireSealed(t, o, "")
}

func TestPublishedCheckpointAheadIsFound(t *testing.T) {
	o := closedLog(t, 20)
	old, second := o.Dir+".old", o.CheckpointDir+".old"
	copyTree(t, o.Dir, old)
	copyTree(t, o.CheckpointDir, second)
	l := mustOpen(t, o)
	fill(t, l, 20, 30)
	require.NoError(t, l.Publish(context.Background()))
	require.NoError(t, l.Close())
	require.NoError(t, os.Rename(filepath.Join(o.Dir, "frames"), filepath.Join(t.TempDir(), "gone")))
	require.NoError(t, os.CopyFS(filepath.Join(o.Dir, "frames"), os.DirFS(filepath.Join(old, "frames"))))
	copyTree(t, second, o.CheckpointDir)
	requireSealed(t, o, "the checkpoint of the public directory names 30")
}

// tail appends bytes behind the last frame of a log whose second path is as it
// was before.
func tail(t *testing.T, o Options, b []byte) {
	t.Helper()
	paths := segmentPaths(t, o)
	f, err := os.OpenFile(paths[len(paths)-1], os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func saltOf(t *testing.T, path string) uint32 {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return binary.BigEndian.Uint32(b[60:64])
}

func TestTornTailIsCutOff(t *testing.T) {
	r := record(13)
	for cut := 1; ; cut += 5 {
		o := closedLog(t, 12)
		frame := frameOf(saltOf(t, segmentPaths(t, o)[0]), 12, r)
		if cut >= len(frame) {
			break
		}
		tail(t, o, append(frame[:cut], make([]byte, 100)...))
		rep, err := Fsck(context.Background(), o)
		require.NoError(t, err)
		require.False(t, rep.OK())
		l := mustOpen(t, o)
		require.Equal(t, uint64(12), l.Size())
		fill(t, l, 12, 14)
		require.NoError(t, l.Close())
		l = mustOpen(t, o)
		require.Equal(t, uint64(14), l.Size())
		require.NoError(t, l.Close())
	}
}

// A whole frame beyond the checkpoint was durable and is kept.
func TestWholeFrameBeyondTheCheckpointIsKept(t *testing.T) {
	o := closedLog(t, 12)
	tail(t, o, frameOf(saltOf(t, segmentPaths(t, o)[0]), 12, record(12)))
	l := mustOpen(t, o)
	require.Equal(t, uint64(13), l.Size())
	require.NoError(t, l.Close())
}

// A frame beyond the checkpoint that is followed by a later group was synced
// once: that it is broken now is damage, not a torn tail.
func TestDamageBeyondTheCheckpointIsNoTornTail(t *testing.T) {
	o := closedLog(t, 12)
	salt := saltOf(t, segmentPaths(t, o)[0])
	var frames []byte
	for i := 12; i < 15; i++ {
		frames = append(frames, frameOf(salt, uint64(i), record(i))...)
	}
	frames[30] ^= 1
	tail(t, o, frames)
	requireSealed(t, o, "frames of a later group follow")
}

// A log of the format before is whole; it is told apart from a damaged one.
func TestFormerFormatIsRefusedByName(t *testing.T) {
	o := closedLog(t, 12)
	path := segmentPaths(t, o)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	former := encodeSegmentHeader(formerMagic, 0, HashOf([]byte(o.Origin)), 9)
	require.NoError(t, os.WriteFile(path, append(former, whole[segmentHeader:]...), 0o600))
	before := dirContent(t, o.Dir)
	_, err = Open(context.Background(), o)
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "log was written in format 1, this version reads format 2 only")
	var s *SealedError
	require.NotErrorAs(t, err, &s)
	_, err = Fsck(context.Background(), o)
	require.ErrorIs(t, err, ErrFormat)
	require.Equal(t, before, dirContent(t, o.Dir))

	whole[3] = formerMagic[3] // the version alone: a flip, which the checksum tells
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	requireSealed(t, o, "header of the segment")
}

func TestTornSlotLeavesTheSyncedOne(t *testing.T) {
	st := newMemStore()
	o := memOptions(st)
	l, err := Open(context.Background(), o)
	require.NoError(t, err)
	drive(l, 1, 3)
	require.NoError(t, l.slots.sync())
	synced := l.Latest()
	drive(l, 1, 3)
	f := st.names["second/checkpoints"]
	torn := append([]byte(nil), f.data...)
	copy(torn[l.slots.active*slotSize:], make([]byte, 40))
	f.data = torn
	cps, _, _, _, err := readSlots(&l.o)
	require.NoError(t, err)
	require.Equal(t, []*Checkpoint{synced}, cps)
	_ = l.Close()
}
