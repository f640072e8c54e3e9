package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// encryptedDomain has three providers of encrypted data, three holders of their keys, and a bank that asks.
const encryptedDomain = `yumen: 1
domain: e2e
jurisdiction: jilin
parties:
  - {id: shuju, name: 数据主管部门, roles: [data_authority, implementing_body], key: "KEY(shuju)", agent_key: "AGENT(shuju)", envelope_key: "ENVELOPE(shuju)"}
  - {id: exchange, name: 数据交易所, roles: [exchange], agent_key: "AGENT(exchange)", envelope_key: "ENVELOPE(exchange)"}
  - {id: jianguan, name: 监督小组, roles: [regulator], agent_key: "AGENT(jianguan)", envelope_key: "ENVELOPE(jianguan)"}
  - {id: zhujian, name: 住建局, roles: [provider], key: "KEY(zhujian)", agent_key: "AGENT(zhujian)", envelope_key: "ENVELOPE(zhujian)"}
  - {id: renshe, name: 人社局, roles: [provider], key: "KEY(renshe)", agent_key: "AGENT(renshe)", envelope_key: "ENVELOPE(renshe)"}
  - {id: minzheng, name: 民政局, roles: [provider], key: "KEY(minzheng)", agent_key: "AGENT(minzheng)", envelope_key: "ENVELOPE(minzheng)"}
  - {id: yunying, name: 运营公司, roles: [operator]}
  - {id: bank, name: 银行, roles: [application_unit], envelope_key: "ENVELOPE(bank)", request_key: "REQUEST(bank)"}
  - {id: leju, name: 乐居, roles: [application_unit], envelope_key: "ENVELOPE(leju)", request_key: "REQUEST(leju)"}
datasets:
DATASETS
templates: []
tables: []
masks: []
key_sets:
  - {id: ks-housing, use: add, datasets: [housing], holders: [shuju, exchange, jianguan], threshold: 2, scalars: SCALARS, until: UNTIL}
  - {id: ks-insurance, use: add, datasets: [insurance], holders: [shuju, exchange, jianguan], threshold: 2, until: UNTIL}
  - {id: ks-civil, use: add, datasets: [civil], holders: [shuju, exchange, jianguan], threshold: 2, until: UNTIL}
aggregates:
  - {id: total, kind: sum, columns: [{dataset: civil, field: amount, lane: amount}, {dataset: housing, field: amount, lane: amount}, {dataset: insurance, field: amount, lane: amount}]}
  - {id: mean-housing, kind: mean, columns: [{dataset: housing, field: amount, lane: amount}]}
  - {id: unasked, kind: sum, columns: [{dataset: housing, field: amount, lane: amount}]}
agreements:
  - {id: op, kind: operation, parties: [shuju, yunying], from: FROM, until: UNTIL, terms_digest: "TERMS"}
  - {id: bank-use, kind: use, parties: [yunying, bank], from: FROM, until: UNTIL, terms_digest: "TERMS"}
scenarios:
  - id: research
    name: 统计研究
    purpose: 统计研究
    operation: op
    plan: "PLAN"
    authority: shuju
    providers: [zhujian, renshe, minzheng]
    units: [{party: bank, agreement: bank-use, per_day: PERDAY, per_subject_day: 1}]
    templates: []
    tables: []
    masks: []
    aggregates: [total, mean-housing]
    consent: not_required
    allowed_use: 仅用于统计研究
    result_days: 90
consents: []
`

const encryptedDataset = `  - id: %s
    name: %s
    provider: %s
    source: {kind: file, path: none.parquet, format: parquet}
    version: "2026-10"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {row_number: true}
    sharing: conditional
    fields: [{name: amount, type: int64, class: attribute, grade: 2}]
`

var providersOf = map[string]string{"housing": "zhujian", "insurance": "renshe", "civil": "minzheng"}

// people are the parties with their secret keys.
type identities struct {
	agent, envelope, request map[string]keyring.SignerKey
}

