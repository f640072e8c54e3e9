package encrypted

import (
	"context"
	"slices"
	"strconv"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/governance"
)

// putProposal takes the authority's proposal of a key set of the domain file in force.
func (r *Room) putProposal(ctx context.Context, party string, object []byte) (Hash, error) {
	p, err := wire.ParseProposal(object)
	if err != nil {
		return Hash{}, malformed(err)
	}
	id, err := p.Terms.ID()
	if err != nil {
		return Hash{}, malformed(err)
	}
	if party != p.Terms.Authority {
		return Hash{}, ErrNone
	}
	if known, err := r.known(Proposal, id, object); known {
		return id, err
	}
	if err := ceremony.VerifyProposal(p.Terms, p.Signature, r.signedBy); err != nil {
		return Hash{}, malformed(err)
	}
	if err := r.fitsDomain(p.Terms); err != nil {
		return Hash{}, err
	}
	rec := recordOf(Proposal, id, party, id, object)
	rec.Ceremony = factsOf(p.Terms)
	_, err = r.keep(ctx, rec, object)
	return id, err
}

func factsOf(p *ceremony.Proposal) *CeremonyFacts {
	f := &CeremonyFacts{Authority: p.Authority, Datasets: p.Datasets, Providers: p.Providers, Threshold: p.Threshold, Parameters: p.Parameters,
		Product: p.Use == ceremony.UseMul, Expiry: p.Expiry, Cap: p.Cap}
	for _, h := range p.Holders {
		f.Holders = append(f.Holders, h.Name)
	}
	return f
}

// fitsDomain holds the terms of a key set against the domain file: an authority, a registered key set
// of these datasets, use, holders in order, threshold and epoch, no looser cap or expiry, and the keys and
// providers that the file names.
func (r *Room) fitsDomain(p *ceremony.Proposal) error {
	d := r.o.Policy().Domain()
	bad := func(why string) error { return refuse(governance.PlanRefused, why) }
	params := r.parameters(p.Parameters)
	switch {
	case d == nil || !partyIs(d, p.Authority, governance.RoleDataAuthority):
		return refuse(governance.RoleNotAllowed, "proposed by no data authority")
	case params == nil || params.Multiplies() != (p.Use == ceremony.UseMul):
		return bad("parameters not known, or not of this use")
	case r.o.Now().Unix() >= p.Expiry:
		return bad("expired")
	}
	for i, id := range p.Datasets {
		at := slices.IndexFunc(d.Datasets, func(ds governance.Dataset) bool { return ds.ID == id })
		if at < 0 || d.Datasets[at].Provider != p.Providers[i] {
			return bad("dataset or its provider is not that of the domain file")
		}
	}
	if !slices.ContainsFunc(d.KeySets, func(k governance.KeySet) bool { return agrees(&k, p) }) {
		return bad("no registered key set has these datasets, use, holders, threshold, epoch, cap and expiry")
	}
	for i, h := range p.Holders {
		of := partyOf(d, h.Name)
		if of == nil || fingerprint(of.AgentKey) != h.Agent || fingerprint(of.EnvelopeKey) != h.Sealing {
			return bad("keys of holder " + strconv.Itoa(i+1) + " are not those of the domain file")
		}
	}
	return nil
}

// agrees says that the proposal is of the registered key set.
func agrees(k *governance.KeySet, p *ceremony.Proposal) bool {
	use := map[string]ceremony.Use{governance.UseAdd: ceremony.UseAdd, governance.UseMul: ceremony.UseMul}[k.Use]
	if use != p.Use || k.Threshold != p.Threshold || uint64(k.Epoch) != p.Epoch || p.Cap > uint64(k.Scalars) || p.Expiry > k.Until.End().Unix() {
		return false
	}
	if !slices.Equal(slices.Sorted(slices.Values(k.Datasets)), p.Datasets) || len(k.Holders) != len(p.Holders) {
		return false
	}
	for i, h := range p.Holders {
		if h.Name != k.Holders[i] {
			return false
		}
	}
	return true
}

// putMessage relays one message of a ceremony. A slot takes one body; the sender's word again is no
// other, whatever signatures of others it has attached.
func (r *Room) putMessage(party string, object []byte) (Hash, error) {
	m, err := ceremony.ParseMessage(object)
	if err != nil {
		return Hash{}, malformed(err)
	}
	r.mu.RLock()
	c := r.state.proposals[m.Ceremony]
	r.mu.RUnlock()
	if c == nil || m.From > len(c.Holders) || m.To > len(c.Holders) || c.Holders[m.From-1] != party {
		return Hash{}, ErrNone
	}
	if !r.signedBy(party, m.SigningBytes(), m.Sig) {
		return Hash{}, malformed(ceremony.ErrMalformed)
	}
	body := Hash(sm3.Sum(m.Body))
	e := Event{Kind: Ceremony, Hash: sm3.Sum(object), Thread: m.Ceremony, slot: slot{uint8(m.Round), uint8(m.From), uint8(m.To)}, file: sm3.Sum(object)}
	if old, ok := r.slots[slotKey{e.Thread, e.slot}]; ok {
		return r.sameMessage(&old, body)
	}
	if c.Expiry <= r.o.Now().Unix() {
		return Hash{}, ErrState
	}
	if r.filled[party]+int64(len(object)) > r.o.MaxMessages {
		return Hash{}, ErrFull
	}
	if err := r.objects.put(Ceremony, e.Hash, object); err != nil {
		return Hash{}, err
	}
	r.mu.Lock()
	if err = r.journal.add(e); err == nil {
		r.place(e)
		r.filled[party] += int64(len(object))
	}
	r.mu.Unlock()
	r.notify()
	return e.Hash, err
}

