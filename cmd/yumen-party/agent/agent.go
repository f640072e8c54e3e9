package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/vault"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// Options of an agent; all are required but Policy, MaxLeaves and Logger.
type Options struct {
	Dir      string
	Identity *Identity
	Gateway  *encrypted.Gateway
	Parties  *encrypted.Parties
	Log      encrypted.LogKey
	Params   encrypted.Parameters
	// Policy approves what it allows; nil: a person does.
	Policy *Policy
	// MinimumSubjects of every atom of a plan; 0: 10. A policy may ask for more.
	MinimumSubjects uint64
	// MaxLeaves bounds the own copy of leaves in bytes; 0: none.
	MaxLeaves int64
	Clock     func() time.Time
	Rand      io.Reader
	Logger    *slog.Logger // nil discards
}

// Agent is one party's agent at one gateway. It is not safe for concurrent use.
type Agent struct {
	o        Options
	log      *slog.Logger
	store    *Store
	book     *book
	vault    *vault.Vault
	machines map[Hash]*running
	fresh    bool // own words are to be sent again: after the start, after an error
}

// Open takes up the state of a directory that InitIdentity made.
func Open(o Options) (*Agent, error) {
	if o.Identity == nil || o.Gateway == nil || o.Parties == nil || len(o.Params) == 0 || o.Clock == nil || o.Rand == nil {
		return nil, errors.New("agent: options incomplete")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := ownKeys(o); err != nil {
		return nil, err
	}
	store, err := openStore(o.Dir, o.Identity.sealer)
	if err != nil {
		return nil, err
	}
	a := &Agent{o: o, log: o.Logger, store: store, machines: map[Hash]*running{}, fresh: true}
	if a.book, err = loadBook(store); err == nil {
		a.vault, err = vault.Open(a.path("leaves"), o.MaxLeaves)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

// ownKeys refuses a trust file that names other keys for this party than it has.
func ownKeys(o Options) error {
	own := o.Parties.Find(o.Identity.Party)
	if own == nil || own.Agent != o.Identity.Agent.Public() || own.Envelope != o.Identity.Envelope.Public() {
		return fmt.Errorf("own keys: %w", encrypted.ErrTrust)
	}
	return nil
}

// Close ends the agent; its state is on the disk already.
func (a *Agent) Close() error { return errors.Join(a.vault.Close(), a.store.Close()) }

// save writes the book.
func (a *Agent) save() error { return a.book.save(a.store) }

// now is Unix seconds.
func (a *Agent) now() int64 { return a.o.Clock().Unix() }

// Round reads what the gateway has for this party, waiting up to wait for something,
// and does all that can be done. It may be repeated after any error: then whatever may
// not have arrived is sent again.
func (a *Agent) Round(ctx context.Context, wait time.Duration) error {
	if a.fresh {
		if err := a.resume(ctx); err != nil {
			return err
		}
		a.fresh = false
	}
	events, next, err := a.o.Gateway.Poll(ctx, a.book.Cursor, wait)
	if err != nil {
		return err
	}
	inbox := map[Hash][]ceremony.Message{}
	next, failed := a.events(ctx, events, next, inbox)
	for id, messages := range inbox {
		if err := a.step(ctx, id, messages); err != nil {
			return err
		}
	}
	if next != a.book.Cursor || len(events) > 0 {
		a.book.Cursor = next
		if err := a.save(); err != nil {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	return a.queries(ctx)
}

// events takes events in, proposals before the messages of their ceremonies, whatever
// order the gateway likes. It gives the cursor up to which all were taken.
func (a *Agent) events(ctx context.Context, list []encrypted.Event, next uint64, inbox map[Hash][]ceremony.Message) (uint64, error) {
	taken := a.book.Cursor
	for _, first := range []bool{true, false} {
		for i := range list {
			if first != (list[i].Kind == apiv1.ObjectKind_OBJECT_KIND_PROPOSAL) {
				continue
			}
			if err := a.event(ctx, &list[i], inbox); err != nil {
				return taken, err
			}
			if !first && list[i].Cursor <= next {
				taken = max(taken, list[i].Cursor)
			}
		}
	}
	return next, nil
}

// event takes one event into the book or into the inbox of its ceremony. What is
// refused is logged and passed over; errors are of the way to the gateway.
func (a *Agent) event(ctx context.Context, e *encrypted.Event, inbox map[Hash][]ceremony.Message) error {
	var err error
	a.explain(e)
	switch e.Kind {
	case apiv1.ObjectKind_OBJECT_KIND_PROPOSAL:
		err = a.proposal(ctx, e.Hash)
	case apiv1.ObjectKind_OBJECT_KIND_CEREMONY:
		id := Hash(e.Thread)
		if note := a.book.Ceremonies[id]; note == nil || note.Stage != Running {
			return nil
		}
		var m *ceremony.Message
		if m, err = a.o.Gateway.Message(ctx, e.Hash); err == nil {
			inbox[id] = append(inbox[id], *m)
		}
	case apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE:
		err = a.certificate(ctx, e.Hash)
	case apiv1.ObjectKind_OBJECT_KIND_QUERY, apiv1.ObjectKind_OBJECT_KIND_PLAN, apiv1.ObjectKind_OBJECT_KIND_OPENINGS:
		a.heard(e)
	case apiv1.ObjectKind_OBJECT_KIND_APPROVAL:
		err = a.ownWord(ctx, e)
	}
	return a.passable(err, encrypted.Name(e.Kind))
}

// passable logs an error that belongs to one object and gives back those of the way.
func (a *Agent) passable(err error, what string) error {
	if err == nil || transient(err) || fatal(err) {
		return err
	}
	a.log.Warn("object refused", slog.String("object", what), slog.Any("error", err))
	return nil
}

// fatal tells errors of the own state, after which nothing may go on.
func fatal(err error) bool {
	return errors.Is(err, ErrState) || errors.Is(err, errSave) || errors.Is(err, encrypted.ErrForked)
}

// errSave: the state could not be written.
var errSave = errors.New("agent: state not written")

// transient tells errors of the way to the gateway, after which the same is tried again.
func transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.Aborted, codes.Internal:
		return true
	}
	return false
}

// resume sends again whatever may not have arrived before the last end.
func (a *Agent) resume(ctx context.Context) error {
	for id, note := range a.book.Ceremonies {
		if note.Stage == Refused {
			continue
		}
		if err := a.again(ctx, id, note); err != nil {
			return err
		}
	}
	for hash, note := range a.book.Keys {
		if err := a.publish(ctx, hash, note); err != nil {
			return err
		}
	}
	for _, q := range a.book.Queries {
		if err := a.tell(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Run does rounds until ctx ends. After an error of the way it waits a little,
// longer each time, and goes on.
func (a *Agent) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := a.Round(ctx, 20*time.Second)
		switch {
		case err == nil:
			pause = 0
			continue
		case ctx.Err() == nil && fatal(err):
			return err
		}
		pause = min(max(2*pause, 100*time.Millisecond), 30*time.Second)
		a.log.Warn("round ended", slog.Any("error", err), slog.Any("again", pause))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return nil
}

// Passing tells errors after which the same round may succeed later: of the way to the
// gateway.
func Passing(err error) bool { return transient(err) }
