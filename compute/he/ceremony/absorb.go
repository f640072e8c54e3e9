package ceremony

import (
	"fmt"
	"slices"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/yumen-project/yumen/compute/he/threshold"
)

// absorb checks a complete round. It reports whether the ceremony goes on.
func (m *Machine) absorb() (bool, error) {
	switch m.round {
	case RoundCommit:
		return m.absorbCommit(), nil
	case RoundNonce:
		return m.absorbNonce(), nil
	case RoundShadow:
		shadows, ok := m.absorbShadow(func(c *contribution) [32]byte { return c.shadow })
		m.view.shadows = shadows
		return ok, nil
	case RoundReveal:
		return m.absorbReveal()
	case RoundRelinShadow:
		relins, ok := m.absorbShadow(func(c *contribution) [32]byte { return c.shade2 })
		m.view.relins = relins
		return ok, nil
	case RoundRelinReveal:
		return m.absorbRelin()
	case RoundTrial:
		return m.absorbTrial(), nil
	default:
		return m.absorbSign()
	}
}

func (m *Machine) absorbCommit() bool {
	for h := 1; h <= m.sharing.Holders(); h++ {
		body, ok := m.readCommit(h, m.record(RoundCommit, h).Body)
		if !ok {
			return m.blamePublic(RuleBody, h)
		}
		m.view.commits = append(m.view.commits, body)
	}
	return true
}

func (m *Machine) commit(holder int) commitBody { return m.view.commits[holder-1] }

func (m *Machine) absorbNonce() bool {
	var nonces [][]byte
	for h := 1; h <= m.sharing.Holders(); h++ {
		r := m.afterEcho(m.record(RoundNonce, h).Body)
		nonce := r.hash()
		if !r.done() {
			return m.blamePublic(RuleBody, h)
		}
		if m.digest("nonce", []byte{byte(h)}, nonce[:]) != m.commit(h).nonce {
			return m.blamePublic(RuleCommitment, h)
		}
		nonces = append(nonces, nonce[:])
	}
	all := map[int]map[int][32]byte{m.self: m.secret.shares}
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h == m.self || len(m.common(h)) == 0 {
			continue
		}
		shares, ok := m.unseal(h)
		if !ok {
			return false
		}
		all[h] = shares
	}
	m.view.crs = m.digest("common random string", nonces...)
	m.view.shares, m.view.seeds = map[int][][32]byte{}, map[int]threshold.Seed{}
	for _, c := range m.sharing.Of(m.self) {
		for _, h := range m.sharing.Members(c) {
			m.view.shares[c] = append(m.view.shares[c], all[h][c])
		}
		m.view.seeds[c] = m.seed(c, m.view.shares[c])
	}
	return true
}

// seed is a component's seed from its members' shares, in their order.
func (m *Machine) seed(c int, shares [][32]byte) threshold.Seed {
	fields := [][]byte{{byte(c)}}
	for i := range shares {
		fields = append(fields, shares[i][:])
	}
	return threshold.Seed(m.digest("seed", fields...))
}

// unseal opens what a fellow sent and checks it against its commitments.
func (m *Machine) unseal(from int) (map[int][32]byte, bool) {
	in := m.got[slot{RoundNonce, from, m.self}]
	if sm3.Sum(in.Body) != m.commit(from).sealed[m.self] {
		m.fail(RuleSealed, true, []int{from}, evidenceSealed(m.claimOf(in)))
		return nil, false
	}
	plain, err := m.cfg.Open(in.Body)
	if err != nil {
		return nil, m.blame(RuleSealed, from)
	}
	shares, ok := m.readPayload(from, plain)
	if !ok {
		return nil, m.blame(RuleSealed, from)
	}
	for c, share := range shares {
		if m.shareDigest(from, c, share) != m.commit(from).shares[c] {
			return nil, m.blame(RuleSealed, from)
		}
	}
	return shares, true
}

// absorbShadow reads the hashes of contributions; all members of a component say
// the same.
func (m *Machine) absorbShadow(pick func(c *contribution) [32]byte) ([]shadowBody, bool) {
	var bodies []shadowBody
	for h := 1; h <= m.sharing.Holders(); h++ {
		body, ok := m.readShadow(h, m.record(m.round, h).Body)
		if !ok {
			return nil, m.blamePublic(RuleBody, h)
		}
		bodies = append(bodies, body)
	}
	var odd []int
	var conflicts threshold.Conflicts
	for c := range m.sharing.Components() {
		members := m.sharing.Members(c)
		for i, a := range members {
			for _, b := range members[i+1:] {
				if bodies[a-1][c] != bodies[b-1][c] {
					conflicts.Add(a, b)
					odd = append(odd, c)
				}
			}
		}
	}
	if conflicts.Empty() {
		return bodies, true
	}
	m.disagree(&conflicts, odd, func(holder, c int, want *contribution) bool { return bodies[holder-1][c] == pick(want) })
	return bodies, false
}

// absorbReveal checks the contributions against the hashes and adds them up.
func (m *Machine) absorbReveal() (bool, error) {
	revealed, ok := m.revealed(m.oneSize(), m.view.shadows, "contribution")
	if !ok {
		return false, nil
	}
	p := m.cfg.Params
	size := threshold.PublicPartSize(p)
	var parts []ring.Poly
	var relin []*threshold.RelinPart
	for c, b := range revealed {
		part, err := threshold.ParsePublicPart(p, b[:size])
		if err != nil {
			return m.blame(RuleBody, m.sharing.Members(c)...), nil //nolint:nilerr // the fault is kept in the machine
		}
		parts = append(parts, part)
		if m.cfg.Proposal.Use == UseMul {
			one, err := threshold.ParseRelinPart(p, b[size:])
			if err != nil {
				return m.blame(RuleBody, m.sharing.Members(c)...), nil //nolint:nilerr // the fault is kept in the machine
			}
			relin = append(relin, one)
		}
	}
	var err error
	if m.view.public, err = threshold.SumPublicKey(p, m.view.crs, parts); err != nil {
		return false, err
	}
	if m.cfg.Proposal.Use == UseMul {
		m.view.sum = threshold.SumRelin(p, relin)
		return true, nil
	}
	return true, m.certify()
}

