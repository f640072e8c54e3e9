package e2e

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/yumen-project/yumen/compute/he/plan"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/receipt"
)

const (
	objectProposal  = apiv1.ObjectKind_OBJECT_KIND_PROPOSAL
	objectCeremony  = apiv1.ObjectKind_OBJECT_KIND_CEREMONY
	objectManifest  = apiv1.ObjectKind_OBJECT_KIND_MANIFEST
	objectQuery     = apiv1.ObjectKind_OBJECT_KIND_QUERY
	objectPlan      = apiv1.ObjectKind_OBJECT_KIND_PLAN
	objectOpenings  = apiv1.ObjectKind_OBJECT_KIND_OPENINGS
	objectApproval  = apiv1.ObjectKind_OBJECT_KIND_APPROVAL
	objectAnswer    = apiv1.ObjectKind_OBJECT_KIND_ANSWER
	objectObjection = apiv1.ObjectKind_OBJECT_KIND_OBJECTION
)

// Three providers, three holders, one of them dead from the ceremony on; a restart between any two steps.
// The sum over all three datasets is exact, charged once, and repeats byte for byte.
func TestEncryptedSumAcrossProviders(t *testing.T) {
	w := newEncryptedWorld(t)
	w.everything(5000)
	q := w.query("bank", "total", plan.Sum, "civil", "housing", "insurance")
	query := w.put("bank", objectQuery, q)
	require.Equal(t, query, w.put("bank", objectQuery, q), "the same query is one")
	w.until("bank", query, "computed")
	w.g = w.g.restart()

	v := w.recompute("exchange", query)
	require.Equal(t, v.list, w.recompute("jianguan", query).list)
	_, err := w.try("exchange", objectAnswer, w.answer("exchange", v))
	require.Equal(t, codes.FailedPrecondition, status.Code(err), "no answer before the release")
	w.approve("exchange", v)
	require.Equal(t, "approved", w.result("bank", query).GetState())
	for _, kind := range []apiv1.ObjectKind{objectPlan, objectOpenings} {
		hash := map[apiv1.ObjectKind][32]byte{objectPlan: v.planHash, objectOpenings: v.list}[kind]
		_, err := w.as("bank").Get(ctx(), &apiv1.GetRequest{Kind: kind, Hash: hash[:]})
		require.Equal(t, codes.NotFound, status.Code(err), "a plan tells signed counts: not before the release")
	}
	w.g = w.g.restart()
	w.approve("jianguan", v)
	first := w.until("bank", query, "released")
	require.NotEmpty(t, first.GetReceipt().GetResult())
	holder := w.result("exchange", query)
	require.NotEmpty(t, holder.GetReceipt().GetReceipt())
	require.Empty(t, holder.GetReceipt().GetResult(), "what opens the commitments is the requester's")

	w.put("exchange", objectAnswer, w.answer("exchange", v))
	w.g = w.g.restart()
	again := w.put("jianguan", objectAnswer, w.answer("jianguan", v))
	require.Equal(t, again, w.put("jianguan", objectAnswer, w.answer("jianguan", v)), "the first answer stands")

	var want int64
	for _, values := range w.values {
		for _, x := range values {
			want += x
		}
	}
	require.Equal(t, want, w.open(query, v)[0].Int64())
	w.checkReceipt(first.GetReceipt(), query, v)

	last := w.result("bank", query)
	a, b := statementOf(t, first.GetReceipt()), statementOf(t, last.GetReceipt())
	require.Equal(t, a, b)
	require.True(t, bytes.Equal(first.GetReceipt().GetResult(), last.GetReceipt().GetResult()))
	require.Equal(t, query, w.put("bank", objectQuery, q))
	require.EqualValues(t, 1, a.Budget.After, "charged once")
	require.EqualValues(t, 1, w.spentByOneMore(), "and not again")
}

// spentByOneMore is what the bank had spent before one more query.
func (w *encryptedWorld) spentByOneMore() int64 {
	w.t.Helper()
	query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	v := w.recompute("exchange", query)
	w.approve("exchange", v)
	w.approve("shuju", v)
	return statementOf(w.t, w.until("bank", query, "released").GetReceipt()).Budget.Before
}

