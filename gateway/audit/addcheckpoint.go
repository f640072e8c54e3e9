package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
)

// AddCheckpoint is a request of C2SP tlog-witness:
//
//	old SIZE
//	(proof hashes in base64, one a line)
//	(empty line)
//	(the checkpoint)
type AddCheckpoint struct {
	Old        uint64
	Proof      []Hash
	Checkpoint []byte // a signed note, not verified yet
}

const (
	// MaxAddCheckpoint bounds a request in bytes.
	MaxAddCheckpoint = maxCheckpoint + 63*(HashSize*4/3+4) + 64
	maxWitnessProof  = 63
	oldPrefix        = "old "
)

// ErrRequest: the request does not have the form of the protocol.
var ErrRequest = errors.New("malformed request")

// AppendTo encodes the request.
func (a *AddCheckpoint) AppendTo(dst []byte) []byte {
	dst = append(dst, oldPrefix...)
	dst = append(strconv.AppendUint(dst, a.Old, 10), '\n')
	for i := range a.Proof {
		dst = append(base64.StdEncoding.AppendEncode(dst, a.Proof[i][:]), '\n')
	}
	return append(append(dst, '\n'), a.Checkpoint...)
}

// ParseAddCheckpoint is the strict inverse of AppendTo. The checkpoint is only
// cut off, not looked at.
func ParseAddCheckpoint(b []byte) (*AddCheckpoint, error) {
	if len(b) > MaxAddCheckpoint {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrRequest, MaxAddCheckpoint)
	}
	head, note, ok := bytes.Cut(b, []byte("\n\n"))
	first, rest, more := bytes.Cut(head, []byte("\n"))
	digits, old := bytes.CutPrefix(first, []byte(oldPrefix))
	if !ok || !old || len(note) == 0 || len(note) > maxCheckpoint {
		return nil, fmt.Errorf("%w: want an old size, a proof and a checkpoint", ErrRequest)
	}
	a := &AddCheckpoint{Checkpoint: bytes.Clone(note)}
	var err error
	if a.Old, err = parseSize(string(digits)); err != nil {
		return nil, err
	}
	for more {
		var line []byte
		if line, rest, more = bytes.Cut(rest, []byte("\n")); len(a.Proof) == maxWitnessProof {
			return nil, fmt.Errorf("%w: more than %d hashes", ErrRequest, maxWitnessProof)
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil || len(raw) != HashSize || base64.StdEncoding.EncodeToString(raw) != string(line) {
			return nil, fmt.Errorf("%w: proof line %d", ErrRequest, len(a.Proof)+1)
		}
		a.Proof = append(a.Proof, Hash(raw))
	}
	return a, nil
}

// parseSize reads a tree size: decimal, no leading zero, no sign.
func parseSize(digits string) (uint64, error) {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > maxTreeSize || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("%w: size", ErrRequest)
	}
	return n, nil
}

// ParseConflict reads the body of an answer 409: the size the witness holds.
func ParseConflict(body []byte) (uint64, error) {
	digits, ok := bytes.CutSuffix(body, []byte("\n"))
	if !ok || len(digits) > 20 {
		return 0, fmt.Errorf("%w: size", ErrRequest)
	}
	return parseSize(string(digits))
}
