package ceremony

import (
	"slices"

	"github.com/yumen-project/yumen/compute/he/threshold"
)

// claim is the signed hash of a message's body: enough to show that it was said.
type claim struct {
	slot slot
	body [32]byte
	sig  []byte
}

func (m *Machine) claimOf(in *Message) claim { return claim{in.slot(), m.sum(in), in.Sig} }

func (m *Machine) verifyClaim(c claim) bool {
	return c.slot.from >= 1 && c.slot.from <= m.sharing.Holders() &&
		m.cfg.Verify(m.name(c.slot.from), signingBytes(m.id, c.slot, c.body), c.sig)
}

// Kinds of evidence in an abort message: rule, kind, accused as bits, evidence.
const (
	evidenceNone = iota
	evidenceTwice
	evidencePayload
	evidenceShares
	evidenceHeard
)

func writeClaim(w *writer, c claim) {
	w.u8(int(c.slot.round))
	w.u8(c.slot.from)
	w.u8(c.slot.to)
	w.hash(c.body)
	w.bytes(c.sig)
}

func readClaim(r *reader) claim {
	return claim{slot{Round(r.u8()), r.u8(), r.u8()}, r.hash(), r.bytes(maxSignature)}
}

func evidenceSealed(c claim) []byte {
	w := &writer{}
	w.u8(evidencePayload)
	writeClaim(w, c)
	return w.b
}

// fail ends the ceremony on this holder's own finding and has it told to all.
func (m *Machine) fail(rule Rule, proven bool, holders []int, evidence []byte) {
	if m.fault != nil && (m.fault.Proven || (!proven && !m.hearsay)) {
		return
	}
	m.fault, m.hearsay = m.abort(rule, proven, holders), false
	if evidence == nil {
		evidence = []byte{evidenceNone}
	}
	w := &writer{}
	w.u8(int(rule))
	w.u8(bitsOf(holders))
	w.raw(evidence)
	m.notice = w.b
}

func (m *Machine) abort(rule Rule, proven bool, holders []int) *AbortError {
	e := &AbortError{Rule: rule, Proven: proven}
	for _, h := range holders {
		e.Parties = append(e.Parties, m.name(h))
	}
	return e
}

func bitsOf(holders []int) int {
	set := 0
	for _, h := range holders {
		set |= 1 << (h - 1)
	}
	return set
}

func holdersOf(set, n int) []int {
	var list []int
	for h := 1; h <= n; h++ {
		if set>>(h-1)&1 == 1 {
			list = append(list, h)
		}
	}
	return list
}

// blame ends on what this holder knows for certain; it gives false.
func (m *Machine) blame(rule Rule, holders ...int) bool {
	m.fail(rule, true, holders, nil)
	return false
}

// blamePublic ends on what a holder told all. Whoever was told the same sees the
// same; whoever was told something else has the proof in the hash.
func (m *Machine) blamePublic(rule Rule, holder int) bool {
	m.fail(rule, true, []int{holder}, m.evidenceHeard([]int{holder}))
	return false
}

// evidenceHeard is what holders told this one in the open round.
func (m *Machine) evidenceHeard(holders []int) []byte {
	w := &writer{}
	w.u8(evidenceHeard)
	m.writeHeard(w, holders)
	return w.b
}

func (m *Machine) writeHeard(w *writer, holders []int) {
	w.u8(len(holders))
	for _, h := range holders {
		writeClaim(w, m.claimOf(m.record(m.round, h)))
	}
}

func (m *Machine) others() []int {
	var list []int
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h != m.self {
			list = append(list, h)
		}
	}
	return list
}

// announce makes the abort message, once.
func (m *Machine) announce() error {
	if m.notice == nil {
		return nil
	}
	body := m.notice
	m.notice = nil
	s := slot{RoundAbort, m.self, ToAll}
	if m.own[s] != nil {
		return nil
	}
	return m.send(s, body, nil)
}

// twice ends on two messages in one slot. If they differ because a third party
// told their sender two things, that one is named.
func (m *Machine) twice(a, b *Message) {
	for _, in := range []*Message{a, b} {
		if in.To != ToAll {
			continue
		}
		if proof, _ := m.compare(in); proof != nil {
			m.equivocated(proof[0], proof[1])
			return
		}
	}
	m.equivocated(m.claimOf(a), m.claimOf(b))
}

func (m *Machine) equivocated(a, b claim) {
	w := &writer{}
	w.u8(evidenceTwice)
	writeClaim(w, a)
	writeClaim(w, b)
	m.fail(RuleEquivocation, true, []int{a.slot.from}, w.b)
}

// ownAbort keeps a holder that was set back to an older state out of a ceremony
// that it has ended: what it published then may have voided the keys.
func (m *Machine) ownAbort(in *Message) {
	r := &reader{b: in.Body}
	rule, accused := Rule(r.u8()), holdersOf(r.u8(), m.sharing.Holders())
	if m.fault == nil {
		m.fault = m.abort(rule, false, accused)
	}
	s := in.slot()
	if m.own[s] == nil {
		m.own[s] = in
		m.sent = append(m.sent, in)
	}
}

// disagree ends on members of components (odd) who differ. fits says whether a
// holder's word is what follows from the seed; nil asks the trial. A member of
// one of the components knows who lied and publishes the shares of its seed. The
// liar is a member too, so this tells it nothing new.
func (m *Machine) disagree(conflicts *threshold.Conflicts, odd []int, fits func(holder, c int, want *contribution) bool) {
	var liars []int
	var known []int
	for _, c := range odd {
		seed, ok := m.view.seeds[c]
		if !ok || slices.Contains(known, c) {
			continue
		}
		known = append(known, c)
		liars = append(liars, m.liars(c, seed, fits)...)
	}
	slices.Sort(liars)
	liars = slices.Compact(liars)
	if len(liars) == 0 {
		suspects, _ := conflicts.Blame()
		m.fail(RuleComponent, false, suspects, m.evidenceHeard(suspects))
		return
	}
	m.fail(RuleComponent, true, liars, m.evidenceShares(known))
}

