package governance

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Policy is a domain with verified approvals, pinned keys and suspensions: an
// immutable snapshot, safe for concurrent use. A nil or zero Policy refuses everything.
type Policy struct {
	// Epoch counts the changes: 1 for the first policy of a domain.
	Epoch uint64
	// Hash is SM3 over everything that decides, subjects of consents left out. It may be published.
	Hash [32]byte

	domain      *Domain
	at          time.Time
	pins        map[string]string // party id -> public key, never forgotten
	settings    map[string]terms  // provider id -> the settings it last had
	authorities map[string]bool   // parties that may be an authority
	suspensions map[target]Suspension
	approvals   map[string]Rule // scenario id -> "", ApprovalMissing or ApprovalInvalid

	law      *law
	verdicts *verdicts
	index    *lookups
	units    map[[2]string]*unitGrant  // party, scenario
	queries  map[queryKey]*queryGrant  // scenario, act, query
	consents map[string]*consentWindow // consent id
}

// NewPolicy puts a domain into force after prev (nil for the first). Keys of
// authorities and providers are pinned when first seen; changing one needs an
// approval of the party by its old key, and a new authority one by an existing
// authority. Id and jurisdiction of a domain are fixed. Suspensions are carried
// over. Settings looser than before need the signatures of an authority and of every
// provider. A scenario that lacks an approval or a plan is kept but refused. The
// error is a FileErrors; prev stays as it is.
func NewPolicy(prev *Policy, d *Domain, approvals []Approval, at time.Time) (*Policy, error) {
	if d == nil || d.pack == nil {
		return nil, fmt.Errorf("new policy: the domain was not made by ParseDomain")
	}
	p := &Policy{Epoch: 1, domain: d, at: at, pins: map[string]string{}, settings: map[string]terms{}, authorities: map[string]bool{}, law: invariants(),
		suspensions: map[target]Suspension{}, approvals: map[string]Rule{}}
	if prev != nil && prev.domain != nil {
		p.Epoch = prev.Epoch + 1
		p.pins, p.authorities, p.suspensions = maps.Clone(prev.pins), maps.Clone(prev.authorities), prev.suspensions
		p.settings = maps.Clone(prev.settings)
		if prev.domain.ID != d.ID || prev.domain.Jurisdiction != d.Jurisdiction {
			return nil, FileErrors{{Path: "domain", Rule: DomainFixed, Refusal: d.Pack().Refuse(DomainFixed)}}
		}
	}
	if err := p.pin(prev, approvals); err != nil {
		return nil, err
	}
	if err := p.settle(prev, approvals); err != nil {
		return nil, err
	}
	for i := range d.Scenarios {
		s := &d.Scenarios[i]
		verdict, err := p.approved(s, approvals)
		if err != nil {
			return nil, err
		}
		p.approvals[s.ID] = verdict
	}
	var err error
	if p.verdicts, err = newVerdicts(d, builtinPolicies); err != nil {
		return nil, err
	}
	if err := p.compile(); err != nil {
		return nil, err
	}
	return p, nil
}