func newIdentities(t *testing.T) *identities {
	t.Helper()
	i := &identities{map[string]keyring.SignerKey{}, map[string]keyring.SignerKey{}, map[string]keyring.SignerKey{}}
	for _, party := range []string{"shuju", "exchange", "jianguan", "zhujian", "renshe", "minzheng", "bank", "leju"} {
		for purpose, of := range map[keyring.Purpose]map[string]keyring.SignerKey{keyring.Agent: i.agent, keyring.Envelope: i.envelope, keyring.Request: i.request} {
			key, err := keyring.GenerateSigner(purpose, rand.Reader)
			require.NoError(t, err)
			of[party] = key
		}
	}
	return i
}

func (i *identities) domain(t *testing.T, pairs ...string) string {
	t.Helper()
	fill := append([]string{}, pairs...)
	for name, of := range map[string]map[string]keyring.SignerKey{"AGENT": i.agent, "ENVELOPE": i.envelope, "REQUEST": i.request} {
		for party, key := range of {
			fill = append(fill, name+"("+party+")", key.Public().String())
		}
	}
	var datasets strings.Builder
	for _, id := range []string{"civil", "housing", "insurance"} {
		fmt.Fprintf(&datasets, encryptedDataset, id, id, providersOf[id])
	}
	return domain(t, encryptedDomain, append(fill, "DATASETS\n", datasets.String(), "SCALARS", "100", "PERDAY", "100")...)
}

func (i *identities) verify(party string, msg, sig []byte) bool {
	return i.agent[party].Public().Verify(keyring.Agent, msg, sig)
}

func (i *identities) sign(t *testing.T, party string, v interface{ SigningBytes() ([]byte, error) }) []byte {
	t.Helper()
	msg, err := v.SigningBytes()
	require.NoError(t, err)
	sig, err := i.agent[party].Sign(msg)
	require.NoError(t, err)
	return sig
}

// encryptedWorld is a gateway with agents in memory that speak to it over gRPC.
type encryptedWorld struct {
	t      *testing.T
	g      *gateway
	who    *identities
	params *he.Parameters
	// sets are what the ceremonies gave, by dataset and holder.
	sets   map[string]map[string]*ceremony.Result
	values map[string][]int64
}

var encryptedHolders = []string{"shuju", "exchange", "jianguan"}

func newEncryptedWorld(t *testing.T, pairs ...string) *encryptedWorld {
	t.Helper()
	who := newIdentities(t)
	params, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	w := &encryptedWorld{t: t, who: who, params: params, sets: map[string]map[string]*ceremony.Result{}, values: map[string][]int64{}}
	w.g = start(t, options{domain: who.domain(t, pairs...)})
	return w
}

func (w *encryptedWorld) as(party string) apiv1.EncryptedClient { return w.g.as(party).Encrypted }

type canonical interface{ Bytes() ([]byte, error) }

func (w *encryptedWorld) try(party string, kind apiv1.ObjectKind, o canonical) ([32]byte, error) {
	w.t.Helper()
	b, err := o.Bytes()
	require.NoError(w.t, err)
	out, err := w.as(party).Put(ctx(), &apiv1.PutRequest{Kind: kind, Object: b})
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(out.GetHash()), nil
}

func (w *encryptedWorld) put(party string, kind apiv1.ObjectKind, o canonical) [32]byte {
	w.t.Helper()
	hash, err := w.try(party, kind, o)
	require.NoError(w.t, err)
	return hash
}

func (w *encryptedWorld) get(party string, kind apiv1.ObjectKind, hash [32]byte) []byte {
	w.t.Helper()
	out, err := w.as(party).Get(ctx(), &apiv1.GetRequest{Kind: kind, Hash: hash[:]})
	require.NoError(w.t, err)
	return out.GetObject()
}

