package ceremony

import (
	"fmt"
	"slices"

	"github.com/emmansun/gmsm/sm3"
	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Use says what a key set is for.
type Use uint8

// The uses: sums alone, or one multiplication as well.
const (
	UseAdd Use = 1
	UseMul Use = 2
)

// Party is a holder: its name and the fingerprints (SM3) of its agent key, which
// signs, and its sealing key.
type Party struct {
	Name    string
	Agent   [32]byte
	Sealing [32]byte
}

// Proposal says which key set is to be made. The authority signs SigningBytes.
type Proposal struct {
	Parameters [32]byte // he.Parameters.ID
	Use        Use
	Datasets   []string // one, or the pair of a product, rising
	Providers  []string // of the datasets, in their order
	Holders    []Party  // points 1 to n; distinct names, keys
	Threshold  int
	Epoch      uint64
	Expiry     int64  // Unix seconds
	Cap        uint64 // scalars, at most threshold.DefaultCap
	Authority  string
	Nonce      [32]byte // fresh: a repeated attempt is another ceremony
}

const (
	proposalPrefix = "YHCP\x01"
	proposalDomain = "yumen ceremony proposal 1"
	maxDatasets    = 2
)

func (p *Proposal) check() error {
	if p == nil || (p.Use != UseAdd && p.Use != UseMul) {
		return fmt.Errorf("%w: no use", ErrProposal)
	}
	if _, err := threshold.NewSharing(len(p.Holders), p.Threshold); err != nil {
		return fmt.Errorf("%w: %w", ErrProposal, err)
	}
	if len(p.Datasets) < 1 || len(p.Datasets) > maxDatasets || len(p.Providers) != len(p.Datasets) {
		return fmt.Errorf("%w: %d datasets, %d providers", ErrProposal, len(p.Datasets), len(p.Providers))
	}
	if p.Cap == 0 || p.Cap > threshold.DefaultCap || p.Expiry <= 0 || !validName(p.Authority) {
		return fmt.Errorf("%w: scalar cap, expiry or authority", ErrProposal)
	}
	for _, name := range slices.Concat(p.Datasets, p.Providers) {
		if !validName(name) {
			return fmt.Errorf("%w: name of dataset or provider", ErrProposal)
		}
	}
	if len(p.Datasets) == 2 && p.Datasets[0] >= p.Datasets[1] {
		return fmt.Errorf("%w: datasets do not rise", ErrProposal)
	}
	for i, h := range p.Holders {
		if !validName(h.Name) {
			return fmt.Errorf("%w: name of holder %d", ErrProposal, i+1)
		}
		for _, o := range p.Holders[:i] {
			if o.Name == h.Name || o.Agent == h.Agent || o.Sealing == h.Sealing {
				return fmt.Errorf("%w: holder %d stands twice", ErrProposal, i+1)
			}
		}
	}
	return nil
}

// Bytes is the canonical form.
func (p *Proposal) Bytes() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.raw([]byte(proposalPrefix))
	w.hash(p.Parameters)
	w.u8(int(p.Use))
	p.terms().write(w)
	w.hash(p.Nonce)
	return w.b, nil
}

// terms are what proposal and certificate have in common.
type terms struct {
	datasets, providers []string
	holders             []Party
	threshold           int
	epoch               uint64
	expiry              int64
	scalars             uint64
	authority           string
}

func (p *Proposal) terms() terms {
	return terms{p.Datasets, p.Providers, p.Holders, p.Threshold, p.Epoch, p.Expiry, p.Cap, p.Authority}
}

func (t terms) write(w *writer) {
	w.u8(len(t.datasets))
	for i := range t.datasets {
		w.text(t.datasets[i])
		w.text(t.providers[i])
	}
	w.u8(len(t.holders))
	for _, h := range t.holders {
		w.text(h.Name)
		w.hash(h.Agent)
		w.hash(h.Sealing)
	}
	w.u8(t.threshold)
	w.u64(t.epoch)
	w.u64(uint64(t.expiry))
	w.u64(t.scalars)
	w.text(t.authority)
}

func readTerms(r *reader) terms {
	var t terms
	for range r.count(1, maxDatasets) {
		t.datasets = append(t.datasets, r.text())
		t.providers = append(t.providers, r.text())
	}
	for range r.count(2, threshold.MaxHolders) {
		t.holders = append(t.holders, Party{Name: r.text(), Agent: r.hash(), Sealing: r.hash()})
	}
	t.threshold = r.u8()
	t.epoch, t.expiry, t.scalars = r.u64(), int64(r.u64()), r.u64()
	t.authority = r.text()
	return t
}

// ParseProposal accepts the canonical form only.
func ParseProposal(b []byte) (*Proposal, error) {
	r := &reader{b: b}
	r.expect(proposalPrefix)
	p := &Proposal{Parameters: r.hash(), Use: Use(r.u8())}
	t := readTerms(r)
	p.Datasets, p.Providers, p.Holders, p.Threshold = t.datasets, t.providers, t.holders, t.threshold
	p.Epoch, p.Expiry, p.Cap, p.Authority = t.epoch, t.expiry, t.scalars, t.authority
	p.Nonce = r.hash()
	if !r.done() {
		return nil, fmt.Errorf("%w: proposal", ErrMalformed)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return p, nil
}

// ID names the ceremony: SM3 of the domain and the canonical form.
func (p *Proposal) ID() ([32]byte, error) {
	b, err := p.SigningBytes()
	if err != nil {
		return [32]byte{}, err
	}
	return sm3.Sum(b), nil
}

// SigningBytes is what the authority signs.
func (p *Proposal) SigningBytes() ([]byte, error) {
	b, err := p.Bytes()
	if err != nil {
		return nil, err
	}
	return append([]byte(proposalDomain), b...), nil
}

// fits refuses parameters that are not those of the proposal.
func (p *Proposal) fits(params *he.Parameters) error {
	if params.ID() != p.Parameters || params.Multiplies() != (p.Use == UseMul) {
		return fmt.Errorf("%w: other parameters", ErrProposal)
	}
	return nil
}

// VerifyProposal refuses a proposal that its authority did not sign.
func VerifyProposal(p *Proposal, sig []byte, verify Verify) error {
	msg, err := p.SigningBytes()
	if err != nil {
		return err
	}
	if !verify(p.Authority, msg, sig) {
		return fmt.Errorf("%w: signature of the authority", ErrProposal)
	}
	return nil
}
