package rpc

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

// invalid names the field and the rule it breaks, never the value.
type invalid struct{ field, rule string }

func (i *invalid) Error() string { return fmt.Sprintf("field %s: %s", i.field, i.rule) }

type unauthenticated struct{}

func (unauthenticated) Error() string { return "no authenticated party" }

func caller(ctx context.Context) (string, error) {
	party, ok := spec.PartyOf(ctx)
	if !ok {
		return "", unauthenticated{}
	}
	return party, nil
}

type bound struct {
	field, value string
	most         int
}

func within(bounds ...bound) error {
	for _, b := range bounds {
		if len(b.value) > b.most {
			return &invalid{b.field, fmt.Sprintf("at most %d bytes", b.most)}
		}
	}
	return nil
}

func question(ctx context.Context, kind spec.Kind, scenario, query, key string, keyTime int64) (*spec.Question, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := within(bound{"scenario", scenario, spec.MaxID}, bound{"query", query, spec.MaxID}, bound{"idempotency_key", key, spec.MaxKey}); err != nil {
		return nil, err
	}
	return &spec.Question{Kind: kind, Party: party, Scenario: scenario, Query: query, Key: key, KeyTime: time.UnixMilli(keyTime)}, nil
}

func subject(s *apiv1.Subject) (spec.Subject, error) {
	out := spec.Subject{Number: s.GetNumber(), Name: s.GetName(), Phone: s.GetPhone()}
	return out, within(bound{"subject.number", out.Number, spec.MaxSubject}, bound{"subject.name", out.Name, spec.MaxSubject}, bound{"subject.phone", out.Phone, spec.MaxSubject})
}

func verifyQuestion(ctx context.Context, in *apiv1.VerifyRequest) (*spec.Question, error) {
	q, err := question(ctx, spec.Verify, in.GetScenario(), in.GetTemplate(), in.GetIdempotencyKey(), in.GetKeyTimeMs())
	if err != nil {
		return nil, err
	}
	s, err := subject(in.GetSubject())
	if err != nil {
		return nil, err
	}
	q.Subjects, q.Consent, q.Threshold = []spec.Subject{s}, in.GetConsent(), in.GetThreshold()
	return q, within(bound{"consent", q.Consent, spec.MaxID}, bound{"threshold", q.Threshold, spec.MaxReserved})
}

func batchQuestion(ctx context.Context, in *apiv1.VerifyBatchRequest) (*spec.Question, error) {
	q, err := question(ctx, spec.Batch, in.GetScenario(), in.GetTemplate(), in.GetIdempotencyKey(), in.GetKeyTimeMs())
	if err != nil {
		return nil, err
	}
	// One more than a batch may hold is refused as such; the rest need not be looked at.
	subjects := in.GetSubjects()[:min(len(in.GetSubjects()), spec.MaxBatch+1)]
	q.Subjects = make([]spec.Subject, len(subjects))
	for i, m := range subjects {
		if q.Subjects[i], err = subject(m); err != nil {
			return nil, err
		}
	}
	q.Threshold = in.GetThreshold()
	return q, within(bound{"threshold", q.Threshold, spec.MaxReserved})
}

func tableQuestion(ctx context.Context, in *apiv1.QueryRequest) (*spec.Question, error) {
	q, err := question(ctx, spec.Table, in.GetScenario(), in.GetTable(), in.GetIdempotencyKey(), in.GetKeyTimeMs())
	if err != nil {
		return nil, err
	}
	q.Fields = in.GetFields()
	if len(q.Fields) > spec.MaxReserved {
		return nil, &invalid{"fields", fmt.Sprintf("at most %d", spec.MaxReserved)}
	}
	return q, nil
}

func jobSpec(ctx context.Context, in *apiv1.SubmitRequest) (*spec.Job, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	j := &spec.Job{Party: party, Scenario: in.GetScenario(), Mask: in.GetMask(), Key: in.GetIdempotencyKey(), KeyTime: time.UnixMilli(in.GetKeyTimeMs())}
	return j, within(bound{"scenario", j.Scenario, spec.MaxID}, bound{"mask", j.Mask, spec.MaxID}, bound{"idempotency_key", j.Key, spec.MaxKey})
}

