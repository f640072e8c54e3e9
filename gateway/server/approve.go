package server

import (
	"crypto/rand"
	"errors"
	"os"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// Purposes of keys that keygen makes.
const (
	ApprovalKey   = "approval"   // of an authority or provider
	CheckpointKey = "checkpoint" // of a gateway in production
)

// GenerateKey makes a signing key in a new file (0600) and returns its public half.
func GenerateKey(path, purpose string) (public string, err error) {
	if purpose != ApprovalKey && purpose != CheckpointKey {
		return "", errors.New("purpose: want approval or checkpoint")
	}
	key, err := keyring.GenerateSigner(keyring.Purpose(purpose), rand.Reader)
	if err != nil {
		return "", err
	}
	if err := keyring.SaveSigner(path, key); err != nil {
		return "", err
	}
	return key.Public().String(), nil
}

// Approval says what is to be signed, and with which key file.
type Approval struct {
	Object, ID, Party, Role, KeyFile string
}

// Approve signs objects of a domain file and returns the approvals file: those of before whose object,
// id, party and role are not signed anew, then the new ones. Nothing is signed unless all can be.
func Approve(domain, before []byte, wanted ...Approval) ([]byte, error) {
	d, err := governance.ParseDomain(domain)
	if err != nil {
		return nil, err
	}
	var kept []governance.Approval
	if len(before) > 0 {
		if kept, err = governance.ParseApprovals(before); err != nil {
			return nil, err
		}
	}
	for _, w := range wanted {
		key, err := keyring.LoadSigner(w.KeyFile)
		if err != nil {
			return nil, err
		}
		signed, err := governance.SignApproval(d, w.Object, w.ID, w.Party, w.Role, key)
		if err != nil {
			return nil, err
		}
		kept = append(without(kept, &signed), signed)
	}
	return governance.MarshalApprovals(kept)
}

func without(all []governance.Approval, a *governance.Approval) []governance.Approval {
	var out []governance.Approval
	for _, b := range all {
		if b.Object != a.Object || b.ID != a.ID || b.Party != a.Party || b.Role != a.Role {
			out = append(out, b)
		}
	}
	return out
}

// ReadOptional reads a file that may be missing.
func ReadOptional(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.New("file unreadable")
	}
	return b, nil
}
