package chaos

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/job/spec"
)

// eraKills is how many copies are taken of one log before a new one is begun.
const eraKills = 40

// copies takes the files of a working gateway at arbitrary moments and opens them elsewhere. One copy in
// twenty becomes the gateway: what was delivered after it was taken is lost, and is asked for again.
func copies(t *testing.T, c *counts) {
	d := newDice(1, 0, "copies")
	var w *world
	var dir string
	for i := range max(run.kills-run.processes, 0) {
		if i%eraKills == 0 {
			if w != nil {
				w.close(t)
			}
			dir = scratch(t)
			w = newWorld(t, filepath.Join(dir, "live"))
		}
		stop := w.load(t, c, 2, uint64(i))
		time.Sleep(time.Duration(d.r.IntN(8000)) * time.Microsecond)
		n := len(w.book.upTo(-1))
		to := w.mirror(filepath.Join(dir, "copy"))
		copyLog(t, placeIn(w.dir), to)
		takeOver := d.r.IntN(20) == 0
		asked := stop()
		w.survives(t, c, fmt.Sprintf("copy %d", i), to, n)
		add(&c.KillsCopied)
		if takeOver {
			w.becomes(t, c, to, n, asked)
		}
	}
	if w != nil {
		w.close(t)
	}
}

// load asks from several goroutines until the returned function is called; that gives all questions.
func (w *world) load(t *testing.T, c *counts, part, event uint64) func() []*spec.Question {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var mu sync.Mutex
	var asked []*spec.Question
	for k := range 8 {
		wg.Go(func() {
			d := newDice(part, event<<8|uint64(k), fmt.Sprintf("e%d-w%d", event, k))
			for i := 0; ctx.Err() == nil && i < 400; i++ {
				q := d.ask(w.runner.Now())
				mu.Lock()
				if len(asked) > 0 && d.r.IntN(5) == 0 {
					q = asked[d.r.IntN(len(asked))]
				} else {
					asked = append(asked, q)
				}
				mu.Unlock()
				one, done := context.WithCancel(context.Background())
				if d.r.IntN(10) == 0 { // the caller goes away
					time.AfterFunc(time.Duration(d.r.IntN(900))*time.Microsecond, done)
				}
				if err := w.put(one, c, q); err != nil {
					t.Errorf("event %d: %v", event, err)
				}
				done()
			}
		})
	}
	return func() []*spec.Question {
		cancel()
		wg.Wait()
		return asked
	}
}

// survives opens a copied log: its state is that of its own frames, and the first n answers are in it.
func (w *world) survives(t *testing.T, c *counts, at string, p place, n int) {
	t.Helper()
	r, err := w.start(p, filepath.Join(w.dir, "index-of-copies"))
	require.NoError(t, err, "%s: seed %d", at, run.seed)
	digest := r.Digest()
	require.NoError(t, r.Close())
	f := judge(t, c, at, p, w.book.upTo(n))
	if f.ledger.Digest() != digest {
		add(&c.Diverged)
		t.Errorf("%s: seed %d: a replay gives other counters", at, run.seed)
	}
}

// becomes ends the gateway and lets the copy go on in its place. Questions whose answers are lost are
// asked again, twice.
func (w *world) becomes(t *testing.T, c *counts, p place, n int, asked []*spec.Question) {
	t.Helper()
	w.close(t)
	copyLog(t, p, placeIn(w.dir))
	lost := map[string]bool{}
	for _, key := range w.book.forget(n) {
		lost[key] = true
	}
	w.open(t)
	for _, q := range asked {
		if !lost[q.Key] {
			continue
		}
		require.NoError(t, w.put(ctx, c, q))
		require.NoError(t, w.put(ctx, c, q))
	}
}
