package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// seen keeps what reaches a service.
type seen struct {
	apiv1.UnimplementedVerificationServer
	metadata metadata.MD
	request  *apiv1.VerifyRequest
}

func (s *seen) Verify(ctx context.Context, in *apiv1.VerifyRequest) (*apiv1.VerifyResponse, error) {
	s.metadata, _ = metadata.FromIncomingContext(ctx)
	s.request = in
	return &apiv1.VerifyResponse{Answer: apiv1.Answer_ANSWER_NOT_FOUND}, nil
}

func handler(t testing.TB, s *seen) http.Handler {
	t.Helper()
	h, err := New(context.Background(), Services{
		Verification: s, Tables: apiv1.UnimplementedTablesServer{}, Jobs: apiv1.UnimplementedJobsServer{},
		Governance: apiv1.UnimplementedGovernanceServer{}, Audit: apiv1.UnimplementedAuditServer{},
	})
	require.NoError(t, err)
	return h
}

func do(h http.Handler, method, path, body string, header http.Header) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for k, v := range header {
		req.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// Every path of the OpenAPI document is served, and by nothing but its methods.
func TestEveryDocumentedPathIsServed(t *testing.T) {
	text, err := os.ReadFile("../api/v1/yumen.swagger.json")
	require.NoError(t, err)
	var doc struct {
		Paths map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	h := handler(t, &seen{})
	served := 0
	for path, methods := range doc.Paths {
		path = strings.NewReplacer("{id}", "job-1", "{index}", "7").Replace(path)
		for method := range methods {
			served++
			code := do(h, strings.ToUpper(method), path, "{}", nil).Code
			require.Contains(t, []int{http.StatusOK, http.StatusNotImplemented}, code, "%s %s", method, path)
		}
		require.GreaterOrEqual(t, do(h, http.MethodDelete, path, "", nil).Code, 400)
	}
	require.Equal(t, 16, served)
}

// A caller's headers do not become metadata: nobody speaks for another party by a header.
func TestHeadersDoNotReachServices(t *testing.T) {
	s := &seen{}
	w := do(handler(t, s), http.MethodPost, "/v1/verify", "{}", http.Header{
		"Grpc-Metadata-Authorization": {"Bearer stolen"}, "Grpc-Metadata-Party": {"bank"}, "X-Party": {"bank"}, "Cookie": {"a=b"},
	})
	require.Equal(t, http.StatusOK, w.Code)
	for key, values := range s.metadata {
		require.NotContains(t, key, "party")
		require.NotContains(t, values, "Bearer stolen")
	}
	require.Contains(t, w.Body.String(), `"answer":30`, "an enumeration is a number")
}

// A body of more objects than a batch holds is not decoded to its end: each would cost many times its bytes.
func TestABodyOfTooManyObjectsIsRefused(t *testing.T) {
	s := &seen{}
	h := handler(t, s)
	body := func(n int) string { return `{"subject":{},"scenario":"` + strings.Repeat("{", n) + `"}` }
	require.Equal(t, http.StatusOK, do(h, http.MethodPost, "/v1/verify", body(maxObjects-2), nil).Code)
	s.request = nil
	w := do(h, http.MethodPost, "/v1/verify", body(maxObjects-1), nil)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Nil(t, s.request)
}

func FuzzVerifyBody(f *testing.F) {
	f.Add(`{"scenario":"s","subject":{"number":"1"},"key_time_ms":"5"}`)
	f.Add(`{"subject":[[[[[[`)
	f.Add("\x00\xff")
	s := &seen{}
	h := handler(f, s)
	f.Fuzz(func(t *testing.T, body string) {
		s.request = nil
		w := do(h, http.MethodPost, "/v1/verify", body, nil)
		switch w.Code {
		case http.StatusOK:
			require.NotNil(t, s.request)
		case http.StatusBadRequest:
			require.Nil(t, s.request)
			require.JSONEq(t, `{"code":3,"message":"body: not the JSON of this message","details":[]}`, w.Body.String())
		default:
			t.Fatalf("status %d", w.Code)
		}
	})
}
