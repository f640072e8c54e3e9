package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

type named struct {
	kind encrypted.Kind
	hash [32]byte
}

// placed is an object in a thread: the same openings may belong to several queries.
type placed struct {
	named
	thread [32]byte
}

func (n named) in(thread [32]byte) placed { return placed{n, thread} }

type fakeEvent struct {
	*apiv1.Event
	to func(party string) bool
}

// fake is a gateway in memory with a true log. It checks little: what it lets pass
// is for the agents to find. Hooks make it lie.
type fake struct {
	apiv1.UnimplementedEncryptedServer
	apiv1.UnimplementedAuditServer
	t      testing.TB
	params encrypted.Parameters
	log    *audit.Log
	key    keyring.SignerKey
	conn   *bufconn.Listener

	mu      sync.Mutex
	objects map[named][]byte
	known   map[placed]bool
	slots   map[string][]byte // taken places of holders' words
	events  []fakeEvent
	leaves  map[encrypted.Place]map[uint32][]byte
	words   map[[32]byte]int // approvals by query
	plans   map[[32]byte]*plan.Plan

	// lie may change what Get gives; hide drops events; fail refuses calls.
	lie   func(kind encrypted.Kind, b []byte) []byte
	hide  func(party string, e *apiv1.Event) bool
	fail  func(party, call string) error
	early bool // says released before anybody approved
	rule  string
	trust []byte
	set   *receipt.TrustSet
	files map[[32]byte]*apiv1.Receipt // by query
	told  map[[32]byte][][]byte       // answers by query
	lists map[[32]byte][32]byte       // openings by query
	issue func(*receipt.Statement)    // may change a statement before it is logged
	sayOf func(result string) string  // may change a result
	// shuffle may reorder and repeat events.
	shuffle func(*apiv1.PollResponse)
}

type logSigner struct{ keyring.SignerKey }

func (s logSigner) KeyID() [32]byte { return s.Public().ID() }

func newFake(t testing.TB, params encrypted.Parameters) *fake {
	f := &fake{t: t, params: params, objects: map[named][]byte{}, known: map[placed]bool{}, slots: map[string][]byte{}, leaves: map[encrypted.Place]map[uint32][]byte{},
		words: map[[32]byte]int{}, plans: map[[32]byte]*plan.Plan{}, conn: bufconn.Listen(1 << 20),
		files: map[[32]byte]*apiv1.Receipt{}, told: map[[32]byte][][]byte{}, lists: map[[32]byte][32]byte{}}
	var err error
	f.key, err = keyring.GenerateSigner(keyring.Checkpoint, rand.Reader)
	require.NoError(t, err)
	f.trust, err = (&receipt.Trust{Domain: "d", Origin: "yumen/test", KeyName: "yumen", CheckpointKey: f.key.Public().String(), NotBefore: "2026-01-01"}).Marshal()
	require.NoError(t, err)
	f.set, err = receipt.LoadTrust(fstest.MapFS{"trust.json": {Data: f.trust}})
	require.NoError(t, err)
	dir := t.TempDir()
	f.log, err = audit.Open(context.Background(), audit.Options{
		Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"), Origin: "yumen/test", KeyName: "yumen",
		Signer: logSigner{f.key}, Clock: time.Now,
		Verify: func(msg, sig []byte) bool { return f.key.Public().Verify(keyring.Checkpoint, msg, sig) },
	})
	require.NoError(t, err)
	_, err = f.log.Append(context.Background(), audit.Record{Kind: audit.Genesis, Time: 1})
	require.NoError(t, err)
	s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	apiv1.RegisterEncryptedServer(s, f)
	apiv1.RegisterAuditServer(s, f)
	done := make(chan error, 1)
	go func() { done <- s.Serve(f.conn) }()
	t.Cleanup(func() {
		s.Stop()
		<-done
		_ = f.log.Close()
	})
	return f
}

func (f *fake) logKey() encrypted.LogKey {
	return encrypted.LogKey{Origin: "yumen/test", Name: "yumen", Key: f.key.Public()}
}

