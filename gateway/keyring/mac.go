package keyring

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm3"
)

// MACSize is the length of a tag in bytes.
const MACSize = sm3.Size

const macKeyLen = 32

// MAC is HMAC-SM3 under one key. It is safe for concurrent use, allocates
// nothing if dst has room, and prints "[key]".
type MAC struct {
	pool atomic.Pointer[macPool]
}

type macPool struct{ sync.Pool }

type macState struct {
	h      hash.Hash
	prefix [8]byte
}

func newMAC(key secret) (*MAC, error) {
	if len(key) != macKeyLen {
		return nil, fmt.Errorf("make mac: %w: length is not %d", ErrKey, macKeyLen)
	}
	m := &MAC{}
	m.set(key)
	return m, nil
}

func (m *MAC) set(key secret) {
	own := append(secret(nil), key...)
	p := &macPool{}
	p.New = func() any { return &macState{h: hmac.New(sm3.New, own)} }
	m.pool.Store(p)
}

// Sum appends the tag of parts, 32 bytes, to dst. Each part goes in after its
// length (8 bytes, big endian), so ("ab","c") and ("a","bc") differ. After
// Destroy a MAC that was handed out before works under a random key that nobody
// has: its tags equal nothing.
func (m *MAC) Sum(dst []byte, parts ...[]byte) []byte {
	pool := m.pool.Load()
	s := pool.Get().(*macState)
	s.h.Reset()
	for _, part := range parts {
		binary.BigEndian.PutUint64(s.prefix[:], uint64(len(part)))
		s.h.Write(s.prefix[:])
		s.h.Write(part)
	}
	dst = s.h.Sum(dst)
	pool.Put(s)
	return dst
}

// String prints "[key]".
func (*MAC) String() string { return redacted }

// GoString prints "[key]".
func (*MAC) GoString() string { return redacted }

// Format prints "[key]" for every verb.
func (*MAC) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue prints "[key]".
func (*MAC) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText prints "[key]".
func (*MAC) MarshalText() ([]byte, error) { return []byte(redacted), nil }
