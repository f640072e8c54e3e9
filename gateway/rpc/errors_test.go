package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/gateway/rest"
)

// outcomes is what each rule's refusal is to a caller of gRPC and of REST. A rule without a line here
// fails the test: a new rule wants a decision.
var outcomes = map[governance.Rule]struct {
	code codes.Code
	http int
}{
	governance.UnknownKey: {codes.InvalidArgument, 400}, governance.DanglingReference: {codes.InvalidArgument, 400},
	governance.DuplicateID: {codes.InvalidArgument, 400}, governance.Malformed: {codes.InvalidArgument, 400},
	governance.AliasRefused: {codes.InvalidArgument, 400}, governance.DomainFixed: {codes.PermissionDenied, 403},
	governance.KeyPinned: {codes.PermissionDenied, 403}, governance.AuthorityPinned: {codes.PermissionDenied, 403},
	governance.UnknownParty: {codes.PermissionDenied, 403}, governance.RoleNotAllowed: {codes.PermissionDenied, 403},
	governance.ScenarioUnknown: {codes.PermissionDenied, 403}, governance.UnitNotInScenario: {codes.PermissionDenied, 403},
	governance.PlanMissing: {codes.PermissionDenied, 403}, governance.ApprovalMissing: {codes.PermissionDenied, 403},
	governance.ApprovalInvalid: {codes.PermissionDenied, 403}, governance.AgreementMissing: {codes.PermissionDenied, 403},
	governance.AgreementNotYet: {codes.PermissionDenied, 403}, governance.AgreementExpired: {codes.PermissionDenied, 403},
	governance.TermCap: {codes.PermissionDenied, 403}, governance.Suspended: {codes.PermissionDenied, 403},
	governance.ConsentMissing: {codes.PermissionDenied, 403}, governance.ConsentForeign: {codes.PermissionDenied, 403},
	governance.ConsentExpired: {codes.PermissionDenied, 403}, governance.ConsentRevoked: {codes.PermissionDenied, 403},
	governance.ConsentBlanket: {codes.PermissionDenied, 403}, governance.TemplateUnregistered: {codes.PermissionDenied, 403},
	governance.AggregateUnregistered: {codes.PermissionDenied, 403}, governance.PlanRefused: {codes.PermissionDenied, 403},
	governance.HoldersMissing: {codes.PermissionDenied, 403}, governance.ScalarsExhausted: {codes.ResourceExhausted, 429},
	governance.TableUnregistered: {codes.PermissionDenied, 403}, governance.MaskUnregistered: {codes.PermissionDenied, 403},
	governance.ThresholdSupplied: {codes.PermissionDenied, 403}, governance.FieldUnknown: {codes.PermissionDenied, 403},
	governance.FieldUngraded: {codes.PermissionDenied, 403}, governance.CellShare: {codes.PermissionDenied, 403},
	governance.TemplateLimit: {codes.PermissionDenied, 403}, governance.DatasetProhibited: {codes.PermissionDenied, 403},
	governance.DatasetSharing: {codes.PermissionDenied, 403}, governance.DatasetMissing: {codes.Unavailable, 503},
	governance.SubjectMalformed: {codes.InvalidArgument, 400}, governance.BatchTooLarge: {codes.InvalidArgument, 400},
	governance.BatchNotAllowed: {codes.PermissionDenied, 403}, governance.QuotaExhausted: {codes.ResourceExhausted, 429},
	governance.AttemptsExhausted: {codes.ResourceExhausted, 429}, governance.PrivacyExhausted: {codes.ResourceExhausted, 429}, governance.SmallCell: {codes.PermissionDenied, 403},
	governance.KAnonymity: {codes.PermissionDenied, 403}, governance.SuppressionRate: {codes.PermissionDenied, 403},
	governance.KeyDestroyed:   {codes.PermissionDenied, 403},
	governance.SampleRate:     {codes.PermissionDenied, 403},
	governance.PerturbRefused: {codes.PermissionDenied, 403},
	governance.RawExport:      {codes.PermissionDenied, 403}, governance.Resale: {codes.PermissionDenied, 403},
	governance.IdempotencyConflict: {codes.AlreadyExists, 409}, governance.IdempotencyExpired: {codes.InvalidArgument, 400},
	governance.IdempotencyMissing: {codes.InvalidArgument, 400}, governance.Sealed: {codes.Unavailable, 503},
	governance.NotDurable: {codes.Unavailable, 503}, governance.WitnessMissing: {codes.Unavailable, 503},
	governance.PushMissing: {codes.Unavailable, 503}, governance.SettingsChanged: {codes.Unavailable, 503},
	governance.SettingsLoosened: {codes.PermissionDenied, 403}, governance.PolicyForbidden: {codes.PermissionDenied, 403},
}

