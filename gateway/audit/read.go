package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
)

// Frame reads one frame. Statement and private record are the caller's. A frame that was
// applied is waited for until a signed checkpoint covers it.
func (l *Log) Frame(ctx context.Context, index uint64) (Frame, error) {
	if err := ctx.Err(); err != nil {
		return Frame{}, fmt.Errorf("read frame: %w", err)
	}
	if err := l.covered(ctx, index); err != nil {
		return Frame{}, fmt.Errorf("read frame %d: %w", index, err)
	}
	for f, err := range l.frames(ctx, index, index+1) {
		return f, err
	}
	return Frame{}, fmt.Errorf("read frame %d: %w", index, ErrDamaged)
}

// Frames yields the frames from index from on, up to the size the log has when
// the iteration begins. It ends at the first error. Statements and private
// records are the caller's.
func (l *Log) Frames(ctx context.Context, from uint64) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		l.frames(ctx, from, l.Size())(yield)
	}
}

func (l *Log) frames(ctx context.Context, from, to uint64) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		err := l.rawFrames(ctx, from, to, func(raw rawFrame) (bool, error) {
			e, err := raw.check()
			if err != nil {
				return false, fmt.Errorf("%w: frame %d: %w", ErrDamaged, raw.index, err)
			}
			f := Frame{Index: raw.index, Entry: e, Text: bytes.Clone(raw.text()), Private: bytes.Clone(raw.private)}
			return yield(f, nil), nil
		})
		if err != nil {
			yield(Frame{}, fmt.Errorf("read frames: %w", err))
		}
	}
}

// rawFrames calls do for the frames in [from, to) until it answers false.
func (l *Log) rawFrames(ctx context.Context, from, to uint64, do func(rawFrame) (bool, error)) error {
	for from < to {
		sc, f, err := l.segs.seek(from)
		if err != nil {
			return err
		}
		next, more, err := scanFrames(ctx, sc, to, do)
		if err = errors.Join(err, f.Close()); err != nil || !more {
			return err
		}
		if next == from {
			return fmt.Errorf("%w: frames are missing", ErrDamaged)
		}
		from = next
	}
	return nil
}

// scanFrames goes through one segment.
func scanFrames(ctx context.Context, sc *scanner, to uint64, do func(rawFrame) (bool, error)) (uint64, bool, error) {
	for sc.next < to && sc.off < sc.end {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		raw, err := sc.frame()
		if err != nil {
			return 0, false, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		more, err := do(raw)
		if err != nil || !more {
			return 0, false, err
		}
	}
	return sc.next, true, nil
}

// Prove gives an inclusion proof of an entry under the newest checkpoint. The
// proof is checked before it is given out.
func (l *Log) Prove(ctx context.Context, index uint64) (*Appended, error) {
	f, err := l.Frame(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	cp := l.Latest()
	b, err := l.tree.borderOf(cp.Size)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	a := &Appended{Index: index, Entry: f.Entry.AppendTo(make([]byte, 0, EntrySize)), Checkpoint: cp}
	if a.Proof, err = l.tree.prove(nil, index, b); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if err := VerifyInclusion(a.Entry, index, a.Proof, cp); err != nil {
		return nil, fmt.Errorf("prove: %w: tiles and frames differ", ErrDamaged)
	}
	return a, nil
}

// ProveConsistency gives the newest checkpoint, and the proof that the tree of
// size from is a prefix of it.
func (l *Log) ProveConsistency(ctx context.Context, from uint64) ([]Hash, *Checkpoint, error) {
	cp := l.Latest()
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("prove consistency: %w", err)
	}
	if from > cp.Size {
		return nil, nil, fmt.Errorf("prove consistency: %w", ErrNoEntry)
	}
	nodes, err := proof.Consistency(from, cp.Size)
	if err != nil {
		return nil, nil, fmt.Errorf("prove consistency: %w", err)
	}
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		if hashes[i], err = l.nodeBytes(id); err != nil {
			return nil, nil, fmt.Errorf("prove consistency: %w", err)
		}
	}
	path, err := nodes.Rehash(hashes, hasher{}.HashChildren)
	if err != nil {
		return nil, nil, fmt.Errorf("prove consistency: %w", err)
	}
	out := make([]Hash, len(path))
	for i := range path {
		out[i] = Hash(path[i])
	}
	return out, cp, nil
}

func (l *Log) nodeBytes(id compact.NodeID) ([]byte, error) {
	h, err := l.tree.node(id.Level, id.Index)
	return h[:], err
}

// loadTile reads a full tile from disk, or makes it again from what it is built
// on.
func (l *Log) loadTile(id tileID) (*tile, error) {
	data, err := readFile(l.o.store, publicFile(publicRoot(&l.o), id.level, id.index, tileWidth), fullTile)
	if err == nil && len(data) == fullTile && !l.distrust.Load() {
		return decodeTile(data, tileWidth)
	}
	if data, err = l.rebuild(id); err != nil {
		return nil, err
	}
	return decodeTile(data, tileWidth)
}

// rebuild makes a full tile or bundle from frames, or from the tiles below.
func (l *Log) rebuild(id tileID) ([]byte, error) {
	if id.level > 0 {
		var out []byte
		for i := range uint64(tileWidth) {
			child, err := l.loadTile(tileID{id.level - 1, id.index<<tileHeight + i})
			if err != nil {
				return nil, err
			}
			root := child.root()
			out = append(out, root[:]...)
		}
		return out, nil
	}
	from := id.index << tileHeight
	bundle, leaves, err := l.entries(context.Background(), from, from+tileWidth)
	if id.level == bundleLevel {
		return bundle, err
	}
	return leaves, err
}

// entries gives a range of entries as a bundle, and their leaf hashes as a tile.
func (l *Log) entries(ctx context.Context, from, to uint64) (bundle, leaves []byte, err error) {
	err = l.rawFrames(ctx, from, to, func(raw rawFrame) (bool, error) {
		bundle = appendBundle(bundle, raw.entry)
		leaf := LeafHash(raw.entry)
		leaves = append(leaves, leaf[:]...)
		return true, nil
	})
	if err == nil && uint64(len(leaves)) != (to-from)*HashSize {
		err = fmt.Errorf("%w: frames are missing", ErrDamaged)
	}
	return bundle, leaves, err
}
