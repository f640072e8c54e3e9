package e2e

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
)

func code(err error) codes.Code { return status.Code(err) }

// Every query that is not exactly what is registered, signed and in force is refused; whatever a query costs a
// key is counted.
func TestEncryptedQueriesThatAreRefused(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.try("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	require.Equal(t, codes.Unavailable, code(err), "no manifest yet: %v", err)
	_, err = w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*plan.Query)
		code   codes.Code
	}{
		"not of this scenario":  {func(q *plan.Query) { q.Aggregate = "unasked" }, codes.PermissionDenied},
		"another kind":          {func(q *plan.Query) { q.Kind = plan.Sum }, codes.PermissionDenied},
		"another field":         {func(q *plan.Query) { q.Columns[0].Field = "rid" }, codes.PermissionDenied},
		"another lane":          {func(q *plan.Query) { q.Columns[0].Lane = "income" }, codes.PermissionDenied},
		"sections of its own":   {func(q *plan.Query) { q.Sections = []string{"all"} }, codes.PermissionDenied},
		"another version":       {func(q *plan.Query) { q.Datasets[0].Version = "2026-09" }, codes.Unavailable},
		"another scenario":      {func(q *plan.Query) { q.Scenario = "other" }, codes.PermissionDenied},
		"expired":               {func(q *plan.Query) { q.Time, q.Expiry = 1, 2 }, codes.PermissionDenied},
		"for ever":              {func(q *plan.Query) { q.Expiry = time.Now().AddDate(1, 0, 0).Unix() }, codes.PermissionDenied},
		"from the future":       {func(q *plan.Query) { q.Time += 3000; q.Expiry = q.Time + 60 }, codes.PermissionDenied},
		"of a party not a unit": {func(q *plan.Query) { q.Requester = "leju" }, codes.PermissionDenied},
	} {
		q := w.query("bank", "mean-housing", plan.Mean, "housing")
		c.change(q)
		w.signQuery(q)
		_, err := w.try(q.Requester, objectQuery, q)
		require.Equal(t, c.code, code(err), "%s: %v", name, err)
	}
	q := w.query("bank", "mean-housing", plan.Mean, "housing")
	_, err = w.try("leju", objectQuery, q)
	require.Equal(t, codes.NotFound, code(err), "handed in by another")
	q.Expiry++
	_, err = w.try("bank", objectQuery, q)
	require.Equal(t, codes.InvalidArgument, code(err), "not what was signed")

	for i := range 2 { // the cap is 3 and the ceremony has opened one
		q := w.query("bank", "mean-housing", plan.Mean, "housing")
		q.Purpose = fmt.Sprint("purpose ", i)
		w.until("bank", w.put("bank", objectQuery, w.signQuery(q)), "computed")
	}
	_, err = w.try("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	require.Equal(t, codes.ResourceExhausted, code(err))
	require.ErrorContains(t, err, "scalars-exhausted")
}

// A unit's daily quota holds for queries that wait for approvals too.
func TestPendingEncryptedQueriesHoldTheirQuota(t *testing.T) {
	w := newEncryptedWorld(t, "PERDAY", "1")
	w.keygen("housing")
	_, err := w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	q := w.query("bank", "mean-housing", plan.Mean, "housing")
	q.Purpose = "another"
	_, err = w.try("bank", objectQuery, w.signQuery(q))
	require.Equal(t, codes.ResourceExhausted, code(err))
}

