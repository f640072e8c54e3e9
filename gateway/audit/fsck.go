package audit

import (
	"context"
	"errors"
	"fmt"
)

// FsckReport is what Fsck found.
type FsckReport struct {
	Frames     uint64 // whole frames, each checked against its digest
	Segments   int
	Torn       int64       // bytes of a torn tail that the next start cuts off
	BadTiles   []string    // full tiles and bundles missing or different; the next full replay writes them anew
	Checkpoint *Checkpoint // newest of the second path; nil if there is none
	Published  *Checkpoint // of the public directory; nil if there is none
}

// OK tells whether there is nothing to repair.
func (r *FsckReport) OK() bool { return r.Torn == 0 && len(r.BadTiles) == 0 }

// Fsck reads every frame, recomputes the tree, and compares tiles, bundles and
// checkpoints with it. It changes nothing but takes the lock, so the log must
// not be open. What cannot be repaired is a *SealedError. Apply, if it is set,
// sees every frame; of From, if it is set, the root is compared.
func Fsck(ctx context.Context, o Options) (*FsckReport, error) {
	o.complete()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("fsck: %w", err)
	}
	held, err := takeLock(&o)
	if err != nil {
		return nil, fmt.Errorf("fsck: %w", err)
	}
	_, r, k, err := inspect(ctx, &o, true)
	if err = errors.Join(err, held.Close()); err != nil {
		return nil, fmt.Errorf("fsck: %w", err)
	}
	rep := &FsckReport{Frames: r.out.size, Segments: len(r.segs.list), Published: k.public}
	if r.out.torn {
		rep.Torn = max(r.out.tornSize, 1)
	}
	for _, id := range r.out.bad {
		rep.BadTiles = append(rep.BadTiles, tilePath(id.level, id.index, tileWidth))
	}
	if len(k.second) > 0 {
		rep.Checkpoint = k.second[0]
	}
	return rep, nil
}
