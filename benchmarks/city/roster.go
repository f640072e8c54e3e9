package city

import (
	"github.com/yumen-project/yumen/masking/identifier"
)

// Values of the text columns.
const (
	Man      = "男"
	Woman    = "女"
	Town     = "城镇"
	Country  = "农村"
	Single   = "未婚"
	Married  = "已婚"
	Divorced = "离异"
	Widowed  = "丧偶"
)

// family is the household a person belongs to.
type family struct {
	id       int // number of the household book
	district *region
	kind     string
}

// blocks are ways in which twelve neighbours form households.
var blocks = [][]int{{3, 2, 4, 3}, {1, 3, 2, 3, 3}, {2, 2, 3, 5}, {4, 1, 4, 1, 2}, {2, 1, 3, 2, 4}, {3, 3, 3, 3}}

const blockSize = 12

func (c *City) birthOf(i int) birth { return c.layout.at(c.births.at(uint64(i))) }

func (c *City) familyOf(i int) family {
	block := i / blockSize
	s := newSource(c.seed, streamFamily, uint64(block))
	sizes, left, nth := blocks[s.below(len(blocks))], i%blockSize, 0
	for left >= sizes[nth] {
		left -= sizes[nth]
		nth++
	}
	for range 2 * nth { // each household of the block has two draws of its own
		s.next()
	}
	f := family{id: int(c.families.at(uint64(block*8 + nth))), kind: Country}
	f.district = pickRegion(&s, districts)
	if s.chance(f.district.urban) {
		f.kind = Town
	}
	return f
}

func pickRegion(s *source, from []region) *region {
	at := s.below(regionShares(from))
	for i := range from {
		if at -= from[i].share; at < 0 {
			return &from[i]
		}
	}
	return &from[len(from)-1]
}

func regionShares(from []region) int {
	sum := 0
	for i := range from {
		sum += from[i].share
	}
	return sum
}

func (f *family) appendID(dst []byte) []byte {
	dst = append(dst, f.district.code...)
	return appendDigits(append(dst, 'H'), f.id, 9)
}

// appendRID writes the resident number of a birth.
func appendRID(dst []byte, b *birth) ([]byte, error) {
	var first [17]byte
	buf := append(first[:0], b.code...)
	y, m, d := dateOf(b.day).Date()
	buf = appendDigits(buf, y*10_000+int(m)*100+d, 8)
	buf = appendDigits(buf, b.seq, 3)
	return identifier.AppendResidentID(dst, buf)
}

// contact holds what the household register adds to a birth and a family.
type contact struct {
	name, phone []byte
	objection   bool
}

// contactOf fills buf, whose storage the result shares.
func (c *City) contactOf(i int, b *birth, buf []byte) contact {
	s := newSource(c.seed, streamPerson, uint64(i))
	buf = appendName(buf[:0], &s, b.male())
	n := len(buf)
	buf = appendPhone(buf, &s)
	return contact{name: buf[:n:n], phone: buf[n:], objection: s.chance(20)}
}

// civil is a row of the civil register.
type civil struct {
	marital      string
	registered   int // days since 1970-01-01, if set
	set          bool
	spouseRegion string // "" if none
	objection    bool
}

// inCivil reports whether the civil register knows the person.
func inCivil(b *birth) bool { return b.age >= 20 }

var maritalStates = []string{Single, Married, Divorced, Widowed}

// maritalShares are in percent, by age.
func maritalShares(age int) []int {
	switch {
	case age < 25:
		return []int{91, 8, 1, 0}
	case age < 30:
		return []int{59, 37, 4, 0}
	case age < 40:
		return []int{28, 63, 9, 0}
	case age < 60:
		return []int{10, 74, 13, 3}
	case age < 75:
		return []int{6, 72, 8, 14}
	}
	return []int{5, 45, 4, 46}
}

func (c *City) civilOf(i int, b *birth) civil {
	s := newSource(c.seed, streamCivil, uint64(i))
	row := civil{marital: maritalStates[s.pick(maritalShares(b.age))], objection: s.chance(20)}
	if row.marital == Single {
		return row
	}
	earliest := b.day + 20*365 + 5
	row.registered = min(earliest+s.below(16*365), c.layout.asOf-s.below(300))
	row.registered = max(row.registered, earliest)
	row.set = true
	if row.marital == Married {
		from := districts
		if s.chance(1500) {
			from = origins
		}
		row.spouseRegion = pickRegion(&s, from).code
	}
	return row
}