// A manifest with too small an atom, or over leaves that are not here, is refused; leaves are immutable and lie
// under certified keys only.
func TestManifestsAndLeavesThatAreRefused(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	w.keygen("civil")
	_, err := w.provide("housing", amounts(9, 1))
	require.ErrorContains(t, err, "minimum-subjects")
	require.Equal(t, codes.PermissionDenied, code(err))
	dominated := amounts(200, 1)
	dominated[7] = 1 << 39
	_, err = w.provide("civil", dominated)
	require.Equal(t, codes.PermissionDenied, code(err), "one person holds more than half")
	require.ErrorContains(t, err, "dominance-1")
	_, err = w.provide("civil", amounts(200, 2))
	require.Equal(t, codes.AlreadyExists, code(err), "the leaves' places are taken")

	cert := w.sets["housing"]["shuju"].Cert
	key, err := cert.Hash()
	require.NoError(t, err)
	upload := func(party string, h he.Header, dataset, lane string) error {
		e, err := he.NewEncryptor(w.params, w.sets["housing"]["shuju"].Public, rand.Reader)
		require.NoError(t, err)
		leaf, err := e.Encrypt(nil, h, []int64{1}, 1)
		require.NoError(t, err)
		stream, err := w.as(party).PutLeaves(ctx())
		require.NoError(t, err)
		_ = stream.Send(&apiv1.PutLeavesRequest{Dataset: dataset, Version: "2026-10", Lane: lane, Batch: h.Batch, Leaf: leaf.Bytes()})
		_, err = stream.CloseAndRecv()
		return err
	}
	good := he.Header{Key: key, Lane: he.LaneID("housing", "2026-10", "x"), Rows: 1}
	require.NoError(t, upload("zhujian", good, "housing", "x"))
	require.Equal(t, codes.NotFound, code(upload("renshe", good, "housing", "x")), "not its dataset")
	require.Equal(t, codes.NotFound, code(upload("bank", good, "housing", "x")))
	other := good
	other.Lane = he.LaneID("housing", "2026-10", "y")
	require.Equal(t, codes.InvalidArgument, code(upload("zhujian", other, "housing", "x")), "of another lane")
	unknown := good
	unknown.Key[0]++
	unknown.Lane = he.LaneID("housing", "2026-10", "z")
	require.Equal(t, codes.PermissionDenied, code(upload("zhujian", unknown, "housing", "z")), "no such key")
	foreign := good
	foreign.Lane = he.LaneID("insurance", "2026-10", "x")
	require.Equal(t, codes.PermissionDenied, code(upload("renshe", foreign, "insurance", "x")), "a key of another dataset")

	d := &downloaded{w, "exchange"}
	_, err = d.all("housing", "2026-10", "amount", 0, 1)
	require.Equal(t, codes.NotFound, code(err), "no manifest, no download")
}

// Proposals and certificates that the domain file does not name, slots written twice, and words of who may not
// speak. What does not concern a party is not there.
func TestCeremoniesThatAreRefused(t *testing.T) {
	w := newEncryptedWorld(t)
	for name, change := range map[string]func(*ceremony.Proposal){
		"another threshold":   func(p *ceremony.Proposal) { p.Threshold = 3 },
		"another epoch":       func(p *ceremony.Proposal) { p.Epoch = 2 },
		"a looser cap":        func(p *ceremony.Proposal) { p.Cap = 101 },
		"a later expiry":      func(p *ceremony.Proposal) { p.Expiry += 10 * 365 * 86400 },
		"a swapped key":       func(p *ceremony.Proposal) { p.Holders[1].Agent[0]++ },
		"a swapped seal":      func(p *ceremony.Proposal) { p.Holders[2].Sealing[0]++ },
		"another order":       func(p *ceremony.Proposal) { p.Holders[0], p.Holders[1] = p.Holders[1], p.Holders[0] },
		"another provider":    func(p *ceremony.Proposal) { p.Providers[0] = "renshe" },
		"unknown dataset":     func(p *ceremony.Proposal) { p.Datasets[0] = "nothing" },
		"unknown parameters":  func(p *ceremony.Proposal) { p.Parameters[0]++ },
		"for multiplications": func(p *ceremony.Proposal) { p.Use = ceremony.UseMul },
		"already over":        func(p *ceremony.Proposal) { p.Expiry = 1 },
	} {
		p := w.proposal("housing")
		change(p.Terms)
		p.Signature = w.who.sign(t, "shuju", p.Terms)
		_, err := w.try("shuju", objectProposal, p)
		require.Equal(t, codes.PermissionDenied, code(err), "%s: %v", name, err)
	}
	p := w.proposal("housing")
	_, err := w.try("exchange", objectProposal, p)
	require.Equal(t, codes.NotFound, code(err), "not its author")
	p.Terms.Nonce[0]++
	_, err = w.try("shuju", objectProposal, p)
	require.Equal(t, codes.InvalidArgument, code(err), "not what was signed")

	p = w.proposal("housing")
	id := w.put("shuju", objectProposal, p)
	m, err := ceremony.New(w.config(p.Terms, "exchange"))
	require.NoError(t, err)
	first := m.Sent()[0]
	w.put("exchange", objectCeremony, &first)
	again := first
	again.Sig, err = w.who.agent["exchange"].Sign(first.SigningBytes())
	require.NoError(t, err)
	w.put("exchange", objectCeremony, &again)
	other, err := ceremony.New(w.config(p.Terms, "exchange"))
	require.NoError(t, err)
	second := other.Sent()[0]
	_, err = w.try("exchange", objectCeremony, &second)
	require.Equal(t, codes.AlreadyExists, code(err), "new secrets of a rolled-back holder")
	_, err = w.try("jianguan", objectCeremony, &first)
	require.Equal(t, codes.NotFound, code(err), "a message of another")
	second.Body = append(second.Body, 0)
	_, err = w.try("exchange", objectCeremony, &second)
	require.Equal(t, codes.InvalidArgument, code(err))

	for party, sees := range map[string]bool{"shuju": true, "jianguan": true, "zhujian": true, "renshe": false, "bank": false, "yunying": false} {
		out, err := w.as(party).Poll(ctx(), &apiv1.PollRequest{})
		require.NoError(t, err)
		require.Equal(t, sees, len(out.GetEvents()) > 0, party)
		_, err = w.as(party).Get(ctx(), &apiv1.GetRequest{Kind: objectProposal, Hash: id[:]})
		require.Equal(t, sees, err == nil, party)
	}
	_, err = w.g.as("renshe").Encrypted.Result(ctx(), &apiv1.ResultRequest{Query: id[:]})
	require.Equal(t, codes.NotFound, code(err))
}

