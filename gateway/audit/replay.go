package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// replayed is what a pass over the frames found out.
type replayed struct {
	size     uint64
	lastTime int64
	torn     bool  // bytes behind the last whole frame have to go
	tornSize int64 // how many, up to the last that is not zero
	bad      []tileID
	entries  []byte // of the last, incomplete bundle
}

// replay reads frames in order and checks each of them; it changes nothing on
// disk.
type replay struct {
	o     *Options
	segs  *segments
	tree  *tree
	apply func(Frame) error // nil: none
	from  *Snapshot         // nil: everything is applied
	full  bool              // from is only compared: everything is read and applied
	floor uint64            // size of the newest checkpoint known: below, nothing may be torn
	out   replayed
}

// run replays from start on, a multiple of 256 that the tree already has.
func (r *replay) run(ctx context.Context, start uint64) error {
	r.out.size = start
	for i, seg := range r.segs.list {
		last := i == len(r.segs.list)-1
		if !last && r.segs.list[i+1].first <= start {
			continue
		}
		if seg.first > r.out.size {
			return sealed("frames from index %d to %d are missing", r.out.size, seg.first)
		}
		if err := r.segment(ctx, seg, last); err != nil {
			return err
		}
	}
	if r.from != nil && r.out.size < r.from.Index {
		return sealed("log has %d frames, a snapshot was made at %d", r.out.size, r.from.Index)
	}
	return nil
}

func (r *replay) segment(ctx context.Context, seg *segment, last bool) error {
	sc, f, err := r.segs.open(seg)
	if err != nil {
		return err
	}
	defer f.Close()
	seg.end, seg.count, seg.marks, seg.scanned = segmentHeader, 0, nil, true
	known := r.out.size // the tree has what is below
	p := newPipeline()
	defer p.wait()
	for {
		off := sc.off
		if seg.count%1024 == 0 && ctx.Err() != nil {
			return fmt.Errorf("replay: %w", ctx.Err())
		}
		fr, err := sc.frame()
		if err != nil {
			if before := p.drain(r.batch); before != nil {
				return before
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return r.end(sc, seg, last)
		case errors.Is(err, errFrame):
			return r.broken(sc, last, err)
		case err != nil:
			return err
		}
		seg.note(off, fr.size)
		if fr.index < known {
			continue
		}
		if err := p.put(fr, r.batch); err != nil {
			return err
		}
	}
}

// batch takes frames whose hashes are known.
func (r *replay) batch(b *batch) error {
	for i, e := range b.entries {
		if err := r.frame(&b.frames[i], e, b.leaves[i]); err != nil {
			return err
		}
	}
	if b.err != nil {
		return sealed("frame %d: %v", b.frames[len(b.entries)].index, b.err)
	}
	return nil
}

func (r *replay) frame(fr *rawFrame, e Entry, leaf Hash) error {
	if err := r.meet(fr.index); err != nil {
		return err
	}
	if r.apply != nil && (r.full || r.from == nil || fr.index >= r.from.Index) {
		if err := r.apply(Frame{Index: fr.index, Entry: e, Text: fr.text(), Private: fr.private}); err != nil {
			return fmt.Errorf("replay: apply frame %d: %w", fr.index, err)
		}
	}
	r.out.entries = appendBundle(r.out.entries, fr.entry)
	if len(r.out.entries) == fullBundle {
		r.compareBundle(fr.index / tileWidth)
	}
	r.tree.append([]Hash{leaf})
	r.out.size++
	r.out.lastTime = max(r.out.lastTime, e.Time)
	return nil
}

// meet compares the root with the snapshot's before the first frame that
// builds on it is applied.
func (r *replay) meet(index uint64) error {
	if r.from == nil || index != r.from.Index {
		return nil
	}
	root, err := r.tree.rootAt(index)
	if err != nil {
		return err
	}
	if root != r.from.Root {
		return errSnapshotRoot
	}
	return nil
}

var errSnapshotRoot = errors.New("root differs from the snapshot's")

func (r *replay) compareBundle(index uint64) {
	r.compare(tileID{bundleLevel, index}, r.out.entries, fullBundle)
	r.out.entries = r.out.entries[:0]
}

func (r *replay) compareTile(id tileID, t *tile) { r.compare(id, t.encode(nil), fullTile) }

// compare notes a public file that is missing or differs from the frames.
func (r *replay) compare(id tileID, want []byte, size int64) {
	got, err := readFile(r.o.store, publicFile(publicRoot(r.o), id.level, id.index, tileWidth), size)
	if err != nil || string(got) != string(want) {
		r.out.bad = append(r.out.bad, id)
	}
}

// end checks that nothing but zeros follows the last frame.
func (r *replay) end(sc *scanner, seg *segment, last bool) error {
	n, err := nonZero(sc)
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	if !last {
		return sealed("there are bytes behind the last frame of the segment at index %d", seg.first)
	}
	return r.broken(sc, last, errFrame)
}

// broken judges a frame that is not whole. It may be the torn tail of a group
// that was never acknowledged: in the last segment, at or above the newest
// checkpoint, and with no frame of a later group behind it.
func (r *replay) broken(sc *scanner, last bool, cause error) error {
	at := sc.next
	switch {
	case !last:
		return sealed("frame %d is damaged (%v) and others follow", at, cause)
	case at < r.floor:
		return sealed("frame %d is damaged or missing (%v), the newest checkpoint covers %d", at, cause, r.floor)
	case r.from != nil && at < r.from.Index:
		return sealed("frame %d is damaged or missing (%v), a snapshot was made at %d", at, cause, r.from.Index)
	}
	later, err := laterGroup(sc, at)
	if err != nil {
		return err
	}
	if later {
		return sealed("frame %d is damaged (%v) and frames of a later group follow", at, cause)
	}
	n, err := nonZero(sc)
	if err != nil {
		return err
	}
	r.out.torn, r.out.tornSize = true, n
	return nil
}

// nonZero gives the distance from the scanner's place to the last byte that is
// not zero.
func nonZero(sc *scanner) (int64, error) {
	var last int64
	buf := make([]byte, scanBuffer)
	for off := sc.off; off < sc.end; off += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), sc.end-off)]
		if n, err := sc.r.ReadAt(b, off); n < len(b) {
			return 0, fmt.Errorf("read segment: %w", bare(err))
		}
		for i := len(b) - 1; i >= 0; i-- {
			if b[i] != 0 {
				last = off + int64(i) + 1 - sc.off
				break
			}
		}
	}
	return last, nil
}

