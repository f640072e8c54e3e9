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
	buf   []byte   // an integer as text
	out   []byte   // a canonical form
	ids   []uint32 // per record of the window
}

const maxSubjects = 1<<32 - 2

// number fills ids for the n records of the window and returns how many belong
// to no subject.
func (s *subjects) number(p *pool, c *column, n int) (unattributed int64, err error) {
	s.ids = room(s.ids, n)
	for i := range s.ids {
		b, ok := s.subject(c, i)
		if !ok {
			s.ids[i] = none
			unattributed++
			continue
		}
		if s.ids[i], err = s.put(p, b); err != nil {
			return 0, err
		}
	}
	return unattributed, nil
}

// subject is the canonical form of record i's subject; false if it has none.
func (s *subjects) subject(c *column, i int) ([]byte, bool) {
	var b []byte
	switch {
	case c.kind == physText || c.kind == physBytes:
		var ok bool
		if b, ok = c.bytesAt(i); !ok {
			return nil, false
		}
	case !c.valid(i):
		return nil, false
	case c.kind == physNum:
		s.buf = strconv.AppendUint(s.buf[:0], c.nums[i].LowBits(), 10)
		b = s.buf
	default:
		s.buf = strconv.AppendInt(s.buf[:0], c.ints[i], 10)
		b = s.buf
	}
	if s.canon == nil {
		return b, len(b) > 0
	}
	return s.canonical(b)
}

// canonical applies the caller's canonicaliser; what it refuses is no subject.
func (s *subjects) canonical(b []byte) ([]byte, bool) {
	out, err := s.canon(s.out[:0], b)
	if err != nil {
		return nil, false
	}
	s.out = out
	return out, len(out) > 0
}

// put returns the number of subject b, giving the next one if it is new.
func (s *subjects) put(p *pool, b []byte) (uint32, error) {
	if 4*(s.n+1) > 3*len(s.slots.v) {
		if err := s.rehash(p); err != nil {
			return 0, err
		}
	}
	tag := maphash.Bytes(s.seed, b) >> 32
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
	clear(s.buf)
	clear(s.out)
}
