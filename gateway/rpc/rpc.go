// Package rpc serves the gateway's API over gRPC. It converts, calls inward, and converts back; it
// knows nothing of how a question is answered, and can send a result only from a *release.Release.
package rpc

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

type answerer interface {
	Answer(ctx context.Context, q *spec.Question) (*release.Release, error)
}

type jobs interface {
	Submit(ctx context.Context, j *spec.Job) (*spec.JobView, error)
	Get(ctx context.Context, party, id string) (*spec.JobView, *release.Release, error)
	Cancel(ctx context.Context, party, id string) (*spec.JobView, error)
	List(ctx context.Context, party string) ([]*spec.JobView, error)
}

type domain interface {
	Apply(ctx context.Context, c *spec.Change) (*spec.Applied, error)
	Suspend(ctx context.Context, s *spec.Suspension) (*spec.Applied, error)
	Catalogue(ctx context.Context, party string) (*spec.Catalogue, error)
}

// keyDestroyer is a domain that holds keys; a sealed gateway destroys none.
type keyDestroyer interface {
	DestroyKey(ctx context.Context, d *spec.KeyDestruction) (*spec.Applied, error)
}

type auditor interface {
	Checkpoint() []byte
	Prove(ctx context.Context, index uint64) (entry []byte, proof [][]byte, checkpoint []byte, err error)
	Trust() []byte
	Search(ctx context.Context, q *spec.Search) (*spec.SearchPage, error)
}

// Services is everything a transport serves; the same values serve gRPC and REST.
type Services struct {
	Verification apiv1.VerificationServer
	Tables       apiv1.TablesServer
	Jobs         apiv1.JobsServer
	Governance   apiv1.GovernanceServer
	Audit        apiv1.AuditServer
}

// New wires the services to what answers them.
func New(a answerer, j jobs, d domain, l auditor, logger *slog.Logger) *Services {
	e := errorMapper{logger: logger}
	return &Services{
		Verification: &verification{answerer: a, errors: e},
		Tables:       &tables{answerer: a, errors: e},
		Jobs:         &jobService{jobs: j, errors: e},
		Governance:   &governanceService{domain: d, errors: e},
		Audit:        &auditService{log: l, errors: e},
	}
}

// Register puts the services on a gRPC server.
func (s *Services) Register(r grpc.ServiceRegistrar) {
	apiv1.RegisterVerificationServer(r, s.Verification)
	apiv1.RegisterTablesServer(r, s.Tables)
	apiv1.RegisterJobsServer(r, s.Jobs)
	apiv1.RegisterGovernanceServer(r, s.Governance)
	apiv1.RegisterAuditServer(r, s.Audit)
}
