package encrypted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

var (
	// ErrForeign: the gateway gave an object that is not the one asked for. Trust
	// nothing else it said; tell the authority.
	ErrForeign = errors.New("encrypted: object is not the one asked for")
	// ErrTaken: the place is taken by other bytes. Nothing was stored.
	ErrTaken = errors.New("encrypted: place is taken by another object")
	// ErrTrust: a key, signature or checkpoint is not one the trust file vouches for.
	ErrTrust = errors.New("encrypted: not vouched for by the trust file")
)

// maxObject bounds an object from the gateway, in bytes.
const maxObject = 512 << 20

// Kind names what the bytes of an object are.
type Kind = apiv1.ObjectKind

// Gateway is one party's connection. It is safe for concurrent use.
type Gateway struct {
	calls apiv1.EncryptedClient
	audit apiv1.AuditClient
}

// NewGateway makes a connection of its two services.
func NewGateway(calls apiv1.EncryptedClient, audit apiv1.AuditClient) *Gateway {
	return &Gateway{calls: calls, audit: audit}
}

// Put hands in an object and gives its name. The same object again is one. ErrTaken:
// another object has its place.
func (g *Gateway) Put(ctx context.Context, kind Kind, object []byte) ([32]byte, error) {
	out, err := g.calls.Put(ctx, &apiv1.PutRequest{Kind: kind, Object: object})
	if status.Code(err) == codes.AlreadyExists {
		return [32]byte{}, fmt.Errorf("put %s: %w", Name(kind), ErrTaken)
	}
	if err != nil {
		return [32]byte{}, err
	}
	return hashOf(out.GetHash())
}

// get fetches bytes that are still to be held against their name.
func (g *Gateway) get(ctx context.Context, kind Kind, hash [32]byte) ([]byte, error) {
	out, err := g.calls.Get(ctx, &apiv1.GetRequest{Kind: kind, Hash: hash[:]})
	if err != nil {
		return nil, err
	}
	if len(out.GetObject()) > maxObject {
		return nil, fmt.Errorf("get %s: %w", Name(kind), ErrForeign)
	}
	return out.GetObject(), nil
}

// Event is one object that concerns this party.
type Event struct {
	Cursor   uint64
	Kind     Kind
	Hash     [32]byte
	Thread   [32]byte // proposal or query; zero: none
	Index    uint64   // entry of the log
	Released bool
}

// Poll gives what concerns this party since a cursor and the next cursor. It waits
// for something up to wait, at most 30 s. Events that are out of form are refused as
// a whole; a cursor never goes back.
func (g *Gateway) Poll(ctx context.Context, cursor uint64, wait time.Duration) ([]Event, uint64, error) {
	out, err := g.calls.Poll(ctx, &apiv1.PollRequest{Cursor: cursor, WaitMs: uint32(min(wait, 30*time.Second) / time.Millisecond)})
	if err != nil {
		return nil, cursor, err
	}
	var list []Event
	for _, e := range out.GetEvents() {
		one := Event{Cursor: e.GetCursor(), Kind: e.GetKind(), Index: e.GetIndex(), Released: e.GetReleased()}
		if one.Hash, err = hashOf(e.GetHash()); err != nil {
			return nil, cursor, err
		}
		if len(e.GetThread()) > 0 {
			if one.Thread, err = hashOf(e.GetThread()); err != nil {
				return nil, cursor, err
			}
		}
		list = append(list, one)
	}
	if out.GetCursor() < cursor {
		return nil, cursor, fmt.Errorf("poll: cursor goes back: %w", ErrForeign)
	}
	return list, out.GetCursor(), nil
}

// Place is one lane of a dataset version.
type Place struct{ Dataset, Version, Lane string }

// Leaf is one batch of a lane in its stored form.
type Leaf struct {
	Batch uint32
	Bytes []byte
}

// Range is count batches from first on.
type Range struct{ First, Count uint32 }

