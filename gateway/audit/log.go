package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Log is an open log. One goroutine writes; every method is safe for concurrent
// use.
type Log struct {
	o     Options
	held  file
	segs  *segments
	tree  *tree
	slots *slots
	tiles *tileWriter

	queue   chan *request
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the writer ended
	close   sync.Once
	syncing sync.WaitGroup

	latest   atomic.Pointer[Checkpoint]
	moved    atomic.Pointer[chan struct{}] // closed when the group at work has ended
	lastTime atomic.Int64
	poison   atomic.Pointer[error]
	distrust atomic.Bool // tiles on disk are damaged: make them from frames

	publishing sync.Mutex // guards the public directory, snapshots and ended
	ended      bool       // the tile writer takes no more jobs

	// Of the writer only.
	cpTime  int64
	buf     []byte
	sizes   []int
	leaves  []Hash
	group   []*request
	spare   *request
	bundle  []byte
	pending []tileJob
}

// syncEvery bounds how long a checkpoint of the second path stays unsynced.
const syncEvery = 500 * time.Millisecond

func newLog(o *Options, segs *segments) *Log {
	l := &Log{o: *o, segs: segs, tree: newTree(), queue: make(chan *request, o.MaxGroup),
		closing: make(chan struct{}), stopped: make(chan struct{})}
	l.tree.load = l.loadTile
	moved := make(chan struct{})
	l.moved.Store(&moved)
	return l
}

// start begins writing; Close ends it.
func (l *Log) start() {
	l.tiles = newTileWriter(l.o.store, publicRoot(&l.o), l.tree.unpin, l.fail)
	go l.tiles.run()
	go l.write()
	l.syncing.Go(l.syncSlots)
}

// syncSlots makes the second path durable in the background.
func (l *Log) syncSlots() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := l.slots.sync(); err != nil {
				l.fail(err)
				return
			}
		case <-l.stopped:
			return
		}
	}
}

// fail poisons the log: nothing is accepted any more. A failed sync is never
// tried again, since the kernel may have dropped the data and forgotten it.
func (l *Log) fail(err error) {
	err = fmt.Errorf("%w: %w", ErrNotDurable, err)
	if l.poison.CompareAndSwap(nil, &err) {
		l.o.Logger.LogAttrs(context.Background(), slog.LevelError, "log accepts nothing more",
			slog.String("reason", err.Error()))
	}
}

func (l *Log) failed() error {
	if p := l.poison.Load(); p != nil {
		return *p
	}
	return nil
}

// Err is nil while the log accepts records; else it is ErrNotDurable with the
// cause, or ErrClosed.
func (l *Log) Err() error {
	if err := l.failed(); err != nil {
		return err
	}
	select {
	case <-l.closing:
		return ErrClosed
	default:
		return nil
	}
}

// Size is the number of frames the newest checkpoint covers.
func (l *Log) Size() uint64 { return l.latest.Load().Size }

// Latest is the newest checkpoint.
func (l *Log) Latest() *Checkpoint { return l.latest.Load() }

// LastTime is the greatest time of an entry that was appended or replayed, in
// Unix milliseconds; a snapshot carries it.
func (l *Log) LastTime() int64 { return l.lastTime.Load() }

// Close waits for records that were already queued, makes everything durable,
// and releases the log. Later appends get ErrClosed. The error tells whether
// something did not get to disk; the frames of acknowledged appends did.
func (l *Log) Close() error {
	err := ErrClosed
	l.close.Do(func() { err = l.shut() })
	return err
}

func (l *Log) shut() error {
	close(l.closing)
	<-l.stopped
	l.syncing.Wait()
	l.publishing.Lock()
	defer l.publishing.Unlock()
	err := l.flush()
	l.ended = true
	close(l.tiles.jobs)
	<-l.tiles.done
	if l.failed() == nil {
		err = errors.Join(err, l.slots.sync(), l.segs.finish())
	} else if l.segs.w != nil {
		err = errors.Join(l.failed(), l.segs.w.Close())
	}
	err = errors.Join(err, l.slots.close(), l.held.Close())
	if err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// flush makes all full tiles of the current size durable. The caller holds
// publishing.
func (l *Log) flush() error {
	if l.ended {
		return ErrClosed
	}
	if err := l.tiles.flush(); err != nil {
		return err
	}
	return l.failed()
}