// laterGroup looks for a whole frame behind the broken one whose group began
// after it.
func laterGroup(sc *scanner, broken uint64) (bool, error) {
	buf := make([]byte, frameHeader)
	probe := &scanner{r: sc.r, salt: sc.salt, end: sc.end}
	for off := sc.off + 1; off+frameFixed <= sc.end; off++ {
		probe.off = off
		head, err := probe.peek(frameHeader)
		if err != nil {
			return false, err
		}
		if head[0] != frameMagic[0] {
			continue
		}
		copy(buf, head)
		n, err := frameLength(buf)
		group := groupOf(buf)
		if err != nil || group <= broken || group-broken > maxGroupBound {
			continue
		}
		b, err := probe.peek(n)
		if err != nil {
			return false, err
		}
		if f, err := parseFrame(b, sc.salt); err == nil && f.group > broken {
			return true, nil
		}
	}
	return false, nil
}

// publicCheckpoint reads the published checkpoint, which the log has to bear
// out; nil if nothing was published.
func publicCheckpoint(o *Options) (*Checkpoint, error) {
	text, err := readFile(o.store, filepath.Join(publicRoot(o), "checkpoint"), maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read public checkpoint: %w", err)
	}
	cp, err := ParseCheckpoint(text, o.Origin, o.KeyName, o.Verify)
	if err != nil {
		return nil, sealed("the public checkpoint is damaged or of another log or key")
	}
	return cp, nil
}

// bearOut checks that the tree had the checkpoint's root at its size.
func bearOut(t *tree, size uint64, cp *Checkpoint, which string) error {
	if cp.Size > size {
		return sealed("log has %d frames, the checkpoint of %s names %d", size, which, cp.Size)
	}
	root, err := t.rootAt(cp.Size)
	if err != nil {
		return err
	}
	if root != cp.Root {
		return sealed("log and the checkpoint of %s differ at size %d", which, cp.Size)
	}
	return nil
}

func publicRoot(o *Options) string { return filepath.Join(o.Dir, "public") }