func overREST(t *testing.T, i *inside, party, method, path, body string) (int, string) {
	t.Helper()
	s, _ := services(i)
	h, err := rest.New(context.Background(), rest.Services(*s))
	require.NoError(t, err)
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if party != "" {
		req = req.WithContext(spec.WithParty(req.Context(), party))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func TestEveryRuleHasItsCodeAndStatus(t *testing.T) {
	policy := policyOf(t)
	require.Len(t, outcomes, len(governance.Rules()))
	for _, rule := range governance.Rules() {
		want, ok := outcomes[rule]
		require.True(t, ok, "rule %s has no outcome", rule)
		r := policy.Refuse(rule)
		for name, err := range map[string]error{
			"denied": &release.Denied{Refusal: r, Entry: 42}, "refusal": r, "wrapped": fmt.Errorf("inner secret: %w", &release.Denied{Refusal: r, Entry: 42}),
		} {
			i := &inside{err: err}
			s, _ := services(i)
			_, got := s.Verification.Verify(asParty("bank"), &apiv1.VerifyRequest{})
			st := status.Convert(got)
			require.Equal(t, want.code, st.Code(), "%s %s", rule, name)
			require.NotContains(t, st.Message(), "secret")
			require.Len(t, st.Details(), 1)
			detail := st.Details()[0].(*apiv1.Refusal)
			require.Equal(t, string(rule), detail.GetRule())
			require.NotEmpty(t, detail.GetArticle())
			require.NotEmpty(t, detail.GetZh())
			require.NotEmpty(t, detail.GetEn())
			require.Equal(t, "jilin@2025-draft", detail.GetPack())
			if name == "refusal" {
				require.EqualValues(t, -1, detail.GetEntry(), "not in the log")
			} else {
				require.EqualValues(t, 42, detail.GetEntry())
			}
			code, body := overREST(t, i, "bank", http.MethodPost, "/v1/verify", `{}`)
			require.Equal(t, want.http, code, "%s %s", rule, name)
			require.Contains(t, body, string(rule))
			require.NotContains(t, body, "secret")
		}
	}
}

const canary = "11010519491231002X"

func TestErrorsFromInsideCarryNoInnerText(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("subject %s at /var/lib: %w", canary, err) }
	for name, c := range map[string]struct {
		err  error
		code codes.Code
		http int
	}{
		"unknown":       {wrap(errors.New("boom")), codes.Internal, 500},
		"empty release": {wrap(release.ErrEmpty), codes.Internal, 500},
		"altered":       {wrap(release.ErrAltered), codes.Internal, 500},
		"stored":        {wrap(release.ErrStored), codes.Internal, 500},
		"no job":        {wrap(spec.ErrNoJob), codes.NotFound, 404},
		"no entry":      {wrap(audit.ErrNoEntry), codes.NotFound, 404},
		"unknown state": {wrap(audit.ErrOutcomeUnknown), codes.Unknown, 500},
		"both":          {errors.Join(audit.ErrNotDurable, wrap(audit.ErrOutcomeUnknown)), codes.Unknown, 500},
		"not durable":   {wrap(audit.ErrNotDurable), codes.Unavailable, 503},
		"closed":        {wrap(audit.ErrClosed), codes.Unavailable, 503},
		"deadline":      {wrap(context.DeadlineExceeded), codes.DeadlineExceeded, 504},
		"canceled":      {wrap(context.Canceled), codes.Canceled, 499},
	} {
		i := &inside{err: c.err}
		s, logged := services(i)
		for call, err := range everyCall(s, asParty("bank")) {
			if strings.HasSuffix(call, "Checkpoint") || strings.HasSuffix(call, "Trust") {
				require.NoError(t, err, call)
				continue
			}
			require.Equal(t, c.code, status.Code(err), "%s %s", name, call)
			require.NotContains(t, err.Error(), canary, call)
			require.NotContains(t, err.Error(), "/var", call)
		}
		require.Equal(t, c.code == codes.Internal, logged.Len() > 0, "%s: what the caller does not learn is for the log", name)
		code, body := overREST(t, i, "bank", http.MethodPost, "/v1/verify", `{}`)
		require.Equal(t, c.http, code, name)
		require.NotContains(t, body, canary)
	}
}

// A release of another form than was asked, or one no gate made, is no answer and says nothing.
func TestWrongBodyIsNoAnswer(t *testing.T) {
	table := releaseOf(t, release.Table{Measures: []string{"count"}, Cells: []release.Cell{{Values: []string{"4711"}}}})
	answer := releaseOf(t, release.Answer{Code: release.Yes})
	for name, rel := range map[string]*release.Release{"nil": nil, "zero": {}, "other": table} {
		s, _ := services(&inside{release: rel})
		out, err := s.Verification.Verify(asParty("bank"), &apiv1.VerifyRequest{})
		require.Nil(t, out, name)
		require.Equal(t, codes.Internal, status.Code(err), name)
		require.NotContains(t, err.Error(), "release:", name)
		batch, err := s.Verification.VerifyBatch(asParty("bank"), &apiv1.VerifyBatchRequest{})
		require.Nil(t, batch, name)
		require.Equal(t, codes.Internal, status.Code(err), name)
	}
	s, _ := services(&inside{release: answer})
	out, err := s.Tables.Query(asParty("bank"), &apiv1.QueryRequest{})
	require.Nil(t, out)
	require.Equal(t, codes.Internal, status.Code(err))
	s, _ = services(&inside{release: &release.Release{}})
	job, err := s.Jobs.Get(asParty("bank"), &apiv1.GetJobRequest{})
	require.Nil(t, job)
	require.Equal(t, codes.Internal, status.Code(err))
}

func TestFileProblemReachesWhoSentTheFile(t *testing.T) {
	s, _ := services(&inside{err: &spec.FileProblem{Lines: []string{"line 3, parties[0].key: rule"}}})
	_, err := s.Governance.Apply(asParty("bank"), &apiv1.ApplyRequest{})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	require.Contains(t, err.Error(), "line 3")
}

func TestNobodyIsAnsweredNothing(t *testing.T) {
	i := &inside{}
	s, _ := services(i)
	n := 0
	for call, err := range everyCall(s, context.Background()) {
		require.Equal(t, codes.Unauthenticated, status.Code(err), call)
		n++
	}
	require.Equal(t, 16, n, "every method of every service")
	require.Nil(t, i.question)
	require.Nil(t, i.job)
	require.Nil(t, i.change)
	require.Nil(t, i.suspension)
	code, _ := overREST(t, i, "", http.MethodPost, "/v1/verify", `{}`)
	require.Equal(t, 401, code)
}

func TestRESTRefusesWhatIsNotTheMessage(t *testing.T) {
	i := &inside{release: releaseOf(t, release.Answer{Code: release.Yes})}
	for name, body := range map[string]string{
		"not JSON": `{`, "unknown field": `{"threshold_low":1}`, "deep": strings.Repeat(`{"subject":`, 20_000), "invalid UTF-8": "{\"scenario\":\"\xff\"}",
		"wrong type": `{"subject":{"number":` + canary[:17] + `}}`, "twice": `{"scenario":"a","scenario":"b"}`, "array": `[]`,
	} {
		i.question = nil
		code, text := overREST(t, i, "bank", http.MethodPost, "/v1/verify", body)
		require.Equal(t, 400, code, name)
		require.Nil(t, i.question, name)
		require.NotContains(t, text, canary[:17], "an error repeats no value")
		require.True(t, json.Valid([]byte(text)), name)
	}
	code, _ := overREST(t, i, "bank", http.MethodPost, "/v1/verify", `{"scenario":"`+strings.Repeat("a", rest.MaxBody)+`"}`)
	require.GreaterOrEqual(t, code, 400)
	require.Nil(t, i.question)
	for _, path := range []string{"/v1/nothing", "/v1/verify/", "/v1/", "/v1/log/entries/-1", "/v1/log/entries/99999999999999999999"} {
		code, _ := overREST(t, i, "bank", http.MethodGet, path, "")
		require.GreaterOrEqual(t, code, 400, path)
		require.Less(t, code, 500+2, path)
	}
}

func TestRESTAnswersAreOfOneLength(t *testing.T) {
	var lengths []int
	for _, c := range []release.Code{release.Yes, release.No, release.Match, release.Mismatch, release.NotFound, release.Withheld} {
		code, body := overREST(t, &inside{release: releaseOf(t, release.Answer{Code: c})}, "bank", http.MethodPost, "/v1/verify", `{}`)
		require.Equal(t, 200, code)
		var out struct{ Answer int }
		require.NoError(t, json.Unmarshal([]byte(body), &out))
		require.EqualValues(t, c, out.Answer)
		lengths = append(lengths, len(body))
	}
	for _, n := range lengths {
		require.Equal(t, lengths[0], n)
	}
}
