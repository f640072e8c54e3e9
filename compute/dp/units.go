package dp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"sort"

	"github.com/yumen-project/yumen/compute"
)

// units keeps for every subject the cells and records that count. A cell or
// record is kept iff it is among the least by keyed hash, so one that was put out
// never comes back, and the order of arrival does not matter. Records of equal
// content are interchangeable.
type units struct {
	plan   *Plan
	room   *room
	mac    hash.Hash
	sum    [sha256.Size]byte
	buf    []byte
	ids    map[string]uint32
	shares [][]share // by subject
}

// share is what a subject has in one cell. rows holds whole records, each the
// value columns and a mask of nulls.
type share struct {
	cell   uint32
	ranked bool
	rank   uint64
	keys   []string // of the cell, shared
	rows   []int64
	tags   []uint64 // ranks of the rows, once there are more than may be kept
}

// maxSubjects keeps totals within 62 bits.
const maxSubjects = 1 << 31

func newUnits(p *Plan, room *room, key []byte) units {
	return units{plan: p, room: room, mac: hmac.New(sha256.New, key), ids: make(map[string]uint32)}
}

// add offers a record of subject to a cell.
func (u *units) add(subject []byte, cell uint32, keys []string, row []int64) error {
	id, ok := u.ids[string(subject)]
	if !ok {
		if len(u.shares) >= maxSubjects {
			return fmt.Errorf("%w: more than %d subjects", compute.ErrLimit, maxSubjects)
		}
		if err := u.room.take(120 + len(subject)); err != nil {
			return err
		}
		id = uint32(len(u.shares))
		u.ids[string(subject)] = id
		u.shares = append(u.shares, nil)
	}
	at, err := u.share(subject, id, cell, keys)
	if err != nil || at < 0 {
		return err
	}
	return u.keep(subject, &u.shares[id][at], row)
}

// share finds or makes a subject's share of a cell; -1 if it has better ones.
func (u *units) share(subject []byte, id, cell uint32, keys []string) (int, error) {
	have := u.shares[id]
	for i := range have {
		if have[i].cell == cell {
			return i, nil
		}
	}
	if len(have) < u.plan.table.MaxGroups {
		if err := u.room.take(128); err != nil {
			return -1, err
		}
		u.shares[id] = append(have, share{cell: cell, keys: keys})
		return len(have), nil
	}
	for i := range have { // ranked only once there are too many
		if !have[i].ranked {
			have[i].rank, have[i].ranked = u.rankCell(subject, have[i].keys), true
		}
	}
	s := share{cell: cell, keys: keys, rank: u.rankCell(subject, keys), ranked: true}
	worst := 0
	for i := range have {
		if have[worst].before(&have[i]) {
			worst = i
		}
	}
	if have[worst].before(&s) {
		return -1, nil
	}
	s.rows, s.tags = have[worst].rows[:0], nil
	have[worst] = s
	return worst, nil
}

// before orders shares; cells of one subject differ in their keys.
func (s *share) before(o *share) bool {
	if s.rank != o.rank {
		return s.rank < o.rank
	}
	return slices.Compare(s.keys, o.keys) < 0
}

// keep adds a record to a share, or puts the worst of them out.
func (u *units) keep(subject []byte, s *share, row []int64) error {
	w, most := len(row), u.plan.table.MaxRecords
	n := len(s.rows) / w
	if n < most {
		if err := u.room.take(16 * w); err != nil {
			return err
		}
		s.rows = append(s.rows, row...)
		return nil
	}
	if s.tags == nil {
		if err := u.room.take(8 * most); err != nil {
			return err
		}
		s.tags = make([]uint64, 0, most)
		for i := range n {
			s.tags = append(s.tags, u.rankRow(subject, s.rows[i*w:][:w]))
		}
	}
	tag, worst := u.rankRow(subject, row), 0
	for i := range n {
		if rowBefore(s.tags[worst], s.rows[worst*w:][:w], s.tags[i], s.rows[i*w:][:w]) {
			worst = i
		}
	}
	if rowBefore(tag, row, s.tags[worst], s.rows[worst*w:][:w]) {
		s.tags[worst] = tag
		copy(s.rows[worst*w:][:w], row)
	}
	return nil
}