// Held says which batches of a lane the gateway holds, rising.
func (g *Gateway) Held(ctx context.Context, p Place) ([]Range, error) {
	out, err := g.calls.Leaves(ctx, &apiv1.LeavesRequest{Dataset: p.Dataset, Version: p.Version, Lane: p.Lane})
	if err != nil {
		return nil, err
	}
	pairs := out.GetHeld()
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("leaves held: %w", ErrForeign)
	}
	var list []Range
	end := uint64(0)
	for i := 0; i < len(pairs); i += 2 {
		r := Range{pairs[i], pairs[i+1]}
		if uint64(r.First) < end || r.Count == 0 || uint64(r.First)+uint64(r.Count) > 1<<32 {
			return nil, fmt.Errorf("leaves held: %w", ErrForeign)
		}
		end = uint64(r.First) + uint64(r.Count)
		list = append(list, r)
	}
	return list, nil
}

// Upload sends leaves of one lane and gives how many were stored. It stops at the
// first error, the sequence's or the gateway's. ErrTaken: the place of one of them
// holds other bytes.
func (g *Gateway) Upload(ctx context.Context, p Place, leaves iter.Seq2[Leaf, error]) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := g.calls.PutLeaves(ctx)
	if err != nil {
		return 0, err
	}
	for leaf, err := range leaves {
		if err != nil {
			return 0, err
		}
		err := stream.Send(&apiv1.PutLeavesRequest{Dataset: p.Dataset, Version: p.Version, Lane: p.Lane, Batch: leaf.Batch, Leaf: leaf.Bytes})
		if errors.Is(err, io.EOF) {
			break // the answer says why
		}
		if err != nil {
			return 0, err
		}
	}
	out, err := stream.CloseAndRecv()
	if status.Code(err) == codes.AlreadyExists {
		return 0, fmt.Errorf("upload leaves: %w", ErrTaken)
	}
	return out.GetStored(), err
}

// Download gives count batches from first on, in order and no others. What a leaf
// holds is for the caller to check.
func (g *Gateway) Download(ctx context.Context, p Place, r Range) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := g.calls.GetLeaves(ctx, &apiv1.GetLeavesRequest{Dataset: p.Dataset, Version: p.Version, Lane: p.Lane, First: r.First, Count: r.Count})
		if err != nil {
			yield(Leaf{}, err)
			return
		}
		for want := r.First; want-r.First < r.Count; want++ {
			in, err := stream.Recv()
			if err == nil && in.GetBatch() != want {
				err = fmt.Errorf("download batch %d: %w", want, ErrForeign)
			}
			if err != nil {
				yield(Leaf{}, err)
				return
			}
			if !yield(Leaf{Batch: want, Bytes: in.GetLeaf()}, nil) {
				return
			}
		}
	}
}

func hashOf(b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, fmt.Errorf("hash: %w", ErrForeign)
	}
	return [32]byte(b), nil
}

// Name of a kind of objects, for people.
func Name(k Kind) string {
	names := map[Kind]string{
		apiv1.ObjectKind_OBJECT_KIND_PROPOSAL: "proposal", apiv1.ObjectKind_OBJECT_KIND_CEREMONY: "ceremony message",
		apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE: "certificate", apiv1.ObjectKind_OBJECT_KIND_MANIFEST: "manifest",
		apiv1.ObjectKind_OBJECT_KIND_QUERY: "query", apiv1.ObjectKind_OBJECT_KIND_PLAN: "plan",
		apiv1.ObjectKind_OBJECT_KIND_APPROVAL: "approval", apiv1.ObjectKind_OBJECT_KIND_ANSWER: "answer",
		apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY: "public key", apiv1.ObjectKind_OBJECT_KIND_OBJECTION: "objection",
		apiv1.ObjectKind_OBJECT_KIND_OPENINGS: "openings",
	}
	if n, ok := names[k]; ok {
		return n
	}
	return "object"
}
