package encrypted

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// LogKey is how checkpoints of the domain's log are recognised.
type LogKey struct {
	Origin, Name string
	Key          keyring.PublicKey
}

// LogKeyOf reads it from a trust file of receipts.
func LogKeyOf(t *receipt.Trust) (LogKey, error) {
	key, err := keyring.ParsePublicKey(t.CheckpointKey)
	if err != nil {
		return LogKey{}, fmt.Errorf("checkpoint key: %w", ErrTrust)
	}
	return LogKey{Origin: t.Origin, Name: t.KeyName, Key: key}, nil
}

// Parse verifies a checkpoint's signature.
func (k LogKey) Parse(text []byte) (*audit.Checkpoint, error) {
	return audit.ParseCheckpoint(text, k.Origin, k.Name, func(msg, sig []byte) bool { return k.Key.Verify(keyring.Checkpoint, msg, sig) })
}

// Entry is one entry of the log, proven under a checkpoint.
type Entry struct {
	Index      uint64
	Entry      audit.Entry
	Checkpoint *audit.Checkpoint
	bytes      []byte
	proof      []audit.Hash
}

// Checkpoint fetches and verifies the newest checkpoint.
func (g *Gateway) Checkpoint(ctx context.Context, k LogKey) (*audit.Checkpoint, error) {
	out, err := g.audit.Checkpoint(ctx, &apiv1.CheckpointRequest{})
	if err != nil {
		return nil, err
	}
	return k.Parse([]byte(out.GetCheckpoint()))
}

// Entry fetches one entry and verifies that it is in the log of a signed checkpoint.
func (g *Gateway) Entry(ctx context.Context, k LogKey, index uint64) (*Entry, error) {
	out, err := g.audit.Entry(ctx, &apiv1.EntryRequest{Index: index})
	if err != nil {
		return nil, err
	}
	cp, err := k.Parse([]byte(out.GetCheckpoint()))
	if err != nil {
		return nil, err
	}
	e := &Entry{Index: index, Checkpoint: cp, bytes: out.GetEntry()}
	if e.Entry, err = audit.ParseEntry(e.bytes); err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	if len(out.GetProof()) > receipt.MaxProof {
		return nil, fmt.Errorf("entry %d: %w", index, audit.ErrProof)
	}
	for _, h := range out.GetProof() {
		if len(h) != audit.HashSize {
			return nil, fmt.Errorf("entry %d: %w", index, audit.ErrProof)
		}
		e.proof = append(e.proof, audit.Hash(h))
	}
	if err := audit.VerifyInclusion(e.bytes, index, e.proof, cp); err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	return e, nil
}

// Frontier is the frontier of the log that ends with this entry: its inclusion path
// holds, on its left, the roots of exactly the full subtrees before it.
func (e *Entry) Frontier() Frontier {
	f := Frontier{Size: e.Index}
	at, last := e.Index, e.Checkpoint.Size-1
	for _, sibling := range e.proof {
		for at > 0 && at&1 == 0 && at == last { // the right edge has no sibling at this height
			at, last = at>>1, last>>1
		}
		if at&1 == 1 {
			f.Nodes = append(f.Nodes, sibling)
		}
		at, last = at>>1, last>>1
	}
	slices.Reverse(f.Nodes)
	f.Append(e.bytes)
	return f
}

// Frontier is what must be remembered of a log to see it grow: the roots of the full
// subtrees that make it up, the greatest first (RFC 6962, section 2.1, with SM3).
type Frontier struct {
	Size  uint64       `json:"size"`
	Nodes []audit.Hash `json:"nodes"`
}

// Append adds an entry of 80 bytes.
func (f *Frontier) Append(entry []byte) {
	h := audit.LeafHash(entry)
	nodes := slices.Clone(f.Nodes)
	for n := f.Size; n&1 == 1; n >>= 1 {
		h = node(nodes[len(nodes)-1], h)
		nodes = nodes[:len(nodes)-1]
	}
	f.Nodes, f.Size = append(nodes, h), f.Size+1
}

// Root is the root of the log so far.
func (f *Frontier) Root() audit.Hash {
	if len(f.Nodes) == 0 {
		return audit.HashOf(nil)
	}
	h := f.Nodes[len(f.Nodes)-1]
	for i := len(f.Nodes) - 2; i >= 0; i-- {
		h = node(f.Nodes[i], h)
	}
	return h
}

// Valid reports whether the form is one that Append makes.
func (f *Frontier) Valid() bool { return bits.OnesCount64(f.Size) == len(f.Nodes) }

func node(left, right audit.Hash) audit.Hash {
	return audit.HashOf(append(append([]byte{1}, left[:]...), right[:]...))
}

// ErrForked: the log is not one that grew out of what was seen of it before. Answer
// nothing; tell the authority.
var ErrForked = errors.New("encrypted: log did not grow out of what was seen of it")

// Begin gives the frontier of the log as it is now: what came before is not read.
func (g *Gateway) Begin(ctx context.Context, k LogKey) (Frontier, *audit.Checkpoint, error) {
	cp, err := g.Checkpoint(ctx, k)
	if err != nil || cp.Size == 0 {
		return Frontier{}, cp, err
	}
	e, err := g.Entry(ctx, k, cp.Size-1)
	if err != nil {
		return Frontier{}, nil, err
	}
	f := e.Frontier()
	if f.Root() != cp.Root {
		return Frontier{}, nil, ErrForked
	}
	return f, cp, nil
}

// Follow reads all entries from a frontier on to the newest checkpoint, in order, and
// gives them with the new frontier. That their hashes lead to the checkpoint's root
// shows that they are the log's, that none is missing, and that it grew out of the
// log of the frontier.
func (g *Gateway) Follow(ctx context.Context, k LogKey, from Frontier) ([]audit.Entry, Frontier, *audit.Checkpoint, error) {
	cp, err := g.Checkpoint(ctx, k)
	if err != nil {
		return nil, from, nil, err
	}
	if !from.Valid() || cp.Size < from.Size {
		return nil, from, nil, fmt.Errorf("log of size %d after size %d: %w", cp.Size, from.Size, ErrForked)
	}
	f := from
	var list []audit.Entry
	for f.Size < cp.Size {
		out, err := g.audit.Entry(ctx, &apiv1.EntryRequest{Index: f.Size})
		if err != nil {
			return nil, from, nil, err
		}
		e, err := audit.ParseEntry(out.GetEntry())
		if err != nil {
			return nil, from, nil, fmt.Errorf("entry %d: %w", f.Size, err)
		}
		f.Append(out.GetEntry())
		list = append(list, e)
	}
	if f.Root() != cp.Root {
		return nil, from, nil, fmt.Errorf("log at size %d: %w", cp.Size, ErrForked)
	}
	return list, f, cp, nil
}

// Kinds of the log's records beyond those of objects.
const (
	KindReleased Kind = 32 // a query's plan has passed the gate; the hash is the plan's
	KindEnded    Kind = 33
)

// EntryStatement is what the log's entry holds of an accepted object: SM3 of a
// string, the kind and the object's hash.
func EntryStatement(kind Kind, hash [32]byte) audit.Hash {
	return audit.HashOf(append(append([]byte("yumen encrypted entry 1"), byte(kind)), hash[:]...))
}

// EntryKind is the kind of the log's entries about objects of encrypted aggregates.
const EntryKind = audit.Encrypted