// dial connects as a party.
func (f *fake) dial(party string) *encrypted.Gateway {
	with := func(ctx context.Context) context.Context {
		return metadata.AppendToOutgoingContext(ctx, "party", party)
	}
	c, err := grpc.NewClient("passthrough:///fake", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return f.conn.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)),
		grpc.WithUnaryInterceptor(func(ctx context.Context, m string, in, out any, cc *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
			return call(with(ctx), m, in, out, cc, o...)
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, d *grpc.StreamDesc, cc *grpc.ClientConn, m string, call grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			return call(with(ctx), d, cc, m, o...)
		}))
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = c.Close() })
	return encrypted.NewGateway(apiv1.NewEncryptedClient(c), apiv1.NewAuditClient(c))
}

func partyOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	return md.Get("party")[0]
}

func (f *fake) refuse(ctx context.Context, call string) error {
	if f.fail == nil {
		return nil
	}
	return f.fail(partyOf(ctx), call)
}

func everybody(string) bool { return true }

// accept keeps an object, logs it and tells.
func (f *fake) accept(kind encrypted.Kind, hash, thread [32]byte, object []byte, to func(string) bool) {
	at := named{kind, hash}
	if f.known[at.in(thread)] {
		return
	}
	f.known[at.in(thread)], f.objects[at] = true, object
	index := uint64(0)
	if kind != apiv1.ObjectKind_OBJECT_KIND_CEREMONY && kind != apiv1.ObjectKind_OBJECT_KIND_PLAN {
		index = f.entry(kind, hash)
	}
	f.tell(&apiv1.Event{Kind: kind, Hash: hash[:], Thread: thread[:], Index: index}, to)
}

func (f *fake) entry(kind encrypted.Kind, hash [32]byte) uint64 {
	done, err := f.log.Append(context.Background(), audit.Record{Kind: encrypted.EntryKind, Time: 1, Statement: encrypted.EntryStatement(kind, hash)})
	require.NoError(f.t, err)
	return done.Index
}

func (f *fake) tell(e *apiv1.Event, to func(string) bool) {
	e.Cursor = uint64(len(f.events)) + 1 // past the event
	f.events = append(f.events, fakeEvent{e, to})
}

func (f *fake) Put(ctx context.Context, in *apiv1.PutRequest) (*apiv1.PutResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refuse(ctx, "put"); err != nil {
		return nil, err
	}
	hash, err := f.put(partyOf(ctx), in.GetKind(), in.GetObject())
	if err != nil {
		return nil, err
	}
	return &apiv1.PutResponse{Hash: hash[:]}, nil
}

var errTaken = status.Error(codes.AlreadyExists, "taken")

// take says whether the place is free or holds the same bytes.
func (f *fake) take(slot string, b []byte) error {
	if old := f.slots[slot]; old != nil && string(old) != string(b) {
		return errTaken
	}
	f.slots[slot] = b
	return nil
}

