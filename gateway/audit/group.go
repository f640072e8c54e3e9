package audit

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
)

// request is a record on its way through the writer.
type request struct {
	record Record
	entry  [EntrySize]byte
	parsed Entry
	leaf   Hash
	state  atomic.Uint32
	done   chan struct{} // one token when out and err are set
	out    *Appended
	err    error
}

const (
	queued uint32 = iota
	claimed
	abandoned
)

func newRequest(r Record) *request {
	q := &request{record: r, done: make(chan struct{}, 1)}
	q.parsed = Entry{Kind: r.Kind, Time: r.Time, Statement: r.Statement, Private: PrivateHash(len(r.Stated.text), r.Private)}
	q.parsed.AppendTo(q.entry[:0])
	q.leaf = LeafHash(q.entry[:])
	return q
}

// Append puts a record into the log and returns once its frame is durable and a
// signed checkpoint that covers it was handed to the second path. Records of
// concurrent callers share one write, sync and signature.
//
// ctx bounds the waiting before the write: if it ends there, nothing was
// written and the error is that of ctx. If it ends during the write, the error
// is ErrOutcomeUnknown. ErrRecord, ErrClosed and ErrNotDurable alone mean that
// nothing was written; ErrOutcomeUnknown, alone or with ErrNotDurable, that the
// frame may be found at the next start.
func (l *Log) Append(ctx context.Context, r Record) (*Appended, error) {
	if err := checkRecord(&r); err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	if err := l.Err(); err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	q := newRequest(r)
	select {
	case l.queue <- q:
	case <-ctx.Done():
		return nil, fmt.Errorf("append: %w", context.Cause(ctx))
	case <-l.stopped:
		return nil, fmt.Errorf("append: %w", ErrClosed)
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		if q.state.CompareAndSwap(queued, abandoned) {
			return nil, fmt.Errorf("append: %w", context.Cause(ctx))
		}
		return nil, fmt.Errorf("append: %w: %w", ErrOutcomeUnknown, context.Cause(ctx))
	case <-l.stopped:
		if q.state.CompareAndSwap(queued, abandoned) {
			return nil, fmt.Errorf("append: %w", ErrClosed)
		}
		<-q.done
	}
	if q.err != nil {
		return nil, fmt.Errorf("append: %w", q.err)
	}
	return q.out, nil
}

func checkRecord(r *Record) error {
	switch {
	case !r.Kind.valid():
		return fmt.Errorf("%w: unknown kind", ErrRecord)
	case r.Time < 0:
		return fmt.Errorf("%w: negative time", ErrRecord)
	case r.Stated.hash != Hash{} && (len(r.Stated.text) == 0 || r.Stated.hash != r.Statement):
		return fmt.Errorf("%w: statement is empty or of another hash", ErrRecord)
	case len(r.Stated.text) > MaxStatement:
		return fmt.Errorf("%w: statement is longer than %d bytes", ErrRecord, MaxStatement)
	case len(r.Private) > MaxPrivate:
		return fmt.Errorf("%w: private record is longer than %d bytes", ErrRecord, MaxPrivate)
	}
	return nil
}

// write is the one goroutine that writes frames.
func (l *Log) write() {
	defer close(l.stopped)
	for l.gather() {
		l.commit()
	}
}

// gather fills the group with what is queued, waiting for the first; false at
// the end.
func (l *Log) gather() bool {
	l.group = l.group[:0]
	bytes := 0
	if l.spare != nil {
		l.group, bytes, l.spare = append(l.group, l.spare), l.spare.bytes(), nil
	}
	yielded := false
	for len(l.group) < l.o.MaxGroup {
		q := l.next(len(l.group) > 0)
		if q == nil && !yielded && len(l.group) > 0 {
			yielded = true // the callers of the last group may be about to come back
			runtime.Gosched()
			continue
		}
		if q == nil {
			break
		}
		yielded = false
		if !q.state.CompareAndSwap(queued, claimed) {
			continue
		}
		if bytes += q.bytes(); bytes > maxGroupBytes && len(l.group) > 0 {
			l.spare = q
			break
		}
		l.group = append(l.group, q)
	}
	return len(l.group) > 0
}

func (q *request) bytes() int {
	return frameFixed + len(q.record.Stated.text) + len(q.record.Private)
}

// next takes a request; nil if there is none (now, or none any more).
func (l *Log) next(now bool) *request {
	select {
	case q := <-l.queue:
		return q
	default:
	}
	if now {
		return nil
	}
	select {
	case q := <-l.queue:
		return q
	case <-l.closing:
	}
	select {
	case q := <-l.queue:
		return q
	default:
		return nil
	}
}

// commit makes the group durable, applies it, signs it and answers.
func (l *Log) commit() {
	err := l.failed()
	if err == nil {
		err = l.commitGroup()
	}
	l.move()
	for i, q := range l.group {
		q.err = err
		if err != nil {
			q.out = nil
		}
		l.group[i] = nil
		q.done <- struct{}{}
	}
}