// pin takes up the keys and authorities of the domain, or says which change lacks a signature.
func (p *Policy) pin(prev *Policy, approvals []Approval) error {
	var problems FileErrors
	report := func(i int, rule Rule) {
		problems = append(problems, &FileError{Line: p.domain.Parties[i].line, Path: at("parties", i), Rule: rule, Refusal: p.domain.Pack().Refuse(rule)})
	}
	old := maps.Clone(p.pins)
	for i := range p.domain.Parties {
		party := &p.domain.Parties[i]
		pinned, known := old[party.ID]
		switch {
		case known && pinned != party.Key:
			if !p.signedBy(party.ID, keyRole{party.ID, AsHolder}, pinned, approvals) {
				report(i, KeyPinned)
			}
			p.pins[party.ID] = party.Key
		case known && pinned != "" && prev.sideKeys(party.ID) != party.sideKeys():
			if !p.signedBy(party.ID, keyRole{party.ID, AsHolder}, pinned, approvals) {
				report(i, KeyPinned)
			}
		case !known && party.Key != "" && (party.authority() || party.HasRole(RoleProvider)):
			p.pins[party.ID] = party.Key
		}
		if !party.authority() || p.authorities[party.ID] {
			continue
		}
		if prev != nil && prev.domain != nil && len(prev.authorities) > 0 && !p.vouched(prev.authorities, party.ID, old, approvals) {
			report(i, AuthorityPinned)
		}
		p.authorities[party.ID] = true
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// sideKeys are the keys that change only under a signature of the party's key of approvals, once it has one.
func (p *Party) sideKeys() [3]string { return [3]string{p.AgentKey, p.EnvelopeKey, p.RequestKey} }

func (p *Policy) sideKeys(id string) [3]string {
	if p.Domain() == nil || p.index.parties[id] == nil {
		return [3]string{}
	}
	return p.index.parties[id].sideKeys()
}

// vouched says whether an authority of old has signed the new one.
func (p *Policy) vouched(authorities map[string]bool, id string, pins map[string]string, approvals []Approval) bool {
	for by := range authorities {
		if p.signedBy(id, keyRole{by, AsAuthority}, pins[by], approvals) {
			return true
		}
	}
	return false
}

// signedBy looks for a valid approval of the party object by k under the key.
func (p *Policy) signedBy(id string, k keyRole, key string, approvals []Approval) bool {
	digest, err := p.domain.objectDigest(ObjectPartyKey, id)
	if err != nil {
		return false
	}
	for i := range approvals {
		a := &approvals[i]
		if a.Object == ObjectPartyKey && a.ID == id && a.Party == k.party && a.Role == k.role && a.verify(p.domain.ID, key, digest) {
			return true
		}
	}
	return false
}

// approved gives "" when every key has signed the scenario as it stands now.
func (p *Policy) approved(s *Scenario, approvals []Approval) (Rule, error) {
	digest, err := p.domain.ScenarioDigest(s.ID)
	if err != nil {
		return "", err
	}
	invalid, missing := false, false
	for _, k := range required(s) {
		found, good := false, false
		for i := range approvals {
			a := &approvals[i]
			if a.Object != ObjectScenario || a.ID != s.ID || a.Party != k.party || a.Role != k.role {
				continue
			}
			found, good = true, good || a.verify(p.domain.ID, p.pins[k.party], digest)
		}
		missing, invalid = missing || !found, invalid || found && !good
	}
	switch {
	case missing:
		return ApprovalMissing, nil
	case invalid:
		return ApprovalInvalid, nil
	}
	return "", nil
}

// compile prepares the tables that Decide reads, and the hash.
func (p *Policy) compile() error {
	p.index = p.domain.lookups()
	p.units, p.queries, p.consents = map[[2]string]*unitGrant{}, map[queryKey]*queryGrant{}, map[string]*consentWindow{}
	for i := range p.domain.Scenarios {
		p.grant(&p.domain.Scenarios[i])
	}
	for i := range p.domain.Consents {
		c := &p.domain.Consents[i]
		p.consents[c.ID] = &consentWindow{c, c.Until.End().Unix()}
	}
	agreed, err := p.agreed()
	if err != nil {
		return fmt.Errorf("policy hash: %w", err)
	}
	hash, err := digestOf(struct {
		Format      string            `json:"yumen_policy"`
		Domain      *Domain           `json:"domain"`
		Pack        string            `json:"rule_pack"`
		Approvals   map[string]Rule   `json:"approvals"`
		Pins        map[string]string `json:"pins"`
		Agreed      map[string]string `json:"agreed"`
		Authorities []string          `json:"authorities"`
		Suspensions []Suspension      `json:"suspensions"`
	}{"1", p.domain, p.domain.Pack().Ref(), p.approvals, p.pins, agreed, slices.Sorted(maps.Keys(p.authorities)), p.Suspensions()})
	if err != nil {
		return fmt.Errorf("policy hash: %w", err)
	}
	p.Hash = hash
	return nil
}

// Domain is the domain in force, or nil in a nil or zero Policy.
func (p *Policy) Domain() *Domain {
	if p == nil {
		return nil
	}
	return p.domain
}

// Pack is the rule pack in force.
func (p *Policy) Pack() *Pack {
	if p == nil {
		return noPack()
	}
	return p.domain.Pack()
}

// Refuse builds the refusal of a rule with the article in force here; also for
// rules that are enforced elsewhere.
func (p *Policy) Refuse(rule Rule) *Refusal { return p.Pack().Refuse(rule) }

// At is when the policy came into force.
func (p *Policy) At() time.Time { return p.at }

// Inactive lists what keeps scenarios from operating: no plan, approvals missing
// or invalid, the operation agreement not in force when the policy was made, with
// the line of the domain file.
func (p *Policy) Inactive() FileErrors {
	var out FileErrors
	if p.Domain() == nil {
		return nil
	}
	for i := range p.domain.Scenarios {
		s := &p.domain.Scenarios[i]
		if s.Plan == "" {
			out = append(out, &FileError{s.planLine, at("scenarios", i) + ".plan", PlanMissing, p.Refuse(PlanMissing)})
		}
		if rule := p.approvals[s.ID]; rule != "" {
			out = append(out, &FileError{s.line, at("scenarios", i), rule, p.Refuse(rule)})
		}
		op := p.index.agreements[s.Operation]
		if rule := op.outOfForce(p.at); rule != "" {
			out = append(out, &FileError{op.line, at("scenarios", i) + ".operation", rule, p.Refuse(rule)})
		}
	}
	return out
}
