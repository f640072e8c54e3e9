package risk

import "math/bits"

// tuples are different combinations of quasi-identifiers (and, where there
// are sensitive columns, of their values) with the number of their records.
type tuples struct {
	lo, hi []uint64 // packed keys; hi is empty unless keys are wide
	count  []uint32
	rep    []uint32 // a base tuple with this key, for its values
	secret []uint32 // combination of sensitive values; empty without
}

func (t *tuples) len() int { return len(t.lo) }

func (t *tuples) reset() {
	t.lo, t.hi, t.count, t.rep, t.secret = t.lo[:0], t.hi[:0], t.count[:0], t.rep[:0], t.secret[:0]
}

// copy takes over another's tuples into memory of its own.
func (t *tuples) copy(from *tuples) {
	t.reset()
	t.lo, t.hi = append(t.lo, from.lo...), append(t.hi, from.hi...)
	t.count, t.rep, t.secret = append(t.count, from.count...), append(t.rep, from.rep...), append(t.secret, from.secret...)
}

func (t *tuples) reserve(n int, wide, secret bool) {
	t.lo, t.count, t.rep = make([]uint64, 0, n), make([]uint32, 0, n), make([]uint32, 0, n)
	if wide {
		t.hi = make([]uint64, 0, n)
	}
	if secret {
		t.secret = make([]uint32, 0, n)
	}
}

// grouper merges tuples whose masked keys are equal, by open addressing with
// linear probing at a load of at most a half. Its memory is made once.
type grouper struct {
	slots []int32  // class+1, 0 is free
	class []uint32 // by input tuple
}

func newGrouper(n int) *grouper {
	return &grouper{slots: make([]int32, tableSize(n)), class: make([]uint32, 0, n)}
}

// tableSize is a power of two at least twice n.
func tableSize(n int) int { return 2 << bits.Len(uint(max(n, 1)-1)) }

const golden = 0x9e3779b97f4a7c15

// merge writes the classes of in under a mask to out: keys, counts and
// representatives. With classes set it notes the class of each input tuple.
func (g *grouper) merge(in, out *tuples, lo, hi uint64, classes bool) {
	out.reset()
	g.class = g.class[:0]
	size := tableSize(in.len())
	slots := g.slots[:size]
	clear(slots)
	shift := uint(65 - bits.Len(uint(size)))
	if len(in.hi) > 0 {
		g.wide(in, out, lo, hi, slots, shift, classes)
		return
	}
	for i, key := range in.lo {
		key &= lo
		at := int((key ^ key>>29) * golden >> shift)
		id := int(slots[at]) - 1
		for id >= 0 && out.lo[id] != key {
			at = (at + 1) & (len(slots) - 1)
			id = int(slots[at]) - 1
		}
		if id < 0 {
			id = len(out.lo)
			slots[at] = int32(id + 1)
			out.lo = append(out.lo, key)
			out.count = append(out.count, 0)
			out.rep = append(out.rep, in.rep[i])
		}
		out.count[id] += in.count[i]
		if classes {
			g.class = append(g.class, uint32(id))
		}
	}
}

// wide is merge for keys of two words.
func (g *grouper) wide(in, out *tuples, lo, hi uint64, slots []int32, shift uint, classes bool) {
	for i := range in.lo {
		a, b := in.lo[i]&lo, in.hi[i]&hi
		at := int(((a^a>>29)*golden ^ bits.RotateLeft64(b, 31)) * golden >> shift)
		id := int(slots[at]) - 1
		for id >= 0 && (out.lo[id] != a || out.hi[id] != b) {
			at = (at + 1) & (len(slots) - 1)
			id = int(slots[at]) - 1
		}
		if id < 0 {
			id = len(out.lo)
			slots[at] = int32(id + 1)
			out.lo, out.hi = append(out.lo, a), append(out.hi, b)
			out.count = append(out.count, 0)
			out.rep = append(out.rep, in.rep[i])
		}
		out.count[id] += in.count[i]
		if classes {
			g.class = append(g.class, uint32(id))
		}
	}
}
