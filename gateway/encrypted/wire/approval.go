package wire

import "fmt"

// Approval is a holder's word that it compiled the plan, recomputed the openings
// from its own leaves, and will answer them for one requester once released.
type Approval struct {
	Query, Plan [32]byte
	// Openings is threshold.ListHash of what the holder computed.
	Openings  [32]byte
	Holder    string
	Requester string
	// Sealing is the SM3 fingerprint of the requester's envelope key.
	Sealing [32]byte
	// Size and Root are the checkpoint of the log up to which the holder has read.
	Size      uint64
	Root      [32]byte
	Expiry    int64 // Unix seconds
	Signature []byte
}

const (
	approvalPrefix = "YHAP\x01"
	approvalDomain = "yumen encrypted approval 1"
)

func (a *Approval) body() ([]byte, error) {
	if !validName(a.Holder) || !validName(a.Requester) || a.Expiry <= 0 {
		return nil, fmt.Errorf("%w: approval", ErrInvalid)
	}
	w := &writer{}
	for _, h := range [][32]byte{a.Query, a.Plan, a.Openings} {
		w.hash(h)
	}
	w.bytes([]byte(a.Holder))
	w.bytes([]byte(a.Requester))
	w.hash(a.Sealing)
	w.u64(a.Size)
	w.hash(a.Root)
	w.u64(uint64(a.Expiry))
	return w.b, nil
}

// SigningBytes is what the holder signs with its agent key.
func (a *Approval) SigningBytes() ([]byte, error) { return domained(approvalDomain, a.body) }

// Hash is SM3 of SigningBytes.
func (a *Approval) Hash() ([32]byte, error) { return hashed(approvalDomain, a.body) }

// Bytes is the canonical form.
func (a *Approval) Bytes() ([]byte, error) { return framed(approvalPrefix, a.body, a.Signature) }

// ParseApproval accepts the canonical form only.
func ParseApproval(b []byte) (*Approval, error) {
	r := &reader{b: b}
	r.expect(approvalPrefix)
	a := &Approval{Query: r.hash(), Plan: r.hash(), Openings: r.hash(), Holder: r.name(), Requester: r.name(), Sealing: r.hash(),
		Size: r.u64(), Root: r.hash(), Expiry: int64(r.u64()), Signature: r.signature()}
	if a.Expiry <= 0 {
		r.bad = true
	}
	return a, r.end("approval")
}

// Objection is a holder's refusal to approve a plan: a rule, and no more.
type Objection struct {
	Query, Plan [32]byte
	Holder      string
	Rule        string // a rule of package plan, or of the holder's own
	Time        int64  // Unix seconds
	Signature   []byte
}

const (
	objectionPrefix = "YHOB\x01"
	objectionDomain = "yumen encrypted objection 1"
)

func (o *Objection) body() ([]byte, error) {
	if !validName(o.Holder) || !validName(o.Rule) || o.Time <= 0 {
		return nil, fmt.Errorf("%w: objection", ErrInvalid)
	}
	w := &writer{}
	w.hash(o.Query)
	w.hash(o.Plan)
	w.bytes([]byte(o.Holder))
	w.bytes([]byte(o.Rule))
	w.u64(uint64(o.Time))
	return w.b, nil
}

// SigningBytes is what the holder signs with its agent key.
func (o *Objection) SigningBytes() ([]byte, error) { return domained(objectionDomain, o.body) }

// Hash is SM3 of SigningBytes.
func (o *Objection) Hash() ([32]byte, error) { return hashed(objectionDomain, o.body) }

// Bytes is the canonical form.
func (o *Objection) Bytes() ([]byte, error) { return framed(objectionPrefix, o.body, o.Signature) }

// ParseObjection accepts the canonical form only.
func ParseObjection(b []byte) (*Objection, error) {
	r := &reader{b: b}
	r.expect(objectionPrefix)
	o := &Objection{Query: r.hash(), Plan: r.hash(), Holder: r.name(), Rule: r.name(), Time: int64(r.u64()), Signature: r.signature()}
	if o.Time <= 0 {
		r.bad = true
	}
	return o, r.end("objection")
}

func domained(domain string, body func() ([]byte, error)) ([]byte, error) {
	b, err := body()
	if err != nil {
		return nil, err
	}
	return append([]byte(domain), b...), nil
}

func hashed(domain string, body func() ([]byte, error)) ([32]byte, error) {
	b, err := body()
	if err != nil {
		return [32]byte{}, err
	}
	return hashOf(domain, b), nil
}

func framed(prefix string, body func() ([]byte, error), signature []byte) ([]byte, error) {
	b, err := body()
	if err != nil {
		return nil, err
	}
	return signed(prefix, b, signature)
}
