package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// Latest is the newest signed checkpoint.
func (r *Runner) Latest() *audit.Checkpoint { return r.log.Latest() }

// ProveConsistency proves that the tree of size from is a prefix of the newest checkpoint's.
func (r *Runner) ProveConsistency(ctx context.Context, from uint64) ([]audit.Hash, *audit.Checkpoint, error) {
	return r.log.ProveConsistency(ctx, from)
}

// Entries gives public entries [from, to), 80 bytes each.
func (r *Runner) Entries(ctx context.Context, from, to uint64) ([]byte, error) {
	return r.log.Entries(ctx, from, to)
}

// RootAt is the root of the log's tree when it had this size.
func (r *Runner) RootAt(size uint64) (audit.Hash, error) { return r.log.RootAt(size) }

// pushed is the body of the entry that a platform's signed word becomes.
type pushed struct {
	Push  json.RawMessage `json:"push"`
	Nonce string          `json:"nonce"`
}

// Acknowledge makes the signed word of the exchange platform an entry of the log, and gives its index.
// The caller has verified it.
func (r *Runner) Acknowledge(ctx context.Context, word []byte) (uint64, error) {
	var nonce receipt.Nonce
	if _, err := r.o.Rand.Read(nonce[:]); err != nil {
		return 0, fmt.Errorf("draw nonce: %w", err)
	}
	text, err := json.Marshal(pushed{Push: word, Nonce: fmt.Sprintf("%x", nonce[:])})
	if err != nil {
		return 0, fmt.Errorf("encode push receipt: %w", err)
	}
	private, err := (&ledger.Record{Body: text}).AppendTo(nil)
	if err != nil {
		return 0, err
	}
	a, err := r.log.Append(ctx, audit.Record{Kind: audit.Outcome, Time: r.Now(), Statement: receipt.Commit("push", &nonce, text), Private: private})
	if err != nil {
		return 0, err
	}
	return a.Index, nil
}

// word is the platform's word in a frame, or nil.
func word(f *audit.Frame) *audit.PushReceipt {
	if f.Entry.Kind != audit.Outcome {
		return nil
	}
	record, err := ledger.ParseRecord(f.Private)
	if err != nil || record.Idem != nil || len(record.Charges) > 0 {
		return nil
	}
	var p pushed
	if json.Unmarshal(record.Body, &p) != nil {
		return nil
	}
	w, err := audit.ParsePushReceipt(p.Push)
	if err != nil {
		return nil
	}
	return w
}

// backWindow is how many frames are read forwards at a time when the log is read backwards.
const backWindow = 1024

var errEnough = errors.New("job: enough was read")

// backwards reads the log from before downwards in windows. Within a window see gets the frames in
// order; after each, done may end it with errEnough. Only one frame is in memory at a time.
func (r *Runner) backwards(ctx context.Context, before uint64, see func(*audit.Frame) error, done func(from uint64) error) error {
	for to := min(before, r.log.Size()); to > 0; {
		from := to - min(to, backWindow)
		for f, err := range r.log.Frames(ctx, from) {
			if err != nil {
				return err
			}
			if f.Index >= to {
				break
			}
			if err := see(&f); err != nil {
				return err
			}
		}
		if err := done(from); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		to = from
	}
	return nil
}

// Acknowledged finds, from the end of the log, how many of its entries the exchange platform last
// signed for, and the indices of words of the platform that this does not cover.
func (r *Runner) Acknowledged(ctx context.Context) (size uint64, words []uint64, err error) {
	found := false
	err = r.backwards(ctx, r.log.Size(), func(f *audit.Frame) error {
		if w := word(f); w != nil {
			words = append(words, f.Index)
			size, found = max(size, w.Size), true
		}
		return nil
	}, func(from uint64) error {
		if found && from <= size {
			return errEnough
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return size, slices.DeleteFunc(words, func(i uint64) bool { return i < size }), nil
}
