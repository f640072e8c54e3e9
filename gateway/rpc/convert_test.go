package rpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/gateway/rpc"
)

// everyCall makes one call of each method with empty messages.
func everyCall(s *rpc.Services, ctx context.Context) map[string]error {
	out := map[string]error{}
	call := func(name string, err error) { out[name] = err }
	_, err := s.Verification.Verify(ctx, &apiv1.VerifyRequest{})
	call("Verify", err)
	_, err = s.Verification.VerifyBatch(ctx, &apiv1.VerifyBatchRequest{})
	call("VerifyBatch", err)
	_, err = s.Tables.Query(ctx, &apiv1.QueryRequest{})
	call("Query", err)
	_, err = s.Jobs.Submit(ctx, &apiv1.SubmitRequest{})
	call("Submit", err)
	_, err = s.Jobs.Get(ctx, &apiv1.GetJobRequest{})
	call("Get", err)
	_, err = s.Jobs.List(ctx, &apiv1.ListJobsRequest{})
	call("List", err)
	_, err = s.Jobs.Cancel(ctx, &apiv1.GetJobRequest{})
	call("Cancel", err)
	_, err = s.Governance.Apply(ctx, &apiv1.ApplyRequest{})
	call("Apply", err)
	_, err = s.Governance.Suspend(ctx, &apiv1.SuspendRequest{})
	call("Suspend", err)
	_, err = s.Governance.Resume(ctx, &apiv1.SuspendRequest{})
	call("Resume", err)
	_, err = s.Governance.DestroyKey(ctx, &apiv1.DestroyKeyRequest{})
	call("DestroyKey", err)
	_, err = s.Governance.Catalogue(ctx, &apiv1.CatalogueRequest{})
	call("Catalogue", err)
	_, err = s.Audit.Checkpoint(ctx, &apiv1.CheckpointRequest{})
	call("Checkpoint", err)
	_, err = s.Audit.Entry(ctx, &apiv1.EntryRequest{})
	call("Entry", err)
	_, err = s.Audit.Trust(ctx, &apiv1.TrustRequest{})
	call("Trust", err)
	_, err = s.Audit.Search(ctx, &apiv1.SearchRequest{})
	call("Search", err)
	return out
}

func TestQuestionsArriveWhole(t *testing.T) {
	i := &inside{err: spec.ErrNoJob}
	s, _ := services(i)
	_, _ = s.Verification.Verify(asParty("bank"), &apiv1.VerifyRequest{
		Scenario: "s", Template: "t", Subject: &apiv1.Subject{Number: "n", Name: "张", Phone: "p"}, Consent: "c",
		IdempotencyKey: "k", KeyTimeMs: 5, Threshold: "x",
	})
	require.Equal(t, &spec.Question{Kind: spec.Verify, Party: "bank", Scenario: "s", Query: "t", Subjects: []spec.Subject{{Number: "n", Name: "张", Phone: "p"}},
		Consent: "c", Key: "k", KeyTime: time.UnixMilli(5), Threshold: "x"}, i.question)
	_, _ = s.Verification.VerifyBatch(asParty("bank"), &apiv1.VerifyBatchRequest{Scenario: "s", Template: "t", Subjects: []*apiv1.Subject{{Number: "1"}, nil}, Threshold: "x"})
	require.Equal(t, []spec.Subject{{Number: "1"}, {}}, i.question.Subjects)
	require.Equal(t, "x", i.question.Threshold, "a chosen threshold arrives, to be refused by rule")
	_, _ = s.Tables.Query(asParty("bank"), &apiv1.QueryRequest{Table: "t", Fields: []string{"f"}})
	require.Equal(t, []string{"f"}, i.question.Fields)
	_, _ = s.Jobs.Submit(asParty("op"), &apiv1.SubmitRequest{Scenario: "s", Mask: "m", IdempotencyKey: "k", KeyTimeMs: 7})
	require.Equal(t, &spec.Job{Party: "op", Scenario: "s", Mask: "m", Key: "k", KeyTime: time.UnixMilli(7)}, i.job)
	_, _ = s.Governance.Suspend(asParty("op"), &apiv1.SuspendRequest{Kind: "party", Id: "bank", Reason: "r"})
	require.Equal(t, &spec.Suspension{Party: "op", Kind: "party", ID: "bank", Reason: "r"}, i.suspension)
	_, _ = s.Governance.Resume(asParty("op"), &apiv1.SuspendRequest{})
	require.True(t, i.suspension.Resume)
	_, _ = s.Governance.DestroyKey(asParty("op"), &apiv1.DestroyKeyRequest{Scenario: "s", Recipient: "bank", Key: "k"})
	require.Equal(t, &spec.KeyDestruction{Party: "op", Scenario: "s", Recipient: "bank", Key: "k"}, i.destroyed)
}

