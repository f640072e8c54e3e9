package encrypted

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
)

// hashed is an object that knows its own name.
type hashed interface{ Hash() ([32]byte, error) }

// fetch gets and parses an object and refuses it if its name is another.
func fetch[T hashed](ctx context.Context, g *Gateway, kind Kind, hash [32]byte, parse func([]byte) (T, error)) (T, []byte, error) {
	var none T
	b, err := g.get(ctx, kind, hash)
	if err != nil {
		return none, nil, fmt.Errorf("get %s: %w", Name(kind), err)
	}
	o, err := parse(b)
	if err != nil {
		return none, nil, fmt.Errorf("get %s: %w: %w", Name(kind), ErrForeign, err)
	}
	if got, err := o.Hash(); err != nil || got != hash {
		return none, nil, fmt.Errorf("get %s: %w", Name(kind), ErrForeign)
	}
	return o, b, nil
}

// Proposal fetches a signed proposal; its signature is the caller's to verify.
func (g *Gateway) Proposal(ctx context.Context, hash [32]byte) (*wire.Proposal, error) {
	b, err := g.get(ctx, apiv1.ObjectKind_OBJECT_KIND_PROPOSAL, hash)
	if err != nil {
		return nil, fmt.Errorf("get proposal: %w", err)
	}
	p, err := wire.ParseProposal(b)
	if err != nil {
		return nil, fmt.Errorf("get proposal: %w: %w", ErrForeign, err)
	}
	if id, err := p.Terms.ID(); err != nil || id != hash {
		return nil, fmt.Errorf("get proposal: %w", ErrForeign)
	}
	return p, nil
}

// Message fetches a ceremony message. Its signature is what makes it one: ceremony.
func (g *Gateway) Message(ctx context.Context, hash [32]byte) (*ceremony.Message, error) {
	b, err := g.get(ctx, apiv1.ObjectKind_OBJECT_KIND_CEREMONY, hash)
	if err != nil {
		return nil, fmt.Errorf("get ceremony message: %w", err)
	}
	m, err := ceremony.ParseMessage(b)
	if err != nil || audit.HashOf(b) != hash {
		return nil, fmt.Errorf("get ceremony message: %w", ErrForeign)
	}
	return m, nil
}

// Cert fetches a certificate; verify it.
func (g *Gateway) Cert(ctx context.Context, hash [32]byte) (*ceremony.KeyCert, error) {
	c, _, err := fetch(ctx, g, apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE, hash, ceremony.ParseKeyCert)
	return c, err
}

// Keys fetches the public keys of a verified certificate, exactly those it names.
func (g *Gateway) Keys(ctx context.Context, p *he.Parameters, cert *ceremony.KeyCert) (*wire.Keys, error) {
	b, err := g.get(ctx, apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY, cert.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("get public key: %w", err)
	}
	k, err := wire.ParseKeys(p, b)
	if err != nil {
		return nil, fmt.Errorf("get public key: %w: %w", ErrForeign, err)
	}
	return k, CheckKeys(p, cert, k)
}

// CheckKeys refuses keys that are not those a certificate names.
func CheckKeys(p *he.Parameters, cert *ceremony.KeyCert, k *wire.Keys) error {
	if hash, err := k.Public.Hash(p); err != nil || hash != cert.PublicKey {
		return fmt.Errorf("public key: %w", ErrForeign)
	}
	var relin [32]byte
	if k.Relin != nil {
		var err error
		if relin, err = k.Relin.Hash(p); err != nil {
			return fmt.Errorf("relinearisation key: %w: %w", ErrForeign, err)
		}
	}
	if relin != cert.RelinKey {
		return fmt.Errorf("relinearisation key: %w", ErrForeign)
	}
	return nil
}

// Manifest fetches a manifest; verify its signature.
func (g *Gateway) Manifest(ctx context.Context, hash [32]byte) (*plan.Manifest, error) {
	m, _, err := fetch(ctx, g, apiv1.ObjectKind_OBJECT_KIND_MANIFEST, hash, plan.ParseManifest)
	return m, err
}

// Query fetches a query; verify its signature.
func (g *Gateway) Query(ctx context.Context, hash [32]byte) (*plan.Query, error) {
	q, _, err := fetch(ctx, g, apiv1.ObjectKind_OBJECT_KIND_QUERY, hash, plan.ParseQuery)
	return q, err
}

// Plan fetches a plan; whether it is the query's is shown by plan.Check.
func (g *Gateway) Plan(ctx context.Context, hash [32]byte) (*plan.Plan, error) {
	p, _, err := fetch(ctx, g, apiv1.ObjectKind_OBJECT_KIND_PLAN, hash, plan.ParsePlan)
	return p, err
}

// Approval fetches an approval; verify its signature.
func (g *Gateway) Approval(ctx context.Context, hash [32]byte) (*wire.Approval, error) {
	a, _, err := fetch(ctx, g, apiv1.ObjectKind_OBJECT_KIND_APPROVAL, hash, wire.ParseApproval)
	return a, err
}

// Answer fetches a sealed answer; verify its signature.
func (g *Gateway) Answer(ctx context.Context, hash [32]byte) (*wire.Answer, error) {
	a, _, err := fetch(ctx, g, apiv1.ObjectKind_OBJECT_KIND_ANSWER, hash, wire.ParseAnswer)
	return a, err
}

// Openings fetches the openings of a plan, which are known by their list hash.
func (g *Gateway) Openings(ctx context.Context, p *he.Parameters, list [32]byte) ([]*he.Opening, error) {
	b, err := g.get(ctx, apiv1.ObjectKind_OBJECT_KIND_OPENINGS, list)
	if err != nil {
		return nil, fmt.Errorf("get openings: %w", err)
	}
	out, err := wire.ParseOpenings(p, b)
	if err != nil {
		return nil, fmt.Errorf("get openings: %w: %w", ErrForeign, err)
	}
	if got, err := threshold.ListHash(p, out); err != nil || got != list {
		return nil, fmt.Errorf("get openings: %w", ErrForeign)
	}
	return out, nil
}
