package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// WitnessOptions are those of the feed to a witness; every field but MaxAge is required.
type WitnessOptions struct {
	URL string // add-checkpoint is appended
	Key keyring.PublicKey
	// MaxAge is how old the newest cosignature may be before questions are refused; 0: any age.
	MaxAge time.Duration
	Log    proofs
	Client *http.Client
	Clock  func() time.Time
	Logger *slog.Logger
}

// Witness feeds the newest checkpoint to a witness, each second if the log has grown.
type Witness struct {
	o       WitnessOptions
	old     uint64    // size the witness remembers, as far as known
	tried   time.Time // of the last attempt
	failing bool

	signed  atomic.Int64 // Unix nanoseconds of our clock when the newest checkpoint signed was sent
	differs atomic.Bool
	newest  atomic.Pointer[[]byte]
}

const (
	witnessEvery = time.Second
	witnessMany  = 4096 // entries after which a second is too long
	witnessSkew  = 5 * time.Minute
	witnessReply = 16 << 10
	witnessLast  = 2 * time.Second
)

// ErrDiffers: the witness remembers a tree that this log does not continue: a rollback or fork, here or there.
var ErrDiffers = errors.New("the witness remembers another log")

// NewWitness makes the feed; Run feeds.
func NewWitness(o WitnessOptions) *Witness { return &Witness{o: o} }

// Run feeds until ctx ends, and then once more if the log has grown since: what the witness has not seen
// can be rolled back unnoticed. After a crash that is at most what a second brought.
func (w *Witness) Run(ctx context.Context) {
	defer w.last(ctx)
	every(ctx, func() {
		if !w.due() {
			return
		}
		w.tried = w.o.Clock()
		w.report(ctx, w.push(ctx))
	})
}

func (w *Witness) last(ctx context.Context) {
	if w.failing || w.o.Log.Latest().Size == w.old {
		return
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessLast)
	defer cancel()
	w.report(late, w.push(late))
}

// due tells whether there is something to be signed: growth, or a signature that is getting old.
func (w *Witness) due() bool {
	since := w.o.Clock().Sub(w.tried)
	grown := w.o.Log.Latest().Size - min(w.old, w.o.Log.Latest().Size)
	refresh := 30 * time.Second
	if w.o.MaxAge > 0 {
		refresh = min(refresh, w.o.MaxAge/3)
	}
	retry := w.failing || w.signed.Load() == 0
	return grown >= witnessMany && !retry || since >= witnessEvery && (grown > 0 || retry) || since >= refresh
}

func (w *Witness) report(ctx context.Context, err error) {
	switch {
	case err == nil && w.failing:
		w.o.Logger.InfoContext(ctx, "witness signs again")
	case errors.Is(err, ErrDiffers):
		w.o.Logger.ErrorContext(ctx, "witness contradicts this log", slog.String("error", err.Error()))
	case err != nil && !w.failing && ctx.Err() == nil:
		w.o.Logger.WarnContext(ctx, "witness does not sign", slog.String("error", err.Error()))
	}
	w.failing = err != nil && ctx.Err() == nil // what the end of the gateway cut off says nothing of the witness
	w.differs.Store(errors.Is(err, ErrDiffers))
}

// push offers the newest checkpoint, at most once more after the witness told its size.
func (w *Witness) push(ctx context.Context) error {
	for range 2 {
		sent := w.o.Clock()
		path, cp, err := w.o.Log.ProveConsistency(ctx, w.old)
		if err != nil {
			return err
		}
		body := (&audit.AddCheckpoint{Old: w.old, Proof: path, Checkpoint: cp.Text}).AppendTo(nil)
		status, text, err := post(ctx, w.o.Client, strings.TrimSuffix(w.o.URL, "/")+"/add-checkpoint", "text/plain; charset=utf-8", body, witnessReply)
		if err != nil {
			return err
		}
		switch status {
		case http.StatusOK:
			return w.take(cp, text, sent)
		case http.StatusConflict:
			size, err := audit.ParseConflict(text)
			if err != nil {
				return err
			}
			if size > cp.Size || size == w.old {
				return fmt.Errorf("%w: it holds %d entries, this log has %d", ErrDiffers, size, cp.Size)
			}
			w.old = size
		case http.StatusUnprocessableEntity:
			return fmt.Errorf("%w: it refuses the proof from size %d", ErrDiffers, w.old)
		default:
			return fmt.Errorf("witness answered with status %d", status)
		}
	}
	return errors.New("witness told another size twice")
}

// take believes a cosignature only under the witness's key, and of about now.
func (w *Witness) take(cp *audit.Checkpoint, line []byte, sent time.Time) error {
	at, err := audit.VerifyCosignature(cp, line, audit.WitnessKey{ID: w.o.Key.ID(),
		Verify: func(msg, sig []byte) bool { return w.o.Key.Verify(keyring.Witness, msg, sig) }})
	if err != nil {
		return err
	}
	if apart := sent.Sub(time.Unix(at, 0)).Abs(); apart > max(w.o.MaxAge, witnessSkew) {
		return errors.New("the witness's clock is far from this machine's")
	}
	note := cp.WithCosignature(line)
	w.newest.Store(&note)
	w.old = cp.Size
	w.signed.Store(sent.UnixNano())
	return nil
}

// Ready names the rule by which questions are refused now, or "". It costs an atomic load.
func (w *Witness) Ready() governance.Rule {
	if w.differs.Load() {
		return governance.Sealed
	}
	if w.o.MaxAge > 0 && w.o.Clock().Sub(time.Unix(0, w.signed.Load())) > w.o.MaxAge {
		return governance.WitnessMissing
	}
	return ""
}

// Newest is the newest checkpoint that the witness signed, with the cosignature; nil if there is none.
func (w *Witness) Newest() []byte {
	if n := w.newest.Load(); n != nil {
		return *n
	}
	return nil
}
