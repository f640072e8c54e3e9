package plain

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/yumen-project/yumen/compute"
)

// none marks a record without subject, group or pair.
const none = ^uint32(0)

// subjects numbers distinct subjects by their exact bytes. The hash decides
// only where an entry stands; equality is decided by comparing bytes, so no two
// subjects are ever taken for one.
type subjects struct {
	canon func(dst, v []byte) ([]byte, error)
	seed  maphash.Seed
	slots vec[uint64] // 32 bits of hash, then number + 1; zero is free
	ends  vec[int64]  // where a subject's bytes end in data
	data  vec[uint8]
	n     int
	dst   [64]byte      // where a canonical form is written first
	own   [block][]byte // canonical forms and integers as text, reused
	warm  uint64        // keeps the touching of slots from being optimised away
	ids   []uint32      // per record of the window
}

// block is how many subjects are hashed before the first is looked up, so that
// the slots they need travel to the cache together.
const block = 32

const maxSubjects = 1<<32 - 2

// number fills ids for the n records of the window and returns how many belong
// to no subject.
func (s *subjects) number(p *pool, c *column, n int) (unattributed int64, err error) {
	s.ids = room(s.ids, n)
	for lo := 0; lo < n; lo += block {
		lost, err := s.block(p, c, lo, min(lo+block, n))
		if err != nil {
			return 0, err
		}
		unattributed += lost
	}
	return unattributed, nil
}

func (s *subjects) block(p *pool, c *column, lo, hi int) (unattributed int64, err error) {
	var vals [block][]byte
	var tags [block]uint64
	for k, i := 0, lo; i < hi; k, i = k+1, i+1 {
		if vals[k] = s.subject(c, i, k); len(vals[k]) > 0 {
			tags[k] = maphash.Bytes(s.seed, vals[k]) >> 32
			if len(s.slots.v) > 0 {
				s.warm ^= s.slots.v[s.home(tags[k])]
			}
		}
	}
	for k, i := 0, lo; i < hi; k, i = k+1, i+1 {
		if len(vals[k]) == 0 {
			s.ids[i] = none
			unattributed++
			continue
		}
		if s.ids[i], err = s.put(p, vals[k], tags[k]); err != nil {
			return 0, err
		}
	}
	return unattributed, nil
}

// subject is the canonical form of record i's subject, empty if it has none.
// k is its place in the block.
func (s *subjects) subject(c *column, i, k int) []byte {
	var b []byte
	switch {
	case c.kind == physText || c.kind == physBytes:
		var ok bool
		if b, ok = c.bytesAt(i); !ok {
			return nil
		}
	case !c.valid(i):
		return nil
	case c.kind == physNum:
		s.own[k] = strconv.AppendUint(s.own[k][:0], c.nums[i].LowBits(), 10)
		b = s.own[k]
	default:
		s.own[k] = strconv.AppendInt(s.own[k][:0], c.ints[i], 10)
		b = s.own[k]
	}
	if s.canon == nil || len(b) == 0 {
		return b
	}
	return s.canonical(b, k)
}

// canonical applies the caller's canonicaliser; what it refuses is no subject.
// The form is copied: one that shares bytes with the batch must not become the
// next dst.
func (s *subjects) canonical(b []byte, k int) []byte {
	out, err := s.canon(s.dst[:0], b)
	if err != nil {
		return nil
	}
	s.own[k] = append(s.own[k][:0], out...)
	return s.own[k]
}

// put returns the number of subject b, giving the next one if it is new.
func (s *subjects) put(p *pool, b []byte, tag uint64) (uint32, error) {
	if 4*(s.n+1) > 3*len(s.slots.v) {
		if err := s.rehash(p); err != nil {
			return 0, err
		}
	}
	for at := s.home(tag); ; at = (at + 1) & (len(s.slots.v) - 1) {
		e := s.slots.v[at]
		if e == 0 {
			id := uint32(s.n)
			s.slots.v[at] = tag<<32 | uint64(id) + 1
			return id, s.append(p, b)
		}
		if e>>32 == tag && bytes.Equal(s.bytes(uint32(e)-1), b) {
			return uint32(e) - 1, nil
		}
	}
}

// home is the first slot of a tag: its leading bits.
func (s *subjects) home(tag uint64) int {
	return int(tag * uint64(len(s.slots.v)) >> 32)
}

func (s *subjects) bytes(id uint32) []byte {
	var from int64
	if id > 0 {
		from = s.ends.v[id-1]
	}
	return s.data.v[from:s.ends.v[id]]
}

func (s *subjects) append(p *pool, b []byte) error {
	var from int64
	if s.n > 0 {
		from = s.ends.v[s.n-1]
	}
	end := from + int64(len(b))
	if err := s.data.grow(p, int(end)); err != nil {
		return err
	}
	if err := s.ends.grow(p, s.n+1); err != nil {
		return err
	}
	copy(s.data.v[from:end], b)
	s.ends.v[s.n] = end
	s.n++
	return nil
}

func (s *subjects) rehash(p *pool) error {
	if s.n >= maxSubjects/2 {
		return fmt.Errorf("%w: more than %d subjects", compute.ErrLimit, s.n)
	}
	old := s.slots
	s.slots = vec[uint64]{}
	err := s.slots.resize(p, max(1024, 2*len(old.v)))
	if err == nil {
		for _, e := range old.v {
			if e != 0 {
				s.place(e)
			}
		}
	}
	old.free(p)
	return err
}

func (s *subjects) place(e uint64) {
	at := s.home(e >> 32)
	for s.slots.v[at] != 0 {
		at = (at + 1) & (len(s.slots.v) - 1)
	}
	s.slots.v[at] = e
}

func (s *subjects) free(p *pool) {
	s.slots.free(p)
	s.ends.free(p)
	s.data.free(p)
	clear(s.dst[:])
	for k := range s.own {
		clear(s.own[k][:cap(s.own[k])])
	}
}