func suspension(ctx context.Context, in *apiv1.SuspendRequest) (*spec.Suspension, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	s := &spec.Suspension{Party: party, Kind: in.GetKind(), ID: in.GetId(), Reason: in.GetReason()}
	return s, within(bound{"kind", s.Kind, spec.MaxID}, bound{"id", s.ID, spec.MaxID}, bound{"reason", s.Reason, spec.MaxReason})
}

func receiptMessage(o *release.Opened) *apiv1.Receipt {
	return &apiv1.Receipt{Receipt: o.Receipt, Result: o.Result}
}

func verifyResponse(o *release.Opened) (*apiv1.VerifyResponse, error) {
	a, ok := o.Body.(release.Answer)
	if !ok {
		return nil, release.ErrEmpty
	}
	return &apiv1.VerifyResponse{
		Answer: apiv1.Answer(a.Code), Serial: o.Serial, Billable: proto.Uint32(o.Billable),
		DataAsOf: o.AsOf, SourceDepartment: o.Source, Receipt: receiptMessage(o),
	}, nil
}

func batchResponse(o *release.Opened) (*apiv1.VerifyBatchResponse, error) {
	b, ok := o.Body.(release.Batch)
	if !ok {
		return nil, release.ErrEmpty
	}
	out := &apiv1.VerifyBatchResponse{
		Answers: make([]apiv1.Answer, len(b.Codes)), Serial: o.Serial, Billable: proto.Uint32(o.Billable),
		DataAsOf: o.AsOf, SourceDepartment: o.Source, Receipt: receiptMessage(o),
	}
	for i, c := range b.Codes {
		out.Answers[i] = apiv1.Answer(c)
	}
	return out, nil
}

func tableResponse(o *release.Opened) (*apiv1.QueryResponse, error) {
	t, ok := o.Body.(release.Table)
	if !ok {
		return nil, release.ErrEmpty
	}
	out := &apiv1.QueryResponse{
		GroupBy: t.GroupBy, Measures: t.Measures, Serial: o.Serial, Billable: proto.Uint32(o.Billable),
		DataAsOf: o.AsOf, SourceDepartment: o.Source, Receipt: receiptMessage(o),
	}
	for _, c := range t.Cells {
		out.Cells = append(out.Cells, &apiv1.Cell{Keys: c.Keys, Values: c.Values, Withheld: c.Withheld})
	}
	return out, nil
}

func jobMessage(v *spec.JobView, rel *release.Release) (*apiv1.Job, error) {
	out := &apiv1.Job{
		Id: v.ID, Scenario: v.Scenario, Mask: v.Mask, State: apiv1.JobState(v.State), Problem: v.Problem,
		Output: v.Output, Rows: v.Rows, SubmittedMs: v.SubmittedMS, EndedMs: v.EndedMS,
	}
	if v.Rule != "" {
		out.Refusal = &apiv1.Refusal{Rule: v.Rule, Entry: proto.Int64(-1)}
	}
	if rel == nil {
		return out, nil
	}
	o, err := rel.Open()
	if err != nil {
		return nil, err
	}
	out.Receipt = receiptMessage(o)
	return out, nil
}

func catalogueMessage(c *spec.Catalogue) *apiv1.CatalogueResponse {
	out := &apiv1.CatalogueResponse{}
	for _, d := range c.Datasets {
		m := &apiv1.CatalogueDataset{Id: d.ID, Name: d.Name, Provider: d.Provider, Version: d.Version, AsOf: d.AsOf, Stale: d.Stale}
		for _, f := range d.Fields {
			m.Fields = append(m.Fields, &apiv1.CatalogueField{Name: f.Name, Type: f.Type, Class: f.Class, Grade: f.Grade})
		}
		out.Datasets = append(out.Datasets, m)
	}
	for _, i := range c.Items {
		out.Items = append(out.Items, &apiv1.CatalogueItem{Id: i.ID, Kind: i.Kind, Dataset: i.Dataset, Scenarios: i.Scenarios})
	}
	return out
}
