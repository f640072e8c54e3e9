// Package inorder does work on a stream of items with several goroutines and
// hands the results on in the order of the items, with a bound on the bytes
// under way.
//
// What is promised: no goroutine before the first Next; every goroutine ended
// and every item given back when Close returns; the first error in the order
// of the items is the one reported, whichever happened first. What is not: a
// source or a function that never returns holds up Close.
package inorder

import (
	"context"
	"sync"
)

// Config says how a Pipe works. Every function is needed.
type Config[I, O any] struct {
	// Workers is how many goroutines run Work; less than 1 means 1.
	Workers int
	// Bytes bounds the sizes of the items under way, from Source to the Next
	// after their result's. A single larger item goes through alone.
	Bytes int64
	// Source gives the next item and its size; false at the end. One goroutine
	// calls it, never two at once.
	Source func(ctx context.Context) (item I, size int64, ok bool, err error)
	// Work turns an item into its result and gives the item back, also when it fails.
	Work func(ctx context.Context, item I) (O, error)
	// Drop gives back an item that was not worked on.
	Drop func(I)
	// Discard gives back a result that nobody took.
	Discard func(O)
}

type task[I, O any] struct {
	item I
	size int64
	out  O
	err  error
	done chan struct{}
}

// Pipe is one stream. One goroutine at a time calls Next and Close.
type Pipe[I, O any] struct {
	c      Config[I, O]
	ctx    context.Context //nolint:containedctx // bounds the goroutines the pipe starts itself
	cancel context.CancelFunc

	started bool
	order   chan *task[I, O]
	work    chan *task[I, O]
	wg      sync.WaitGroup
	fed     error // why Source ended; read after order is closed
	held    int64 // size of the result last given
	err     error

	mu   sync.Mutex
	used int64
	room chan struct{}
}

// New makes a pipe; ctx bounds its whole life.
func New[I, O any](ctx context.Context, c Config[I, O]) *Pipe[I, O] {
	c.Workers = max(1, c.Workers)
	p := &Pipe[I, O]{c: c, room: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(ctx) //nolint:gosec // Close and the first error call it
	return p
}

// Next gives the next result, which the caller owns; false at the end and
// after an error, which stays.
func (p *Pipe[I, O]) Next() (out O, ok bool, err error) {
	p.free(p.held)
	p.held = 0
	if p.err != nil {
		return out, false, p.err
	}
	if p.err = context.Cause(p.ctx); p.err != nil {
		return out, false, p.err
	}
	if !p.started {
		p.start()
	}
	t, more := <-p.order
	if !more {
		p.err = p.fed
		return out, false, p.err
	}
	<-t.done
	p.held = t.size
	if t.err != nil {
		p.err = t.err
		p.cancel()
		return out, false, p.err
	}
	return t.out, true, nil
}

// Close ends the stream and waits for its goroutines.
func (p *Pipe[I, O]) Close() {
	p.cancel()
	if !p.started {
		return
	}
	p.wg.Wait()
	for t := range p.order {
		if t.err == nil {
			p.c.Discard(t.out)
		}
	}
}

func (p *Pipe[I, O]) start() {
	p.started = true
	p.order = make(chan *task[I, O], 2*p.c.Workers)
	p.work = make(chan *task[I, O], 2*p.c.Workers)
	p.wg.Go(p.feed)
	for range p.c.Workers {
		p.wg.Go(p.toil)
	}
}

func (p *Pipe[I, O]) feed() {
	defer close(p.order)
	defer close(p.work)
	for {
		item, size, ok, err := p.c.Source(p.ctx)
		if err != nil || !ok {
			p.fed = err
			return
		}
		t := &task[I, O]{item: item, size: size, done: make(chan struct{})}
		if !p.admit(t) {
			p.c.Drop(item)
			p.fed = context.Cause(p.ctx)
			return
		}
	}
}

// admit waits for room and hands the task to the workers and to Next.
func (p *Pipe[I, O]) admit(t *task[I, O]) bool {
	for !p.take(t.size) {
		select {
		case <-p.room:
		case <-p.ctx.Done():
			return false
		}
	}
	select {
	case p.order <- t:
	case <-p.ctx.Done():
		return false
	}
	p.work <- t // as many places as order has, and workers never stop taking
	return true
}

func (p *Pipe[I, O]) toil() {
	for t := range p.work {
		if t.err = context.Cause(p.ctx); t.err != nil {
			p.c.Drop(t.item)
		} else {
			t.out, t.err = p.c.Work(p.ctx, t.item)
		}
		var none I
		t.item = none
		close(t.done)
	}
}

func (p *Pipe[I, O]) take(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used > 0 && p.used+n > p.c.Bytes {
		return false
	}
	p.used += n
	return true
}

func (p *Pipe[I, O]) free(n int64) {
	if n == 0 {
		return
	}
	p.mu.Lock()
	p.used -= n
	p.mu.Unlock()
	select {
	case p.room <- struct{}{}:
	default:
	}
}