// liars are the members of a component whose word, in any round so far, does not
// follow from its seed.
func (m *Machine) liars(c int, seed threshold.Seed, fits func(holder, c int, want *contribution) bool) []int {
	want, err := m.contribution(c, seed)
	if err != nil {
		return nil
	}
	var list []int
	for _, h := range m.sharing.Members(c) {
		lied := fits != nil && !fits(h, c, want)
		lied = lied || (len(m.view.shadows) > 0 && m.view.shadows[h-1][c] != want.shadow)
		lied = lied || (len(m.view.relins) > 0 && m.view.relins[h-1][c] != want.shade2)
		if lied || (m.view.trials != nil && !m.answers(h, c, seed)) {
			list = append(list, h)
		}
	}
	return list
}

// answers reports whether a holder's part of the trial follows from the seed.
func (m *Machine) answers(holder, c int, seed threshold.Seed) bool {
	want, err := threshold.PartsOf(m.cfg.Params, m.sharing, c, seed, m.view.test.openings)
	if err != nil {
		return false
	}
	for i, a := range m.view.trials[holder] {
		for _, part := range a.Parts {
			if part.Component == c && !slices.Equal(part.Value, want[i]) {
				return false
			}
		}
	}
	return true
}

// trialFailed ends on a test value that all agree about and that does not open:
// all members of some component lie together. No honest holder knows that
// component, so none can show it.
func (m *Machine) trialFailed() {
	m.fail(RuleTrial, false, m.others(), m.evidenceHeard(m.others()))
}

// evidenceShares publishes the shares of components' seeds, and what all others
// said in the open round: who was told something else has the proof in that.
func (m *Machine) evidenceShares(components []int) []byte {
	w := &writer{}
	w.u8(evidenceShares)
	w.u8(len(components))
	for _, c := range components {
		w.u8(c)
		for _, share := range m.view.shares[c] {
			w.hash(share)
		}
	}
	m.writeHeard(w, m.others())
	return w.b
}

// hear takes the aborts of others: evidence that holds names its party; without
// it the ceremony ends with accuser and accused, unless this holder's signature
// is out already.
func (m *Machine) hear() {
	for h := 1; h <= m.sharing.Holders(); h++ {
		in := m.aborts[h]
		if in == nil || m.result != nil || (m.fault != nil && m.fault.Proven) {
			continue
		}
		r := &reader{b: in.Body}
		rule := Rule(r.u8())
		accused := holdersOf(r.u8(), m.sharing.Holders())
		if rule == 0 || rule >= ruleEnd {
			rule = RuleGivenUp
		}
		liars := m.weigh(r)
		if m.fault != nil && m.fault.Proven {
			return
		}
		if len(liars) > 0 {
			m.fault, m.hearsay = m.abort(rule, true, liars), false
			continue
		}
		if m.fault == nil && m.round < RoundSign {
			accused = append(accused, h)
			slices.Sort(accused)
			m.fault, m.hearsay = m.abort(rule, false, slices.Compact(accused)), true
		}
	}
}

// weigh gives who is shown guilty by evidence.
func (m *Machine) weigh(r *reader) []int {
	switch r.u8() {
	case evidenceTwice:
		a, b := readClaim(r), readClaim(r)
		if r.done() && a.slot == b.slot && a.slot.round != RoundAbort && a.body != b.body && m.verifyClaim(a) && m.verifyClaim(b) {
			return []int{a.slot.from}
		}
	case evidencePayload:
		c := readClaim(r)
		if r.done() && c.slot.round == RoundNonce && c.slot.to != ToAll && len(m.view.commits) > 0 && m.verifyClaim(c) {
			if want, ok := m.commit(c.slot.from).sealed[c.slot.to]; ok && want != c.body {
				return []int{c.slot.from}
			}
		}
	case evidenceShares:
		return m.weighShares(r)
	case evidenceHeard:
		return m.weighHeard(r)
	}
	return nil
}

// weighShares recomputes components from published shares that keep their
// commitments.
func (m *Machine) weighShares(r *reader) []int {
	if len(m.view.commits) == 0 || len(m.view.shadows) == 0 {
		return nil
	}
	var liars []int
	for range r.count(1, m.sharing.Components()) {
		c := r.u8()
		if c >= m.sharing.Components() {
			return nil
		}
		var shares [][32]byte
		kept := true
		for _, h := range m.sharing.Members(c) {
			share := r.hash()
			kept = kept && m.shareDigest(h, c, share) == m.commit(h).shares[c]
			shares = append(shares, share)
		}
		if kept && !r.bad {
			liars = append(liars, m.liars(c, m.seed(c, shares), nil)...)
		}
	}
	if heard := m.weighHeard(r); len(heard) > 0 || r.bad {
		return heard
	}
	slices.Sort(liars)
	return slices.Compact(liars)
}

// weighHeard compares what another holder was told with what this one was. A
// difference is proof, which this holder passes on.
func (m *Machine) weighHeard(r *reader) []int {
	var claims []claim
	for range r.count(1, m.sharing.Holders()) {
		claims = append(claims, readClaim(r))
	}
	if !r.done() {
		return nil
	}
	for _, c := range claims {
		if c.slot.to != ToAll || !m.verifyClaim(c) {
			continue
		}
		if rec := m.record(c.slot.round, c.slot.from); rec != nil && m.sum(rec) != c.body {
			m.equivocated(m.claimOf(rec), c)
			return []int{c.slot.from}
		}
	}
	return nil
}
