package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

type verification struct {
	apiv1.UnimplementedVerificationServer
	answerer answerer
	errors   errorMapper
}

func (v *verification) Verify(ctx context.Context, in *apiv1.VerifyRequest) (*apiv1.VerifyResponse, error) {
	q, err := verifyQuestion(ctx, in)
	if err != nil {
		return nil, v.errors.status(ctx, err)
	}
	opened, err := answer(ctx, v.answerer, q)
	if err != nil {
		return nil, v.errors.status(ctx, err)
	}
	out, err := verifyResponse(opened)
	return sent(ctx, v.errors, out, err)
}

func (v *verification) VerifyBatch(ctx context.Context, in *apiv1.VerifyBatchRequest) (*apiv1.VerifyBatchResponse, error) {
	q, err := batchQuestion(ctx, in)
	if err != nil {
		return nil, v.errors.status(ctx, err)
	}
	opened, err := answer(ctx, v.answerer, q)
	if err != nil {
		return nil, v.errors.status(ctx, err)
	}
	out, err := batchResponse(opened)
	return sent(ctx, v.errors, out, err)
}

type tables struct {
	apiv1.UnimplementedTablesServer
	answerer answerer
	errors   errorMapper
}

func (t *tables) Query(ctx context.Context, in *apiv1.QueryRequest) (*apiv1.QueryResponse, error) {
	q, err := tableQuestion(ctx, in)
	if err != nil {
		return nil, t.errors.status(ctx, err)
	}
	opened, err := answer(ctx, t.answerer, q)
	if err != nil {
		return nil, t.errors.status(ctx, err)
	}
	out, err := tableResponse(opened)
	return sent(ctx, t.errors, out, err)
}

func answer(ctx context.Context, a answerer, q *spec.Question) (*release.Opened, error) {
	r, err := a.Answer(ctx, q)
	if err != nil {
		return nil, err
	}
	return r.Open()
}

// sent is a response, or the status of what kept it from being one.
func sent[T any](ctx context.Context, m errorMapper, out *T, err error) (*T, error) {
	if err != nil {
		return nil, m.status(ctx, err)
	}
	return out, nil
}

type jobService struct {
	apiv1.UnimplementedJobsServer
	jobs   jobs
	errors errorMapper
}

func (s *jobService) Submit(ctx context.Context, in *apiv1.SubmitRequest) (*apiv1.Job, error) {
	j, err := jobSpec(ctx, in)
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	view, err := s.jobs.Submit(ctx, j)
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	return jobMessage(view, nil)
}

func (s *jobService) Get(ctx context.Context, in *apiv1.GetJobRequest) (*apiv1.Job, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	view, rel, err := s.jobs.Get(ctx, party, in.GetId())
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	out, err := jobMessage(view, rel)
	return sent(ctx, s.errors, out, err)
}

func (s *jobService) Cancel(ctx context.Context, in *apiv1.GetJobRequest) (*apiv1.Job, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	view, err := s.jobs.Cancel(ctx, party, in.GetId())
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	return jobMessage(view, nil)
}

func (s *jobService) List(ctx context.Context, _ *apiv1.ListJobsRequest) (*apiv1.ListJobsResponse, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	views, err := s.jobs.List(ctx, party)
	if err != nil {
		return nil, s.errors.status(ctx, err)
	}
	out := &apiv1.ListJobsResponse{}
	for _, v := range views {
		m, err := jobMessage(v, nil)
		if err != nil {
			return nil, s.errors.status(ctx, err)
		}
		out.Jobs = append(out.Jobs, m)
	}
	return out, nil
}

type governanceService struct {
	apiv1.UnimplementedGovernanceServer
	domain domain
	errors errorMapper
}

func (g *governanceService) Apply(ctx context.Context, in *apiv1.ApplyRequest) (*apiv1.ApplyResponse, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	a, err := g.domain.Apply(ctx, &spec.Change{Party: party, Domain: in.GetDomain(), Approvals: in.GetApprovals()})
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	out := &apiv1.ApplyResponse{PolicyHash: a.PolicyHash, Epoch: a.Epoch, Entry: a.Entry, Inactive: a.Inactive}
	for _, f := range a.Findings {
		m := &apiv1.Registration{Dataset: f.Dataset, Version: f.Version, Templates: f.Templates, Registered: f.OK}
		if f.Rule != "" {
			m.Refusal = &apiv1.Refusal{Rule: f.Rule, Entry: proto.Int64(-1)}
		}
		out.Findings = append(out.Findings, m)
	}
	return out, nil
}

func (g *governanceService) Suspend(ctx context.Context, in *apiv1.SuspendRequest) (*apiv1.SuspendResponse, error) {
	return g.suspend(ctx, in, false)
}

func (g *governanceService) Resume(ctx context.Context, in *apiv1.SuspendRequest) (*apiv1.SuspendResponse, error) {
	return g.suspend(ctx, in, true)
}

func (g *governanceService) suspend(ctx context.Context, in *apiv1.SuspendRequest, resume bool) (*apiv1.SuspendResponse, error) {
	s, err := suspension(ctx, in)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	s.Resume = resume
	a, err := g.domain.Suspend(ctx, s)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	return &apiv1.SuspendResponse{Entry: a.Entry, Epoch: a.Epoch}, nil
}

func (g *governanceService) Catalogue(ctx context.Context, _ *apiv1.CatalogueRequest) (*apiv1.CatalogueResponse, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	c, err := g.domain.Catalogue(ctx, party)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	return catalogueMessage(c), nil
}

type auditService struct {
	apiv1.UnimplementedAuditServer
	log    auditor
	errors errorMapper
}

func (a *auditService) Checkpoint(ctx context.Context, _ *apiv1.CheckpointRequest) (*apiv1.CheckpointResponse, error) {
	if _, err := caller(ctx); err != nil {
		return nil, a.errors.status(ctx, err)
	}
	return &apiv1.CheckpointResponse{Checkpoint: string(a.log.Checkpoint())}, nil
}

func (a *auditService) Entry(ctx context.Context, in *apiv1.EntryRequest) (*apiv1.EntryResponse, error) {
	if _, err := caller(ctx); err != nil {
		return nil, a.errors.status(ctx, err)
	}
	entry, proof, checkpoint, err := a.log.Prove(ctx, in.GetIndex())
	if err != nil {
		return nil, a.errors.status(ctx, err)
	}
	return &apiv1.EntryResponse{Entry: entry, Proof: proof, Checkpoint: string(checkpoint)}, nil
}

func (a *auditService) Trust(ctx context.Context, _ *apiv1.TrustRequest) (*apiv1.TrustResponse, error) {
	if _, err := caller(ctx); err != nil {
		return nil, a.errors.status(ctx, err)
	}
	return &apiv1.TrustResponse{Trust: a.log.Trust()}, nil
}

func (a *auditService) Search(ctx context.Context, in *apiv1.SearchRequest) (*apiv1.SearchResponse, error) {
	q, err := searchQuery(ctx, in)
	if err != nil {
		return nil, a.errors.status(ctx, err)
	}
	page, err := a.log.Search(ctx, q)
	if err != nil {
		return nil, a.errors.status(ctx, err)
	}
	return searchMessage(page), nil
}
