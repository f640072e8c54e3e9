package audit

import (
	"errors"
	"fmt"
)

var (
	// ErrNotDurable: the log accepts nothing more in this process. Refuse the
	// request, raise an alarm, repair the storage and start again.
	ErrNotDurable = errors.New("log is not durable")
	// ErrOutcomeUnknown: the record may or may not be in the log. Deliver
	// nothing, keep the charge, and look for the record after the next start.
	ErrOutcomeUnknown = errors.New("append outcome unknown")
	// ErrClosed: the log was closed; nothing was written.
	ErrClosed = errors.New("log is closed")
	// ErrRecord: the record breaks a bound of the format; nothing was written.
	ErrRecord = errors.New("record refused")
	// ErrFormat: the log is whole and of an earlier format; read it with the version
	// that wrote it, or start a new log. Nothing was changed.
	ErrFormat = errors.New("log was written in format")
	// ErrLocked: another process holds this log; do not force it.
	ErrLocked = errors.New("log is held by another process")
	// ErrNoEntry: the index is at or beyond the size of the log.
	ErrNoEntry = errors.New("no such entry")
	// ErrDamaged: stored material does not agree with itself; run Fsck.
	ErrDamaged = errors.New("log material damaged")
	// ErrCheckpoint: the checkpoint is malformed or not signed by the expected
	// key; do not use it.
	ErrCheckpoint = errors.New("checkpoint refused")
	// ErrProof: the proof does not show what it claims.
	ErrProof = errors.New("proof refused")
	// ErrNoSnapshot: there is no usable snapshot; replay everything.
	ErrNoSnapshot = errors.New("no usable snapshot")
)

// SealedError says that the log and what is known about it differ: frames are
// missing, changed or replaced. Come up sealed, tell Reason to the operator and
// the authority, and change nothing.
type SealedError struct {
	Reason string
}

// Error names the reason; it holds sizes and indices, no content and no path.
func (e *SealedError) Error() string { return "log is sealed: " + e.Reason }

func sealed(format string, args ...any) error {
	return &SealedError{Reason: fmt.Sprintf(format, args...)}
}
