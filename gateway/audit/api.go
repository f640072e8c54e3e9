package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

const (
	// MaxPrivate bounds the private record of one frame, in bytes.
	MaxPrivate = 16 << 20
	// MaxStatement bounds the statement of one frame, in bytes.
	MaxStatement = 64 << 10
)

// Stated is a statement in full with its hash. Only [State] makes one, so that no
// frame holds a statement beside the hash of another.
type Stated struct {
	text []byte
	hash Hash
}

// State hashes a canonical statement. The text must not be changed afterwards.
func State(text []byte) Stated { return Stated{text, StatementHash(text)} }

// Text is the canonical statement; not to be changed.
func (s Stated) Text() []byte { return s.text }

// Hash is the StatementHash of the text.
func (s Stated) Hash() Hash { return s.hash }

// Record is what a caller wants to have in the log.
type Record struct {
	Kind      Kind
	Time      int64 // Unix milliseconds, not negative
	Statement Hash
	// Stated, if it is set, goes into the frame in full; Statement must be its
	// hash.
	Stated Stated
	// Private is at most MaxPrivate bytes. The log keeps the slice until the
	// frame is applied: do not change it afterwards, not even after Append
	// returned early.
	Private []byte
	// Hint goes to Apply with the frame while the process lives; it is not
	// stored, and a replay has none.
	Hint any
}

// Frame is one frame of the log, as given to Apply and to readers.
type Frame struct {
	Index   uint64
	Entry   Entry
	Text    []byte // the statement, if the frame holds one: SM3 of it is in Entry; valid as Private is
	Private []byte // in Apply: valid until Apply returns; copy what is kept
	Hint    any    // nil in a replay
}

// Appended proves one entry: Entry is the leaf at Index of the tree named by
// Checkpoint, by the inclusion proof Proof.
type Appended struct {
	Index      uint64
	Entry      []byte // 80 bytes
	Proof      []Hash // from the leaf upwards
	Checkpoint *Checkpoint
}

// Options of a log. Dir, CheckpointDir, Origin, KeyName, Signer, Verify and
// Clock are required.
type Options struct {
	Dir           string // the log itself; made 0700 if missing
	CheckpointDir string // the second path, best on another volume
	Origin        string // names the log; one word, part of every checkpoint
	KeyName       string // names the key in the signature line
	Signer        Signer
	Verify        Verifier
	// Apply is called once for each frame in order: for the frames of a replay
	// before Open returns, for live frames after their sync and before Append
	// returns. It must not call the log. An error stops the log.
	Apply func(Frame) error
	// From lets the replay begin at a snapshot: Apply sees frames from
	// From.Index on. Nil replays everything.
	From   *Snapshot
	Clock  func() time.Time
	Logger *slog.Logger // nil discards
	// MaxGroup bounds the frames of one group commit; 0 means 1024, at most
	// 65536.
	MaxGroup int
	// SegmentBytes is the size of a segment file; 0 means 64 MiB. A group that
	// is larger gets a segment of its own.
	SegmentBytes int64

	store storage // faults are injected here by tests
}

const (
	maxGroupBound   = 1 << 16
	maxGroupBytes   = 32 << 20
	minSegmentBytes = 4 << 10
)

// complete fills in what may be left out.
func (o *Options) complete() {
	if o.MaxGroup <= 0 {
		o.MaxGroup = 1024
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.store == nil {
		o.store = disk{}
	}
}

// check refuses options that no log can have.
func (o *Options) check() error {
	switch {
	case o.Dir == "" || o.CheckpointDir == "":
		return errors.New("both directories are required")
	case filepath.Clean(o.Dir) == filepath.Clean(o.CheckpointDir):
		return errors.New("the second path must not be the log's own directory")
	case o.Signer == nil || o.Verify == nil || o.Clock == nil:
		return errors.New("signer, verifier and clock are required")
	case o.MaxGroup > maxGroupBound || o.SegmentBytes < minSegmentBytes:
		return errors.New("group or segment size out of range")
	}
	return checkNames(o.Origin, o.KeyName)
}

func optionsError(err error) error { return fmt.Errorf("open log: %w", err) }