// checkReceipt verifies offline, and that the statement names what was opened and who recomputed it.
func (w *encryptedWorld) checkReceipt(r *apiv1.Receipt, query [32]byte, v *holderView) {
	w.t.Helper()
	report := receipt.Verify(r.GetReceipt(), r.GetResult(), w.g.trust(), time.Now())
	require.True(w.t, report.OK(), "%v", report)
	require.True(w.t, report.Holds(receipt.ClaimPlan))
	s := statementOf(w.t, r)
	require.Equal(w.t, receipt.KindEncrypted, s.Kind)
	p := s.Technique.Params
	require.Equal(w.t, encrypted.Hash(query).String(), p["query"])
	require.Equal(w.t, encrypted.Hash(v.planHash).String(), p["plan"])
	require.Equal(w.t, encrypted.Hash(v.list).String(), p["openings"])
	require.Equal(w.t, []string{"exchange", "jianguan", "2 of 3", w.params.Name()}, []string{p["recomputed by 1"], p["recomputed by 2"], p["threshold"], p["parameters"]})
	require.Contains(w.t, s.Checks, receipt.Check{Rule: "encrypted-approvals", Threshold: "2 of 3 key holders recomputed", Outcome: "passed"})
}

// What was approved for one plan, requester or key serves for no other; what a holder did not compute, sign or
// read is no approval.
func TestAnApprovalServesForOneThing(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	v := w.recompute("exchange", query)
	for name, c := range map[string]struct {
		by     string
		change func(*wire.Approval)
		code   codes.Code
	}{
		"another plan":        {"exchange", func(a *wire.Approval) { a.Plan[0]++ }, codes.NotFound},
		"another query":       {"exchange", func(a *wire.Approval) { a.Query[0]++ }, codes.NotFound},
		"other openings":      {"exchange", func(a *wire.Approval) { a.Openings[0]++ }, codes.PermissionDenied},
		"another requester":   {"exchange", func(a *wire.Approval) { a.Requester = "leju" }, codes.PermissionDenied},
		"another key":         {"exchange", func(a *wire.Approval) { a.Sealing = w.who.envelope["leju"].Public().ID() }, codes.PermissionDenied},
		"another log":         {"exchange", func(a *wire.Approval) { a.Root[0]++ }, codes.PermissionDenied},
		"a log to come":       {"exchange", func(a *wire.Approval) { a.Size += 1000 }, codes.PermissionDenied},
		"expired":             {"exchange", func(a *wire.Approval) { a.Expiry = time.Now().Unix() - 1 }, codes.PermissionDenied},
		"of another holder":   {"exchange", func(a *wire.Approval) { a.Holder = "jianguan" }, codes.NotFound},
		"by who is no holder": {"zhujian", func(a *wire.Approval) { a.Holder = "zhujian" }, codes.NotFound},
	} {
		a := w.approval(c.by, v)
		c.change(a)
		a.Signature = w.who.sign(t, c.by, a)
		_, err := w.try(c.by, objectApproval, a)
		require.Equal(t, c.code, status.Code(err), "%s: %v", name, err)
	}
	a := w.approval("exchange", v)
	a.Expiry++
	_, err = w.try("exchange", objectApproval, a)
	require.Equal(t, codes.InvalidArgument, status.Code(err), "not what was signed")
	require.Zero(t, w.result("bank", query).GetApprovals())

	w.approve("exchange", v)
	w.approve("exchange", v)
	require.EqualValues(t, 1, w.result("bank", query).GetApprovals(), "one holder is one")
	require.Equal(t, "approved", w.result("bank", query).GetState(), "too few")
}

// Two of three holders object: the query ends by their rule, at its own cost.
func TestObjectionsEndAQuery(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	v := w.recompute("exchange", query)
	for _, h := range []string{"exchange", "shuju"} {
		o := &wire.Objection{Query: query, Plan: v.planHash, Holder: h, Rule: "versions", Time: time.Now().Unix()}
		o.Signature = w.who.sign(t, h, o)
		w.put(h, objectObjection, o)
	}
	require.Equal(t, "versions", w.until("bank", query, "refused").GetRule())
	_, err = w.try("jianguan", objectApproval, w.approval("jianguan", v))
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	w.g = w.g.restart()
	require.Equal(t, "refused", w.result("bank", query).GetState())
}

// A suspension stops a query that holders have approved, up to its release, and its results after it.
func TestSuspensionStopsAnEncryptedQuery(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	ask := func() ([32]byte, *holderView) {
		query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
		w.until("bank", query, "computed")
		return query, w.recompute("exchange", query)
	}
	query, v := ask()
	w.approve("exchange", v)
	_, err = w.g.as("shuju").Governance.Suspend(ctx(), &apiv1.SuspendRequest{Kind: "dataset", Id: "housing", Reason: "test"})
	require.NoError(t, err)
	_, _ = w.try("shuju", objectApproval, w.approval("shuju", v))
	require.Equal(t, "suspended", w.until("bank", query, "refused").GetRule())
}
