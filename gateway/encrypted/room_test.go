package encrypted

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

const roomDomain = `yumen: 1
domain: room
jurisdiction: jilin
parties:
  - {id: shuju, name: a, roles: [data_authority], agent_key: "A(shuju)", envelope_key: "E(shuju)"}
  - {id: exchange, name: b, roles: [exchange], agent_key: "A(exchange)", envelope_key: "E(exchange)"}
  - {id: jianguan, name: c, roles: [regulator], agent_key: "A(jianguan)", envelope_key: "E(jianguan)"}
  - {id: renshe, name: d, roles: [provider], agent_key: "A(renshe)", envelope_key: "E(renshe)"}
  - {id: bank, name: e, roles: [application_unit], envelope_key: "E(bank)", request_key: "R(bank)"}
datasets:
  - id: insurance
    name: x
    provider: renshe
    source: {kind: file, path: x.parquet, format: parquet}
    version: "1"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {row_number: true}
    sharing: conditional
    fields: [{name: amount, type: int64, class: attribute, grade: 2}]
templates: []
tables: []
masks: []
key_sets: [{id: ks, use: add, datasets: [insurance], holders: [shuju, exchange, jianguan], threshold: 2, scalars: 50, until: 2099-12-31}]
aggregates: [{id: total, kind: sum, columns: [{dataset: insurance, field: amount, lane: amount}]}]
agreements: []
scenarios: []
consents: []
`

var roomTime = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// roomWorld is a room over a log in memory.
type roomWorld struct {
	t       *testing.T
	dir     string
	keys    map[string]keyring.SignerKey // "A(party)" and so on
	policy  *governance.Policy
	params  *he.Parameters
	records []*Record
	fail    error // of the next appends
	room    *Room
	set     *hetest.Set
}

func newRoomWorld(t *testing.T) *roomWorld {
	t.Helper()
	params, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	w := &roomWorld{t: t, dir: t.TempDir(), keys: map[string]keyring.SignerKey{}, params: params}
	text := roomDomain
	for _, party := range []string{"shuju", "exchange", "jianguan", "renshe", "bank"} {
		for mark, purpose := range map[string]keyring.Purpose{"A": keyring.Agent, "E": keyring.Envelope, "R": keyring.Request} {
			name := mark + "(" + party + ")"
			w.keys[name], err = keyring.GenerateSigner(purpose, rand.Reader)
			require.NoError(t, err)
			text = strings.ReplaceAll(text, name, w.keys[name].Public().String())
		}
	}
	d, err := governance.ParseDomain([]byte(text))
	require.NoError(t, err)
	w.policy, err = governance.NewPolicy(nil, d, nil, roomTime)
	require.NoError(t, err)
	w.open()
	t.Cleanup(func() { _ = w.room.Close() })
	return w
}

func (w *roomWorld) open() {
	w.t.Helper()
	var err error
	w.room, err = Open(Options{Dir: w.dir, Parameters: []*he.Parameters{w.params}, Append: w.append, Now: func() time.Time { return roomTime },
		Policy: func() *governance.Policy { return w.policy }, RootAt: func(size uint64) ([32]byte, error) { return [32]byte{byte(size)}, nil },
	}, func(yield func(*Record, uint64) bool) {
		for i, r := range w.records {
			if !yield(r, uint64(i)+1) {
				return
			}
		}
	})
	require.NoError(w.t, err)
}

// append keeps a record as the log does: through its text.
func (w *roomWorld) append(_ context.Context, r *Record) (uint64, error) {
	if w.fail != nil {
		return 0, w.fail
	}
	text, err := json.Marshal(r)
	require.NoError(w.t, err)
	back := &Record{}
	require.NoError(w.t, json.Unmarshal(text, back))
	w.records = append(w.records, back)
	return uint64(len(w.records)), nil
}

// reopen starts again, and requires that nothing changed.
func (w *roomWorld) reopen() {
	w.t.Helper()
	before, events := w.room.state, w.room.journal.events
	require.NoError(w.t, w.room.Close())
	w.open()
	require.Equal(w.t, before, w.room.state)
	require.Equal(w.t, events, w.room.journal.events)
}

func (w *roomWorld) sign(key string, o interface{ SigningBytes() ([]byte, error) }) []byte {
	w.t.Helper()
	msg, err := o.SigningBytes()
	require.NoError(w.t, err)
	sig, err := w.keys[key].Sign(msg)
	require.NoError(w.t, err)
	return sig
}

func (w *roomWorld) put(party string, k Kind, o interface{ Bytes() ([]byte, error) }) (Hash, error) {
	w.t.Helper()
	b, err := o.Bytes()
	require.NoError(w.t, err)
	return w.room.Put(context.Background(), party, k, b)
}

