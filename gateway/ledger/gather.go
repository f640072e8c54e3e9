package ledger

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// entry is a key as base holds it.
type entry = [storedSize]byte

// foldKeys is how many keys a replay gathers at least before they are folded into base.
const foldKeys = 1 << 18

// gather takes a key of a replay, in which nobody asks for keys: it needs no map. Frames come in order, so
// of two entries of one key that with the higher index counts.
func (k *keys) gather(key *[16]byte, s stored) {
	if k.frozen != nil || len(k.recent) > 0 {
		k.put(key, s)
		return
	}
	var e entry
	s.appendTo(e[:0], key)
	k.gathered = append(k.gathered, e)
	if len(k.gathered) >= max(foldKeys, k.base.len()) { // doubling: each key is moved once or twice
		k.fold()
	}
}

// known makes what was gathered findable: whoever reads keys or writes them by put calls it first.
func (k *keys) known() {
	switch {
	case len(k.gathered) == 0:
	case len(k.gathered) >= foldKeys:
		k.fold()
		k.gathered = nil
	default:
		for i := range k.gathered {
			k.recent[[16]byte(k.gathered[i][:16])] = storedAt(k.gathered[i][:])
		}
		k.gathered = nil
	}
}

// fold merges what was gathered into base. Nothing may be recent or frozen.
func (k *keys) fold() {
	sortEntries(k.gathered)
	out := make([]byte, 0, (len(k.gathered)+k.base.len())*storedSize)
	f := frozen{lapsed: k.lapsed}
	rest := k.base.b
	for i := range k.gathered {
		e := k.gathered[i][:]
		if i+1 < len(k.gathered) && bytes.Equal(e[:16], k.gathered[i+1][:16]) {
			continue
		}
		n := 0
		for n < len(rest) && bytes.Compare(rest[n:n+16], e[:16]) < 0 {
			n += storedSize
		}
		out = f.live(out, rest[:n])
		rest = rest[n:]
		if len(rest) > 0 && bytes.Equal(rest[:16], e[:16]) {
			rest = rest[storedSize:]
		}
		out = append(out, e...)
	}
	k.gathered, k.since = k.gathered[:0], math.MinInt64 // all in out have not lapsed
	k.settle(index(f.live(out, rest)))
}

// sortEntries sorts by key and index. Keys are digests: two bytes of them spread the entries over parts
// that fit a cache, each of which is then sorted by itself. It needs no second copy.
func sortEntries(all []entry) {
	const parts = 1 << 16
	part := func(e *entry) int { return int(binary.BigEndian.Uint16(e[:])) }
	ends := make([]int, parts)
	for i := range all {
		ends[part(&all[i])]++
	}
	next, sum := make([]int, parts), 0
	for p, n := range ends {
		next[p] = sum
		sum += n
		ends[p] = sum
	}
	for p := range parts {
		from := next[p]
		if p > 0 {
			from = ends[p-1]
		}
		for next[p] < ends[p] {
			to := part(&all[next[p]])
			if to != p {
				all[next[p]], all[next[to]] = all[next[to]], all[next[p]]
			}
			next[to]++
		}
		slices.SortFunc(all[from:ends[p]], func(a, b entry) int { return bytes.Compare(a[:24], b[:24]) })
	}
}
