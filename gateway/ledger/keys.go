package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sort"
)

// stored is what is known of a used idempotency key.
type stored struct {
	index   uint64
	request [16]byte
	time    int64
}

// dead is the index of a key that is gone and hides an older entry that is not.
const dead = math.MaxUint64

// keys are the used idempotency keys. Nearly all lie in base, sorted, as a snapshot has them: storedSize
// bytes a key and little besides. What came since then is in recent; while a snapshot is made of base and
// of what was in recent, that is in frozen and nobody writes to it. A key counts as it stands in the
// newest of the three.
type keys struct {
	base   sorted
	frozen map[[16]byte]stored
	recent map[[16]byte]stored
	// gathered is what a replay brought and nobody asked for yet; recent and frozen are empty then.
	gathered []entry
	// Entries of base made before lapsed are gone, though they still lie there; so are those of frozen made
	// before since. What is in recent is deleted when it lapses.
	lapsed, since int64
}

func newKeys() keys {
	return keys{recent: map[[16]byte]stored{}, lapsed: math.MinInt64, since: math.MinInt64}
}

func (k *keys) find(key *[16]byte) (stored, bool) {
	k.known()
	if s, ok := k.recent[*key]; ok {
		return s, s.index != dead
	}
	return k.older(key)
}

// older finds what is not in recent.
func (k *keys) older(key *[16]byte) (stored, bool) {
	if s, ok := k.frozen[*key]; ok {
		return s, s.index != dead && !gone(s.time, k.since)
	}
	s, ok := k.base.find(key)
	return s, ok && !gone(s.time, k.lapsed)
}

func gone(time, lapsed int64) bool { return time != Forever && time < lapsed }

func (k *keys) put(key *[16]byte, s stored) {
	k.known()
	k.recent[*key] = s
}

// lapse ends the keys made before a time.
func (k *keys) lapse(before int64) {
	if len(k.gathered) > 0 { // once a day of the log: the replay goes on without a map
		k.fold()
	}
	k.lapsed, k.since = max(k.lapsed, before), max(k.since, before)
	for key, s := range k.recent {
		if !gone(s.time, before) {
			continue
		}
		delete(k.recent, key)
		if _, ok := k.older(&key); ok {
			k.recent[key] = stored{index: dead, time: Forever}
		}
	}
}

// freeze takes what there is for a snapshot; settle must follow before it is called again.
func (k *keys) freeze() *frozen {
	k.known()
	f := &frozen{base: k.base, newer: k.recent, lapsed: k.lapsed}
	k.frozen, k.recent, k.since = k.recent, map[[16]byte]stored{}, math.MinInt64
	return f
}

// settle puts the table made of what was frozen in its place. What lapsed meanwhile stays lapsed.
func (k *keys) settle(base sorted) {
	k.base, k.frozen, k.lapsed, k.since = base, nil, k.since, math.MinInt64
}

// frozen is a state of the keys that does not change.
type frozen struct {
	base   sorted
	newer  map[[16]byte]stored
	lapsed int64 // of base
}

// most is an upper bound on its keys.
func (f *frozen) most() int { return f.base.len() + len(f.newer) }

// appendTo merges base and newer in order and leaves out what lapsed.
func (f *frozen) appendTo(b []byte) []byte {
	newer := make([][16]byte, 0, len(f.newer))
	for key := range f.newer {
		newer = append(newer, key)
	}
	slices.SortFunc(newer, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	rest := f.base.b
	for i := range newer {
		n := sort.Search(len(rest)/storedSize, func(n int) bool { return bytes.Compare(rest[n*storedSize:n*storedSize+16], newer[i][:]) >= 0 })
		b = f.live(b, rest[:n*storedSize])
		rest = rest[n*storedSize:]
		if len(rest) > 0 && [16]byte(rest[:16]) == newer[i] {
			rest = rest[storedSize:] // the newer one counts
		}
		if s := f.newer[newer[i]]; s.index != dead {
			b = s.appendTo(b, &newer[i])
		}
	}
	return f.live(b, rest)
}

// live appends the entries of a part of base that have not lapsed.
func (f *frozen) live(b, part []byte) []byte {
	if f.lapsed == math.MinInt64 {
		return append(b, part...)
	}
	for ; len(part) > 0; part = part[storedSize:] {
		if !gone(timeAt(part), f.lapsed) {
			b = append(b, part[:storedSize]...)
		}
	}
	return b
}

func (s stored) appendTo(b []byte, key *[16]byte) []byte {
	b = append(b, key[:]...)
	b = binary.BigEndian.AppendUint64(b, s.index)
	b = append(b, s.request[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(s.time))
}

func timeAt(entry []byte) int64 { return int64(binary.BigEndian.Uint64(entry[40:storedSize])) }

// sorted is an immutable table of entries in ascending order of their keys, which are spread evenly: they
// are digests. first[p] is the place of the first key whose leading bits are p or more.
type sorted struct {
	b     []byte
	bits  int
	first []int
}

// keysPerPart is how many keys share their leading bits, about.
const keysPerPart = 64

var errUnsorted = errors.New("keys out of order")

// newSorted checks the order and keeps b.
func newSorted(b []byte) (sorted, error) {
	s := sorted{b: b}
	for i := 1; i < s.len(); i++ {
		if bytes.Compare(s.key(i-1), s.key(i)) >= 0 {
			return s, errUnsorted
		}
	}
	return index(b), nil
}

// index is newSorted for keys that are in order.
func index(b []byte) sorted {
	s := sorted{b: b}
	n := s.len()
	for n>>s.bits > keysPerPart {
		s.bits++
	}
	s.first = make([]int, 1<<s.bits+1)
	part := 0
	for i := range n {
		for p := s.part(s.key(i)); part <= p; part++ {
			s.first[part] = i
		}
	}
	for ; part < len(s.first); part++ {
		s.first[part] = n
	}
	return s
}

// part is the number that the leading bits of a key make.
func (s *sorted) part(key []byte) int { return int(binary.BigEndian.Uint64(key) >> (64 - s.bits)) }

func (s *sorted) len() int { return len(s.b) / storedSize }

func (s *sorted) key(i int) []byte { return s.b[i*storedSize : i*storedSize+16] }

func (s *sorted) find(key *[16]byte) (stored, bool) {
	if len(s.b) == 0 {
		return stored{}, false
	}
	p := s.part(key[:])
	from, to := s.first[p], s.first[p+1]
	at, found := sort.Find(to-from, func(i int) int { return bytes.Compare(key[:], s.key(from+i)) })
	if !found {
		return stored{}, false
	}
	return storedAt(s.b[(from+at)*storedSize:]), true
}

func storedAt(e []byte) stored {
	return stored{index: binary.BigEndian.Uint64(e[16:]), request: [16]byte(e[24:40]), time: timeAt(e)}
}