// certify proposes a key set and certifies one made in memory.
func (w *roomWorld) certify() Hash {
	w.t.Helper()
	p := &ceremony.Proposal{Parameters: w.params.ID(), Use: ceremony.UseAdd, Datasets: []string{"insurance"}, Providers: []string{"renshe"}, Threshold: 2,
		Epoch: 1, Expiry: roomTime.AddDate(1, 0, 0).Unix(), Cap: 50, Authority: "shuju"}
	for _, h := range []string{"shuju", "exchange", "jianguan"} {
		p.Holders = append(p.Holders, ceremony.Party{Name: h, Agent: w.keys["A("+h+")"].Public().ID(), Sealing: w.keys["E("+h+")"].Public().ID()})
	}
	id, err := w.put("shuju", Proposal, &wire.Proposal{Terms: p, Signature: w.sign("A(shuju)", p)})
	require.NoError(w.t, err)
	w.set = hetest.New(w.t, hetest.Literal{Params: w.params, Holders: p.Holders, Threshold: 2, Datasets: p.Datasets, Providers: p.Providers,
		Authority: "shuju", Epoch: 1, Expiry: p.Expiry, Cap: 50})
	cert := w.set.Cert
	cert.Ceremony, cert.Signatures = id, nil
	for _, h := range p.Holders {
		cert.Signatures = append(cert.Signatures, w.sign("A("+h.Name+")", cert))
	}
	hash, err := w.put("exchange", Certificate, cert)
	require.NoError(w.t, err)
	keys, err := (&wire.Keys{Public: w.set.Public}).Bytes(w.params)
	require.NoError(w.t, err)
	_, err = w.room.Put(context.Background(), "exchange", PublicKey, keys)
	require.NoError(w.t, err)
	return hash
}

func (w *roomWorld) provide(key Hash) *plan.Manifest {
	w.t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "amount", Type: arrow.PrimitiveTypes.Int64}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 300 {
		builder.Field(0).(*array.Int64Builder).Append(int64(i))
	}
	rows, err := array.NewRecordReader(schema, []arrow.Record{builder.NewRecord()})
	require.NoError(w.t, err)
	b, err := plan.NewBuilder(schema, plan.Spec{Dataset: "insurance", Version: "1", Provider: "renshe", RowSubjects: true, HashKey: [32]byte{1},
		Lanes: []plan.LaneSpec{{Name: "amount", Kind: plan.Value, Columns: []string{"amount"}, Bounds: []uint64{1000}, Key: key, Degree: w.params.N()}}})
	require.NoError(w.t, err)
	e, err := he.NewEncryptor(w.params, w.set.Public, rand.Reader)
	require.NoError(w.t, err)
	var up *Upload
	for batch, err := range b.Batches(context.Background(), rows) {
		require.NoError(w.t, err)
		leaf, err := batch.Encrypt(e, nil)
		require.NoError(w.t, err)
		if up == nil {
			up, err = w.room.Upload("renshe", "insurance", "1", "amount", leaf.Bytes())
			require.NoError(w.t, err)
		}
		require.NoError(w.t, up.Put(batch.Header.Batch, leaf.Bytes()))
		require.NoError(w.t, b.AddLeaf("amount", batch.Header.Batch, leaf.Hash()))
	}
	require.NoError(w.t, up.Sync())
	m, err := b.Manifest()
	require.NoError(w.t, err)
	m.Signature = w.sign("A(renshe)", m)
	return m
}

func (w *roomWorld) ask() *Compiled {
	w.t.Helper()
	q := &plan.Query{Kind: plan.Sum, Aggregate: "total", Scenario: "s", Requester: "bank", Purpose: "p", Datasets: []plan.Ref{{Dataset: "insurance", Version: "1"}},
		Columns: []plan.Column{{Dataset: "insurance", Field: "amount", Lane: "amount"}}, Time: roomTime.Unix(), Expiry: roomTime.Add(time.Hour).Unix()}
	q.Signature = w.sign("R(bank)", q)
	b, err := q.Bytes()
	require.NoError(w.t, err)
	asked, err := w.room.Ask("bank", b)
	require.NoError(w.t, err)
	c, err := w.room.Compile(asked, &w.policy.Domain().Aggregates[0])
	require.NoError(w.t, err)
	return c
}

// Whatever happens, a start from the log gives the state there was.
func TestTheStateIsAFunctionOfTheLog(t *testing.T) {
	w := newRoomWorld(t)
	key := w.certify()
	w.reopen()
	m := w.provide(key)
	w.reopen()
	_, err := w.put("renshe", Manifest, m)
	require.NoError(t, err)
	w.reopen()
	c := w.ask()
	require.NoError(t, w.room.Accept(context.Background(), c))
	require.NoError(t, w.room.Accept(context.Background(), c), "once")
	require.EqualValues(t, 1, w.room.state.spent[key])
	w.reopen()
	require.NoError(t, w.room.Evaluate(context.Background(), c.Hash))
	v, err := w.room.Look(c.Hash)
	require.NoError(t, err)
	for _, h := range []string{"shuju", "jianguan"} {
		a := &wire.Approval{Query: c.Hash, Plan: v.Facts.Plan, Openings: v.Openings, Holder: h, Requester: "bank",
			Sealing: w.keys["E(bank)"].Public().ID(), Size: 3, Root: [32]byte{3}, Expiry: roomTime.Add(time.Hour).Unix()}
		a.Signature = w.sign("A("+h+")", a)
		_, err := w.put(h, Approval, a)
		require.NoError(t, err)
		w.reopen()
	}
	require.NoError(t, w.room.Released(context.Background(), c.Hash, 77))
	require.ErrorIs(t, w.room.End(context.Background(), c.Hash, governance.Suspended), ErrState, "what is out is out")
	w.reopen()
	require.Empty(t, w.room.Pending())
	events, _, err := w.room.Poll(context.Background(), "exchange", 0)
	require.NoError(t, err)
	last := events[len(events)-1]
	require.True(t, last.Released)
	require.EqualValues(t, 77, last.Index)
}

