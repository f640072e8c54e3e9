package server

import (
	"context"
	"os"
	"path/filepath"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

// sealedGateway answers when log and checkpoint differ: every question is refused, and only health
// and what was already published of the log can be had.
type sealedGateway struct {
	logDir, trustDir string
}

func (sealedGateway) refusal() error {
	return &release.Denied{Refusal: (&governance.Policy{}).Refuse(governance.Sealed), Entry: -1}
}

func (s sealedGateway) Answer(context.Context, *spec.Question) (*release.Release, error) {
	return nil, s.refusal()
}

func (s sealedGateway) Submit(context.Context, *spec.Job) (*spec.JobView, error) {
	return nil, s.refusal()
}

func (s sealedGateway) Get(context.Context, string, string) (*spec.JobView, *release.Release, error) {
	return nil, nil, s.refusal()
}

func (s sealedGateway) Cancel(context.Context, string, string) (*spec.JobView, error) {
	return nil, s.refusal()
}

func (s sealedGateway) List(context.Context, string) ([]*spec.JobView, error) {
	return nil, s.refusal()
}

func (s sealedGateway) Apply(context.Context, *spec.Change) (*spec.Applied, error) {
	return nil, s.refusal()
}

func (s sealedGateway) Suspend(context.Context, *spec.Suspension) (*spec.Applied, error) {
	return nil, s.refusal()
}

func (s sealedGateway) Catalogue(context.Context, string) (*spec.Catalogue, error) {
	return nil, s.refusal()
}

// Checkpoint is the newest one that was published before.
func (s sealedGateway) Checkpoint() []byte {
	text, err := os.ReadFile(filepath.Join(s.logDir, "public", "checkpoint"))
	if err != nil {
		return nil
	}
	return text
}

func (sealedGateway) Prove(context.Context, uint64) ([]byte, [][]byte, []byte, error) {
	return nil, nil, nil, audit.ErrNoEntry
}

func (s sealedGateway) Trust() []byte {
	text, err := os.ReadFile(filepath.Join(s.trustDir, "trust.json"))
	if err != nil {
		return nil
	}
	return text
}

func (s sealedGateway) Search(context.Context, *spec.Search) (*spec.SearchPage, error) {
	return nil, s.refusal()
}
