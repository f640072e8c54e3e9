package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// gateway stands for one that owns its log key and may lie in every other way.
type gateway struct {
	t     *testing.T
	log   *audit.Log
	trust []byte
	set   *receipt.TrustSet

	verify *apiv1.VerifyResponse
	batch  *apiv1.VerifyBatchResponse
	table  *apiv1.QueryResponse
	err    error
	keys   []string
}

type signer struct{ keyring.SignerKey }

func (s signer) KeyID() [32]byte { return s.Public().ID() }

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{t: t}
	key, err := keyring.GenerateSigner(keyring.Checkpoint, rand.Reader)
	require.NoError(t, err)
	g.trust, err = (&receipt.Trust{Domain: "d", Origin: "yumen/d", KeyName: "yumen", CheckpointKey: key.Public().String(), NotBefore: "2026-01-01"}).Marshal()
	require.NoError(t, err)
	g.set, err = receipt.LoadTrust(fstest.MapFS{"trust.json": {Data: g.trust}})
	require.NoError(t, err)
	g.log, err = audit.Open(context.Background(), audit.Options{
		Dir: t.TempDir(), CheckpointDir: t.TempDir(), Origin: "yumen/d", KeyName: "yumen", Signer: signer{key}, Clock: time.Now,
		Apply:  func(audit.Frame) error { return nil },
		Verify: func(msg, sig []byte) bool { return key.Public().Verify(keyring.Checkpoint, msg, sig) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.log.Close()) })
	return g
}

const owner = `{"name":"","number":"11010519491231002X","phone":""}`

// issue makes a true receipt for a statement that the test has changed.
func (g *gateway) issue(request, result string, change func(*receipt.Statement)) *apiv1.Receipt {
	open := [2]*receipt.Opening{{Nonce: receipt.Nonce{1}, Value: []byte(request)}, {Nonce: receipt.Nonce{2}, Value: []byte(result)}}
	req, res := open[0].Commit(receipt.TagRequest), open[1].Commit(receipt.TagResult)
	s := &receipt.Statement{
		Format: 1, ID: "00112233445566778899aabbccddeeff", Serial: "YM-20261031-000000000001", Time: receipt.FormatTime(time.Now()),
		Domain: "d", Party: "bank", Agreement: "use", Scenario: "s", Query: "q", Kind: receipt.KindVerify,
		Dataset: receipt.Dataset{ID: "x", Version: "1", AsOf: "2026-10-31", Source: "office"}, Technique: receipt.Technique{Name: "t"},
		Checks: []receipt.Check{{Rule: "r", Outcome: "passed"}}, Budget: receipt.Budget{Name: "b", After: 1, Limit: 9, Global: receipt.GlobalWithinCap},
		Policy: hex.EncodeToString(make([]byte, 32)), Trust: receipt.TrustHash(g.trust).String(), RulePack: "jilin@1", Build: "test",
		AllowedUse: "use", Expires: "2199-01-01", Request: req.String(), Result: res.String(), Rows: 1,
	}
	change(s)
	text, err := s.AppendCanonical(nil)
	require.NoError(g.t, err)
	a, err := g.log.Append(context.Background(), audit.Record{Kind: audit.Release, Time: time.Now().UnixMilli(), Statement: receipt.StatementHash(text)})
	require.NoError(g.t, err)
	parts, err := receipt.Build(text, receipt.StatementHash(text), a.Entry, a.Index, a.Proof, a.Checkpoint.Text)
	require.NoError(g.t, err)
	file, err := parts.Append(nil)
	require.NoError(g.t, err)
	result2, err := receipt.AppendResult(nil, s.ID, open[0], open[1])
	require.NoError(g.t, err)
	return &apiv1.Receipt{Receipt: file, Result: result2}
}

func (g *gateway) Verify(_ context.Context, in *apiv1.VerifyRequest, _ ...grpc.CallOption) (*apiv1.VerifyResponse, error) {
	g.keys = append(g.keys, in.GetIdempotencyKey())
	return g.verify, g.err
}