// What ends without a release gives its scalars back.
func TestScalarsOfWhatEndedAreFree(t *testing.T) {
	w := newRoomWorld(t)
	key := w.certify()
	_, err := w.put("renshe", Manifest, w.provide(key))
	require.NoError(t, err)
	c := w.ask()
	require.NoError(t, w.room.Accept(context.Background(), c))
	require.NoError(t, w.room.End(context.Background(), c.Hash, governance.HoldersMissing))
	require.Zero(t, w.room.state.spent[key])
	w.reopen()
	require.Zero(t, w.room.state.spent[key])
}

// A journal cut at any byte, or gone, loses no frame.
func TestJournalCutAnywhere(t *testing.T) {
	w := newRoomWorld(t)
	_, err := w.put("renshe", Manifest, w.provide(w.certify()))
	require.NoError(t, err)
	want := w.room.journal.events
	require.NoError(t, w.room.Close())
	path := filepath.Join(w.dir, "journal")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := 0; n <= len(whole); n += 7 {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		w.open()
		require.Equal(t, want, w.room.journal.events, n)
		require.NoError(t, w.room.Close())
	}
	whole[len(journalMagic)+5] ^= 1
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	w.open()
	require.Equal(t, want, w.room.journal.events)
}

// A stored object that changed is not given out; whoever has it mends it.
func TestDamagedObjectsAreMended(t *testing.T) {
	w := newRoomWorld(t)
	hash := w.certify()
	path := w.room.objects.path(Certificate, hash)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[len(b)-1] ^= 1
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err = w.room.Get("exchange", Certificate, hash)
	require.ErrorIs(t, err, ErrDamaged)
	again, err := w.put("jianguan", Certificate, w.set.Cert)
	require.NoError(t, err)
	require.Equal(t, hash, again)
	_, err = w.room.Get("exchange", Certificate, hash)
	require.NoError(t, err)
}

// What the log did not take is not there; the same object is taken later.
func TestNothingIsKeptWithoutItsFrame(t *testing.T) {
	w := newRoomWorld(t)
	m := w.provide(w.certify())
	w.fail = errors.New("disk full")
	_, err := w.put("renshe", Manifest, m)
	require.ErrorIs(t, err, w.fail)
	hash, err := m.Hash()
	require.NoError(t, err)
	_, err = w.room.Get("renshe", Manifest, hash)
	require.ErrorIs(t, err, ErrNone)
	w.fail = nil
	_, err = w.put("renshe", Manifest, m)
	require.NoError(t, err)
	w.reopen()
}

// Ceremony messages of one party are bounded, over restarts too.
func TestMessagesAreBounded(t *testing.T) {
	w := newRoomWorld(t)
	w.certify()
	id := w.records[0].Hash
	say := func(round ceremony.Round, size int) error {
		m := &ceremony.Message{Ceremony: id, Round: round, From: 2, Body: make([]byte, size)}
		var err error
		m.Sig, err = w.keys["A(exchange)"].Sign(m.SigningBytes())
		require.NoError(t, err)
		_, err = w.put("exchange", Ceremony, m)
		return err
	}
	w.room.o.MaxMessages = 2000
	require.NoError(t, say(1, 1000))
	require.NoError(t, say(1, 1000), "the same again")
	require.ErrorIs(t, say(2, 1000), ErrFull)
	w.reopen()
	w.room.o.MaxMessages = 2000
	require.ErrorIs(t, say(2, 1000), ErrFull)
	require.NoError(t, say(2, 100))
	require.ErrorIs(t, say(2, 99), ErrTaken)
}

// A poll waits for what comes, and ends with its caller.
func TestPollWaits(t *testing.T) {
	w := newRoomWorld(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	events, next, err := w.room.Poll(ctx, "exchange", 0)
	require.NoError(t, err)
	require.Empty(t, events)
	require.Zero(t, next)
	got := make(chan []Event, 1)
	go func() {
		events, _, _ := w.room.Poll(context.Background(), "exchange", 0)
		got <- events
	}()
	w.certify()
	require.NotEmpty(t, <-got)
}
