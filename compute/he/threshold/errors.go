package threshold

import (
	"errors"
	"fmt"
)

var (
	// ErrSharing: no such sharing of a secret; choose other numbers.
	ErrSharing = errors.New("threshold: sharing refused")
	// ErrMalformed: the bytes or the object are not of the one accepted form; do not retry.
	ErrMalformed = errors.New("threshold: malformed")
	// ErrMismatch: a share, an opening or an answer belongs to other keys, parameters or holders.
	ErrMismatch = errors.New("threshold: object of another place")
	// ErrTooFew: wait for more holders.
	ErrTooFew = errors.New("threshold: too few holders")
	// ErrNoise: the sum may be too long to decode; plan fewer rows or smaller weights.
	ErrNoise = errors.New("threshold: noise bound exceeded")
	// ErrCap: the key certificate has opened all it may; make a new key set.
	ErrCap = errors.New("threshold: scalar cap reached")
)

// DisagreementError says that members of a component gave different answers.
// At least one of Holders answered falsely; if Certain, a single smallest set of
// cheaters explains every conflict and Holders is that set (right as long as no
// more than that many cheat), else Holders are all who may have. Combine again
// without them, or ask a further holder.
type DisagreementError struct {
	Holders   []int // points, rising
	Certain   bool
	Component int // of the first conflict
	Opening   int // of the first conflict, position in the list
}

func (e *DisagreementError) Error() string {
	word := "one of"
	if e.Certain {
		word = "cheating:"
	}
	return fmt.Sprintf("threshold: answers to opening %d differ in component %d, %s holders %v", e.Opening, e.Component, word, e.Holders)
}