// A relay that alters a message is found out: what the gateway stores is what was signed.
func TestAHolderNoticesAnAlteredMessage(t *testing.T) {
	w := newEncryptedWorld(t)
	p := w.proposal("housing")
	w.put("shuju", objectProposal, p)
	a, err := ceremony.New(w.config(p.Terms, "exchange"))
	require.NoError(t, err)
	b, err := ceremony.New(w.config(p.Terms, "jianguan"))
	require.NoError(t, err)
	said := a.Sent()[0]
	hash := w.put("exchange", objectCeremony, &said)
	altered, err := ceremony.ParseMessage(w.get("jianguan", objectCeremony, hash))
	require.NoError(t, err)
	altered.Body[0] ^= 1
	_, _, err = b.Step([]ceremony.Message{*altered})
	require.NoError(t, err)
	require.Len(t, b.Rejected(), 1)
}

// Noise sent to every method ends in an error and no panic; the gateway answers afterwards.
func TestNoiseToTheEncryptedService(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	r := mrand.New(mrand.NewChaCha8([32]byte{7}))
	valid, err := w.query("bank", "mean-housing", plan.Mean, "housing").Bytes()
	require.NoError(t, err)
	approval, err := (&wire.Approval{Holder: "shuju", Requester: "bank", Expiry: 1, Signature: []byte{1}}).Bytes()
	require.NoError(t, err)
	seeds := [][]byte{valid, approval, []byte("YHCP\x01"), []byte("YHCM\x01"), []byte("YHKC\x01"), []byte("YHMF\x01"), []byte("YHPK\x01")}
	parties := []string{"shuju", "exchange", "zhujian", "bank", "leju"}
	noise := func() []byte {
		b := append([]byte(nil), seeds[r.IntN(len(seeds))]...)
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
		}
		if r.IntN(3) == 0 {
			b = b[:r.IntN(len(b)+1)]
		}
		extra := make([]byte, r.IntN(64))
		for i := range extra {
			extra[i] = byte(r.Uint32())
		}
		return append(b, extra...)
	}
	for range 600 {
		c := w.as(parties[r.IntN(len(parties))])
		_, _ = c.Put(ctx(), &apiv1.PutRequest{Kind: apiv1.ObjectKind(r.IntN(300)), Object: noise()})
		_, err := c.Put(ctx(), &apiv1.PutRequest{Kind: apiv1.ObjectKind(r.IntN(13)), Object: noise()})
		require.NotEqual(t, codes.Unavailable, code(err))
		_, _ = c.Get(ctx(), &apiv1.GetRequest{Kind: apiv1.ObjectKind(r.IntN(13)), Hash: append(noise(), make([]byte, 32)...)[:[]int{0, 31, 32}[r.IntN(3)]]})
		_, _ = c.Result(ctx(), &apiv1.ResultRequest{Query: noise()})
		_, _ = c.Poll(ctx(), &apiv1.PollRequest{Cursor: r.Uint64()})
		stream, err := c.PutLeaves(ctx())
		require.NoError(t, err)
		_ = stream.Send(&apiv1.PutLeavesRequest{Dataset: "housing", Version: "2026-10", Lane: []string{"amount", "a\x00b", ""}[r.IntN(3)], Batch: r.Uint32(), Leaf: noise()})
		_, err = stream.CloseAndRecv()
		require.Error(t, err)
	}
	w.until("bank", w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing")), "computed")
}
