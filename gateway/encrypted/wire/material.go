package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
)

// Proposal is a ceremony's proposal with the signature of its authority's agent
// key over ceremony.Proposal.SigningBytes. Its hash is ceremony.Proposal.ID.
type Proposal struct {
	Terms     *ceremony.Proposal
	Signature []byte
}

const (
	proposalPrefix = "YHSP\x01"
	maxProposal    = 1 << 16
)

// Bytes is the canonical form.
func (p *Proposal) Bytes() ([]byte, error) {
	b, err := p.Terms.Bytes()
	if err != nil {
		return nil, err
	}
	w := &writer{}
	w.bytes(b)
	return signed(proposalPrefix, w.b, p.Signature)
}

// ParseProposal accepts the canonical form only.
func ParseProposal(b []byte) (*Proposal, error) {
	r := &reader{b: b}
	r.expect(proposalPrefix)
	inner := r.bytes(maxProposal)
	p := &Proposal{Signature: r.signature()}
	if err := r.end("proposal"); err != nil {
		return nil, err
	}
	var err error
	p.Terms, err = ceremony.ParseProposal(inner)
	return p, err
}

// Keys are the public keys that a certificate names by their hashes. Their object
// is known by the public key's hash.
type Keys struct {
	Public *he.PublicKey
	Relin  *he.RelinKey // nil without multiplication
}

const keysPrefix = "YHPK\x01"

// Bytes is the canonical form.
func (k *Keys) Bytes(p *he.Parameters) ([]byte, error) {
	public, err := k.Public.Bytes(p)
	if err != nil {
		return nil, err
	}
	var relin []byte
	if k.Relin != nil {
		if relin, err = k.Relin.Bytes(p); err != nil {
			return nil, err
		}
	}
	w := &writer{}
	w.raw(keysPrefix)
	w.bytes(public)
	w.bytes(relin)
	return w.b, nil
}

// ParseKeys accepts the canonical form only: a relinearisation key stands in it
// exactly if the parameters multiply.
func ParseKeys(p *he.Parameters, b []byte) (*Keys, error) {
	r := &reader{b: b}
	r.expect(keysPrefix)
	public, relin := r.bytes(len(b)), r.bytes(len(b))
	if err := r.end("keys"); err != nil {
		return nil, err
	}
	k := &Keys{}
	var err error
	if k.Public, err = he.ParsePublicKey(p, public); err != nil {
		return nil, err
	}
	if p.Multiplies() != (len(relin) > 0) {
		return nil, fmt.Errorf("%w: keys", ErrMalformed)
	}
	if len(relin) > 0 {
		k.Relin, err = he.ParseRelinKey(p, relin)
	}
	return k, err
}

const openingsPrefix = "YHOL\x01"

// MarshalOpenings is the canonical form of the openings of a plan, in its order.
// They are known by threshold.ListHash.
func MarshalOpenings(p *he.Parameters, openings []*he.Opening) ([]byte, error) {
	w := &writer{}
	w.raw(openingsPrefix)
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(openings)))
	for i, o := range openings {
		b, err := o.Bytes(p)
		if err != nil {
			return nil, fmt.Errorf("opening %d: %w", i, err)
		}
		w.bytes(b)
	}
	return w.b, nil
}

// ParseOpenings accepts the canonical form only.
func ParseOpenings(p *he.Parameters, b []byte) ([]*he.Opening, error) {
	r := &reader{b: b}
	r.expect(openingsPrefix)
	head := r.take(4)
	if head == nil || uint64(binary.BigEndian.Uint32(head))*4 > uint64(len(r.b)) {
		return nil, fmt.Errorf("%w: openings", ErrMalformed)
	}
	openings := make([]*he.Opening, 0, binary.BigEndian.Uint32(head))
	for range cap(openings) {
		o, err := he.ParseOpening(p, r.bytes(len(b)))
		if err != nil {
			return nil, err
		}
		openings = append(openings, o)
	}
	return openings, r.end("openings")
}
