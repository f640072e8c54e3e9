package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// keyed is a question under a key of its own.
func keyed(t *testing.T, scenario, template, number string) *apiv1.VerifyRequest {
	t.Helper()
	key, made, err := client.NewKey()
	require.NoError(t, err)
	return &apiv1.VerifyRequest{Scenario: scenario, Template: template, Subject: &apiv1.Subject{Number: number}, IdempotencyKey: key, KeyTimeMs: made}
}

// sameAnswer demands that two responses are the same answer under the same statement: only proof and
// checkpoint may be newer.
func sameAnswer(t *testing.T, a, b *apiv1.VerifyResponse) {
	t.Helper()
	require.Equal(t, a.GetAnswer(), b.GetAnswer())
	require.Equal(t, a.GetSerial(), b.GetSerial())
	require.Equal(t, a.GetReceipt().GetResult(), b.GetReceipt().GetResult())
	require.Equal(t, statementOf(t, a.GetReceipt()), statementOf(t, b.GetReceipt()))
	pa, err := receipt.ParseReceipt(a.GetReceipt().GetReceipt())
	require.NoError(t, err)
	pb, err := receipt.ParseReceipt(b.GetReceipt().GetReceipt())
	require.NoError(t, err)
	require.Equal(t, pa.Statement, pb.Statement)
	require.Equal(t, pa.Entry, pb.Entry)
	require.Equal(t, pa.Index, pb.Index)
}

func (g *gateway) holds(r *apiv1.Receipt) {
	g.t.Helper()
	report := receipt.Verify(r.GetReceipt(), r.GetResult(), g.trust(), time.Now())
	require.True(g.t, report.OK(), report.Text("en"))
}

// A lost response is asked for again: same statement, same result, one charge; also after a restart,
// when the quota is used up, and over the other transport.
func TestIdempotency_LostResponse(t *testing.T) {
	g := start(t, options{})
	in := keyed(t, "narrow", "urban", common.people[11].RID)
	first, err := g.as("bank").Verify(ctx(), in)
	require.NoError(t, err)
	again, err := g.as("bank").Verify(ctx(), proto.Clone(in).(*apiv1.VerifyRequest))
	require.NoError(t, err)
	sameAnswer(t, first, again)
	last := g.must("bank", "narrow", "urban", common.people[12].RID)
	require.Equal(t, int64(1), statementOf(t, last.GetReceipt()).Budget.Before, "a retry was charged")
	_, err = g.verify("bank", "narrow", "urban", common.people[12].RID)
	g.refused(err, governance.QuotaExhausted, governance.GatewayRule)

	h := g.restart()
	again, err = h.as("bank").Verify(ctx(), proto.Clone(in).(*apiv1.VerifyRequest))
	require.NoError(t, err)
	sameAnswer(t, first, again)
	h.holds(again.GetReceipt())
	code, body := h.rest("bank", http.MethodPost, "/v1/verify", restOf(t, in))
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, string(body), first.GetSerial())
}

// The same key with another request is a conflict: AlreadyExists over gRPC and 409 over REST, logged
// and not charged. Another party's key is another key.
func TestR56_KeyWithAnotherRequestIsAConflict(t *testing.T) {
	g := start(t, options{})
	in := keyed(t, "finance", "urban", common.people[1].RID)
	_, err := g.as("bank").Verify(ctx(), in)
	require.NoError(t, err)
	change := map[string]func(*apiv1.VerifyRequest){
		"subject":  func(r *apiv1.VerifyRequest) { r.Subject.Number = common.people[2].RID },
		"spelling": func(r *apiv1.VerifyRequest) { r.Subject.Number = fullWidth(r.Subject.Number) },
		"template": func(r *apiv1.VerifyRequest) { r.Template = "owns-home" },
		"scenario": func(r *apiv1.VerifyRequest) { r.Scenario = "narrow" },
		"name":     func(r *apiv1.VerifyRequest) { r.Subject.Name = "王" },
	}
	before := g.spent("bank", "finance")
	for name, alter := range change {
		other := proto.Clone(in).(*apiv1.VerifyRequest)
		alter(other)
		_, err := g.as("bank").Verify(ctx(), other)
		g.refused(err, governance.IdempotencyConflict, governance.GatewayRule)
		require.Equal(t, codes.AlreadyExists, status.Code(err), name)
		code, _ := g.rest("bank", http.MethodPost, "/v1/verify", restOf(t, other))
		require.Equal(t, http.StatusConflict, code, name)
	}
	_, err = g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "finance", Template: "urban", Subjects: []*apiv1.Subject{in.GetSubject()},
		IdempotencyKey: in.GetIdempotencyKey(), KeyTimeMs: in.GetKeyTimeMs()})
	g.refused(err, governance.IdempotencyConflict, governance.GatewayRule)
	require.Equal(t, before+1, g.spent("bank", "finance"))
	theirs := proto.Clone(in).(*apiv1.VerifyRequest)
	theirs.Scenario, theirs.Subject.Number = "housing", common.people[9].RID
	_, err = g.as("leju").Verify(ctx(), theirs)
	require.NoError(t, err)
}

