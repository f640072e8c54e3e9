package encrypted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// MaxParties bounds a trust file of parties, in bytes.
const MaxParties = 1 << 20

// Party is one party's public keys; a zero key serves nothing.
type Party struct {
	ID       string            `json:"id"`
	Agent    keyring.PublicKey `json:"agent_key,omitzero"`    // verifies what its agent says
	Envelope keyring.PublicKey `json:"envelope_key,omitzero"` // what is sealed to it
	Request  keyring.PublicKey `json:"request_key,omitzero"`  // verifies its queries
}

// Parties is the trust file of encrypted aggregates: who has which keys. The data
// authority hands it out by another way than the gateway.
//
//	{"parties":[{"agent_key":HEX,"envelope_key":HEX,"id":"exchange","request_key":HEX},...],
//	 "authority":"shuju","minimum_threshold":2,"yumen-parties":1}
type Parties struct {
	Format    int     `json:"yumen-parties"`
	Authority string  `json:"authority"` // signs proposals
	Threshold int     `json:"minimum_threshold"`
	List      []Party `json:"parties"`
}

// ErrParties: the trust file is not of its form. Get it again from the authority.
var ErrParties = errors.New("encrypted: trust file of parties refused")

// ParseParties reads a trust file, JSON with the keys shown above and no others.
func ParseParties(text []byte) (*Parties, error) {
	if len(text) > MaxParties {
		return nil, fmt.Errorf("%w: too large", ErrParties)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	p := &Parties{}
	if err := d.Decode(p); err != nil || d.More() {
		return nil, fmt.Errorf("%w: not of its form", ErrParties)
	}
	if p.Format != 1 || p.Threshold < 2 || p.Find(p.Authority) == nil {
		return nil, fmt.Errorf("%w: format, minimum_threshold or authority", ErrParties)
	}
	keys := map[keyring.PublicKey]bool{{}: true}
	for i := range p.List {
		one := &p.List[i]
		if one.ID == "" || p.Find(one.ID) != one {
			return nil, fmt.Errorf("%w: party %d without a name of its own", ErrParties, i+1)
		}
		for _, k := range []keyring.PublicKey{one.Agent, one.Envelope, one.Request} {
			if keys[k] && !k.IsZero() {
				return nil, fmt.Errorf("%w: party %d has a key that stands twice", ErrParties, i+1)
			}
			keys[k] = true
		}
	}
	return p, nil
}

// Find gives a party, or nil.
func (p *Parties) Find(id string) *Party {
	i := slices.IndexFunc(p.List, func(o Party) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &p.List[i]
}

// VerifyAgent reports whether sig is an agent's signature of msg: a ceremony.Verify.
func (p *Parties) VerifyAgent(party string, msg, sig []byte) bool {
	one := p.Find(party)
	return one != nil && !one.Agent.IsZero() && one.Agent.Verify(keyring.Agent, msg, sig)
}

// Holder is a party as ceremonies name it.
func (p *Parties) Holder(id string) (ceremony.Party, error) {
	one := p.Find(id)
	if one == nil || one.Agent.IsZero() || one.Envelope.IsZero() {
		return ceremony.Party{}, fmt.Errorf("holder %q: %w", id, ErrTrust)
	}
	return ceremony.Party{Name: id, Agent: one.Agent.ID(), Sealing: one.Envelope.ID()}, nil
}

// CheckHolders refuses holders whose fingerprints are not those of the trust file.
func (p *Parties) CheckHolders(list []ceremony.Party) error {
	for _, h := range list {
		want, err := p.Holder(h.Name)
		if err != nil {
			return err
		}
		if h != want {
			return fmt.Errorf("holder %q: fingerprint of its keys: %w", h.Name, ErrTrust)
		}
	}
	return nil
}

// VerifyCert verifies a certificate against the trust file at a time.
func (p *Parties) VerifyCert(c *ceremony.KeyCert, params Parameters, now time.Time) error {
	trust := ceremony.Trust{Authority: p.Authority, Now: now, MinThreshold: p.Threshold}
	for _, one := range params {
		trust.Parameters = append(trust.Parameters, one)
	}
	for _, h := range c.Holders {
		want, err := p.Holder(h.Name)
		if err != nil {
			return err
		}
		trust.Holders = append(trust.Holders, want)
	}
	return ceremony.VerifyCert(c, trust, p.VerifyAgent)
}

// VerifyManifest refuses a manifest that its provider did not sign.
func (p *Parties) VerifyManifest(m *plan.Manifest) error {
	msg, err := m.SigningBytes()
	if err != nil {
		return err
	}
	if !p.VerifyAgent(m.Provider, msg, m.Signature) {
		return fmt.Errorf("manifest of dataset %q: signature of its provider: %w", m.Dataset, ErrTrust)
	}
	return nil
}

// VerifyQuery refuses a query that its requester did not sign.
func (p *Parties) VerifyQuery(q *plan.Query) error {
	msg, err := q.SigningBytes()
	if err != nil {
		return err
	}
	one := p.Find(q.Requester)
	if one == nil || one.Request.IsZero() || one.Envelope.IsZero() || !one.Request.Verify(keyring.Request, msg, q.Signature) {
		return fmt.Errorf("query: signature of its requester: %w", ErrTrust)
	}
	return nil
}

// Parameters are the parameter sets this party takes part in, by their ID.
type Parameters map[[32]byte]*he.Parameters

// StandardParameters are the sets for sums and for products.
func StandardParameters() (Parameters, error) {
	list := Parameters{}
	for _, l := range []he.Literal{he.AddLiteral(), he.MulLiteral()} {
		p, err := he.NewParameters(l)
		if err != nil {
			return nil, err
		}
		list[p.ID()] = p
	}
	return list, nil
}

// PlanCert is a verified certificate as planning needs it.
func (p Parameters) PlanCert(c *ceremony.KeyCert) (plan.Cert, error) {
	hash, err := c.Hash()
	if err != nil {
		return plan.Cert{}, err
	}
	out := plan.Cert{Hash: hash, Parameters: p[c.Parameters], Threshold: c.Threshold, Datasets: c.Datasets,
		Product: c.Use == ceremony.UseMul, Cap: c.Cap, Expiry: c.Expiry}
	if out.Parameters == nil {
		return plan.Cert{}, fmt.Errorf("certificate: parameters not known: %w", ErrTrust)
	}
	for _, h := range c.Holders {
		out.Holders = append(out.Holders, h.Name)
	}
	return out, nil
}
