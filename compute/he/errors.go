package he

import "errors"

var (
	// ErrParameters: the literal is not acceptable; use another.
	ErrParameters = errors.New("he: parameters refused")
	// ErrMalformed: the bytes are not the canonical form; do not retry.
	ErrMalformed = errors.New("he: malformed encoding")
	// ErrMismatch: the object belongs to other parameters, another key or another place.
	ErrMismatch = errors.New("he: object of another place")
	// ErrRange: a number lies outside its declared bound, or a sum could; plan again.
	ErrRange = errors.New("he: out of range")
)