func (f *fake) put(party string, kind encrypted.Kind, b []byte) (hash [32]byte, err error) {
	switch kind {
	case apiv1.ObjectKind_OBJECT_KIND_PROPOSAL:
		p, err := wire.ParseProposal(b)
		if err != nil {
			return hash, err
		}
		hash, err = p.Terms.ID()
		f.accept(kind, hash, hash, b, everybody)
		return hash, err
	case apiv1.ObjectKind_OBJECT_KIND_CEREMONY:
		m, err := ceremony.ParseMessage(b)
		if err != nil {
			return hash, err
		}
		slot := "ceremony " + string(m.Ceremony[:]) + string([]byte{byte(m.Round), byte(m.From), byte(m.To)})
		if old := f.slots[slot]; old != nil {
			if string(old) != string(m.Body) {
				return hash, errTaken
			}
			return audit.HashOf(b), nil
		}
		f.slots[slot] = m.Body
		hash = audit.HashOf(b)
		f.accept(kind, hash, m.Ceremony, b, everybody)
		return hash, nil
	case apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE:
		c, err := ceremony.ParseKeyCert(b)
		if err != nil {
			return hash, err
		}
		hash, err = c.Hash()
		f.accept(kind, hash, c.Ceremony, b, everybody)
		return hash, err
	case apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY:
		for _, p := range f.params {
			if k, err := wire.ParseKeys(p, b); err == nil {
				hash, err = k.Public.Hash(p)
				f.accept(kind, hash, hash, b, everybody)
				return hash, err
			}
		}
		return hash, errors.New("keys")
	case apiv1.ObjectKind_OBJECT_KIND_MANIFEST:
		m, err := plan.ParseManifest(b)
		if err != nil {
			return hash, err
		}
		hash, err = m.Hash()
		f.accept(kind, hash, hash, b, everybody)
		return hash, err
	case apiv1.ObjectKind_OBJECT_KIND_QUERY:
		return f.ask(b)
	case apiv1.ObjectKind_OBJECT_KIND_APPROVAL:
		w, err := wire.ParseApproval(b)
		if err != nil {
			return hash, err
		}
		if err := f.take("approval "+party+string(w.Query[:]), b); err != nil {
			return hash, err
		}
		hash, err = w.Hash()
		if f.objects[named{kind, hash}] == nil {
			f.accept(kind, hash, w.Query, b, everybody)
			f.words[w.Query]++
			if f.words[w.Query] == int(f.plans[w.Plan].Threshold) {
				f.release(w.Query, w.Plan)
			}
		}
		return hash, err
	case apiv1.ObjectKind_OBJECT_KIND_OBJECTION:
		w, err := wire.ParseObjection(b)
		if err != nil {
			return hash, err
		}
		hash, err = w.Hash()
		f.accept(kind, hash, w.Query, b, everybody)
		return hash, err
	case apiv1.ObjectKind_OBJECT_KIND_ANSWER:
		w, err := wire.ParseAnswer(b)
		if err != nil {
			return hash, err
		}
		if err := f.take("answer "+party+string(w.Query[:]), b); err != nil {
			return hash, err
		}
		hash, err = w.Hash()
		if f.objects[named{kind, hash}] == nil {
			f.told[w.Query] = append(f.told[w.Query], hash[:])
		}
		f.accept(kind, hash, w.Query, b, func(p string) bool { return p == "bank" })
		return hash, err
	}
	return hash, status.Error(codes.InvalidArgument, "kind")
}

func (f *fake) release(query, of [32]byte) {
	f.files[query] = f.receipt(query, of)
	f.entry(encrypted.KindReleased, of)
	f.tell(&apiv1.Event{Kind: apiv1.ObjectKind_OBJECT_KIND_PLAN, Hash: of[:], Thread: query[:], Released: true}, everybody)
}

// ask compiles and evaluates.
func (f *fake) ask(b []byte) (hash [32]byte, err error) {
	q, err := plan.ParseQuery(b)
	if err != nil {
		return hash, err
	}
	if hash, err = q.Hash(); err != nil {
		return hash, err
	}
	var manifests []*plan.Manifest
	var certs []plan.Cert
	relin := map[[32]byte]*he.RelinKey{}
	for at, b := range f.objects {
		switch at.kind {
		case apiv1.ObjectKind_OBJECT_KIND_MANIFEST:
			m, err := plan.ParseManifest(b)
			if err != nil {
				return hash, err
			}
			manifests = append(manifests, m)
		case apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE:
			c, err := ceremony.ParseKeyCert(b)
			if err != nil {
				return hash, err
			}
			of, err := f.params.PlanCert(c)
			if err != nil {
				return hash, err
			}
			certs = append(certs, of)
			if of.Product {
				k, err := wire.ParseKeys(of.Parameters, f.objects[named{apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY, c.PublicKey}])
				if err != nil {
					return hash, err
				}
				relin[of.Hash] = k.Relin
			}
		}
	}
	p, err := plan.Compile(q, manifests, certs)
	if err != nil {
		return hash, status.Error(codes.FailedPrecondition, err.Error())
	}
	params := f.params[p.Parameters]
	openings, err := plan.Evaluate(context.Background(), p, params, (*fakeLeaves)(f), plan.Options{Relin: relin, Vouched: true})
	if err != nil {
		return hash, err
	}
	list, err := threshold.ListHash(params, openings)
	if err != nil {
		return hash, err
	}
	of, err := p.Hash()
	if err != nil {
		return hash, err
	}
	planBytes, err := p.Bytes()
	if err != nil {
		return hash, err
	}
	openBytes, err := wire.MarshalOpenings(params, openings)
	if err != nil {
		return hash, err
	}
	f.plans[of], f.lists[hash] = p, list
	f.accept(apiv1.ObjectKind_OBJECT_KIND_QUERY, hash, hash, b, everybody)
	f.accept(apiv1.ObjectKind_OBJECT_KIND_PLAN, of, hash, planBytes, everybody)
	f.accept(apiv1.ObjectKind_OBJECT_KIND_OPENINGS, list, hash, openBytes, everybody)
	if f.early {
		f.tell(&apiv1.Event{Kind: apiv1.ObjectKind_OBJECT_KIND_PLAN, Hash: of[:], Thread: hash[:], Released: true}, everybody)
	}
	return hash, nil
}