// revealed are the contributions by component, each with the hash agreed upon.
func (m *Machine) revealed(size int, shadows []shadowBody, label string) ([][]byte, bool) {
	all := make([][]byte, m.sharing.Components())
	for h := 1; h <= m.sharing.Holders(); h++ {
		parts, ok := m.readReveal(h, size, m.record(m.round, h).Body)
		if !ok {
			return nil, m.blamePublic(RuleBody, h)
		}
		for c, b := range parts {
			if m.digest(label, []byte{byte(c)}, b) != shadows[h-1][c] {
				return nil, m.blamePublic(RuleCommitment, h)
			}
			all[c] = b
		}
	}
	return all, true
}

func (m *Machine) absorbRelin() (bool, error) {
	p := m.cfg.Params
	revealed, ok := m.revealed(threshold.RelinPartSize(p), m.view.relins, "second contribution")
	if !ok {
		return false, nil
	}
	var parts []*threshold.RelinPart
	for c, b := range revealed {
		part, err := threshold.ParseRelinPart(p, b)
		if err != nil {
			return m.blame(RuleBody, m.sharing.Members(c)...), nil //nolint:nilerr // the fault is kept in the machine
		}
		parts = append(parts, part)
	}
	m.view.relin = threshold.FinishRelin(p, m.view.sum, threshold.SumRelin(p, parts))
	return true, m.certify()
}

// certify makes the certificate, the share and the test value.
func (m *Machine) certify() error {
	p, v, q := m.cfg.Params, &m.view, m.cfg.Proposal
	var err error
	v.cert = &KeyCert{
		Parameters: p.ID(), Use: q.Use, Q: p.Q(), P: auxiliary(p), T: p.T(), CRS: v.crs,
		Datasets: q.Datasets, Providers: q.Providers, Holders: q.Holders, Threshold: q.Threshold,
		Epoch: q.Epoch, Expiry: q.Expiry, Cap: q.Cap, Authority: q.Authority,
		Ceremony: m.id, Transcript: m.transcript(),
	}
	if v.cert.PublicKey, err = v.public.Hash(p); err != nil {
		return fmt.Errorf("hash public key: %w", err)
	}
	if v.relin != nil {
		if v.cert.RelinKey, err = v.relin.Hash(p); err != nil {
			return fmt.Errorf("hash relinearisation key: %w", err)
		}
	}
	if v.key, err = v.cert.Hash(); err != nil {
		return err
	}
	if v.share, err = threshold.NewShare(p, v.key, m.sharing, m.self, v.seeds); err != nil {
		return err
	}
	v.test, err = m.newTrial()
	return err
}

// transcript is the hash of all broadcasts up to the current round.
func (m *Machine) transcript() [32]byte {
	var fields [][]byte
	for r := RoundCommit; r <= m.round; r++ {
		for h := 1; h <= m.sharing.Holders(); h++ {
			if rec := m.record(r, h); rec != nil {
				sum := m.sum(rec)
				fields = append(fields, []byte{byte(r), byte(h)}, sum[:])
			}
		}
	}
	return m.digest("transcript", fields...)
}

func (m *Machine) absorbTrial() bool {
	p := m.cfg.Params
	m.view.trials = map[int][]threshold.Answer{}
	for h := 1; h <= m.sharing.Holders(); h++ {
		r := m.afterEcho(m.record(RoundTrial, h).Body)
		a, err := threshold.ParseAnswers(p, m.sharing, h, m.view.test.list, len(m.view.test.openings), r.b)
		if err != nil || r.bad {
			return m.blamePublic(RuleBody, h)
		}
		m.view.trials[h] = a
	}
	if conflicts, odd := threshold.Compare(m.sharing, m.view.trials); !conflicts.Empty() {
		m.disagree(conflicts, odd, nil)
		return false
	}
	if m.opens() != nil {
		m.trialFailed()
		return false
	}
	return true
}

func (m *Machine) absorbSign() (bool, error) {
	msg, err := m.view.cert.SigningBytes()
	if err != nil {
		return false, err
	}
	var signatures [][]byte
	whole := true
	for h := 1; h <= m.sharing.Holders(); h++ {
		in := m.record(RoundSign, h)
		r := m.afterEcho(in.Body)
		if key := r.hash(); !r.done() || key != m.view.key {
			return m.blamePublic(RuleCertificate, h), nil
		}
		at := m.sharing.Holders()
		if len(in.Attached) != at+1 || !m.cfg.Verify(m.name(h), msg, in.Attached[at]) {
			if h == m.self {
				return false, fmt.Errorf("%w: own signature", ErrCert)
			}
			m.drop(in)
			whole = false
			continue
		}
		signatures = append(signatures, slices.Clone(in.Attached[at]))
	}
	if !whole {
		return false, nil
	}
	m.view.cert.Signatures = signatures
	m.result = &Result{
		Cert: m.view.cert, Share: m.view.share, Public: m.view.public, Relin: m.view.relin, Opened: 1,
	}
	return true, nil
}
