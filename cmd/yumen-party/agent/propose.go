package agent

import (
	"context"
	"fmt"
	"io"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
)

// Terms are what the data authority proposes.
type Terms struct {
	Use                 ceremony.Use
	Datasets, Providers []string
	Holders             []string
	Threshold           int
	Epoch               uint64
	Expiry              int64 // Unix seconds
	Cap                 uint64
}

// Propose signs a proposal of a key set as the data authority and hands it in. It
// gives the ceremony's name.
func (a *Agent) Propose(ctx context.Context, t Terms) (Hash, error) {
	p := &ceremony.Proposal{Use: t.Use, Datasets: t.Datasets, Providers: t.Providers, Threshold: t.Threshold, Epoch: t.Epoch,
		Expiry: t.Expiry, Cap: t.Cap, Authority: a.o.Identity.Party}
	for id, params := range a.o.Params {
		if params.Multiplies() == (t.Use == ceremony.UseMul) {
			p.Parameters = id
		}
	}
	for _, h := range t.Holders {
		one, err := a.o.Parties.Holder(h)
		if err != nil {
			return Hash{}, err
		}
		p.Holders = append(p.Holders, one)
	}
	if _, err := io.ReadFull(a.o.Rand, p.Nonce[:]); err != nil {
		return Hash{}, fmt.Errorf("draw nonce: %w", err)
	}
	if a.o.Identity.Party != a.o.Parties.Authority {
		return Hash{}, fmt.Errorf("propose: not the authority: %w", encrypted.ErrTrust)
	}
	msg, err := p.SigningBytes()
	if err != nil {
		return Hash{}, err
	}
	sig, err := a.o.Identity.Agent.Sign(msg)
	if err != nil {
		return Hash{}, err
	}
	b, err := (&wire.Proposal{Terms: p, Signature: sig}).Bytes()
	if err != nil {
		return Hash{}, err
	}
	return a.o.Gateway.Put(ctx, apiv1.ObjectKind_OBJECT_KIND_PROPOSAL, b)
}
