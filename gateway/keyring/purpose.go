package keyring

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Purpose separates keys: a key serves one purpose, and what it made is refused
// for any other.
type Purpose string

// The purposes.
const (
	Checkpoint   Purpose = "checkpoint"    // signs checkpoints of the log
	Approval     Purpose = "approval"      // signs approvals of scenarios
	Manifest     Purpose = "manifest"      // signs manifests of datasets
	PartyReceipt Purpose = "party-receipt" // a party's own receipts
	Request      Purpose = "request"       // signs requests
	Seal         Purpose = "seal"          // seals stored results
	Index        Purpose = "index"         // the look-up index
	Pseudonym    Purpose = "pseudonym"     // pseudonyms of one recipient and scenario
	Lineage      Purpose = "lineage"       // membership in samples
	Subject      Purpose = "subject"       // pseudonyms of subjects inside the log
	Witness      Purpose = "witness"       // cosigns checkpoints of logs of others
	Agent        Purpose = "agent"         // signs what the agent of a provider or key holder says
	Envelope     Purpose = "envelope"      // opens what was sealed to a party; signs nothing
)

var (
	// ErrSelfMade: in production keys have to be imported; import one.
	ErrSelfMade = errors.New("key is missing and production makes no keys of its own")
	// ErrDestroyed: the key is gone for good; what it sealed cannot be read.
	ErrDestroyed = errors.New("key was destroyed")
	// ErrName: the name or purpose is not one that keys can have.
	ErrName = errors.New("key name refused")
	// ErrKey: the key material is malformed, foreign or damaged; do not use it.
	ErrKey = errors.New("key refused")
	// ErrExposed: others may read the key file; repair its mode, consider the
	// key lost.
	ErrExposed = errors.New("key file is readable by others")
	// ErrOpen: the sealed bytes are not what this key sealed under this
	// associated data.
	ErrOpen = errors.New("sealed bytes refused")
	// ErrTooLong: the input is beyond the bound of the operation.
	ErrTooLong = errors.New("input too long")
)

func (p Purpose) valid() bool {
	return slices.Contains([]Purpose{Checkpoint, Approval, Manifest, PartyReceipt, Request,
		Seal, Index, Pseudonym, Lineage, Subject, Witness, Agent, Envelope}, p)
}

// context is what stands before every message: a fixed tag and the purpose, each
// with its length, so that no two pairs of purpose and message meet.
func (p Purpose) context(dst []byte) []byte {
	const tag = "yumen/keyring/v1"
	dst = append(dst, byte(len(tag)))
	dst = append(dst, tag...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(p)))
	return append(dst, p...)
}

// validKeyName: 1 to 128 of a-z, A-Z, 0-9, '.', '_', '-', not beginning with a
// dot, so that a name is a file name everywhere.
func validKeyName(name string) bool {
	if name == "" || len(name) > 128 || name[0] == '.' {
		return false
	}
	for _, c := range []byte(name) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '.' || c == '_' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}
