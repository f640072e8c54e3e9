package plain

import (
	"fmt"
	"hash/maphash"

	"github.com/yumen-project/yumen/compute"
)

// pairs numbers the distinct pairs of subject and group among the records that
// passed the filters. Most subjects are in one group only: that pair is kept by
// subject number, in the order subjects arrive, and needs no hashing.
type pairs struct {
	first   vec[uint32] // by subject: number + 1 of its first pair, 0 for none
	more    *index      // (subject, group) of the others -> position in others
	others  vec[uint32] // -> pair number
	groupOf vec[uint32] // by pair
	n       int
	members int      // subjects with at least one pair
	ids     []uint32 // per selected record
}

func newPairs(seed maphash.Seed) *pairs { return &pairs{more: newIndex(seed)} }

// number fills ids for the selected records. inGroup counts distinct subjects.
func (x *pairs) number(p *pool, sel []int32, sids, gids []uint32, subjects int, inGroup []int64) error {
	if err := x.first.grow(p, subjects); err != nil {
		return err
	}
	if x.n+len(sel) >= maxSubjects {
		return fmt.Errorf("%w: more than %d pairs of subject and group", compute.ErrLimit, maxSubjects)
	}
	if err := x.groupOf.grow(p, x.n+len(sel)); err != nil {
		return err
	}
	x.ids = room(x.ids, len(sel))
	for k, i := range sel {
		sid, gid := sids[i], gids[k]
		first := x.first.v[sid]
		if first != 0 && x.groupOf.v[first-1] == gid {
			x.ids[k] = first - 1
			continue
		}
		if first == 0 {
			x.members++
			x.ids[k] = x.open(gid, inGroup)
			x.first.v[sid] = x.ids[k] + 1
			continue
		}
		if err := x.other(p, k, sid, gid, inGroup); err != nil {
			return err
		}
	}
	return nil
}

// open starts a new pair.
func (x *pairs) open(gid uint32, inGroup []int64) uint32 {
	x.groupOf.v[x.n] = gid
	inGroup[gid]++
	x.n++
	return uint32(x.n - 1)
}

// other finds or opens a pair beyond a subject's first.
func (x *pairs) other(p *pool, k int, sid, gid uint32, inGroup []int64) error {
	at, fresh, err := x.more.put(p, uint64(sid)<<32|uint64(gid))
	if err != nil {
		return err
	}
	if fresh {
		if err := x.others.grow(p, x.more.n); err != nil {
			return err
		}
		x.others.v[at] = x.open(gid, inGroup)
	}
	x.ids[k] = x.others.v[at]
	return nil
}

func (x *pairs) free(p *pool) {
	x.first.free(p)
	x.more.free(p)
	x.others.free(p)
	x.groupOf.free(p)
}