func (g *gateway) VerifyBatch(context.Context, *apiv1.VerifyBatchRequest, ...grpc.CallOption) (*apiv1.VerifyBatchResponse, error) {
	return g.batch, g.err
}

func (g *gateway) Query(context.Context, *apiv1.QueryRequest, ...grpc.CallOption) (*apiv1.QueryResponse, error) {
	return g.table, g.err
}

func (g *gateway) client() *Client { return &Client{trust: g.set, Verification: g, Tables: g} }

func question() *apiv1.VerifyRequest {
	return &apiv1.VerifyRequest{Scenario: "s", Template: "q", Subject: &apiv1.Subject{Number: "11010519491231002X"}}
}

func TestTrueAnswerPasses(t *testing.T) {
	g := newGateway(t)
	g.verify = &apiv1.VerifyResponse{Answer: apiv1.Answer_ANSWER_YES, Receipt: g.issue(owner, `{"answer":10}`, func(*receipt.Statement) {})}
	out, err := g.client().Verify(context.Background(), question())
	require.NoError(t, err)
	require.Equal(t, apiv1.Answer_ANSWER_YES, out.GetAnswer())
}

// A receipt that verifies and speaks of something else is no receipt of this answer.
func TestReceiptOfAnotherQuestionIsRefused(t *testing.T) {
	same := func(*receipt.Statement) {}
	for name, c := range map[string]struct {
		request, result string
		change          func(*receipt.Statement)
	}{
		"another answer":   {owner, `{"answer":11}`, same},
		"another subject":  {`{"name":"","number":"other","phone":""}`, `{"answer":10}`, same},
		"another query":    {owner, `{"answer":10}`, func(s *receipt.Statement) { s.Query = "owns-nothing" }},
		"another scenario": {owner, `{"answer":10}`, func(s *receipt.Statement) { s.Scenario = "other" }},
		"another kind":     {owner, `{"answer":10}`, func(s *receipt.Statement) { s.Kind = receipt.KindTable }},
		"another consent":  {owner, `{"answer":10}`, func(s *receipt.Statement) { s.Consent = "c-9" }},
	} {
		g := newGateway(t)
		g.verify = &apiv1.VerifyResponse{Answer: apiv1.Answer_ANSWER_YES, Receipt: g.issue(c.request, c.result, c.change)}
		out, err := g.client().Verify(context.Background(), question())
		require.ErrorIs(t, err, ErrReceipt, name)
		require.Nil(t, out, name)
	}
}

func TestForgedReceiptsAreRefused(t *testing.T) {
	g, other := newGateway(t), newGateway(t)
	good := g.issue(owner, `{"answer":10}`, func(*receipt.Statement) {})
	for name, r := range map[string]*apiv1.Receipt{
		"none": nil, "empty": {}, "no result": {Receipt: good.Receipt}, "foreign key": other.issue(owner, `{"answer":10}`, func(*receipt.Statement) {}),
		"cut": {Receipt: good.Receipt[:len(good.Receipt)-1], Result: good.Result}, "junk": {Receipt: []byte("{}"), Result: []byte("{}")},
	} {
		g.verify = &apiv1.VerifyResponse{Answer: apiv1.Answer_ANSWER_YES, Receipt: r}
		out, err := g.client().Verify(context.Background(), question())
		require.ErrorIs(t, err, ErrReceipt, name)
		require.Nil(t, out)
	}
}

func TestBatchMustHaveARowForEachQuestion(t *testing.T) {
	g := newGateway(t)
	g.batch = &apiv1.VerifyBatchResponse{Answers: []apiv1.Answer{10}, Receipt: g.issue(owner, `{"answer":10}`, func(*receipt.Statement) {})}
	in := &apiv1.VerifyBatchRequest{Scenario: "s", Template: "q", Subjects: []*apiv1.Subject{{Number: "11010519491231002X"}, {Number: "2"}}}
	out, err := g.client().VerifyBatch(context.Background(), in)
	require.ErrorIs(t, err, ErrReceipt)
	require.Nil(t, out)
}

