package threshold

import (
	"fmt"
	"log/slog"

	"github.com/yumen-project/yumen/compute/he"
)

// Share is what one holder keeps of one key set: its components. It is a secret
// and prints as [key]. It is safe for concurrent use.
type Share struct {
	params  *he.Parameters
	sharing Sharing
	holder  int
	key     [32]byte
	parts   []component
}

type component struct {
	index int
	seed  Seed
	sigma []int8
	mask  [32]byte
}

// NewShare makes the share of a holder (a point) in the key set of a
// certificate's hash. seeds holds exactly the seeds of the holder's components.
func NewShare(p *he.Parameters, key [32]byte, s Sharing, holder int, seeds map[int]Seed) (*Share, error) {
	if !s.valid(holder) {
		return nil, fmt.Errorf("%w: point %d of %d holders", ErrSharing, holder, s.n)
	}
	known := s.Of(holder)
	if len(seeds) != len(known) {
		return nil, fmt.Errorf("%w: %d seeds, holder %d has %d components", ErrMismatch, len(seeds), holder, len(known))
	}
	share := &Share{params: p, sharing: s, holder: holder, key: key}
	for _, c := range known {
		seed, ok := seeds[c]
		if !ok {
			return nil, fmt.Errorf("%w: no seed of component %d", ErrMismatch, c)
		}
		sigma, err := secretOf(p, seed)
		if err != nil {
			return nil, err
		}
		share.parts = append(share.parts, component{c, seed, sigma, seed.derive(p, labelMask)})
	}
	return share, nil
}

// Holder is the point of the share's holder.
func (s *Share) Holder() int { return s.holder }

// Sharing says who knows which component.
func (s *Share) Sharing() Sharing { return s.sharing }

// Key is the hash of the key set's certificate.
func (s *Share) Key() [32]byte { return s.key }

// String hides the share.
func (*Share) String() string { return "[key]" }

// GoString hides the share.
func (*Share) GoString() string { return "[key]" }

// LogValue hides the share.
func (*Share) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalJSON hides the share.
func (*Share) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }

const (
	shareKind    = "YHTS"
	shareHeader  = 4 + 1 + 32 + 32 + 3
	shareVersion = 1
)

// Bytes is the canonical form, in clear, for sealing only: kind, version,
// parameter id, certificate hash, n, t, holder, seeds by rising component.
func (s *Share) Bytes() []byte {
	id := s.params.ID()
	b := make([]byte, 0, shareHeader+32*len(s.parts))
	b = append(append(b, shareKind...), shareVersion)
	b = append(append(b, id[:]...), s.key[:]...)
	b = append(b, uint8(s.sharing.n), uint8(s.sharing.t), uint8(s.holder))
	for _, c := range s.parts {
		b = append(b, c.seed[:]...)
	}
	return b
}

// ParseShare accepts the canonical form of a share under these parameters only.
func ParseShare(p *he.Parameters, b []byte) (*Share, error) {
	id := p.ID()
	if len(b) < shareHeader || string(b[:4]) != shareKind || b[4] != shareVersion {
		return nil, fmt.Errorf("%w: not a share of version %d", ErrMalformed, shareVersion)
	}
	if [32]byte(b[5:37]) != id {
		return nil, fmt.Errorf("%w: share of other parameters", ErrMismatch)
	}
	s, err := NewSharing(int(b[69]), int(b[70]))
	if err != nil {
		return nil, err
	}
	holder := int(b[71])
	if !s.valid(holder) {
		return nil, fmt.Errorf("%w: point %d of %d holders", ErrSharing, holder, s.n)
	}
	known := s.Of(holder)
	if len(b) != shareHeader+32*len(known) {
		return nil, fmt.Errorf("%w: share of %d bytes", ErrMalformed, len(b))
	}
	seeds := make(map[int]Seed, len(known))
	for i, c := range known {
		seeds[c] = Seed(b[shareHeader+32*i:])
	}
	return NewShare(p, [32]byte(b[37:69]), s, holder, seeds)
}