func (w *encryptedWorld) proposal(dataset string) *wire.Proposal {
	w.t.Helper()
	p := &ceremony.Proposal{Parameters: w.params.ID(), Use: ceremony.UseAdd, Datasets: []string{dataset}, Providers: []string{providersOf[dataset]},
		Threshold: 2, Epoch: 1, Expiry: time.Now().AddDate(0, 1, 0).Unix(), Cap: 65536, Authority: "shuju"}
	if dataset == "housing" {
		p.Cap = 3
	}
	_, err := rand.Read(p.Nonce[:])
	require.NoError(w.t, err)
	for _, h := range encryptedHolders {
		p.Holders = append(p.Holders, ceremony.Party{Name: h, Agent: w.who.agent[h].Public().ID(), Sealing: w.who.envelope[h].Public().ID()})
	}
	return &wire.Proposal{Terms: p, Signature: w.who.sign(w.t, "shuju", p)}
}

// bytesOf is an object that is bytes already.
type bytesOf []byte

func (b bytesOf) Bytes() ([]byte, error) { return b, nil }

// keygen runs a ceremony through the gateway's mailbox to its end.
func (w *encryptedWorld) keygen(dataset string) {
	w.t.Helper()
	p := w.proposal(dataset)
	id := w.put("shuju", apiv1.ObjectKind_OBJECT_KIND_PROPOSAL, p)
	w.sets[dataset] = map[string]*ceremony.Result{}
	machines, cursors := map[string]*ceremony.Machine{}, map[string]uint64{}
	for _, h := range encryptedHolders {
		m, err := ceremony.New(w.config(p.Terms, h))
		require.NoError(w.t, err)
		machines[h] = m
		w.post(h, m.Sent())
	}
	for range 100 {
		for _, h := range encryptedHolders {
			if w.sets[dataset][h] == nil {
				w.step(dataset, h, id, machines[h], cursors)
			}
		}
		if len(w.sets[dataset]) == len(encryptedHolders) {
			break
		}
	}
	require.Len(w.t, w.sets[dataset], len(encryptedHolders))
	r := w.sets[dataset]["exchange"]
	w.put("exchange", apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE, r.Cert)
	keys, err := (&wire.Keys{Public: r.Public}).Bytes(w.params)
	require.NoError(w.t, err)
	w.put("jianguan", apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY, bytesOf(keys))
}

func (w *encryptedWorld) config(p *ceremony.Proposal, self string) ceremony.Config {
	return ceremony.Config{Params: w.params, Proposal: p, Self: self, Signer: w.who.agent[self], Verify: w.who.verify, Rand: rand.Reader,
		Seal: func(to string, plain []byte) ([]byte, error) {
			return keyring.SealTo(w.who.envelope[to].Public(), nil, plain, rand.Reader)
		},
		Open: func(sealed []byte) ([]byte, error) { return w.who.envelope[self].OpenEnvelope(nil, sealed) }}
}

func (w *encryptedWorld) post(holder string, list []ceremony.Message) {
	w.t.Helper()
	for i := range list {
		w.put(holder, apiv1.ObjectKind_OBJECT_KIND_CEREMONY, &list[i])
	}
}

func (w *encryptedWorld) step(dataset, h string, id [32]byte, m *ceremony.Machine, cursors map[string]uint64) {
	w.t.Helper()
	out, err := w.as(h).Poll(ctx(), &apiv1.PollRequest{Cursor: cursors[h]})
	require.NoError(w.t, err)
	cursors[h] = out.GetCursor()
	var inbox []ceremony.Message
	for _, e := range out.GetEvents() {
		if e.GetKind() != apiv1.ObjectKind_OBJECT_KIND_CEREMONY || [32]byte(e.GetThread()) != id {
			continue
		}
		m, err := ceremony.ParseMessage(w.get(h, e.GetKind(), [32]byte(e.GetHash())))
		require.NoError(w.t, err)
		inbox = append(inbox, *m)
	}
	outbox, done, err := m.Step(inbox)
	require.NoError(w.t, err)
	require.Empty(w.t, m.Rejected())
	w.post(h, outbox)
	if done != nil {
		w.sets[dataset][h] = done
	}
}