// place remembers whose slot is taken.
func (r *Room) place(e Event) { r.slots[slotKey{e.Thread, e.slot}] = e }

func (r *Room) sameMessage(old *Event, body Hash) (Hash, error) {
	b, err := r.objects.get(Ceremony, old.Hash, old.file)
	if err != nil {
		return Hash{}, err
	}
	m, err := ceremony.ParseMessage(b)
	if err != nil {
		return Hash{}, ErrDamaged
	}
	if Hash(sm3.Sum(m.Body)) != body {
		return Hash{}, ErrTaken
	}
	return old.Hash, nil
}

// putCertificate takes what all holders signed at the end of a ceremony that was proposed here.
func (r *Room) putCertificate(ctx context.Context, party string, object []byte) (Hash, error) {
	c, err := ceremony.ParseKeyCert(object)
	if err != nil {
		return Hash{}, malformed(err)
	}
	hash, err := c.Hash()
	if err != nil {
		return Hash{}, malformed(err)
	}
	r.mu.RLock()
	proposed := r.state.proposals[c.Ceremony]
	r.mu.RUnlock()
	if proposed == nil || c.Point(party) == 0 {
		return Hash{}, ErrNone
	}
	if known, err := r.known(Certificate, hash, object); known {
		return hash, err
	}
	terms, err := r.terms(c.Ceremony)
	if err != nil {
		return Hash{}, err
	}
	if !certifies(c, terms) {
		return Hash{}, refuse(governance.PlanRefused, "certificate is not of its proposal")
	}
	if err := r.fitsDomain(terms); err != nil {
		return Hash{}, err
	}
	trust := ceremony.Trust{Parameters: r.o.Parameters, Holders: terms.Holders, Authority: terms.Authority, Now: r.o.Now(), MinThreshold: terms.Threshold}
	if err := ceremony.VerifyCert(c, trust, r.signedBy); err != nil {
		return Hash{}, malformed(err)
	}
	if other := r.certOf(c.Ceremony); other != (Hash{}) && other != hash {
		return Hash{}, ErrTaken
	}
	rec := recordOf(Certificate, hash, party, c.Ceremony, object)
	rec.Ceremony = factsOf(terms)
	rec.Ceremony.Public, rec.Ceremony.Relin, rec.Ceremony.Transcript = c.PublicKey, c.RelinKey, c.Transcript
	_, err = r.keep(ctx, rec, object)
	return hash, err
}

// terms reads a kept proposal.
func (r *Room) terms(id Hash) (*ceremony.Proposal, error) {
	r.mu.RLock()
	file := r.state.files[objectKey{Proposal, id}]
	r.mu.RUnlock()
	b, err := r.objects.get(Proposal, id, file)
	if err != nil {
		return nil, err
	}
	p, err := wire.ParseProposal(b)
	if err != nil {
		return nil, ErrDamaged
	}
	return p.Terms, nil
}

// certifies says that a certificate repeats its proposal's terms.
func certifies(c *ceremony.KeyCert, p *ceremony.Proposal) bool {
	return c.Parameters == p.Parameters && c.Use == p.Use && slices.Equal(c.Datasets, p.Datasets) && slices.Equal(c.Providers, p.Providers) &&
		slices.Equal(c.Holders, p.Holders) && c.Threshold == p.Threshold && c.Epoch == p.Epoch && c.Expiry == p.Expiry && c.Cap == p.Cap && c.Authority == p.Authority
}

// certOf is the certificate of a ceremony, or zero: one ceremony has one.
func (r *Room) certOf(proposal Hash) Hash {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for hash, c := range r.state.certs {
		if c.proposal == proposal {
			return hash
		}
	}
	return Hash{}
}

// putKeys takes the public keys that a certificate names.
func (r *Room) putKeys(ctx context.Context, party string, object []byte) (Hash, error) {
	for cert, c := range r.certsOf(party) {
		public, relin, err := r.keyHashes(c.Parameters, object)
		if err != nil || public != c.Public || relin != c.Relin {
			continue
		}
		if known, err := r.known(PublicKey, public, object); known {
			return public, err
		}
		_, err = r.keep(ctx, recordOf(PublicKey, public, party, cert, object), object)
		return public, err
	}
	return Hash{}, ErrNone
}

// certsOf are the certificates of which the party is a holder.
func (r *Room) certsOf(party string) map[Hash]*certificate {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := map[Hash]*certificate{}
	for hash, c := range r.state.certs {
		if slices.Contains(c.Holders, party) {
			out[hash] = c
		}
	}
	return out
}

func (r *Room) keyHashes(parameters Hash, object []byte) (public, relin Hash, err error) {
	params := r.parameters(parameters)
	if params == nil {
		return public, relin, ErrNone
	}
	k, err := wire.ParseKeys(params, object)
	if err != nil {
		return public, relin, err
	}
	if k.Relin != nil {
		if relin, err = k.Relin.Hash(params); err != nil {
			return public, relin, err
		}
	}
	public, err = k.Public.Hash(params)
	return public, relin, err
}
