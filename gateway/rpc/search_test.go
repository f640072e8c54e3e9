package rpc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

func TestSearchArrivesWholeAndComesBack(t *testing.T) {
	i := &inside{}
	s, _ := services(i)
	out, err := s.Audit.Search(asParty("bank"), &apiv1.SearchRequest{
		Party: "p", Scenario: "s", Dataset: "d", Kind: "key-event", FromMs: 1, ToMs: 2, Limit: 1 << 30, Before: 9})
	require.NoError(t, err)
	require.Equal(t, &spec.Search{Caller: "bank", Party: "p", Scenario: "s", Dataset: "d", Kind: "key-event", FromMS: 1, ToMS: 2,
		Limit: spec.MaxSearch, Before: 9}, i.search)
	require.EqualValues(t, 5, out.GetNextBefore())
	require.Equal(t, "suspended", out.GetEntries()[0].GetRule())
	for field, in := range map[string]*apiv1.SearchRequest{
		"kind": {Kind: "kind(0)"}, "from_ms": {FromMs: -1}, "party": {Party: strings.Repeat("x", spec.MaxID+1)},
	} {
		_, err := s.Audit.Search(asParty("bank"), in)
		require.Equal(t, codes.InvalidArgument, status.Code(err), field)
		require.Contains(t, err.Error(), field)
	}
	code, body := overREST(t, i, "bank", "GET", "/v1/log/search?party=p&kind=release&limit=3", "")
	require.Equal(t, 200, code)
	require.Contains(t, body, `"rule"`)
	require.Equal(t, "release", i.search.Kind)
	require.Equal(t, 3, i.search.Limit)
}
