package agent

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/file"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// town is three holders, a provider and a requester at one gateway.
type town struct {
	t       testing.TB
	gate    *fake
	params  encrypted.Parameters
	parties *encrypted.Parties
	ids     map[string]*Identity
	dirs    map[string]string
	agents  map[string]*Agent
	policy  *Policy
}

var holders = []string{"authority", "exchange", "auditor"}

func newTown(t testing.TB) *town {
	w := &town{t: t, params: encrypted.Parameters{}, ids: map[string]*Identity{}, dirs: map[string]string{}, agents: map[string]*Agent{},
		parties: &encrypted.Parties{Format: 1, Authority: "authority", Threshold: 2},
		policy:  &Policy{Requesters: []string{"bank"}, Aggregates: []string{"a1"}, Scenarios: []string{"s1"}}}
	for _, mul := range []bool{false, true} {
		p, err := he.InsecureTestParameters(6, mul)
		require.NoError(t, err)
		w.params[p.ID()] = p
	}
	w.gate = newFake(t, w.params)
	for _, name := range append([]string{"bureau", "bank"}, holders...) {
		w.dirs[name] = filepath.Join(t.TempDir(), name)
		id, err := InitIdentity(w.dirs[name], name, nil)
		require.NoError(t, err)
		w.ids[name] = id
		w.parties.List = append(w.parties.List, encrypted.Party{ID: name, Agent: id.Agent.Public(), Envelope: id.Envelope.Public(), Request: id.Request.Public()})
	}
	for _, name := range append([]string{"bureau"}, holders...) {
		w.open(name)
	}
	t.Cleanup(func() {
		for _, a := range w.agents {
			_ = a.Close()
		}
	})
	return w
}

func (w *town) options(name string) Options {
	return Options{Dir: w.dirs[name], Identity: w.ids[name], Gateway: w.gate.dial(name), Parties: w.parties, Log: w.gate.logKey(),
		Params: w.params, Policy: w.policy, Clock: time.Now, Rand: rand.Reader}
}

func (w *town) open(name string) *Agent {
	if a := w.agents[name]; a != nil {
		require.NoError(w.t, a.Close())
	}
	a, err := Open(w.options(name))
	require.NoError(w.t, err)
	w.agents[name] = a
	return a
}

// settle lets all agents do rounds until nothing happens any more.
func (w *town) settle(names ...string) {
	if len(names) == 0 {
		names = append([]string{"bureau"}, holders...)
	}
	for range 40 {
		before := w.gate.count()
		for _, name := range names {
			require.NoError(w.t, w.agents[name].Round(context.Background(), 0), name)
		}
		if w.gate.count() == before {
			return
		}
	}
	w.t.Fatal("agents do not come to an end")
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events)
}

func (w *town) propose() Hash {
	id, err := w.agents["authority"].Propose(context.Background(), Terms{Use: ceremony.UseAdd, Datasets: []string{"people"}, Providers: []string{"bureau"},
		Holders: holders, Threshold: 2, Epoch: 1, Expiry: time.Now().Add(24 * time.Hour).Unix(), Cap: 1000})
	require.NoError(w.t, err)
	return id
}

// people writes a table and describes what is encrypted of it.
func (w *town) people(rows int) (Provision, connectors.Source, *big.Int) {
	var text strings.Builder
	text.WriteString("id,age\n")
	sum := new(big.Int)
	for i := range rows {
		age := int64(i*i%90) - 20
		fmt.Fprintf(&text, "p%d,%d\n", i, age)
		sum.Add(sum, big.NewInt(age))
	}
	path := filepath.Join(w.t.TempDir(), "people.csv")
	require.NoError(w.t, os.WriteFile(path, []byte(text.String()), 0o600))
	src, err := file.New(file.Options{Path: path, Format: file.CSV, Header: true, Fields: []connectors.Field{{Name: "id", Type: "string"}, {Name: "age", Type: "int64"}}})
	require.NoError(w.t, err)
	return Provision{Spec: plan.Spec{Dataset: "people", Version: "2026-01", Subject: "id", Lanes: []plan.LaneSpec{
		{Name: "age", Kind: plan.Value, Columns: []string{"age"}, Bounds: []uint64{120}},
		{Name: "age2", Kind: plan.Square, Columns: []string{"age"}, Bounds: []uint64{120}},
	}}}, src, sum
}

func (w *town) provide(rows int) *big.Int {
	p, src, sum := w.people(rows)
	_, err := w.agents["bureau"].Provide(context.Background(), p, src)
	require.NoError(w.t, err)
	return sum
}

// ready is a town with keys and data, and the sum of the data.
func ready(t testing.TB) (*town, *big.Int) {
	w := newTown(t)
	w.propose()
	w.settle()
	sum := w.provide(300)
	w.settle()
	return w, sum
}

func (w *town) requester() *encrypted.Requester {
	id := w.ids["bank"]
	return &encrypted.Requester{Gateway: w.gate.dial("bank"), Parties: w.parties, Params: w.params, Receipts: w.gate.set, Party: "bank",
		Request: id.Request, Envelope: id.Envelope, Clock: time.Now}
}

// follow waits for the answer, not for long.
func (w *town) follow(q *plan.Query) (*encrypted.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return w.requester().Follow(ctx, q)
}

// ask signs and hands in a query for the sum of ages.
func (w *town) ask(change func(*plan.Query)) (Hash, error) {
	_, hash, err := w.query(change)
	return hash, err
}

func (w *town) query(change func(*plan.Query)) (*plan.Query, Hash, error) {
	q := &plan.Query{Kind: plan.Sum, Aggregate: "a1", Scenario: "s1", Requester: "bank", Purpose: "test", Time: time.Now().Unix(),
		Expiry: time.Now().Add(time.Hour).Unix(), Datasets: []plan.Ref{{Dataset: "people", Version: "2026-01"}},
		Columns: []plan.Column{{Dataset: "people", Field: "age", Lane: "age"}}}
	if change != nil {
		change(q)
	}
	msg, err := q.SigningBytes()
	require.NoError(w.t, err)
	q.Signature, err = w.ids["bank"].Request.Sign(msg)
	require.NoError(w.t, err)
	b, err := q.Bytes()
	require.NoError(w.t, err)
	hash, err := w.gate.dial("bank").Put(context.Background(), apiv1.ObjectKind_OBJECT_KIND_QUERY, b)
	return q, hash, err
}

func (w *town) stages(query Hash) map[string]Stage {
	out := map[string]Stage{}
	for _, name := range holders {
		out[name] = w.agents[name].book.Queries[query].Stage
	}
	return out
}
