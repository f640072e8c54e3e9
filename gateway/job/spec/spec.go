// Package spec is what a transport hands inward: plain values, already authenticated, not yet trusted.
// It is a leaf, so that a transport needs to know nothing of how a question is answered.
package spec

import (
	"errors"
	"strings"
	"time"
)

// Kind of question.
type Kind uint8

const (
	// Verify asks one template about one subject.
	Verify Kind = 1
	// Batch asks one template about many subjects.
	Batch Kind = 2
	// Table asks for one registered table.
	Table Kind = 3
)

// Bounds on what a question may hold; transports and job both enforce them.
const (
	MaxID       = 64
	MaxSubject  = 256
	MaxBatch    = 100_000
	MinKey      = 16
	MaxKey      = 64
	MaxReason   = 512
	MaxReserved = 64
)

// Subject is who is asked about, as the caller wrote it.
type Subject struct{ Number, Name, Phone string }

// Question is one call that wants one result.
type Question struct {
	Kind     Kind
	Party    string // authenticated
	Scenario string
	// Query is the id of a registered template or table.
	Query    string
	Subjects []Subject
	Consent  string
	// Key is the caller's idempotency key, made at KeyTime.
	Key     string
	KeyTime time.Time
	// Threshold and Fields are what a caller may not choose; anything here is refused by rule.
	Threshold string
	Fields    []string
}

// Job asks for a masked table in the development zone.
type Job struct {
	Party, Scenario, Mask string
	Key                   string
	KeyTime               time.Time
}

// State of a job.
type State uint8

// A job waits, runs, and ends once: released, refused by a rule, failed, or cancelled by its party.
const (
	Queued    State = 1
	Running   State = 2
	Done      State = 3
	Refused   State = 4
	Failed    State = 5
	Cancelled State = 6
)

// Ended says that the state will not change any more.
func (s State) Ended() bool { return s >= Done }

// Change is a domain file with its approvals, as sent by Party.
type Change struct {
	Party             string
	Domain, Approvals []byte
}

// Suspension stops or frees a target of kind party, agreement, scenario or dataset.
type Suspension struct {
	Party, Kind, ID, Reason string
	Resume                  bool
}

// KeyDestruction asks for the end of one key of masked tables.
type KeyDestruction struct {
	Party, Scenario, Recipient, Key string
}

// ErrNoJob: the party has no job of that id.
var ErrNoJob = errors.New("no such job")

// FileProblem says what is wrong with a file, line by line, with rule and article and without a value.
type FileProblem struct{ Lines []string }

func (f *FileProblem) Error() string { return strings.Join(f.Lines, "\n") }
