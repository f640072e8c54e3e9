package rpc

import (
	"context"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// DestroyKey ends a key of masked tables.
func (g *governanceService) DestroyKey(ctx context.Context, in *apiv1.DestroyKeyRequest) (*apiv1.DestroyKeyResponse, error) {
	d, err := keyDestruction(ctx, in)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	keys, ok := g.domain.(keyDestroyer)
	if !ok {
		return nil, g.errors.status(ctx, (&governance.Policy{}).Refuse(governance.Sealed))
	}
	a, err := keys.DestroyKey(ctx, d)
	if err != nil {
		return nil, g.errors.status(ctx, err)
	}
	return &apiv1.DestroyKeyResponse{Entry: a.Entry}, nil
}

func keyDestruction(ctx context.Context, in *apiv1.DestroyKeyRequest) (*spec.KeyDestruction, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	d := &spec.KeyDestruction{Party: party, Scenario: in.GetScenario(), Recipient: in.GetRecipient(), Key: in.GetKey()}
	return d, within(bound{"scenario", d.Scenario, spec.MaxID}, bound{"recipient", d.Recipient, spec.MaxID}, bound{"key", d.Key, spec.MaxID})
}
