package plain

import (
	"fmt"
	"hash/maphash"
	"math/bits"

	"github.com/yumen-project/yumen/compute"
)

// index numbers 64-bit keys in the order of their first appearance, by open
// addressing at a load of at most 3/4.
type index struct {
	keys  vec[uint64]
	ids   vec[uint32] // id + 1, zero for a free slot
	n     int
	mix   [2]uint64
	limit int
}

// newIndex seeds the placement, so that chosen data cannot pile up in one slot.
// The numbering does not depend on the seed.
func newIndex(seed maphash.Seed) *index {
	return &index{mix: [2]uint64{maphash.Bytes(seed, []byte{0}), maphash.Bytes(seed, []byte{1}) | 1}, limit: 1<<32 - 2}
}

func (x *index) slot(key uint64) int {
	hi, lo := bits.Mul64(key^x.mix[0], x.mix[1])
	return int((hi ^ lo) & uint64(len(x.keys.v)-1))
}

// put returns the id of key and whether it is new.
func (x *index) put(p *pool, key uint64) (id uint32, fresh bool, err error) {
	if 4*(x.n+1) > 3*len(x.keys.v) {
		if err := x.rehash(p); err != nil {
			return 0, false, err
		}
	}
	for s := x.slot(key); ; s = (s + 1) & (len(x.keys.v) - 1) {
		got := x.ids.v[s]
		if got != 0 && x.keys.v[s] == key {
			return got - 1, false, nil
		}
		if got == 0 {
			x.keys.v[s], x.ids.v[s] = key, uint32(x.n)+1
			x.n++
			return uint32(x.n) - 1, true, nil
		}
	}
}

func (x *index) rehash(p *pool) error {
	if x.n >= x.limit {
		return fmt.Errorf("%w: more than %d combinations", compute.ErrLimit, x.limit)
	}
	old := *x
	x.keys, x.ids = vec[uint64]{}, vec[uint32]{}
	room := max(64, 2*len(old.keys.v))
	err := x.keys.resize(p, room)
	if err == nil {
		err = x.ids.resize(p, room)
	}
	if err == nil {
		for s, id := range old.ids.v {
			if id != 0 {
				x.place(old.keys.v[s], id)
			}
		}
	}
	old.keys.free(p)
	old.ids.free(p)
	return err
}

func (x *index) place(key uint64, id uint32) {
	s := x.slot(key)
	for x.ids.v[s] != 0 {
		s = (s + 1) & (len(x.keys.v) - 1)
	}
	x.keys.v[s], x.ids.v[s] = key, id
}

func (x *index) free(p *pool) {
	x.keys.free(p)
	x.ids.free(p)
}