func TestBoundsAreKeptAndNameTheField(t *testing.T) {
	long := func(n int) string { return strings.Repeat("7", n+1) }
	ok := asParty("bank")
	s, _ := services(&inside{})
	for field, err := range map[string]error{
		"scenario":        second(s.Verification.Verify(ok, &apiv1.VerifyRequest{Scenario: long(spec.MaxID)})),
		"query":           second(s.Verification.Verify(ok, &apiv1.VerifyRequest{Template: long(spec.MaxID)})),
		"consent":         second(s.Verification.Verify(ok, &apiv1.VerifyRequest{Consent: long(spec.MaxID)})),
		"threshold":       second(s.Verification.Verify(ok, &apiv1.VerifyRequest{Threshold: long(spec.MaxReserved)})),
		"idempotency_key": second(s.Verification.Verify(ok, &apiv1.VerifyRequest{IdempotencyKey: long(spec.MaxKey)})),
		"subject.number":  second(s.Verification.Verify(ok, &apiv1.VerifyRequest{Subject: &apiv1.Subject{Number: long(spec.MaxSubject)}})),
		"subject.name":    second(s.Verification.VerifyBatch(ok, &apiv1.VerifyBatchRequest{Subjects: []*apiv1.Subject{{}, {Name: long(spec.MaxSubject)}}})),
		"subject.phone":   second(s.Verification.VerifyBatch(ok, &apiv1.VerifyBatchRequest{Subjects: []*apiv1.Subject{{Phone: long(spec.MaxSubject)}}})),
		"fields":          second(s.Tables.Query(ok, &apiv1.QueryRequest{Fields: make([]string, spec.MaxReserved+1)})),
		"mask":            second(s.Jobs.Submit(ok, &apiv1.SubmitRequest{Mask: long(spec.MaxID)})),
		"recipient":       second(s.Governance.DestroyKey(ok, &apiv1.DestroyKeyRequest{Recipient: long(spec.MaxID)})),
		"key":             second(s.Governance.DestroyKey(ok, &apiv1.DestroyKeyRequest{Key: long(spec.MaxID)})),
		"reason":          second(s.Governance.Suspend(ok, &apiv1.SuspendRequest{Reason: long(spec.MaxReason)})),
	} {
		require.Equal(t, codes.InvalidArgument, status.Code(err), field)
		require.Contains(t, err.Error(), "field "+field)
		require.NotContains(t, err.Error(), "7777", "the value is not repeated")
	}
}

func second[T any](_ T, err error) error { return err }

