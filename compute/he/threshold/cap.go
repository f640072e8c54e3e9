package threshold

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// DefaultCap is the greatest number of scalars that one key certificate may open.
const DefaultCap = 1 << 16

// Cap counts the scalars opened under one key certificate against its limit.
// A list of openings that was counted once may be answered again for nothing,
// since the answer is the same. It is not safe for concurrent use. Persist it
// (Bytes) before the answer leaves.
type Cap struct {
	limit, used uint64
	lists       map[[32]byte]uint64
}

// NewCap, of a limit up to DefaultCap, starts with so many scalars already used (the ceremony's trial).
func NewCap(limit, used uint64) (*Cap, error) {
	if limit == 0 || limit > DefaultCap || used > limit {
		return nil, fmt.Errorf("%w: %d of %d scalars", ErrCap, used, limit)
	}
	return &Cap{limit: limit, used: used, lists: map[[32]byte]uint64{}}, nil
}

// Spend counts a list of openings by its hash. It refuses, and counts nothing,
// if the limit would be passed or the same hash came with another number.
func (c *Cap) Spend(list [32]byte, scalars uint64) error {
	if n, ok := c.lists[list]; ok {
		if n != scalars {
			return fmt.Errorf("%w: list counted with %d scalars, now %d", ErrMismatch, n, scalars)
		}
		return nil
	}
	if scalars == 0 || scalars > c.limit-c.used {
		return fmt.Errorf("%w: %d of %d used, %d asked", ErrCap, c.used, c.limit, scalars)
	}
	c.lists[list] = scalars
	c.used += scalars
	return nil
}

// Left is the number of scalars that may still be opened.
func (c *Cap) Left() uint64 { return c.limit - c.used }

const (
	capKind   = "YHTC"
	capHeader = 4 + 1 + 8 + 8 + 4
	capEntry  = 32 + 8
)

// Bytes is the canonical form: kind, version 1, limit, used before the lists,
// count, lists by rising hash with their scalars.
func (c *Cap) Bytes() []byte {
	keys := make([][32]byte, 0, len(c.lists))
	before := c.used
	for k, n := range c.lists {
		keys = append(keys, k)
		before -= n
	}
	slices.SortFunc(keys, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	b := append(make([]byte, 0, capHeader+capEntry*len(keys)), capKind...)
	b = binary.BigEndian.AppendUint64(append(b, 1), c.limit)
	b = binary.BigEndian.AppendUint64(b, before)
	b = binary.BigEndian.AppendUint32(b, uint32(len(keys)))
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(append(b, k[:]...), c.lists[k])
	}
	return b
}

// ParseCap accepts the canonical form only.
func ParseCap(b []byte) (*Cap, error) {
	if len(b) < capHeader || string(b[:4]) != capKind || b[4] != 1 {
		return nil, fmt.Errorf("%w: not a scalar count of version 1", ErrMalformed)
	}
	c, err := NewCap(binary.BigEndian.Uint64(b[5:]), binary.BigEndian.Uint64(b[13:]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	count := uint64(binary.BigEndian.Uint32(b[21:]))
	if uint64(len(b)) != capHeader+capEntry*count {
		return nil, fmt.Errorf("%w: scalar count of %d bytes", ErrMalformed, len(b))
	}
	for last, rest := []byte(nil), b[capHeader:]; len(rest) > 0; rest = rest[capEntry:] {
		if last != nil && bytes.Compare(last, rest[:32]) >= 0 {
			return nil, fmt.Errorf("%w: lists do not rise", ErrMalformed)
		}
		last = rest[:32]
		if err := c.Spend([32]byte(rest), binary.BigEndian.Uint64(rest[32:])); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return c, nil
}