// provide encrypts rows of a dataset under its key and hands in leaves and manifest.
func (w *encryptedWorld) provide(dataset string, values []int64) ([32]byte, error) {
	w.t.Helper()
	w.values[dataset] = values
	cert := w.sets[dataset]["shuju"].Cert
	key, err := cert.Hash()
	require.NoError(w.t, err)
	schema := arrow.NewSchema([]arrow.Field{{Name: "amount", Type: arrow.PrimitiveTypes.Int64}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	record := builder.NewRecord()
	defer record.Release()
	rows, err := array.NewRecordReader(schema, []arrow.Record{record})
	require.NoError(w.t, err)
	defer rows.Release()
	b, err := plan.NewBuilder(schema, plan.Spec{Dataset: dataset, Version: "2026-10", Provider: providersOf[dataset], RowSubjects: true, HashKey: [32]byte{1},
		Lanes: []plan.LaneSpec{{Name: "amount", Kind: plan.Value, Columns: []string{"amount"}, Bounds: []uint64{1 << 40}, Key: key, Degree: w.params.N()}}})
	require.NoError(w.t, err)
	e, err := he.NewEncryptor(w.params, w.sets[dataset]["shuju"].Public, rand.Reader)
	require.NoError(w.t, err)
	stream, err := w.as(providersOf[dataset]).PutLeaves(ctx())
	require.NoError(w.t, err)
	for batch, err := range b.Batches(ctx(), rows) {
		require.NoError(w.t, err)
		leaf, err := batch.Encrypt(e, nil)
		require.NoError(w.t, err)
		require.NoError(w.t, b.AddLeaf(batch.Lane, batch.Header.Batch, leaf.Hash()))
		in := &apiv1.PutLeavesRequest{Dataset: dataset, Version: "2026-10", Lane: batch.Lane, Batch: batch.Header.Batch, Leaf: leaf.Bytes()}
		require.NoError(w.t, stream.Send(in))
	}
	stored, err := stream.CloseAndRecv()
	if err != nil {
		return [32]byte{}, err
	}
	require.NotZero(w.t, stored.GetStored())
	m, err := b.Manifest()
	require.NoError(w.t, err)
	m.Signature = w.who.sign(w.t, m.Provider, m)
	return w.try(m.Provider, apiv1.ObjectKind_OBJECT_KIND_MANIFEST, m)
}

// amounts are n values, some negative.
func amounts(n int, seed int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = (int64(i)*7919+seed)%100_000 - 20_000
	}
	return out
}

func (w *encryptedWorld) everything(rows int) {
	w.t.Helper()
	for i, dataset := range []string{"civil", "housing", "insurance"} {
		w.keygen(dataset)
		_, err := w.provide(dataset, amounts(rows, int64(i)))
		require.NoError(w.t, err)
	}
}

func (w *encryptedWorld) query(party, aggregate string, kind plan.Kind, datasets ...string) *plan.Query {
	w.t.Helper()
	q := &plan.Query{Kind: kind, Aggregate: aggregate, Scenario: "research", Requester: party, Purpose: "test", Time: time.Now().Unix(), Expiry: time.Now().Add(time.Hour).Unix()}
	for _, d := range datasets {
		q.Datasets = append(q.Datasets, plan.Ref{Dataset: d, Version: "2026-10"})
		q.Columns = append(q.Columns, plan.Column{Dataset: d, Field: "amount", Lane: "amount"})
	}
	return w.signQuery(q)
}

func (w *encryptedWorld) signQuery(q *plan.Query) *plan.Query {
	w.t.Helper()
	msg, err := q.SigningBytes()
	require.NoError(w.t, err)
	q.Signature, err = w.who.request[q.Requester].Sign(msg)
	require.NoError(w.t, err)
	return q
}

func (w *encryptedWorld) result(party string, query [32]byte) *apiv1.ResultResponse {
	w.t.Helper()
	out, err := w.as(party).Result(ctx(), &apiv1.ResultRequest{Query: query[:]})
	require.NoError(w.t, err)
	return out
}

// until waits for a state of a query.
func (w *encryptedWorld) until(party string, query [32]byte, state string) *apiv1.ResultResponse {
	w.t.Helper()
	var out *apiv1.ResultResponse
	require.Eventually(w.t, func() bool {
		out = w.result(party, query)
		return out.GetState() == state
	}, 20*time.Second, 20*time.Millisecond, "state %s", state)
	return out
}

// holderView is what a holder fetched of a query and recomputed.
type holderView struct {
	query    [32]byte
	plan     *plan.Plan
	planHash [32]byte
	openings []*he.Opening
	list     [32]byte
}

// recompute does a holder's work: it polls for the plan, fetches leaves and computes the openings itself.
func (w *encryptedWorld) recompute(holder string, query [32]byte) *holderView {
	w.t.Helper()
	v := &holderView{query: query}
	cursor, found := uint64(0), false
	for !found {
		out, err := w.as(holder).Poll(ctx(), &apiv1.PollRequest{Cursor: cursor, WaitMs: 1000})
		require.NoError(w.t, err)
		cursor = out.GetCursor()
		for _, e := range out.GetEvents() {
			if e.GetKind() == apiv1.ObjectKind_OBJECT_KIND_PLAN && [32]byte(e.GetThread()) == query {
				v.planHash, found = [32]byte(e.GetHash()), true
			}
		}
	}
	q, err := plan.ParseQuery(w.get(holder, apiv1.ObjectKind_OBJECT_KIND_QUERY, query))
	require.NoError(w.t, err)
	v.plan, err = plan.ParsePlan(w.get(holder, apiv1.ObjectKind_OBJECT_KIND_PLAN, v.planHash))
	require.NoError(w.t, err)
	ev := plan.Evidence{}
	for _, s := range v.plan.Sources {
		m, err := plan.ParseManifest(w.get(holder, apiv1.ObjectKind_OBJECT_KIND_MANIFEST, s.Manifest))
		require.NoError(w.t, err)
		ev.Manifests = append(ev.Manifests, m)
	}
	for _, k := range v.plan.Keys {
		c, err := ceremony.ParseKeyCert(w.get(holder, apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE, k.Key))
		require.NoError(w.t, err)
		ev.Certs = append(ev.Certs, plan.Cert{Hash: k.Key, Parameters: w.params, Holders: encryptedHolders, Threshold: c.Threshold, Datasets: c.Datasets, Cap: c.Cap, Expiry: c.Expiry})
	}
	require.NoError(w.t, plan.Check(v.plan, q, ev, plan.Policy{Now: time.Now().Unix()}))
	v.openings, err = plan.Evaluate(ctx(), v.plan, w.params, &downloaded{w, holder}, plan.Options{})
	require.NoError(w.t, err)
	v.list, err = threshold.ListHash(w.params, v.openings)
	require.NoError(w.t, err)
	return v
}

// downloaded are leaves as the gateway gives them to a holder.
type downloaded struct {
	w      *encryptedWorld
	holder string
}

func (d *downloaded) all(dataset, version, lane string, first, count uint32) ([][]byte, error) {
	stream, err := d.w.as(d.holder).GetLeaves(ctx(), &apiv1.GetLeavesRequest{Dataset: dataset, Version: version, Lane: lane, First: first, Count: count})
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, in.GetLeaf())
	}
}

func (d *downloaded) Hashes(_ context.Context, dataset, version, lane string) ([][32]byte, error) {
	held, err := d.w.as(d.holder).Leaves(ctx(), &apiv1.LeavesRequest{Dataset: dataset, Version: version, Lane: lane})
	if err != nil {
		return nil, err
	}
	leaves, err := d.all(dataset, version, lane, 0, held.GetHeld()[1])
	if err != nil {
		return nil, err
	}
	var out [][32]byte
	for _, l := range leaves {
		out = append(out, he.LeafHash(l))
	}
	return out, nil
}

func (d *downloaded) Leaf(_ context.Context, dataset, version, lane string, batch uint32, _ []byte) ([]byte, error) {
	leaves, err := d.all(dataset, version, lane, batch, 1)
	if err != nil {
		return nil, err
	}
	return leaves[0], nil
}

// approval of a holder under the newest checkpoint.
func (w *encryptedWorld) approval(holder string, v *holderView) *wire.Approval {
	w.t.Helper()
	out, err := w.g.as(holder).Audit.Checkpoint(ctx(), &apiv1.CheckpointRequest{})
	require.NoError(w.t, err)
	cp, err := audit.ParseCheckpoint([]byte(out.GetCheckpoint()), "yumen/e2e", "yumen", func([]byte, []byte) bool { return true })
	require.NoError(w.t, err)
	a := &wire.Approval{Query: v.query, Plan: v.planHash, Openings: v.list, Holder: holder, Requester: "bank", Sealing: w.who.envelope["bank"].Public().ID(),
		Size: cp.Size, Root: cp.Root, Expiry: time.Now().Add(time.Hour).Unix()}
	a.Signature = w.who.sign(w.t, holder, a)
	return a
}

