package keyring

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/emmansun/gmsm/sm3"
)

// LineageKeyName is the one key by which samples choose their subjects: the same
// persons in every job of the domain.
const LineageKeyName = "subjects"

// MaskKeyName is the name in the ring of the key that a domain file calls key,
// for one recipient in one scenario: a digest of the three, so that each triple
// has a key of its own that can be destroyed alone, whatever the three are called.
func MaskKeyName(scenario, recipient, key string) string {
	sum := sm3.Sum(parts("yumen/mask-key-name/v1", scenario, recipient, key))
	return "mask-" + hex.EncodeToString(sum[:20])
}

// MaskKey derives the key of one technique from the named key: HMAC-SM3 over a
// label, the technique, scenario, recipient and key name, 32 bytes, which the
// caller wipes. ErrDestroyed: it was destroyed and is never made again.
func (r *Ring) MaskKey(technique, scenario, recipient, key string) ([]byte, error) {
	m, err := r.MAC(Pseudonym, MaskKeyName(scenario, recipient, key))
	if err != nil {
		return nil, err
	}
	return m.Sum(nil, []byte("yumen/mask-key/v1"), []byte(technique), []byte(scenario), []byte(recipient), []byte(key)), nil
}

// LineageKey is the key that says who is a member of samples, 32 bytes, which the
// caller wipes.
func (r *Ring) LineageKey() ([]byte, error) {
	m, err := r.MAC(Lineage, LineageKeyName)
	if err != nil {
		return nil, err
	}
	return m.Sum(nil, []byte("yumen/lineage-key/v1")), nil
}

// ImportMaskKey stores 32 bytes as the key that a domain file calls key, for one
// recipient in one scenario. A key that is there is refused (fs.ErrExist), one
// that was destroyed too (ErrDestroyed).
func (r *Ring) ImportMaskKey(scenario, recipient, key string, material []byte) error {
	return r.ImportMACKey(Pseudonym, MaskKeyName(scenario, recipient, key), material)
}

// ImportLineageKey stores 32 bytes as the one key of samples.
func (r *Ring) ImportLineageKey(material []byte) error {
	return r.ImportMACKey(Lineage, LineageKeyName, material)
}

// parts writes each string after its length, so that no two lists encode alike.
func parts(ss ...string) []byte {
	var out []byte
	for _, s := range ss {
		out = binary.BigEndian.AppendUint32(out, uint32(len(s)))
		out = append(out, s...)
	}
	return out
}
