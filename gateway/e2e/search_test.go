package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
)

// search reads every page.
func (g *gateway) search(party string, in *apiv1.SearchRequest) []*apiv1.LogEntry {
	g.t.Helper()
	var all []*apiv1.LogEntry
	for {
		out, err := g.as(party).Audit.Search(ctx(), in)
		require.NoError(g.t, err)
		all = append(all, out.GetEntries()...)
		if out.GetNextBefore() == 0 {
			return all
		}
		in.Before = out.GetNextBefore()
	}
}

// Those who supervise find by party, scenario, dataset, kind and time what was asked, released and refused;
// others find their own; nobody finds a subject or an answer.
func TestR56_SupervisorsSearchTheLog(t *testing.T) {
	g := start(t, options{})
	began := time.Now().UnixMilli()
	g.load()
	out := g.must("bank", "finance", "owns-home", common.people[50].RID)
	_, err := g.verify("bank", "finance", "no-such-template", common.people[0].RID)
	require.Error(t, err)

	all := g.search("shuju", &apiv1.SearchRequest{Limit: 7})
	for i, e := range all {
		require.EqualValues(t, len(all)-1-i, e.GetIndex(), "every entry once, newest first")
	}
	require.Equal(t, "genesis", all[len(all)-1].GetKind())
	bank := g.search("shuju", &apiv1.SearchRequest{Party: "bank"})
	require.Equal(t, bank[0].GetKind(), "refusal")
	require.Equal(t, string(governance.TemplateUnregistered), bank[0].GetRule())
	require.Equal(t, out.GetSerial(), bank[1].GetSerial())
	require.Equal(t, "owns-home", bank[1].GetQuery())
	require.Len(t, bank[1].GetPolicyHash(), 64)
	require.Equal(t, bank, g.search("bank", &apiv1.SearchRequest{}), "its own, and those alone")
	require.Equal(t, bank, g.search("jianguan", &apiv1.SearchRequest{Party: "bank"}))
	require.Equal(t, bank, g.search("shuju", &apiv1.SearchRequest{Party: "bank", FromMs: began, ToMs: time.Now().UnixMilli() + 1}))
	require.Empty(t, g.search("shuju", &apiv1.SearchRequest{FromMs: 1, ToMs: 2}))
	require.Empty(t, g.search("shuju", &apiv1.SearchRequest{FromMs: time.Now().Add(time.Hour).UnixMilli()}))
	for _, e := range g.search("shuju", &apiv1.SearchRequest{Dataset: bank[1].GetDataset(), Kind: "release", Scenario: "finance"}) {
		require.Equal(t, []string{bank[1].GetDataset(), "release", "finance"}, []string{e.GetDataset(), e.GetKind(), e.GetScenario()})
		require.NotContains(t, e.String(), common.people[50].RID)
	}

	for _, party := range []string{"bank", "leju"} {
		_, err = g.as(party).Audit.Search(ctx(), &apiv1.SearchRequest{Party: "shuju"})
		require.Equal(t, codes.PermissionDenied, status.Code(err))
		require.Equal(t, string(governance.RoleNotAllowed), client.RefusalOf(err).GetRule())
	}
	code, body := g.rest("shuju", http.MethodGet, "/v1/log/search?party=bank&kind=refusal&limit=3", "")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, string(body), string(governance.TemplateUnregistered))
	code, _ = g.rest("", http.MethodGet, "/v1/log/search", "")
	require.Equal(t, http.StatusUnauthorized, code)
}
