package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job"
)

// base is a log at rest, and what must come out of it.
type base struct {
	w      *world
	p      place
	n      int // answers delivered up to here
	size   uint64
	digest [32]byte
	index  string // of runners over copies
}

// grow lets the world answer at least frames questions, and closes it.
func (w *world) grow(t *testing.T, c *counts, part uint64, frames int) {
	t.Helper()
	d := newDice(part, uint64(len(w.book.upTo(-1))), fmt.Sprintf("grow-%d", len(w.book.upTo(-1))))
	for range frames {
		require.NoError(t, w.put(ctx, c, d.ask(w.runner.Now())))
	}
}

// keep copies the log as it is into dir.
func (w *world) keep(t *testing.T, dir string) *base {
	t.Helper()
	b := &base{w: w, p: w.mirror(dir), n: len(w.book.upTo(-1)), index: filepath.Join(w.dir, "index-of-copies")}
	copyLog(t, placeIn(w.dir), b.p)
	f, err := fold(b.p)
	require.NoError(t, err)
	b.size, b.digest = uint64(len(f.statements)), f.ledger.Digest()
	return b
}

// verdict of an event.
type verdict int

const (
	harmless verdict = iota
	detected
	undetected
)

func (c *counts) count(t *testing.T, v verdict, at, why string) {
	switch v {
	case harmless:
		add(&c.Harmless)
	case detected:
		add(&c.Detected)
	default:
		add(&c.Undetected)
		t.Errorf("%s: seed %d: undetected: %s", at, run.seed, why)
	}
}

// look judges a changed copy p of b: a start is sealed, or gives the very state and all answers of b. If
// it starts, what it publishes must verify, or fsck must have said that it would not.
func (b *base) look(p place) (verdict, string) {
	found, clean := b.fsck(p)
	r, err := b.w.start(p, b.index)
	if err != nil {
		return detected, ""
	}
	digest := r.Digest()
	export := r.Export(ctx, filepath.Join(filepath.Dir(p.log), "export"))
	defer os.RemoveAll(filepath.Join(filepath.Dir(p.log), "export"))
	if err := r.Close(); err != nil {
		return detected, ""
	}
	f, err := fold(p)
	if err != nil { // frames below a snapshot are not read by a start, but by fsck
		if clean {
			return undetected, "fsck was content before the start and not after it: " + err.Error()
		}
		if digest != b.digest {
			return undetected, "started in another state"
		}
		return detected, ""
	}
	switch {
	case digest != b.digest || uint64(len(f.statements)) != b.size:
		return undetected, fmt.Sprintf("started with %d frames of %d and another state; fsck: %s", len(f.statements), b.size, found)
	case f.ledger.Digest() != digest:
		return undetected, "the state is not that of the frames"
	}
	for _, d := range b.w.book.upTo(b.n) {
		if f.statements[d.index] != d.statement {
			return undetected, "an answer lost its frame"
		}
	}
	if !clean || export != nil {
		return detected, ""
	}
	return harmless, ""
}

// fsck is what an operator does first.
func (b *base) fsck(p place) (string, bool) {
	r, err := job.Fsck(ctx, job.FsckOptions{Domain: domainID, LogDir: p.log, CheckpointDir: p.second, Ring: b.w.ring, Clock: time.Now, Logger: quiet})
	if err != nil {
		return err.Error(), false
	}
	ok := r.Log.OK() && r.BadSnapshots == 0 && (!r.Found || r.Agrees)
	return fmt.Sprintf("%+v", *r.Log), ok
}

// tampering flips bits and tears writes in every file of a log at rest.
func tampering(t *testing.T, c *counts) {
	dir := scratch(t)
	w := newWorld(t, filepath.Join(dir, "live"))
	w.grow(t, c, 3, 300)
	w.close(t)
	w.open(t)
	w.grow(t, c, 3, 350)
	w.close(t)
	b := w.keep(t, filepath.Join(dir, "base"))
	work := w.mirror(filepath.Join(dir, "work"))
	v, why := func() (verdict, string) { copyLog(t, b.p, work); return b.look(work) }()
	require.Equal(t, harmless, v, "an untouched copy: %s", why)
	d := newDice(4, 0, "tampering")
	for i := range run.flips {
		copyLog(t, b.p, work)
		what := d.harm(t, c, work)
		v, why := b.look(work)
		c.count(t, v, fmt.Sprintf("harm %d, %s", i, what), why)
	}
}

// harm changes one file: a flipped bit, sectors that were not written, or a lost end.
func (d *dice) harm(t *testing.T, c *counts, p place) string {
	t.Helper()
	name := d.target(t, p)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	if d.r.IntN(20) == 0 {
		end = min(len(b), end+4096) // what was reserved and not yet written
	}
	if end == 0 {
		end = len(b)
	}
	how := d.r.IntN(4)
	at := d.r.IntN(max(end, 1))
	if how < 2 {
		add(&c.Flips)
		b[at] ^= 1 << d.r.IntN(8)
		patch(t, name, b[at:at+1], at)
		return fmt.Sprintf("bit flipped at %d of %s", at, filepath.Base(name))
	}
	add(&c.Tears)
	if how == 3 {
		require.NoError(t, os.Truncate(name, int64(at)))
		return fmt.Sprintf("%s cut at %d of %d", filepath.Base(name), at, end)
	}
	from := at &^ 511
	to := min(from+512*(1+d.r.IntN(8)), len(b))
	patch(t, name, make([]byte, to-from), from)
	return fmt.Sprintf("%s not written from %d to %d of %d", filepath.Base(name), from, to, end)
}

// target draws a file, every kind as often as any other.
func (d *dice) target(t *testing.T, p place) string {
	t.Helper()
	kinds := map[string][]string{}
	for _, root := range []string{p.log, p.second} {
		require.NoError(t, filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && e.Name() != "lock" {
				rel, _ := filepath.Rel(filepath.Dir(root), filepath.Dir(name))
				if info, err := e.Info(); err == nil && info.Size() > 0 {
					kind := strings.Join(strings.Split(rel, string(filepath.Separator))[:min(3, strings.Count(rel, string(filepath.Separator))+1)], "/")
					kinds[kind] = append(kinds[kind], name)
				}
			}
			return err
		}))
	}
	var names []string
	for k := range kinds {
		names = append(names, k)
	}
	slices.Sort(names)
	files := kinds[names[d.r.IntN(len(names))]]
	return files[d.r.IntN(len(files))]
}

func patch(t *testing.T, name string, b []byte, at int) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(b, int64(at))
	require.NoError(t, errors.Join(err, f.Close()))
}

// kept is a checkpoint that somebody outside keeps.
type kept struct{ text []byte }

// bearsOut verifies an exported log against a kept checkpoint.
func (k kept) bearsOut(t *testing.T, p place, dir string) error {
	t.Helper()
	o, _, err := p.options()
	require.NoError(t, err)
	cp, err := audit.ParseCheckpoint(k.text, o.Origin, o.KeyName, o.Verify)
	require.NoError(t, err)
	_, err = audit.VerifyDir(context.Background(), dir, o.Origin, o.KeyName, o.Verify, audit.Claim{Name: "witnessed", Checkpoint: cp})
	return err
}
