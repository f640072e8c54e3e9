package release

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/yumen-project/yumen/gateway/receipt"
)

// Encrypted is the body of FormEncrypted: which plan over which ciphertexts the key
// holders may open to the requester. The gateway has no key and does not know the
// result.
type Encrypted struct {
	Query, Plan [32]byte
	// Openings is the hash of the list of samples to be opened.
	Openings   [32]byte
	Parameters string
	Keys       []EncryptedKey
	// Holders of every key, in order; any Threshold of them open. Recomputed are those who
	// recomputed the openings from leaves of their own and approved.
	Holders, Recomputed []string
	Threshold           int
	Scalars             int
}

// EncryptedKey is a key certificate by its hash, and the scalars charged to it.
type EncryptedKey struct {
	Cert    [32]byte
	Scalars int64
}

// EncryptedEvidence is what was measured on a plan: signed counts, never values.
type EncryptedEvidence struct {
	// Subjects are the distinct subjects of the smallest part that is not empty.
	Subjects int64
	// Dominated: an atom of a manifest has a subject, or two, above the dominance limits.
	Dominated bool
	// Exceeded: the plan passes the scalars that a key may still open.
	Exceeded bool
	// Approved counts the holders whose approvals hold.
	Approved int
}

// Form is FormEncrypted.
func (Encrypted) Form() Form { return FormEncrypted }

func (e Encrypted) appendCanonical(dst []byte) []byte {
	dst = append(dst, `{"holders":`...)
	dst = appendStrings(dst, e.Holders)
	dst = append(dst, `,"keys":[`...)
	for i, k := range e.Keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"cert":"`...)
		dst = hex.AppendEncode(dst, k.Cert[:])
		dst = append(dst, `","scalars":`...)
		dst = strconv.AppendInt(dst, k.Scalars, 10)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"openings":"`...)
	dst = hex.AppendEncode(dst, e.Openings[:])
	dst = append(dst, `","parameters":`...)
	dst = receipt.AppendString(dst, e.Parameters)
	dst = append(dst, `,"plan":"`...)
	dst = hex.AppendEncode(dst, e.Plan[:])
	dst = append(dst, `","query":"`...)
	dst = hex.AppendEncode(dst, e.Query[:])
	dst = append(dst, `","recomputed_by":`...)
	dst = appendStrings(dst, e.Recomputed)
	dst = append(dst, `,"scalars":`...)
	dst = strconv.AppendInt(dst, int64(e.Scalars), 10)
	dst = append(dst, `,"threshold":`...)
	dst = strconv.AppendInt(dst, int64(e.Threshold), 10)
	return append(dst, '}')
}

// digest is 32 bytes as hex.
type digest [32]byte

func (d *digest) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return ErrStored
	}
	_, err := hex.Decode(d[:], b)
	return err
}

func parseEncrypted(text []byte) (Body, error) {
	var e struct {
		Holders      []string
		RecomputedBy []string `json:"recomputed_by"`
		Keys         []struct {
			Cert    digest
			Scalars int64
		}
		Openings, Plan, Query digest
		Parameters            string
		Scalars, Threshold    int
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("%w: encrypted", ErrStored)
	}
	out := Encrypted{Query: e.Query, Plan: e.Plan, Openings: e.Openings, Parameters: e.Parameters, Holders: slices.Clone(e.Holders),
		Recomputed: slices.Clone(e.RecomputedBy), Threshold: e.Threshold, Scalars: e.Scalars}
	for _, k := range e.Keys {
		out.Keys = append(out.Keys, EncryptedKey{k.Cert, k.Scalars})
	}
	return out, nil
}
