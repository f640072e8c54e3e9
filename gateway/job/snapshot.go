package job

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/ledger"
)

const snapshotName = "state"

// A snapshot is the ledger's state and the changes that made the domain:
//
//	length of the ledger's part (8) | ledger | changes as JSON
//
// Changes keep the sealed bodies of their frames, so it holds no more than the log does.

// A snapshot is worth its cost once snapshotFrames frames would have to be replayed without it, or, where
// it is large, as many as a snapshotBytes-th of its bytes: so no frame costs much more than itself in
// snapshots, and a start replays for some seconds at most.
const (
	snapshotFrames = 200_000
	snapshotBytes  = 1024
	snapshotCheck  = 20 * time.Second
)

// snapshots saves from time to time, so that a start after a crash replays little.
func (r *Runner) snapshots() {
	tick := time.NewTicker(snapshotCheck)
	defer tick.Stop()
	saved, due := r.log.Size(), uint64(snapshotFrames)
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
			size := r.log.Size()
			if err := r.log.Publish(r.ctx); err != nil && r.ctx.Err() == nil {
				r.o.Logger.Warn("public log not published", slog.String("error", err.Error()))
			}
			if err := r.gate.Settle(r.ctx, r.Now()); err != nil && r.ctx.Err() == nil {
				r.o.Logger.Warn("count of refusals not logged", slog.String("error", err.Error()))
			}
			if size-saved < due {
				continue
			}
			bytes, err := r.save()
			if err != nil {
				r.o.Logger.Warn("snapshot not saved", slog.String("error", err.Error()))
				continue
			}
			saved, due = size, max(snapshotFrames, uint64(bytes)/snapshotBytes)
		}
	}
}

// save writes a snapshot of what was applied so far and gives its size in bytes.
func (r *Runner) save() (int, error) {
	size, payload, err := r.encode()
	if err != nil {
		return 0, err
	}
	return len(payload), r.log.SaveSnapshot(snapshotName, size, payload)
}

// encode is the snapshot of what was applied, and the size of the log it belongs to. Frames go on being
// applied while it is put together.
func (r *Runner) encode() (uint64, []byte, error) {
	r.domainMu.Lock()
	capture := r.ledger.Capture()
	past := slices.Clip(r.domain.history) // only ever appended to
	r.domainMu.Unlock()
	history, err := json.Marshal(past)
	payload := capture.AppendTo(make([]byte, 8, 8+capture.Most()+len(history)))
	if err != nil {
		return 0, nil, err
	}
	binary.BigEndian.PutUint64(payload, uint64(len(payload)-8))
	return capture.Size, append(payload, history...), nil
}

// restore takes up the newest snapshot that is bound to this log. Nil means: replay everything.
func (r *Runner) restore(ctx context.Context, o audit.Options) *audit.Snapshot {
	s, err := audit.LoadSnapshot(ctx, o, snapshotName)
	if err != nil {
		return nil
	}
	l, d, err := r.decode(s)
	if err != nil {
		r.o.Logger.Warn("snapshot unusable, replaying the whole log")
		return nil
	}
	r.ledger, r.domain = l, d
	return s
}

func (r *Runner) decode(s *audit.Snapshot) (*ledger.Ledger, *domain, error) {
	if len(s.Payload) < 8 || binary.BigEndian.Uint64(s.Payload) > uint64(len(s.Payload)-8) {
		return nil, nil, errors.New("job: snapshot length")
	}
	n := binary.BigEndian.Uint64(s.Payload)
	l, err := ledger.Restore(s.Payload[8 : 8+n])
	if err != nil || l.Size() != s.Index {
		return nil, nil, errors.Join(err, errors.New("job: snapshot index"))
	}
	var history []past
	if err := json.Unmarshal(s.Payload[8+n:], &history); err != nil {
		return nil, nil, errors.New("job: snapshot changes")
	}
	d := newDomain()
	for _, p := range history {
		c, err := r.openChange(p.Body)
		if err != nil {
			return nil, nil, err
		}
		if err := d.take(c, p.Time); err != nil {
			return nil, nil, err
		}
	}
	d.history = history
	return l, d, nil
}
