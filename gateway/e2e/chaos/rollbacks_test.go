package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// stage is a log as it was at one time, with the checkpoint somebody took away then.
type stage struct {
	*base
	witnessed kept
}

// rollbacks puts older copies back: of the log, of the second path, of parts of the log, and of all
// together. What is only an older second path is harmless; all together is found by who kept a newer
// checkpoint, at once or after the log has grown again past it.
func rollbacks(t *testing.T, c *counts) {
	dir := scratch(t)
	w := newWorld(t, filepath.Join(dir, "live"))
	var stages []stage
	for i := range 5 {
		w.grow(t, c, 5, 120)
		text := w.runner.Checkpoint()
		w.close(t)
		stages = append(stages, stage{w.keep(t, filepath.Join(dir, fmt.Sprint(i))), kept{text}})
		w.open(t)
	}
	w.close(t)
	d := newDice(6, 0, "rollbacks")
	work := w.mirror(filepath.Join(dir, "work"))
	for i := range run.rollbacks {
		old := d.r.IntN(len(stages) - 1)
		now := old + 1 + d.r.IntN(len(stages)-old-1)
		at := fmt.Sprintf("rollback %d, from %d to %d", i, now, old)
		copyLog(t, stages[now].p, work)
		add(&c.Rollbacks)
		switch kind := d.r.IntN(6); kind {
		case 0: // the second path alone
			replace(t, stages[old].p.second, work.second)
			v, why := stages[now].look(work)
			c.count(t, v, at+", second path", why)
		case 1: // the log alone
			replace(t, stages[old].p.log, work.log)
			c.mustSeal(t, stages[now].base, work, at+", log")
		case 2: // frames, under a newer public directory and newer snapshots
			replace(t, filepath.Join(stages[old].p.log, "frames"), filepath.Join(work.log, "frames"))
			replace(t, stages[old].p.second, work.second)
			c.mustSeal(t, stages[now].base, work, at+", frames and second path")
		case 3: // snapshots, tiles and public checkpoint, under newer frames
			replace(t, filepath.Join(stages[old].p.log, "snapshots"), filepath.Join(work.log, "snapshots"))
			replace(t, filepath.Join(stages[old].p.log, "public"), filepath.Join(work.log, "public"))
			v, why := stages[now].look(work)
			c.count(t, v, at+", snapshots and public directory", why)
		default:
			copyLog(t, stages[old].p, work)
			stages[now].fork(t, c, work, kind == 5, at)
		}
	}
}

func replace(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(to))
	copyDir(t, from, to)
}

// mustSeal demands that a gateway does not start over p.
func (c *counts) mustSeal(t *testing.T, b *base, p place, at string) {
	t.Helper()
	r, err := b.w.start(p, b.index)
	if err != nil {
		c.count(t, detected, at, "")
		return
	}
	c.count(t, undetected, at, fmt.Sprintf("started with state equal: %t", r.Digest() == b.digest))
	require.NoError(t, r.Close())
}

// fork starts a gateway that was set back as a whole, lets it grow where asked, and verifies what it
// publishes against the checkpoint that was taken away later than the copy put back.
func (s *stage) fork(t *testing.T, c *counts, p place, grows bool, at string) {
	t.Helper()
	r, err := s.w.start(p, s.index)
	if err != nil {
		c.count(t, detected, at, "")
		return
	}
	other := &world{dir: s.w.dir, clock: s.w.clock, ring: s.w.ring, runner: r, book: newBook()}
	if grows {
		other.grow(t, c, 7, int(s.size)-len(other.book.answers)+20)
	}
	export := filepath.Join(filepath.Dir(p.log), "export")
	require.NoError(t, os.RemoveAll(export))
	require.NoError(t, r.Export(ctx, export))
	require.NoError(t, r.Close())
	if err := s.witnessed.bearsOut(t, p, export); err != nil {
		c.count(t, detected, at, "")
		return
	}
	c.count(t, undetected, at+", everything", "a kept checkpoint bears out a log that was set back")
}