// Many callers with one key at once: one charge, one serial, one statement.
func TestIdempotency_ConcurrentCallersShareOneAnswer(t *testing.T) {
	g := start(t, options{})
	for round := range 5 {
		in := keyed(t, "finance", "urban", common.people[round].RID)
		answers := make([]*apiv1.VerifyResponse, 32)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				out, err := g.as("bank").Verify(ctx(), proto.Clone(in).(*apiv1.VerifyRequest))
				if err != nil {
					t.Error(err)
					return
				}
				answers[i] = out
			})
		}
		wg.Wait()
		require.False(t, t.Failed())
		for _, a := range answers[1:] {
			sameAnswer(t, answers[0], a)
			g.holds(a.GetReceipt())
		}
		require.Equal(t, int64(2*round+1), g.spent("bank", "finance"))
	}
}

// A caller that goes away in the middle gets the same answer with the same key, and is charged once.
func TestIdempotency_CancelledCall(t *testing.T) {
	g := start(t, options{})
	const rounds = 200
	for i := range rounds {
		in := keyed(t, "finance", "urban", common.people[i].RID)
		short, cancel := context.WithTimeout(ctx(), time.Duration(200+i%50*40)*time.Microsecond)
		first, err := g.as("bank").Verify(short, proto.Clone(in).(*apiv1.VerifyRequest))
		cancel()
		patient, cancel := context.WithTimeout(ctx(), 20*time.Second)
		second, err2 := g.as("bank").Verify(patient, proto.Clone(in).(*apiv1.VerifyRequest))
		cancel()
		require.NoError(t, err2)
		if err == nil {
			sameAnswer(t, first, second)
		}
		g.holds(second.GetReceipt())
	}
	require.Equal(t, int64(rounds), g.spent("bank", "finance"))
}

// A key beyond the horizon, from the future, missing or misshapen is refused.
func TestIdempotency_Horizon(t *testing.T) {
	g := start(t, options{})
	n := common.people[0].RID
	ask := func(alter func(*apiv1.VerifyRequest)) error {
		in := keyed(t, "finance", "urban", n)
		alter(in)
		_, err := g.as("bank").Verification.Verify(ctx(), in)
		return err
	}
	day := 24 * time.Hour
	at := func(d time.Duration) func(*apiv1.VerifyRequest) {
		return func(r *apiv1.VerifyRequest) { r.KeyTimeMs = time.Now().Add(d).UnixMilli() }
	}
	g.refused(ask(at(-7*day-time.Minute)), governance.IdempotencyExpired, governance.GatewayRule)
	g.refused(ask(at(-7000*day)), governance.IdempotencyExpired, governance.GatewayRule)
	g.refused(ask(at(time.Hour)), governance.IdempotencyExpired, governance.GatewayRule)
	require.NoError(t, ask(at(-7*day+time.Minute)))
	for _, bad := range []func(*apiv1.VerifyRequest){
		func(r *apiv1.VerifyRequest) { r.IdempotencyKey = "" },
		func(r *apiv1.VerifyRequest) { r.IdempotencyKey = "short" },
		func(r *apiv1.VerifyRequest) { r.KeyTimeMs = 0 },
		func(r *apiv1.VerifyRequest) { r.KeyTimeMs = -1 << 62 },
	} {
		g.refused(ask(bad), governance.IdempotencyMissing, governance.GatewayRule)
	}
	err := ask(func(r *apiv1.VerifyRequest) { r.IdempotencyKey = strings.Repeat("k", 65) })
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

// Many workers on a small quota: exactly as many answers as the quota has, whatever the timing.
func TestBudgetRace(t *testing.T) {
	g := start(t, options{})
	const workers, quota = 96, 50
	var answered, refused atomic.Int64
	serials := sync.Map{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range 3 {
				out, err := g.as("leju").Verify(ctx(), &apiv1.VerifyRequest{Scenario: "narrow", Template: "urban", Subject: &apiv1.Subject{Number: common.people[w*3+i].RID}})
				switch {
				case err == nil:
					answered.Add(1)
					if _, twice := serials.LoadOrStore(out.GetSerial(), w); twice {
						t.Error("one serial for two answers")
					}
				case client.RefusalOf(err).GetRule() == string(governance.QuotaExhausted):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(quota), answered.Load())
	require.Equal(t, int64(3*workers-quota), refused.Load())
}

// A job's key is bound to its request as well: the same request is the same job, another a conflict, an
// old key is refused.
func TestIdempotency_Jobs(t *testing.T) {
	text := domain(t, strings.Replace(domainText, "masks:\n", `masks:
  - {id: other-sample, dataset: household, k: 5, max_suppression: "0.10", columns: [{name: sex, technique: keep}, {name: kind, technique: keep}]}
`, 1), "masks: [household-sample]", "masks: [household-sample, other-sample]")
	g := start(t, options{domain: text})
	key, made, err := client.NewKey()
	require.NoError(t, err)
	submit := func(mask string, made int64) (*apiv1.Job, error) {
		return g.as("yunying").Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "housing", Mask: mask, IdempotencyKey: key, KeyTimeMs: made})
	}
	first, err := submit("household-sample", made)
	require.NoError(t, err)
	require.Equal(t, apiv1.JobState_JOB_STATE_DONE, g.waitState(first.GetId(), apiv1.JobState_JOB_STATE_DONE).GetState())
	again, err := submit("household-sample", made)
	require.NoError(t, err)
	require.Equal(t, first.GetId(), again.GetId())
	_, err = submit("other-sample", made)
	g.refused(err, governance.IdempotencyConflict, governance.GatewayRule)
	_, err = submit("household-sample", time.Now().AddDate(0, 0, -8).UnixMilli())
	g.refused(err, governance.IdempotencyExpired, governance.GatewayRule)
	require.Len(t, devzone(t, g), 1)
}
