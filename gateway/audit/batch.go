package audit

import "runtime"

// batchBytes is how many bytes of frames are hashed by one goroutine at a time.
const batchBytes = 256 << 10

// batch is a run of frames between the scanner and the state. It owns their
// bytes. A goroutine of its own compares statements and private records with their
// digests and hashes the leaves; frames are taken in order whatever the order of that.
type batch struct {
	data    []byte
	frames  []rawFrame
	entries []Entry
	leaves  []Hash
	err     error // of the first frame that differs: len(entries) is its place
	done    chan struct{}
}

// room tells whether one more frame of n bytes fits without moving the others.
func (b *batch) room(n int) bool { return len(b.frames) == 0 || len(b.data)+n <= cap(b.data) }

// add copies a frame.
func (b *batch) add(f rawFrame) {
	n := f.bytes()
	if cap(b.data) < n {
		b.data = make([]byte, 0, max(n, batchBytes))
	}
	at := len(b.data)
	statement, private := at+len(f.entry), at+len(f.entry)+len(f.statement)
	b.data = append(append(append(b.data, f.entry...), f.statement...), f.private...)
	f.entry, f.statement, f.private = b.data[at:statement], b.data[statement:private], b.data[private:]
	b.frames = append(b.frames, f)
}

// bytes is what a batch takes of a frame.
func (f *rawFrame) bytes() int { return len(f.entry) + len(f.statement) + len(f.private) }

func (b *batch) hash() {
	defer close(b.done)
	for i := range b.frames {
		e, err := b.frames[i].check()
		if err != nil {
			b.err = err
			return
		}
		b.entries = append(b.entries, e)
		b.leaves = append(b.leaves, LeafHash(b.frames[i].entry))
	}
}

func (b *batch) reset() {
	b.data, b.frames, b.entries, b.leaves, b.err = b.data[:0], b.frames[:0], b.entries[:0], b.leaves[:0], nil
}

// pipeline keeps a bounded number of batches under way.
type pipeline struct {
	depth int
	fill  *batch
	queue []*batch
	spare []*batch
}

func newPipeline() *pipeline { return &pipeline{depth: 2 * runtime.GOMAXPROCS(0)} }

// put takes a frame of the scanner. If that fills the pipeline, the oldest batch
// goes to take.
func (p *pipeline) put(f rawFrame, take func(*batch) error) error {
	if p.fill != nil && !p.fill.room(f.bytes()) {
		p.launch()
	}
	if p.fill == nil {
		p.fill = p.empty()
	}
	p.fill.add(f)
	if len(p.queue) < p.depth {
		return nil
	}
	return p.pop(take)
}

func (p *pipeline) empty() *batch {
	if n := len(p.spare); n > 0 {
		b := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return b
	}
	return &batch{data: make([]byte, 0, batchBytes)}
}

func (p *pipeline) launch() {
	p.fill.done = make(chan struct{})
	go p.fill.hash()
	p.queue = append(p.queue, p.fill)
	p.fill = nil
}

func (p *pipeline) pop(take func(*batch) error) error {
	b := p.queue[0]
	p.queue = p.queue[1:]
	<-b.done
	if err := take(b); err != nil {
		return err
	}
	b.reset()
	p.spare = append(p.spare, b)
	return nil
}

// drain gives everything that is under way to take, in order.
func (p *pipeline) drain(take func(*batch) error) error {
	if p.fill != nil {
		p.launch()
	}
	for len(p.queue) > 0 {
		if err := p.pop(take); err != nil {
			return err
		}
	}
	return nil
}

// wait ends what is still under way after an error.
func (p *pipeline) wait() {
	for _, b := range p.queue {
		<-b.done
	}
}
