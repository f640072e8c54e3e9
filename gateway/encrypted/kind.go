package encrypted

import (
	"encoding/hex"
	"fmt"

	"github.com/emmansun/gmsm/sm3"
)

// Kind of an object. The numbers are those of the API and of the log.
type Kind uint8

// The kinds of objects, and of records of the log that are none.
const (
	Proposal    Kind = 1
	Ceremony    Kind = 2
	Certificate Kind = 3
	Manifest    Kind = 4
	Query       Kind = 5
	Plan        Kind = 6
	Approval    Kind = 7
	Answer      Kind = 8
	PublicKey   Kind = 9
	Objection   Kind = 10
	Openings    Kind = 11

	// Released records that a query's plan has passed the gate; Ended that it never will.
	Released Kind = 32
	Ended    Kind = 33
)

var kindNames = map[Kind]string{
	Proposal: "proposal", Ceremony: "ceremony", Certificate: "certificate", Manifest: "manifest", Query: "query", Plan: "plan",
	Approval: "approval", Answer: "answer", PublicKey: "public-key", Objection: "objection", Openings: "openings",
	Released: "released", Ended: "ended",
}

// String names the kind.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Hash is an SM3 hash; as text it is hex.
type Hash [32]byte

// MarshalText writes hex.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads hex.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return fmt.Errorf("%w: hash", ErrMalformed)
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// String is hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// EntryStatement is the statement hash of the log entry of an accepted object: SM3
// of a string, the kind and the object's hash. Whoever has the object can tell that
// the entry is about it; the hashes of signed objects cannot be tried out.
func EntryStatement(k Kind, hash Hash) [32]byte {
	h := sm3.New()
	h.Write([]byte("yumen encrypted entry 1"))
	h.Write([]byte{byte(k)})
	h.Write(hash[:])
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}
