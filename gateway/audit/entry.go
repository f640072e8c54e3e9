package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind says what an entry is about. The numbers are part of the format.
type Kind uint8

// The kinds of entries.
const (
	Genesis      Kind = 1  // the first entry of a log
	Domain       Kind = 2  // a change of the domain
	Suspension   Kind = 3  // a suspension or its end
	Registration Kind = 4  // a template, table or mask was registered
	Release      Kind = 5  // a result was released: the spend
	Refusal      Kind = 6  // a request was refused
	Job          Kind = 7  // a state of a job
	KeyEvent     Kind = 8  // a key was made, rotated or destroyed
	Settings     Kind = 9  // a change of settings
	Outcome      Kind = 10 // what became of a release
	Encrypted    Kind = 11 // an object of encrypted aggregation was accepted
)

const lastKind = Encrypted

// String names the kind; an unknown kind prints as kind(N).
func (k Kind) String() string {
	names := [...]string{"", "genesis", "domain", "suspension", "registration", "release",
		"refusal", "job", "key-event", "settings", "outcome", "encrypted"}
	if !k.valid() {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return names[k]
}

func (k Kind) valid() bool { return k >= Genesis && k <= lastKind }

// Entry is the public part of a frame and a leaf of the tree. It holds digests
// only, never personal data.
type Entry struct {
	Kind      Kind
	Time      int64 // Unix milliseconds, not negative
	Statement Hash  // StatementHash of the statement; of a kind without one, what its writer says
	Private   Hash  // PrivateHash of the private record
}

// EntrySize is the length of an encoded entry.
const EntrySize = 80

// entryMagic are the first four bytes of an entry; the fourth is the version.
const entryMagic = "YLE\x01"

// ErrEntry: the bytes are not an entry of this format; do not use them.
var ErrEntry = errors.New("malformed log entry")

// AppendTo appends the 80 bytes of e: magic and version (4), kind (1), zero
// (3), time (8, big endian), statement (32), private (32).
func (e Entry) AppendTo(dst []byte) []byte {
	dst = append(dst, entryMagic...)
	dst = append(dst, byte(e.Kind), 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Time))
	dst = append(dst, e.Statement[:]...)
	return append(dst, e.Private[:]...)
}

// ParseEntry is the strict inverse of AppendTo: the exact length, magic,
// version, a known kind, zero reserved bytes and a time that is not negative.
func ParseEntry(b []byte) (Entry, error) {
	var e Entry
	switch {
	case len(b) != EntrySize:
		return e, fmt.Errorf("%w: length is not %d", ErrEntry, EntrySize)
	case string(b[:4]) != entryMagic:
		return e, fmt.Errorf("%w: unknown magic or version", ErrEntry)
	case !Kind(b[4]).valid():
		return e, fmt.Errorf("%w: unknown kind", ErrEntry)
	case b[5]|b[6]|b[7] != 0:
		return e, fmt.Errorf("%w: reserved bytes are not zero", ErrEntry)
	case b[8]&0x80 != 0:
		return e, fmt.Errorf("%w: negative time", ErrEntry)
	}
	e.Kind = Kind(b[4])
	e.Time = int64(binary.BigEndian.Uint64(b[8:16]))
	copy(e.Statement[:], b[16:48])
	copy(e.Private[:], b[48:80])
	return e, nil
}
