package audit

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"
)

// Signer signs checkpoints. The message is the body of the note, newline
// included; the signature is 64 bytes, r and s of SM2, big endian.
type Signer interface {
	KeyID() [32]byte
	Sign(msg []byte) ([]byte, error)
}

// Verifier tells whether sig is the signature of the log's key over msg.
type Verifier func(msg, sig []byte) bool

// SignatureSize is the length of a signature: r and s, 32 bytes each.
const SignatureSize = 64

const (
	keyType         = "yumen/sm2-sm3/v1" // our own type in the sense of C2SP signed-note (0xff)
	maxCheckpoint   = 16 << 10
	maxSignatures   = 17
	maxName         = 255
	maxTreeSize     = 1 << 48
	signaturePrefix = "— "
)

// Checkpoint is a signed statement of the log's size and root.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   Hash
	Time   int64    // Unix milliseconds
	KeyID  [32]byte // identifies the signing key; bound by the signature
	Text   []byte   // the signed note, exact bytes
}

// body is the signed text: origin, size, root, and two extension lines, the
// time and the identity of the key. The latter binds the four bytes of key hash
// in the signature line, so that no byte of a checkpoint can change unnoticed.
func (c *Checkpoint) body(dst []byte) []byte {
	dst = append(dst, c.Origin...)
	dst = append(dst, '\n')
	dst = strconv.AppendUint(dst, c.Size, 10)
	dst = append(dst, '\n')
	dst = base64.StdEncoding.AppendEncode(dst, c.Root[:])
	dst = append(dst, "\ntime "...)
	dst = strconv.AppendInt(dst, c.Time, 10)
	dst = append(dst, "\nkey "...)
	dst = hex.AppendEncode(dst, c.KeyID[:])
	return append(dst, '\n')
}

// keyHash is the four bytes that stand before the signature. They are derived
// as in C2SP signed-note, with SM3 and the key's identity in place of SHA-256
// and the key.
func keyHash(name string, id [32]byte) uint32 {
	msg := make([]byte, 0, len(name)+2+len(keyType)+len(id))
	msg = append(msg, name...)
	msg = append(msg, '\n', 0xff)
	msg = append(msg, keyType...)
	msg = append(msg, id[:]...)
	sum := sm3.Sum(msg)
	return binary.BigEndian.Uint32(sum[:4])
}

// sign fills in KeyID and Text.
func (c *Checkpoint) sign(name string, s Signer) error {
	c.KeyID = s.KeyID()
	text := c.body(make([]byte, 0, 512))
	sig, err := s.Sign(text)
	if err != nil {
		return fmt.Errorf("sign checkpoint: %w", err)
	}
	if len(sig) != SignatureSize {
		return fmt.Errorf("sign checkpoint: signature is not %d bytes", SignatureSize)
	}
	c.Text = appendSignature(text, name, c.KeyID, sig)
	return nil
}

func appendSignature(text []byte, name string, id [32]byte, sig []byte) []byte {
	var blob [4 + SignatureSize]byte
	binary.BigEndian.PutUint32(blob[:4], keyHash(name, id))
	copy(blob[4:], sig)
	text = append(text, '\n')
	text = append(text, signaturePrefix...)
	text = append(text, name...)
	text = append(text, ' ')
	text = base64.StdEncoding.AppendEncode(text, blob[:])
	return append(text, '\n')
}

// ParseCheckpoint reads a signed note. It is strict: the origin is the expected
// one, every byte of the body is the canonical one, exactly one line is signed
// under name and that signature holds. Lines of other names (witnesses) are
// checked in form only and prove nothing.
func ParseCheckpoint(text []byte, origin, name string, v Verifier) (*Checkpoint, error) {
	if len(text) > maxCheckpoint || !utf8.Valid(text) {
		return nil, refuseCheckpoint("not a signed note")
	}
	if err := checkNames(origin, name); err != nil {
		return nil, err
	}
	body, sigs, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		return nil, refuseCheckpoint("no signature")
	}
	body += "\n"
	c, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	if c.Origin != origin {
		return nil, refuseCheckpoint("origin differs")
	}
	sig, err := parseSignatures(sigs, name, c.KeyID)
	if err != nil {
		return nil, err
	}
	if v == nil || !v([]byte(body), sig) {
		return nil, refuseCheckpoint("signature does not hold")
	}
	c.Text = append([]byte(nil), text...)
	return c, nil
}

func refuseCheckpoint(reason string) error {
	return fmt.Errorf("%w: %s", ErrCheckpoint, reason)
}

func parseBody(body string) (*Checkpoint, error) {
	lines := strings.Split(body, "\n")
	if len(lines) != 6 || lines[5] != "" {
		return nil, refuseCheckpoint("body does not have five lines")
	}
	c := &Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil || c.Size > maxTreeSize {
		return nil, refuseCheckpoint("malformed size")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != HashSize {
		return nil, refuseCheckpoint("malformed root")
	}
	copy(c.Root[:], root)
	ms, ok := strings.CutPrefix(lines[3], "time ")
	if c.Time, err = strconv.ParseInt(ms, 10, 64); err != nil || !ok || c.Time < 0 {
		return nil, refuseCheckpoint("malformed time")
	}
	id, ok := strings.CutPrefix(lines[4], "key ")
	key, err := hex.DecodeString(id)
	if err != nil || !ok || len(key) != len(c.KeyID) {
		return nil, refuseCheckpoint("malformed key identity")
	}
	copy(c.KeyID[:], key)
	if string(c.body(nil)) != body { // signs, leading zeros, upper case, line breaks in base64
		return nil, refuseCheckpoint("body is not in canonical form")
	}
	return c, nil
}

func parseSignatures(sigs, name string, id [32]byte) ([]byte, error) {
	rest, ok := strings.CutSuffix(sigs, "\n")
	lines := strings.Split(rest, "\n")
	if !ok || len(lines) > maxSignatures {
		return nil, refuseCheckpoint("malformed signature lines")
	}
	var ours []byte
	for _, line := range lines {
		who, blob, err := parseSignature(line)
		if err != nil {
			return nil, err
		}
		if who != name {
			continue
		}
		if ours != nil {
			return nil, refuseCheckpoint("signed twice under one name")
		}
		if len(blob) != 4+SignatureSize {
			return nil, refuseCheckpoint("signature has another length")
		}
		if binary.BigEndian.Uint32(blob) != keyHash(name, id) {
			return nil, refuseCheckpoint("key hash differs")
		}
		ours = blob[4:]
	}
	if ours == nil {
		return nil, refuseCheckpoint("not signed under the expected name")
	}
	return ours, nil
}

func parseSignature(line string) (string, []byte, error) {
	rest, ok := strings.CutPrefix(line, signaturePrefix)
	who, b64, found := strings.Cut(rest, " ")
	if !ok || !found || !validName(who) {
		return "", nil, refuseCheckpoint("malformed signature line")
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || len(blob) < 5 || base64.StdEncoding.EncodeToString(blob) != b64 {
		return "", nil, refuseCheckpoint("malformed signature line")
	}
	return who, blob, nil
}

// validName follows C2SP signed-note: not empty, no space, no plus, no control
// characters.
func validName(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if unicode.IsSpace(r) || r == '+' || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func checkNames(origin, name string) error {
	if !validName(name) {
		return refuseCheckpoint("key name is not valid")
	}
	if !validOrigin(origin) {
		return refuseCheckpoint("origin is not valid")
	}
	return nil
}

// validOrigin: one line of printable text without spaces, and not the first
// line of anything else that the checkpoint key signs.
func validOrigin(origin string) bool { return validName(origin) && origin != snapshotTag }