func rowBefore(tag uint64, row []int64, otherTag uint64, other []int64) bool {
	if tag != otherTag {
		return tag < otherTag
	}
	return slices.Compare(row, other) < 0
}

func (u *units) rankCell(subject []byte, keys []string) uint64 {
	u.buf = appendField(append(u.buf[:0], 'c'), subject)
	for _, k := range keys {
		u.buf = appendField(u.buf, k)
	}
	return u.rank()
}

func (u *units) rankRow(subject []byte, row []int64) uint64 {
	u.buf = appendField(append(u.buf[:0], 'r'), subject)
	for _, v := range row {
		u.buf = binary.LittleEndian.AppendUint64(u.buf, uint64(v))
	}
	return u.rank()
}

func appendField[T string | []byte](dst []byte, v T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

func (u *units) rank() uint64 {
	u.mac.Reset()
	_, _ = u.mac.Write(u.buf) // a hash never fails
	return binary.LittleEndian.Uint64(u.mac.Sum(u.sum[:0]))
}

// wipe clears what was kept of subjects, as far as it can be reached.
func (u *units) wipe() {
	clear(u.buf[:cap(u.buf)])
	for _, have := range u.shares {
		for i := range have {
			clear(have[i].rows[:cap(have[i].rows)])
		}
		clear(have)
	}
	clear(u.ids)
	u.shares = nil
}

// total adds everything kept and puts cells into the order of compute.Result.
func (r *reading) total() *Bounded {
	p, n := r.plan, len(r.cells.keys)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return slices.Compare(r.cells.keys[order[a]], r.cells.keys[order[b]]) < 0 })
	place, keys := make([]int, n), make([][]string, n)
	for at, cell := range order {
		place[cell], keys[at] = at, r.cells.keys[cell]
	}
	b := &Bounded{plan: p, keys: keys, totals: make([]int64, n*p.width)}
	w := len(p.values) + 1
	for _, have := range r.units.shares {
		for i := range have {
			slots := b.totals[place[have[i].cell]*p.width:][:p.width]
			slots[p.cells.first]++
			for rows := have[i].rows; len(rows) > 0; rows = rows[w:] {
				for k := range p.measures {
					p.measures[k].add(slots, rows[:w])
				}
			}
		}
	}
	return b
}

// add puts one record into the slots of its cell.
func (m *measure) add(slots, row []int64) {
	if m.Kind == compute.Count {
		slots[m.stats[0].first]++
		return
	}
	if m.col < 0 || row[len(row)-1]>>m.col&1 == 1 {
		return
	}
	v := row[m.col]
	switch m.Kind {
	case compute.Sum:
		slots[m.stats[0].first] += m.granules(v)
	case compute.Mean, Variance:
		d := m.granules(v) - m.middle()
		slots[m.stats[0].first] += d
		slots[m.stats[1].first]++
		if m.Kind == Variance {
			slots[m.stats[2].first] += d * d
		}
	case Histogram, Quantiles:
		band, found := slices.BinarySearch(m.Bands, v)
		if found {
			band++
		}
		slots[m.stats[0].first+band]++
	}
}

// granules brings a value into its bounds and rounds it to the nearest granule,
// halves up; the bounds are granules themselves.
func (m *measure) granules(v int64) int64 {
	v = min(max(v, m.Low), m.High)
	whole, rest := v/m.Unit, v%m.Unit
	if rest < 0 {
		whole, rest = whole-1, rest+m.Unit
	}
	if 2*rest >= m.Unit {
		whole++
	}
	return whole
}

func (m *measure) middle() int64 {
	return Bounds{Low: m.Low / m.Unit, High: m.High / m.Unit}.Middle()
}
