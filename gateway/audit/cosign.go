package audit

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

// A cosignature is what a witness adds to a checkpoint: a signature line of its
// own name with a time, in the form of C2SP tlog-cosignature and with SM2 under a
// key type of our own. The line holds
//
//	key hash (4) | Unix seconds (8) | signature (64)
//
// in base64, and signs, under the witness's own key and purpose,
//
//	cosignature/v1
//	time SECONDS
//	(the body of the checkpoint)
const (
	cosignType   = "yumen/sm2-sm3/cosignature/v1"
	cosignHeader = "cosignature/v1\ntime "
	cosignBlob   = 4 + 8 + SignatureSize
	maxLine      = 1024
)

// ErrCosignature: there is no cosignature of the witness's key over this
// checkpoint; do not take it as witnessed.
var ErrCosignature = errors.New("cosignature refused")

// WitnessKey is what a verifier knows of a witness.
type WitnessKey struct {
	ID     [32]byte // identity of the key, SM3 of the point
	Verify Verifier
}

// cosignHash is derived as keyHash is, under the type of cosignatures.
func cosignHash(name string, id [32]byte) uint32 {
	msg := make([]byte, 0, len(name)+2+len(cosignType)+len(id))
	msg = append(msg, name...)
	msg = append(msg, '\n', 0xff)
	msg = append(msg, cosignType...)
	msg = append(msg, id[:]...)
	sum := sm3.Sum(msg)
	return binary.BigEndian.Uint32(sum[:4])
}

// cosigned is what a witness signs.
func cosigned(cp *Checkpoint, seconds int64) []byte {
	msg := append(make([]byte, 0, 512), cosignHeader...)
	msg = strconv.AppendInt(msg, seconds, 10)
	return cp.body(append(msg, '\n'))
}

// Cosign makes the signature line of a witness over a checkpoint that was
// verified, newline included. seconds is Unix time.
func Cosign(cp *Checkpoint, name string, seconds int64, s Signer) ([]byte, error) {
	if !validName(name) || seconds <= 0 {
		return nil, fmt.Errorf("%w: name or time", ErrCosignature)
	}
	sig, err := s.Sign(cosigned(cp, seconds))
	if err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	if len(sig) != SignatureSize {
		return nil, fmt.Errorf("cosign: signature is not %d bytes", SignatureSize)
	}
	blob := binary.BigEndian.AppendUint32(make([]byte, 0, cosignBlob), cosignHash(name, s.KeyID()))
	blob = append(binary.BigEndian.AppendUint64(blob, uint64(seconds)), sig...)
	line := append([]byte(signaturePrefix+name), ' ')
	return append(base64.StdEncoding.AppendEncode(line, blob), '\n'), nil
}

// VerifyCosignature looks in signature lines (of a note, or of a witness's
// answer) for one by the witness's key over cp, and gives the newest time, Unix
// seconds. Lines of others are checked in form only.
func VerifyCosignature(cp *Checkpoint, lines []byte, w WitnessKey) (int64, error) {
	text, ok := strings.CutSuffix(string(lines), "\n")
	all := strings.Split(text, "\n")
	if !ok || len(lines) > maxCheckpoint || len(all) > maxSignatures {
		return 0, fmt.Errorf("%w: malformed lines", ErrCosignature)
	}
	newest := int64(0)
	for _, line := range all {
		name, blob, err := parseSignature(line)
		if err != nil || len(line) > maxLine {
			return 0, fmt.Errorf("%w: malformed line", ErrCosignature)
		}
		if len(blob) != cosignBlob || binary.BigEndian.Uint32(blob) != cosignHash(name, w.ID) {
			continue
		}
		seconds := int64(binary.BigEndian.Uint64(blob[4:12]))
		if seconds <= newest || w.Verify == nil || !w.Verify(cosigned(cp, seconds), blob[12:]) {
			continue
		}
		newest = seconds
	}
	if newest == 0 {
		return 0, fmt.Errorf("%w: none by the key of the witness", ErrCosignature)
	}
	return newest, nil
}

// ParseCosigned reads a checkpoint of the log with the cosignature of a witness,
// and gives the witness's time, Unix seconds. Both signatures must hold.
func ParseCosigned(text []byte, origin, name string, v Verifier, w WitnessKey) (*Checkpoint, int64, error) {
	cp, err := ParseCheckpoint(text, origin, name, v)
	if err != nil {
		return nil, 0, err
	}
	at, err := VerifyCosignature(cp, cp.signatures(), w)
	if err != nil {
		return nil, 0, err
	}
	return cp, at, nil
}

// WithCosignature is the note with one more line. Other lines than the log's own
// are left out.
func (c *Checkpoint) WithCosignature(line []byte) []byte {
	own, _, _ := strings.Cut(string(c.signatures()), "\n")
	text := append(c.body(make([]byte, 0, 1024)), '\n')
	text = append(append(text, own...), '\n')
	return append(text, line...)
}

// signatures are the lines behind the body.
func (c *Checkpoint) signatures() []byte {
	_, lines, _ := strings.Cut(string(c.Text), "\n\n")
	return []byte(lines)
}
