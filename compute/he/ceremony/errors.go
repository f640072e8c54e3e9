package ceremony

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrMalformed: the bytes or the object are not of the one accepted form; do not retry.
	ErrMalformed = errors.New("ceremony: malformed")
	// ErrProposal: the proposal cannot be carried out; the authority makes another.
	ErrProposal = errors.New("ceremony: proposal refused")
	// ErrCert: do not encrypt under this certificate nor answer for it.
	ErrCert = errors.New("ceremony: key certificate refused")
	// ErrState: the saved state is of another ceremony, holder or version.
	ErrState = errors.New("ceremony: state refused")
)

// Rule says why a ceremony ended.
type Rule uint8

// The rules, with what was seen.
const (
	RuleEquivocation Rule = iota + 1 // two signed messages for one slot
	RuleBody                         // a signed message that is not of its round's form
	RuleCommitment                   // something revealed is not what was committed
	RuleSealed                       // a sealed share does not open or is not what was committed
	RuleComponent                    // members of a component differ
	RuleTrial                        // the test value does not open
	RuleCertificate                  // another certificate was signed
	RuleGivenUp                      // a holder ended the ceremony without proof
	ruleEnd
)

func (r Rule) String() string {
	names := [...]string{
		"no rule", "two messages in one slot", "malformed body", "commitment not kept", "sealed share refused",
		"members of a component differ", "test value does not open", "other certificate", "given up",
	}
	if int(r) >= len(names) {
		return names[0]
	}
	return names[r]
}

// AbortError ends a ceremony; new secrets are needed. If Proven, what all
// holders can see, or what this holder knows by itself, shows that exactly
// Parties broke the rule; otherwise one of them did.
type AbortError struct {
	Parties []string
	Rule    Rule
	Proven  bool
}

func (e *AbortError) Error() string {
	word := "one of "
	if e.Proven {
		word = ""
	}
	return fmt.Sprintf("ceremony aborted: %s: %s%s", e.Rule, word, strings.Join(e.Parties, ", "))
}
