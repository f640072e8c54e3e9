package governance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Kinds of a suspension's target.
const (
	TargetParty     = "party"
	TargetAgreement = "agreement"
	TargetScenario  = "scenario"
	TargetDataset   = "dataset"
)

// Suspension stops a target, or frees it again when Resume is set. It is state of
// its own: it outlives domain files, also ones that do not name its target.
type Suspension struct {
	Kind   string    `json:"kind"`
	ID     string    `json:"id"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Resume bool      `json:"resume,omitempty"`
}

type target struct{ kind, id string }

// maxReason bounds the reason of a suspension, in bytes.
const maxReason = 512

// WithSuspension gives the next policy with the target suspended or resumed. A
// second suspension of a target keeps the first, whose reason stands until it is
// resumed. The error is a *Refusal: the target is unknown, or nothing is there to resume.
func (p *Policy) WithSuspension(s Suspension) (*Policy, error) {
	if p.domain == nil {
		return nil, p.Refuse(DanglingReference)
	}
	t := target{s.Kind, s.ID}
	_, held := p.suspensions[t]
	switch {
	case !printable(s.Reason, maxReason) || !idForm.MatchString(s.By) || s.At.IsZero():
		return nil, p.Refuse(Malformed)
	case s.Resume && !held, !s.Resume && !held && !p.has(t):
		return nil, p.Refuse(DanglingReference)
	}
	next := *p
	next.Epoch, next.at = p.Epoch+1, s.At
	next.suspensions = maps.Clone(p.suspensions)
	switch {
	case s.Resume:
		delete(next.suspensions, t)
	case !held:
		s.At = s.At.UTC()
		next.suspensions[t] = s
	}
	if err := next.compile(); err != nil {
		return nil, fmt.Errorf("suspend: %w", err)
	}
	return &next, nil
}

// has says whether the domain has the target.
func (p *Policy) has(t target) bool {
	switch t.kind {
	case TargetParty:
		return p.index.parties[t.id] != nil
	case TargetAgreement:
		return p.index.agreements[t.id] != nil
	case TargetScenario:
		return p.index.scenarios[t.id] != nil
	case TargetDataset:
		return p.index.datasets[t.id] != nil
	}
	return false
}

// Suspensions lists what is suspended, by kind and id.
func (p *Policy) Suspensions() []Suspension {
	out := make([]Suspension, 0, len(p.suspensions))
	for _, s := range p.suspensions {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Suspension) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func (p *Policy) suspended(kind string, ids ...string) bool {
	for _, id := range ids {
		if _, held := p.suspensions[target{kind, id}]; held {
			return true
		}
	}
	return false
}