type fakeLeaves fake

func (f *fakeLeaves) Hashes(context.Context, string, string, string) ([][32]byte, error) {
	return nil, errors.New("not asked")
}

func (f *fakeLeaves) Leaf(_ context.Context, dataset, version, lane string, batch uint32, _ []byte) ([]byte, error) {
	return f.leaves[encrypted.Place{Dataset: dataset, Version: version, Lane: lane}][batch], nil
}

func (f *fake) Get(ctx context.Context, in *apiv1.GetRequest) (*apiv1.GetResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refuse(ctx, "get"); err != nil {
		return nil, err
	}
	b := f.objects[named{in.GetKind(), [32]byte(in.GetHash())}]
	if b == nil {
		return nil, status.Error(codes.NotFound, "none")
	}
	if f.lie != nil {
		b = f.lie(in.GetKind(), b)
	}
	return &apiv1.GetResponse{Object: b}, nil
}

func (f *fake) Poll(ctx context.Context, in *apiv1.PollRequest) (*apiv1.PollResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refuse(ctx, "poll"); err != nil {
		return nil, err
	}
	out := &apiv1.PollResponse{Cursor: uint64(len(f.events))}
	for i := in.GetCursor(); i < uint64(len(f.events)); i++ {
		e := f.events[i]
		if e.to(partyOf(ctx)) && (f.hide == nil || !f.hide(partyOf(ctx), e.Event)) {
			out.Events = append(out.Events, e.Event)
		}
	}
	if f.shuffle != nil {
		f.shuffle(out)
	}
	return out, nil
}

func (f *fake) PutLeaves(s grpc.ClientStreamingServer[apiv1.PutLeavesRequest, apiv1.PutLeavesResponse]) error {
	n := uint64(0)
	for {
		in, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&apiv1.PutLeavesResponse{Stored: n})
		}
		if err != nil {
			return err
		}
		f.mu.Lock()
		err = f.refuse(s.Context(), "leaf")
		at := encrypted.Place{Dataset: in.GetDataset(), Version: in.GetVersion(), Lane: in.GetLane()}
		if f.leaves[at] == nil {
			f.leaves[at] = map[uint32][]byte{}
		}
		if err == nil {
			f.leaves[at][in.GetBatch()] = in.GetLeaf()
			n++
		}
		f.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func (f *fake) Leaves(_ context.Context, in *apiv1.LeavesRequest) (*apiv1.LeavesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := &apiv1.LeavesResponse{}
	held := f.leaves[encrypted.Place{Dataset: in.GetDataset(), Version: in.GetVersion(), Lane: in.GetLane()}]
	for i := range uint32(1 << 10) {
		if held[i] != nil {
			out.Held = append(out.Held, i, 1)
		}
	}
	return out, nil
}

