package spec

import (
	"errors"
	"time"
)

// Bounds on what a call about encrypted data may hold.
const (
	MaxPollWait = 30 * time.Second
	// MaxLeaves bounds the leaves of one download.
	MaxLeaves = 1 << 20
	// MaxHeld bounds the ranges of a lane that are told.
	MaxHeld = 1 << 16
)

var (
	// ErrNoObject: there is no such object, or it does not concern the party.
	ErrNoObject = errors.New("no such object")
	// ErrObjectTaken: the place holds another object, which stays.
	ErrObjectTaken = errors.New("the place is taken by another object")
	// ErrObjectFull: the party has used the room it may fill.
	ErrObjectFull = errors.New("no room left")
	// ErrObjectEarly: it is not the time for it.
	ErrObjectEarly = errors.New("not at this stage")
)

// ObjectProblem says why an object was not accepted, without a value.
type ObjectProblem struct{ Why string }

func (p *ObjectProblem) Error() string { return p.Why }

// ObjectEvent is one object that concerns the party.
type ObjectEvent struct {
	// Cursor is past the event.
	Cursor       uint64
	Kind         uint8
	Hash, Thread [32]byte
	Index        uint64
	Released     bool
}

// LeafRange is Count batches from First on.
type LeafRange struct{ First, Count uint32 }

// LeafUpload takes the leaves of one lane. What was put is held after Sync.
type LeafUpload interface {
	Put(batch uint32, leaf []byte) error
	Sync() error
}

// QueryView is where a query stands. The release, if any, comes beside it.
type QueryView struct {
	State     string
	Rule      string
	Approvals int
	Answers   [][32]byte
	// Mine says that the party asked it: then the result file is its own too.
	Mine bool
}

// States of a query of encrypted data.
const (
	QueryAccepted = "accepted"
	QueryComputed = "computed"
	QueryApproved = "approved"
	QueryReleased = "released"
	QueryRefused  = "refused"
)
