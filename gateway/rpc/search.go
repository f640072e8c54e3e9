package rpc

import (
	"context"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

func searchQuery(ctx context.Context, in *apiv1.SearchRequest) (*spec.Search, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	q := &spec.Search{
		Caller: party, Party: in.GetParty(), Scenario: in.GetScenario(), Dataset: in.GetDataset(), Kind: in.GetKind(),
		FromMS: in.GetFromMs(), ToMS: in.GetToMs(), Limit: int(min(in.GetLimit(), spec.MaxSearch)), Before: in.GetBefore(),
	}
	if q.Kind != "" && !kind(q.Kind) {
		return nil, &invalid{"kind", "not a kind of entry"}
	}
	if q.FromMS < 0 || q.ToMS < 0 {
		return nil, &invalid{"from_ms, to_ms", "not negative"}
	}
	return q, within(bound{"party", q.Party, spec.MaxID}, bound{"scenario", q.Scenario, spec.MaxID}, bound{"dataset", q.Dataset, spec.MaxID})
}

// kind reports whether entries have a kind of this name.
func kind(name string) bool {
	for k := audit.Genesis; k <= audit.Outcome; k++ {
		if k.String() == name {
			return true
		}
	}
	return false
}

func searchMessage(p *spec.SearchPage) *apiv1.SearchResponse {
	out := &apiv1.SearchResponse{NextBefore: p.Before, Scanned: p.Scanned}
	for i := range p.Entries {
		e := &p.Entries[i]
		out.Entries = append(out.Entries, &apiv1.LogEntry{
			Index: e.Index, TimeMs: e.TimeMS, Kind: e.Kind, Party: e.Party, Scenario: e.Scenario, Dataset: e.Dataset,
			Query: e.Query, Rule: e.Rule, Serial: e.Serial, PolicyHash: e.PolicyHash, Report: e.Report, ReportSignature: e.ReportSignature,
		})
	}
	return out
}
