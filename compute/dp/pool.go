package dp

import (
	"context"
	"fmt"
	"sync"
)

const (
	maxPoolDepth = 1 << 20
	drawBatch    = 256 // draws made between two looks at what is needed
)

// Pool keeps noise drawn before it is wanted, so that the time of a draw shows
// in no answer. It holds at most depth draws a scale; each is handed out once and
// wiped. One owner runs Run; any goroutine may Register and Take.
type Pool struct {
	src   *Source
	depth int
	wake  chan struct{} // holds a token when a shelf may have room
	gone  chan struct{} // closed when Run has ended

	mu      sync.Mutex
	shelves map[Scale]*shelf
	order   []*shelf
	ran     bool
	stopped bool
}

// shelf is the ring of one scale, guarded by the pool's mutex.
type shelf struct {
	draws  sampler
	ring   []int64
	first  int
	n      int
	filled chan struct{} // closed and replaced when draws arrive
}

// NewPool draws from src, which is the pool's own from now on; depth is 1 to 2^20.
func NewPool(src *Source, depth int) (*Pool, error) {
	if src == nil || depth < 1 || depth > maxPoolDepth {
		return nil, fmt.Errorf("make noise pool: %w: a source and a depth of 1 to %d", ErrParameter, maxPoolDepth)
	}
	return &Pool{
		src: src, depth: depth,
		wake: make(chan struct{}, 1), gone: make(chan struct{}),
		shelves: make(map[Scale]*shelf),
	}, nil
}

// Register has noise of a scale drawn from now on; a known scale is no error.
func (p *Pool) Register(s Scale) error {
	s, err := NewScale(s.Mechanism, s.Parameter)
	if err != nil {
		return fmt.Errorf("register noise: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.shelves[s]; !ok {
		draws, err := s.sampler()
		if err != nil {
			return fmt.Errorf("register noise: %w", err)
		}
		sh := &shelf{draws: draws, ring: make([]int64, p.depth), filled: make(chan struct{})}
		p.shelves[s] = sh
		p.order = append(p.order, sh)
		p.poke()
	}
	return nil
}

// poke asks the owner to look at the shelves.
func (p *Pool) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Level is how many draws of a scale are ready.
func (p *Pool) Level(s Scale) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sh := p.shelves[s]; sh != nil {
		return sh.n
	}
	return 0
}

// Run refills the shelves until ctx ends, and then wipes them: what was waiting
// in Take returns ErrStopped. It reseeds the source before each round of
// refilling and ends with the error if that fails. A pool runs once; the caller
// starts the goroutine and waits for it.
func (p *Pool) Run(ctx context.Context) error {
	p.mu.Lock()
	again := p.ran
	p.ran = true
	p.mu.Unlock()
	if again {
		return fmt.Errorf("run noise pool: %w: it has run", ErrStopped)
	}
	defer p.stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		}
		if err := p.src.Reseed(); err != nil {
			return fmt.Errorf("run noise pool: %w", err)
		}
		for ctx.Err() == nil && p.round() {
		}
	}
}

// round adds a batch to every shelf with room, and tells whether there was one.
func (p *Pool) round() bool {
	p.mu.Lock()
	order := p.order // appended to, never changed
	p.mu.Unlock()
	more := false
	var batch [drawBatch]int64
	for _, sh := range order {
		p.mu.Lock()
		room := min(drawBatch, p.depth-sh.n)
		p.mu.Unlock()
		if room == 0 {
			continue
		}
		more = true
		for i := range batch[:room] {
			batch[i] = sh.draws.Sample(p.src)
		}
		p.mu.Lock()
		sh.put(batch[:room])
		p.mu.Unlock()
	}
	clear(batch[:])
	return more
}

// put appends draws, for which there is room, and wakes who waits.
func (s *shelf) put(draws []int64) {
	for _, d := range draws {
		s.ring[(s.first+s.n)%len(s.ring)] = d
		s.n++
	}
	close(s.filled)
	s.filled = make(chan struct{})
}

// take moves up to len(dst) draws out and wipes their places.
func (s *shelf) take(dst []int64) int {
	n := min(len(dst), s.n)
	for i := range n {
		dst[i] = s.ring[s.first]
		s.ring[s.first] = 0
		s.first = (s.first + 1) % len(s.ring)
	}
	s.n -= n
	return n
}

// stop wipes the shelves and fails all that wait or come.
func (p *Pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, sh := range p.order {
		clear(sh.ring)
		sh.n = 0
	}
	close(p.gone)
}

// Take implements Noise: it waits for the owner while the shelf is empty. On an
// error dst is zero and what had been taken for it is lost, never put back.
// Errors are ErrUnknownScale, ErrStopped or the context's.
func (p *Pool) Take(ctx context.Context, s Scale, dst []int64) error {
	for got := 0; ; {
		n, filled, err := p.some(s, dst[got:])
		got += n
		if err == nil && got == len(dst) {
			return nil
		}
		if err == nil {
			select {
			case <-filled:
				continue
			case <-p.gone:
				err = ErrStopped
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		clear(dst)
		return fmt.Errorf("take noise: %w", err)
	}
}

// some takes what is there; filled tells when to come again.
func (p *Pool) some(s Scale, dst []int64) (n int, filled <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sh := p.shelves[s]
	switch {
	case sh == nil:
		return 0, nil, ErrUnknownScale
	case p.stopped:
		return 0, nil, ErrStopped
	}
	n = sh.take(dst)
	if 2*sh.n <= p.depth {
		p.poke()
	}
	return n, sh.filled, nil
}
