package sm3lanes

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/emmansun/gmsm/sm3"
)

// MinKey is the length of the shortest key accepted, in bytes.
const MinKey = 16

// ErrKey: the key is too short. Derive one of at least MinKey bytes.
var ErrKey = errors.New("sm3lanes: key shorter than 16 bytes")

// Key is an HMAC-SM3 key with its inner and outer state prepared. It is
// immutable, safe for concurrent use, and prints as [key].
type Key struct {
	engine       engine
	inner, outer chain
}

// NewKey prepares a key of MinKey bytes or more; it keeps no reference to it.
// As in RFC 2104, a key longer than a block stands for its digest.
func NewKey(key []byte) (*Key, error) {
	if len(key) < MinKey {
		return nil, ErrKey
	}
	var pad [blockSize]byte
	if len(key) > blockSize {
		sum := sm3.Sum(key)
		copy(pad[:], sum[:])
	} else {
		copy(pad[:], key)
	}
	defer clear(pad[:])
	k := &Key{engine: best()}
	for i := range pad {
		pad[i] ^= 0x36
	}
	if err := k.inner.start(pad[:]); err != nil {
		return nil, err
	}
	for i := range pad {
		pad[i] ^= 0x36 ^ 0x5c
	}
	if err := k.outer.start(pad[:]); err != nil {
		return nil, err
	}
	return k, nil
}

// chain is the state of SM3 after whole blocks: its words, and the form in
// which the library takes it back.
type chain struct {
	words [8]uint32
	saved []byte
}

// start is the state after the prefix, a whole number of blocks.
func (c *chain) start(prefix []byte) error {
	h := sm3.New()
	h.Write(prefix)
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return errState
	}
	saved, err := m.MarshalBinary()
	if err != nil {
		return fmt.Errorf("sm3lanes: save the state: %w", err)
	}
	if len(saved) < savedWords+4*len(c.words) {
		return errState
	}
	for i := range c.words {
		c.words[i] = binary.BigEndian.Uint32(saved[savedWords+4*i:])
	}
	c.saved = saved
	return nil
}

// savedWords is where the words begin in the library's saved state.
const savedWords = 4

var errState = errors.New("sm3lanes: the library's saved state has another form")

// String prints "[key]".
func (Key) String() string { return "[key]" }

// GoString prints "[key]".
func (Key) GoString() string { return "[key]" }

// Format prints "[key]" for every verb.
func (Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[key]") }

// LogValue prints "[key]".
func (Key) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalText prints "[key]".
func (Key) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// MarshalJSON prints "[key]".
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }
