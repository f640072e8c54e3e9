package plan

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed: the bytes are not the canonical form; do not retry.
	ErrMalformed = errors.New("plan: malformed encoding")
	// ErrInvalid: the object breaks a rule of its form; correct it.
	ErrInvalid = errors.New("plan: invalid")
	// ErrRefused: the numbers do not allow it; read the Refusal.
	ErrRefused = errors.New("plan: refused")
	// ErrSource: a column of the provider's source cannot serve; correct the source or the lane.
	ErrSource = errors.New("plan: source refused")
	// ErrLeaf: a leaf is not the one its manifest names; get it again elsewhere.
	ErrLeaf = errors.New("plan: leaf refused")
	// ErrInconsistent: opened numbers contradict each other or the plan; the
	// provider's data or the answers are false.
	ErrInconsistent = errors.New("plan: opened numbers are inconsistent")

	errStopped = errors.New("plan: consumer stopped")
)

// Rules of a Refusal.
const (
	RuleMinimum      = "minimum-subjects"     // fewer distinct subjects than the minimum
	RuleOne          = "dominance-1"          // one subject holds more than half
	RuleTwo          = "dominance-2"          // two subjects hold more than two thirds
	RuleOverlap      = "overlap"              // lanes of one column differ by too few subjects
	RuleLeaves       = "leaf-count"           // batches do not match rows
	RuleRange        = "range"                // a result could exceed the plaintext modulus
	RuleNoise        = "noise"                // the noise would leave no room to open, or masks would not hide it
	RuleHolders      = "holders"              // certificates of other holders
	RuleExpired      = "certificate-expired"  // a certificate ends before the query does
	RuleCertificate  = "certificate"          // none for the lane, or it is of another dataset or use
	RuleParameters   = "parameters"           // lanes of different parameters in one plan
	RuleAligned      = "misaligned-rows"      // lanes of one formula cover different rows
	RuleUnknown      = "unknown-name"         // no such dataset, lane, section or group
	RuleShape        = "columns-do-not-fit"   // the kind of query wants other lanes
	RuleScale        = "scale"                // lanes with different decimal scales are added
	RuleEmpty        = "empty"                // nothing to compute on
	RuleScalars      = "scalars"              // more scalars than a certificate allows
	RuleVersions     = "versions"             // differs by too few subjects from an opened version
	RuleRecompiled   = "recompiled-otherwise" // the plan is not what the query compiles to
	RuleNotAllowed   = "not-allowed"          // requester, aggregate or scenario not on the holder's list
	RuleQueryExpired = "query-expired"        // or from the future
)

// Refusal says which rule stands against it, and where. It never holds a value.
type Refusal struct {
	Rule    string
	Lane    string // empty: not about one lane
	Section string
	Group   int // index; -1: not about one group
}

// Error names lane, section, group and rule.
func (r *Refusal) Error() string {
	s := "plan: refused by rule " + r.Rule
	if r.Lane != "" {
		s += fmt.Sprintf(": lane %q", r.Lane)
	}
	if r.Section != "" {
		s += fmt.Sprintf(" section %q", r.Section)
	}
	if r.Group >= 0 {
		s += fmt.Sprintf(" group %d", r.Group)
	}
	return s
}

// Unwrap makes a Refusal an ErrRefused.
func (r *Refusal) Unwrap() error { return ErrRefused }

func refuse(rule, lane string) error { return &Refusal{Rule: rule, Lane: lane, Group: -1} }

func refuseAtom(rule, lane, section string, group int) error {
	return &Refusal{Rule: rule, Lane: lane, Section: section, Group: group}
}