func (w *encryptedWorld) approve(holder string, v *holderView) {
	w.t.Helper()
	w.put(holder, apiv1.ObjectKind_OBJECT_KIND_APPROVAL, w.approval(holder, v))
}

// answer is a holder's sealed answer.
func (w *encryptedWorld) answer(holder string, v *holderView) *wire.Answer {
	w.t.Helper()
	var shares []*threshold.Share
	for _, k := range v.plan.Keys {
		for _, of := range w.sets {
			if hash, err := of[holder].Cert.Hash(); err == nil && hash == k.Key {
				shares = append(shares, of[holder].Share)
			}
		}
	}
	answers, err := threshold.Open(shares, v.openings)
	require.NoError(w.t, err)
	plain, err := threshold.MarshalAnswers(w.params, shares[0].Sharing(), shares[0].Holder(), v.list, answers)
	require.NoError(w.t, err)
	a := &wire.Answer{Query: v.query, Plan: v.planHash, Openings: v.list, Holder: holder}
	a.Sealed, err = keyring.SealTo(w.who.envelope["bank"].Public(), a.Context(), plain, rand.Reader)
	require.NoError(w.t, err)
	a.Signature = w.who.sign(w.t, holder, a)
	return a
}

// open does the requester's work: it fetches plan, openings and answers, and combines them.
func (w *encryptedWorld) open(query [32]byte, v *holderView) []*big.Int {
	w.t.Helper()
	res := w.result("bank", query)
	p, err := plan.ParsePlan(w.get("bank", apiv1.ObjectKind_OBJECT_KIND_PLAN, v.planHash))
	require.NoError(w.t, err)
	openings, err := wire.ParseOpenings(w.params, w.get("bank", apiv1.ObjectKind_OBJECT_KIND_OPENINGS, v.list))
	require.NoError(w.t, err)
	sharing, err := threshold.NewSharing(len(p.Holders), int(p.Threshold))
	require.NoError(w.t, err)
	answers := map[int][]threshold.Answer{}
	for _, hash := range res.GetAnswers() {
		a, err := wire.ParseAnswer(w.get("bank", apiv1.ObjectKind_OBJECT_KIND_ANSWER, [32]byte(hash)))
		require.NoError(w.t, err)
		msg, err := a.SigningBytes()
		require.NoError(w.t, err)
		require.True(w.t, w.who.verify(a.Holder, msg, a.Signature))
		plain, err := w.who.envelope["bank"].OpenEnvelope(a.Context(), a.Sealed)
		require.NoError(w.t, err)
		point := 1
		for p.Holders[point-1] != a.Holder {
			point++
		}
		answers[point], err = threshold.ParseAnswers(w.params, sharing, point, v.list, len(openings), plain)
		require.NoError(w.t, err)
	}
	values, err := threshold.Combine(w.params, sharing, openings, answers, p.Bounds())
	require.NoError(w.t, err)
	return values
}
