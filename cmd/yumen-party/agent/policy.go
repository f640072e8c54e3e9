package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yumen-project/yumen/compute/he/plan"
)

// Policy says what a holder approves without a person. A plan that it does not allow
// waits for one; what plan.Check refuses is refused either way. Empty lists allow
// nothing.
//
//	requesters: [bank]
//	aggregates: [wage-by-district]
//	scenarios: [happy-housing]
//	minimum_subjects: 20
//	hours: {from: 8, until: 18}   # UTC+08:00
type Policy struct {
	Requesters      []string `yaml:"requesters"`
	Aggregates      []string `yaml:"aggregates"`
	Scenarios       []string `yaml:"scenarios"`
	MinimumSubjects uint64   `yaml:"minimum_subjects"`
	Hours           *Hours   `yaml:"hours"`
}

// Hours of the day, UTC+08:00, from the first to before the second.
type Hours struct {
	From  int `yaml:"from"`
	Until int `yaml:"until"`
}

// MaxPolicy bounds a policy file in bytes.
const MaxPolicy = 1 << 20

// ErrPolicy: the policy file is not of its form; correct it.
var ErrPolicy = errors.New("agent: policy refused")

// ParsePolicy reads a policy file; keys that are not known are refused.
func ParsePolicy(text []byte) (*Policy, error) {
	if len(text) > MaxPolicy {
		return nil, fmt.Errorf("%w: too large", ErrPolicy)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	p := &Policy{}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("%w: not of its form", ErrPolicy)
	}
	if err := d.Decode(&Policy{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one document", ErrPolicy)
	}
	if h := p.Hours; h != nil && (h.From < 0 || h.Until > 24 || h.From >= h.Until) {
		return nil, fmt.Errorf("%w: hours", ErrPolicy)
	}
	return p, nil
}

// Rules of a policy, for which a plan waits for a person.
const (
	ruleNoPolicy = "no-policy"
	ruleParty    = "requester-not-listed"
	ruleAsked    = "aggregate-or-scenario-not-listed"
	ruleMinimum  = "minimum-of-policy"
	ruleHours    = "outside-hours"
)

// allows gives the rule for which a person has to decide, or nothing.
func (p *Policy) allows(q *plan.Query, of *plan.Plan, now time.Time) string {
	switch {
	case p == nil:
		return ruleNoPolicy
	case !slices.Contains(p.Requesters, q.Requester):
		return ruleParty
	case !slices.Contains(p.Aggregates, q.Aggregate) || !slices.Contains(p.Scenarios, q.Scenario):
		return ruleAsked
	case of.Minimum < p.MinimumSubjects:
		return ruleMinimum
	}
	if p.Hours != nil {
		hour := now.UTC().Add(8 * time.Hour).Hour()
		if hour < p.Hours.From || hour >= p.Hours.Until {
			return ruleHours
		}
	}
	return ""
}