func TestAnswersTravelWhole(t *testing.T) {
	s, _ := services(&inside{release: releaseOf(t, release.Answer{Code: release.Withheld})})
	out, err := s.Verification.Verify(asParty("bank"), &apiv1.VerifyRequest{})
	require.NoError(t, err)
	require.Equal(t, apiv1.Answer_ANSWER_WITHHELD, out.GetAnswer())
	require.EqualValues(t, 7, out.GetBillable())
	require.Equal(t, "housing office", out.GetSourceDepartment())
	require.Equal(t, "2026-10-31", out.GetDataAsOf())
	require.NotEmpty(t, out.GetReceipt().GetReceipt())
	require.NotEmpty(t, out.GetReceipt().GetResult())

	s, _ = services(&inside{release: releaseOf(t, release.Batch{Codes: []release.Code{release.Yes, release.No}})})
	batch, err := s.Verification.VerifyBatch(asParty("bank"), &apiv1.VerifyBatchRequest{})
	require.NoError(t, err)
	require.Equal(t, []apiv1.Answer{apiv1.Answer_ANSWER_YES, apiv1.Answer_ANSWER_NO}, batch.GetAnswers())

	s, _ = services(&inside{release: releaseOf(t, release.Table{GroupBy: []string{"g"}, Measures: []string{"count"},
		Cells: []release.Cell{{Keys: []string{"a"}, Values: []string{"12"}}, {Keys: []string{"b"}, Withheld: true}}})})
	table, err := s.Tables.Query(asParty("bank"), &apiv1.QueryRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"12"}, table.GetCells()[0].GetValues())
	require.True(t, table.GetCells()[1].GetWithheld())
	require.Empty(t, table.GetCells()[1].GetValues())
}

// Every published code is an entry of the API's enumeration, and the other way about.
func TestCodesAreTheEnumeration(t *testing.T) {
	for c := range 256 {
		_, named := apiv1.Answer_name[int32(c)]
		require.Equal(t, release.Code(c).Valid(), named && c != 0, "%d", c)
	}
	for _, s := range []spec.State{spec.Queued, spec.Running, spec.Done, spec.Refused, spec.Failed, spec.Cancelled} {
		require.Contains(t, apiv1.JobState_name, int32(s))
	}
}

// Equal length for every answer, on the wire too.
func TestWireAnswersAreOfOneLength(t *testing.T) {
	want := 0
	for _, c := range []release.Code{release.Yes, release.No, release.Match, release.Mismatch, release.NotFound, release.Withheld} {
		s, _ := services(&inside{release: releaseOf(t, release.Answer{Code: c})})
		out, err := s.Verification.Verify(asParty("bank"), &apiv1.VerifyRequest{})
		require.NoError(t, err)
		if want == 0 {
			want = proto.Size(out)
		}
		require.Equal(t, want, proto.Size(out))
	}
}

func TestRefusedJobSaysTheRule(t *testing.T) {
	s, _ := services(&inside{})
	j, err := s.Jobs.Get(asParty("op"), &apiv1.GetJobRequest{Id: "j"})
	require.NoError(t, err)
	require.Equal(t, "k-anonymity", j.GetRefusal().GetRule())
	require.Nil(t, j.GetReceipt())
	a, err := s.Governance.Apply(asParty("op"), &apiv1.ApplyRequest{})
	require.NoError(t, err)
	require.Equal(t, "cell-share", a.GetFindings()[0].GetRefusal().GetRule())
}

func FuzzVerifyMessage(f *testing.F) {
	b, err := proto.Marshal(&apiv1.VerifyRequest{Scenario: "s", Subject: &apiv1.Subject{Number: "n"}, KeyTimeMs: -1})
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x07})
	f.Fuzz(func(t *testing.T, b []byte) {
		in := &apiv1.VerifyRequest{}
		if proto.Unmarshal(b, in) != nil {
			return
		}
		i := &inside{err: spec.ErrNoJob}
		s, _ := services(i)
		_, err := s.Verification.Verify(asParty("bank"), in)
		if code := status.Code(err); code == codes.InvalidArgument {
			require.Nil(t, i.question)
			return
		}
		require.LessOrEqual(t, len(i.question.Scenario), spec.MaxID)
		require.LessOrEqual(t, len(i.question.Subjects[0].Number), spec.MaxSubject)
		require.Equal(t, "bank", i.question.Party)
	})
}
