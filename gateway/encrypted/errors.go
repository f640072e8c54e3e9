package encrypted

import (
	"errors"

	"github.com/yumen-project/yumen/gateway/governance"
)

var (
	// ErrNone: there is no such object, or it does not concern the caller. Do not retry.
	ErrNone = errors.New("encrypted: no such object")
	// ErrMalformed: the bytes are not an object of that kind, or its signature does not verify.
	ErrMalformed = errors.New("encrypted: malformed object")
	// ErrTaken: the place holds something else, which stays.
	ErrTaken = errors.New("encrypted: the place is taken")
	// ErrFull: the caller has used the room it may fill. Nothing was kept.
	ErrFull = errors.New("encrypted: no room left")
	// ErrDamaged: a stored object is not what was stored. Hand it in again.
	ErrDamaged = errors.New("encrypted: stored object is damaged")
	// ErrState: it is not the time for it, for example an answer before the release.
	ErrState = errors.New("encrypted: not at this stage")
)

// Refused says by which rule an object was refused, and in one sentence without values why.
type Refused struct {
	Rule governance.Rule
	Why  string
}

func (r *Refused) Error() string { return "encrypted: " + string(r.Rule) + ": " + r.Why }

func refuse(rule governance.Rule, why string) error { return &Refused{rule, why} }
