package chaos

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/job/spec"
)

const (
	racers     = 256
	roundCalls = 10_000  // raced between two clock jumps
	eraCalls   = 200_000 // raced on one log
)

// race lets 256 callers at once at small quotas, attempts, a consent and a private budget. Each round the
// clock jumps: forward by days, which opens new quotas, and back, which must open none.
func race(t *testing.T, c *counts) {
	for from := 0; from < run.requests; from += eraCalls {
		dir := t.TempDir()
		w := newWorld(t, filepath.Join(dir, "live"))
		d := newDice(8, uint64(from), "race")
		w.raceTables(t, c)
		left := min(eraCalls, run.requests-from)
		for round := 0; left > 0 && !t.Failed(); round++ {
			n := min(left, roundCalls)
			left -= n
			w.raceRound(t, c, d, uint64(from+round), n)
		}
		w.close(t) // writes down how many refusals were counted
		digest := w.runner.Digest()
		f := judge(t, c, fmt.Sprintf("race from %d", from), placeIn(w.dir), w.book.upTo(-1))
		if f.ledger.Digest() != digest {
			add(&c.Diverged)
			t.Errorf("race from %d: a replay gives other counters", from)
		}
	}
}

// raceRound has the clock jump in the middle of n requests: into the next days, back by many, home.
func (w *world) raceRound(t *testing.T, c *counts, d *dice, round uint64, n int) {
	t.Helper()
	var left, failed atomic.Int64
	left.Store(int64(n))
	var shared sync.Map // questions under one key, for everybody
	var wg sync.WaitGroup
	for k := range racers {
		wg.Go(func() {
			own := newDice(9, round<<16|uint64(k), fmt.Sprintf("r%d-w%d", round, k))
			for left.Add(-1) >= 0 && failed.Load() < 5 {
				add(&c.Requests)
				if err := w.put(ctx, c, own.raced(w.runner.Now(), &shared)); err != nil {
					failed.Add(1)
					t.Errorf("round %d: %v", round, err)
				}
			}
		})
	}
	for _, jump := range []time.Duration{24 * time.Hour, -time.Duration(1+d.r.IntN(9)) * 24 * time.Hour, time.Duration(d.r.IntN(48)) * time.Hour} {
		time.Sleep(time.Duration(d.r.IntN(100)) * time.Millisecond)
		w.clock.jump(jump)
		add(&c.ClockJumps)
	}
	wg.Wait()
	w.clock.offset.Store((w.runner.Now() - time.Now().UnixMilli()) * int64(time.Millisecond))
}

// raced draws a question; one in eight is one that others ask too, at the same moment.
func (d *dice) raced(now int64, shared *sync.Map) *spec.Question {
	q := d.ask(now)
	if d.r.IntN(8) > 0 {
		return q
	}
	q.Key = "" // so that the place in the map is drawn before the question is
	slot := d.r.IntN(64)
	if old, ok := shared.Load(slot); ok && d.r.IntN(10) > 0 {
		return old.(*spec.Question)
	}
	q.Key = d.key()
	shared.Store(slot, q)
	return q
}

// raceTables lets 256 callers ask for six tables of which the budget pays two, one for each unit.
func (w *world) raceTables(t *testing.T, c *counts) {
	t.Helper()
	var wg sync.WaitGroup
	var answered atomic.Int64
	now := w.runner.Now()
	for k := range racers {
		wg.Go(func() {
			d := newDice(10, uint64(k), fmt.Sprintf("table-%d", k))
			q := &spec.Question{Kind: spec.Table, Party: []string{"leju", "yunying"}[k%2], Scenario: "housing", Query: town.tables[d.r.IntN(len(town.tables))],
				Key: d.key(), KeyTime: time.UnixMilli(now)}
			add(&c.Requests)
			before, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			if err := w.put(before, c, q); err != nil {
				t.Errorf("table: %v", err)
			}
			if w.book.has(q.Key) {
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	require.Positive(t, answered.Load(), "no table was answered")
}
