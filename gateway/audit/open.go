package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
)

// Open opens the log, or makes it. Before it returns, every frame from the
// snapshot on was read, checked and given to Apply, and the log was compared
// with every checkpoint there is: both slots of the second path and the public
// one. If the log is shorter than one of them or differs, the error is a
// *SealedError and nothing was changed on disk. Whole frames beyond the newest
// checkpoint are kept, a torn tail of a last group is cut off. While the log is
// open no other process can open it.
func Open(ctx context.Context, o Options) (*Log, error) {
	o.complete()
	if err := o.check(); err != nil {
		return nil, optionsError(err)
	}
	for _, dir := range []string{o.Dir, framesDir(&o), publicRoot(&o), o.CheckpointDir} {
		if err := o.store.MkdirAll(dir); err != nil {
			return nil, optionsError(fmt.Errorf("make directory: %w", err))
		}
	}
	held, err := takeLock(&o)
	if err != nil {
		return nil, optionsError(err)
	}
	l, err := open(ctx, &o)
	if err != nil {
		return nil, errors.Join(optionsError(err), held.Close())
	}
	l.held = held
	l.start()
	return l, nil
}

func framesDir(o *Options) string { return filepath.Join(o.Dir, "frames") }

func takeLock(o *Options) (file, error) {
	f, err := o.store.OpenFile(filepath.Join(o.Dir, "lock"), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := f.Lock(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
	}
	return f, nil
}

// known is what the log has to bear out, and where the second path stands.
type known struct {
	second []*Checkpoint
	public *Checkpoint
	found  bool
	seq    uint64
	active int
}

func readKnown(o *Options) (*known, error) {
	k := &known{}
	var err error
	if k.second, k.seq, k.active, k.found, err = readSlots(o); err != nil {
		return nil, err
	}
	if k.found && len(k.second) == 0 {
		return nil, sealed("the second path holds no checkpoint of this log and key")
	}
	k.public, err = publicCheckpoint(o)
	return k, err
}

func (k *known) floor() uint64 {
	var n uint64
	for _, cp := range k.second {
		n = max(n, cp.Size)
	}
	if k.public != nil {
		n = max(n, k.public.Size)
	}
	return n
}

// lastTime is the newest time of a checkpoint; times of checkpoints never go
// back.
func (k *known) lastTime() int64 {
	var t int64
	for _, cp := range k.second {
		t = max(t, cp.Time)
	}
	return t
}

func (k *known) bearOut(t *tree, size uint64) error {
	if !k.found && size > 0 {
		return sealed("log has %d frames and the second path is missing", size)
	}
	for _, cp := range k.second {
		if err := bearOut(t, size, cp, "the second path"); err != nil {
			return err
		}
	}
	if k.public != nil {
		return bearOut(t, size, k.public, "the public directory")
	}
	return nil
}

// inspect does everything about opening that changes nothing.
func inspect(ctx context.Context, o *Options, full bool) (*Log, *replay, *known, error) {
	k, err := readKnown(o)
	if err != nil {
		return nil, nil, nil, err
	}
	segs, err := openSegments(o.store, framesDir(o), HashOf([]byte(o.Origin)), o.SegmentBytes, o.Clock)
	if err != nil {
		return nil, nil, nil, err
	}
	l := newLog(o, segs)
	r := &replay{o: o, segs: segs, tree: l.tree, apply: o.Apply, from: o.From, full: full, floor: k.floor()}
	if err := l.replay(ctx, r); err != nil {
		return nil, nil, nil, err
	}
	err = k.bearOut(l.tree, r.out.size)
	if err != nil && o.From != nil && !full { // tiles below the snapshot may be what is damaged, not the frames
		o.Logger.WarnContext(ctx, "stored tiles do not lead to a checkpoint, reading frames instead")
		l.distrust.Store(true)
		l.tree.forget()
		err = k.bearOut(l.tree, r.out.size)
	}
	return l, r, k, err
}

func open(ctx context.Context, o *Options) (*Log, error) {
	l, r, k, err := inspect(ctx, o, false)
	if err != nil {
		return nil, err
	}
	if r.out.torn {
		o.Logger.WarnContext(ctx, "torn tail cut off", slog.Uint64("index", r.out.size), slog.Int64("bytes", r.out.tornSize))
	}
	if err := l.segs.resume(r.out.torn); err != nil {
		return nil, err
	}
	if err := l.repair(ctx, r.out.bad); err != nil {
		return nil, err
	}
	l.lastTime.Store(r.out.lastTime)
	if r.from != nil {
		l.lastTime.Store(max(r.out.lastTime, r.from.LastTime))
	}
	l.bundle = append(l.bundle, r.out.entries...)
	if err := l.firstCheckpoint(k); err != nil {
		return nil, err
	}
	l.tree.full = l.tileFull
	return l, nil
}

// replay brings the tree up, from the snapshot's place if the stored tiles
// allow it, else from the first frame on.
func (l *Log) replay(ctx context.Context, r *replay) error {
	if r.from != nil && !r.full {
		start := r.from.Index &^ (tileWidth - 1)
		l.tree.full = r.compareTile
		err := l.tree.restore(start)
		if err == nil {
			err = r.run(ctx, start)
		}
		if err == nil {
			err = r.atEnd()
		}
		if err == nil || !errors.Is(err, errSnapshotRoot) && !errors.Is(err, ErrDamaged) {
			return err
		}
		l.o.Logger.WarnContext(ctx, "stored tiles do not lead to the snapshot, reading all frames")
	}
	fresh := newTree()
	fresh.load = l.tree.load
	fresh.full = r.compareTile
	l.tree, r.tree, r.out = fresh, fresh, replayed{}
	err := r.run(ctx, 0)
	if err == nil {
		err = r.atEnd()
	}
	if errors.Is(err, errSnapshotRoot) {
		return sealed("log and a snapshot differ at size %d", r.from.Index)
	}
	return err
}

// atEnd compares the root with a snapshot that was made at the very end.
func (r *replay) atEnd() error {
	if r.from == nil || r.from.Index != r.out.size || r.out.size == 0 {
		return nil
	}
	return r.meet(r.out.size)
}

// repair writes the public tiles and bundles that are missing or differ, from
// the frames, lower levels first.
func (l *Log) repair(ctx context.Context, bad []tileID) error {
	sort.Slice(bad, func(i, j int) bool {
		if bad[i].level != bad[j].level {
			return bad[i].level < bad[j].level
		}
		return bad[i].index < bad[j].index
	})
	if len(bad) > 0 {
		l.o.Logger.LogAttrs(ctx, slog.LevelInfo, "tiles written anew", slog.Int("count", len(bad)))
	}
	w := newTileWriter(l.o.store, publicRoot(&l.o), func(tileID) {}, func(error) {})
	for _, id := range bad {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		data, err := l.rebuild(id)
		if err == nil {
			err = w.write(tileJob{id: id, data: data})
		}
		if err != nil {
			return fmt.Errorf("repair tiles: %w", err)
		}
	}
	return w.sync()
}

// firstCheckpoint signs the state the log is in and makes it durable on the
// second path.
func (l *Log) firstCheckpoint(k *known) error {
	l.cpTime = k.lastTime()
	cp, err := l.newCheckpoint()
	if err != nil {
		return err
	}
	if !k.found {
		if err := createSlots(&l.o, cp); err != nil {
			return err
		}
	}
	if l.slots, err = openSlots(&l.o, k.seq, k.active); err != nil {
		return err
	}
	if err := l.slots.write(cp); err != nil {
		return err
	}
	l.latest.Store(cp)
	return l.slots.sync()
}