func (f *fake) GetLeaves(in *apiv1.GetLeavesRequest, s grpc.ServerStreamingServer[apiv1.GetLeavesResponse]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	held := f.leaves[encrypted.Place{Dataset: in.GetDataset(), Version: in.GetVersion(), Lane: in.GetLane()}]
	for i := range in.GetCount() {
		if err := s.Send(&apiv1.GetLeavesResponse{Batch: in.GetFirst() + i, Leaf: held[in.GetFirst()+i]}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Checkpoint(context.Context, *apiv1.CheckpointRequest) (*apiv1.CheckpointResponse, error) {
	return &apiv1.CheckpointResponse{Checkpoint: string(f.log.Latest().Text)}, nil
}

func (f *fake) Entry(ctx context.Context, in *apiv1.EntryRequest) (*apiv1.EntryResponse, error) {
	p, err := f.log.Prove(ctx, in.GetIndex())
	if err != nil {
		return nil, err
	}
	out := &apiv1.EntryResponse{Entry: p.Entry, Checkpoint: string(p.Checkpoint.Text)}
	for _, h := range p.Proof {
		out.Proof = append(out.Proof, h[:])
	}
	return out, nil
}

// receipt is a true one for whatever is said.
func (f *fake) receipt(query, of [32]byte) *apiv1.Receipt {
	list := f.lists[query]
	result := fmt.Sprintf(`{"openings":"%x","plan":"%x","query":"%x"}`, list, of, query)
	if f.sayOf != nil {
		result = f.sayOf(result)
	}
	open := [2]*receipt.Opening{{Nonce: receipt.Nonce{1}, Value: []byte(fmt.Sprintf(`{"query":"%x"}`, query))}, {Nonce: receipt.Nonce{2}, Value: []byte(result)}}
	req, res := open[0].Commit(receipt.TagRequest), open[1].Commit(receipt.TagResult)
	s := &receipt.Statement{
		Format: 1, ID: "00112233445566778899aabbccddeeff", Serial: "YM-20261031-000000000001", Time: receipt.FormatTime(time.Now()),
		Domain: "d", Party: "bank", Agreement: "use", Scenario: "s1", Query: "a1", Kind: receipt.KindEncrypted,
		Dataset: receipt.Dataset{ID: "people", Version: "2026-01", AsOf: "2026-10-31", Source: "office"}, Technique: receipt.Technique{Name: "encrypted aggregate", Params: map[string]string{
			receipt.ParamPlan: hex.EncodeToString(of[:]), receipt.ParamQuery: hex.EncodeToString(query[:]), receipt.ParamOpenings: hex.EncodeToString(list[:]),
			receipt.ParamThreshold: "2 of 3", "holder 1": "authority", "holder 2": "exchange", "holder 3": "auditor", "recomputed by 1": "authority", "recomputed by 2": "exchange",
		}},
		Checks: []receipt.Check{{Rule: "r", Outcome: "passed"}}, Budget: receipt.Budget{Name: "b", After: 1, Limit: 9, Global: receipt.GlobalWithinCap},
		Policy: hex.EncodeToString(make([]byte, 32)), Trust: receipt.TrustHash(f.trust).String(), RulePack: "jilin@1", Build: "test",
		AllowedUse: "use", Expires: "2199-01-01", Request: req.String(), Result: res.String(), Rows: 1,
	}
	if f.issue != nil {
		f.issue(s)
	}
	text, err := s.AppendCanonical(nil)
	require.NoError(f.t, err)
	a, err := f.log.Append(context.Background(), audit.Record{Kind: audit.Release, Time: time.Now().UnixMilli(), Statement: receipt.StatementHash(text)})
	require.NoError(f.t, err)
	parts, err := receipt.Build(text, receipt.StatementHash(text), a.Entry, a.Index, a.Proof, a.Checkpoint.Text)
	require.NoError(f.t, err)
	file, err := parts.Append(nil)
	require.NoError(f.t, err)
	opened, err := receipt.AppendResult(nil, s.ID, open[0], open[1])
	require.NoError(f.t, err)
	return &apiv1.Receipt{Receipt: file, Result: opened}
}

func (f *fake) Result(_ context.Context, in *apiv1.ResultRequest) (*apiv1.ResultResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	query := [32]byte(in.GetQuery())
	out := &apiv1.ResultResponse{State: "computed", Receipt: f.files[query], Answers: f.told[query], Rule: f.rule}
	if f.rule != "" {
		out.State = "refused"
	}
	return out, nil
}