func TestTableMustBeTheOneOfTheReceipt(t *testing.T) {
	const request = `{"query":"q","scenario":"s"}`
	const text = `{"cells":[{"keys":["a"],"values":["12"],"withheld":false},{"keys":["b"],"values":[],"withheld":true}],"group_by":["g"],"measures":["count"]}`
	good := func() *apiv1.QueryResponse {
		return &apiv1.QueryResponse{GroupBy: []string{"g"}, Measures: []string{"count"}, Cells: []*apiv1.Cell{{Keys: []string{"a"}, Values: []string{"12"}}, {Keys: []string{"b"}, Withheld: true}}}
	}
	of := func(s *receipt.Statement) { s.Kind = receipt.KindTable }
	for name, c := range map[string]struct {
		ok        bool
		change    func(*apiv1.QueryResponse)
		statement func(*receipt.Statement)
	}{
		"same":           {true, func(*apiv1.QueryResponse) {}, of},
		"figure":         {false, func(r *apiv1.QueryResponse) { r.Cells[0].Values[0] = "13" }, of},
		"key":            {false, func(r *apiv1.QueryResponse) { r.Cells[0].Keys[0] = "c" }, of},
		"withheld shown": {false, func(r *apiv1.QueryResponse) { r.Cells[1].Withheld = false }, of},
		"cell less":      {false, func(r *apiv1.QueryResponse) { r.Cells = r.Cells[:1] }, of},
		"measures":       {false, func(r *apiv1.QueryResponse) { r.Measures[0] = "sum(area)" }, of},
		"groups":         {false, func(r *apiv1.QueryResponse) { r.GroupBy[0] = "age" }, of},
		"another table":  {false, func(*apiv1.QueryResponse) {}, func(s *receipt.Statement) { of(s); s.Query = "other" }},
	} {
		g := newGateway(t)
		g.table = good()
		c.change(g.table)
		g.table.Receipt = g.issue(request, text, c.statement)
		_, err := g.client().Query(context.Background(), &apiv1.QueryRequest{Scenario: "s", Table: "q"})
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ErrReceipt, name)
		}
	}
}

func TestKeysAreMadeAndKept(t *testing.T) {
	g := newGateway(t)
	g.err = errors.New("lost")
	c := g.client()
	in := question()
	for range 2 {
		_, err := c.Verify(context.Background(), in)
		require.Error(t, err)
	}
	require.Len(t, g.keys[0], 32)
	require.Equal(t, g.keys[0], g.keys[1], "the same request asked again has the same key")
	require.NotZero(t, in.GetKeyTimeMs())
	_, err := c.Verify(context.Background(), question())
	require.Error(t, err)
	require.NotEqual(t, g.keys[0], g.keys[2])
}

func TestClientWantsTLS13(t *testing.T) {
	for _, c := range []*tls.Config{nil, {}, {MinVersion: tls.VersionTLS12}} {
		_, err := New(Options{Address: "127.0.0.1:1", TLS: c})
		require.Error(t, err)
	}
	c, err := New(Options{Address: "127.0.0.1:1", TLS: &tls.Config{MinVersion: tls.VersionTLS13}, Token: "t"})
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.True(t, bearer("t").RequireTransportSecurity(), "a token never travels in the clear")
}

func TestRefusalOf(t *testing.T) {
	require.Nil(t, RefusalOf(nil))
	require.Nil(t, RefusalOf(errors.New("other")))
	require.Nil(t, RefusalOf(status.Error(codes.PermissionDenied, "no detail")))
	st, err := status.New(codes.PermissionDenied, "x").WithDetails(&apiv1.Refusal{Rule: "suspended", Entry: proto.Int64(3)})
	require.NoError(t, err)
	require.Equal(t, "suspended", RefusalOf(st.Err()).GetRule())
}