func (l *Log) commitGroup() error {
	first := l.tree.currentSize()
	if err := l.segs.makeRoom(first, l.groupBytes()); err != nil {
		l.fail(err)
		return l.failed() // no frame was written
	}
	l.encode(first)
	var cp *Checkpoint
	err := l.segs.write(l.buf, l.sizes)
	if err == nil {
		err = l.applyGroup(first)
	}
	if err == nil {
		cp, err = l.signGroup(first)
	}
	if err == nil {
		err = l.handOverTiles()
	}
	if err != nil {
		l.fail(err)
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, l.failed())
	}
	l.latest.Store(cp) // who knows the checkpoint can flush its tiles
	return nil
}

func (l *Log) groupBytes() int64 {
	n := 0
	for _, q := range l.group {
		n += q.bytes()
	}
	return int64(n)
}

// encode fills buf with the frames of the group.
func (l *Log) encode(first uint64) {
	l.buf, l.sizes = l.buf[:0], l.sizes[:0]
	if cap(l.buf) > maxKeptBuffer {
		l.buf = nil
	}
	salt := l.segs.last().salt
	for i, q := range l.group {
		n := len(l.buf)
		l.buf = appendFrame(l.buf, salt, first+uint64(i), first, q.entry[:], q.record.Stated.text, q.record.Private)
		l.sizes = append(l.sizes, len(l.buf)-n)
	}
}

const maxKeptBuffer = 4 << 20

// applyGroup extends the tree and tells the state machines, in order.
func (l *Log) applyGroup(first uint64) error {
	l.leaves = l.leaves[:0]
	last := l.lastTime.Load()
	for i, q := range l.group {
		l.leaves = append(l.leaves, q.leaf)
		last = max(last, q.parsed.Time)
		l.bundle = appendBundle(l.bundle, q.entry[:])
		if len(l.bundle) == fullBundle {
			id := tileID{bundleLevel, (first + uint64(i)) / tileWidth}
			l.pending = append(l.pending, tileJob{id: id, data: l.bundle})
			l.bundle = make([]byte, 0, fullBundle)
		}
	}
	l.tree.append(l.leaves)
	l.lastTime.Store(last)
	if l.o.Apply == nil {
		return nil
	}
	for i, q := range l.group {
		r := &q.record
		f := Frame{Index: first + uint64(i), Entry: q.parsed, Text: r.Stated.text, Private: r.Private, Hint: r.Hint}
		if err := l.o.Apply(f); err != nil {
			return fmt.Errorf("apply frame %d: %w", f.Index, err)
		}
	}
	return nil
}

// tileFull is called by the tree, under its lock, for each full tile.
func (l *Log) tileFull(id tileID, t *tile) {
	t.pinned = true
	l.pending = append(l.pending, tileJob{id: id, data: t.encode(make([]byte, 0, fullTile))})
}

// handOverTiles gives full tiles and bundles to their writer.
func (l *Log) handOverTiles() error {
	for i, job := range l.pending {
		if err := l.tiles.put(job); err != nil {
			return err
		}
		l.pending[i] = tileJob{}
	}
	l.pending = l.pending[:0]
	return nil
}

// signGroup makes the checkpoint of the group and an inclusion proof for each
// of its entries.
func (l *Log) signGroup(first uint64) (*Checkpoint, error) {
	cp, err := l.newCheckpoint()
	if err != nil {
		return nil, err
	}
	if err := l.slots.write(cp); err != nil {
		return nil, err
	}
	b, err := l.tree.borderOf(cp.Size)
	if err != nil {
		return nil, err
	}
	out := make([]Appended, len(l.group))
	proofs := make([]Hash, 0, len(l.group)*int(height(cp.Size)))
	for i, q := range l.group {
		n := len(proofs)
		if proofs, err = l.tree.prove(proofs, first+uint64(i), b); err != nil {
			return nil, err
		}
		out[i] = Appended{Index: first + uint64(i), Entry: q.entry[:], Checkpoint: cp,
			Proof: proofs[n:len(proofs):len(proofs)]}
		q.out = &out[i]
	}
	return cp, nil
}

// newCheckpoint signs the present size and root. Its time never goes back.
func (l *Log) newCheckpoint() (*Checkpoint, error) {
	size := l.tree.currentSize()
	root, err := l.tree.rootAt(size)
	if err != nil {
		return nil, err
	}
	l.cpTime = max(l.cpTime, l.o.Clock().UnixMilli(), 0)
	cp := &Checkpoint{Origin: l.o.Origin, Size: size, Root: root, Time: l.cpTime}
	if err := cp.sign(l.o.KeyName, l.o.Signer); err != nil {
		return nil, err
	}
	return cp, nil
}
