package city

import (
	"sort"
	"time"
)

// region is a six-digit code of GB/T 2260 with its share of 1000. The price is
// that of a square metre in yuan; urban is the share of town households in 1/10000.
type region struct {
	code         string
	share        int
	price, urban int
}

// districts are where the people of this city live: ten, skewed.
var districts = []region{
	{"220202", 170, 6900, 9700}, {"220203", 130, 5200, 8600}, {"220204", 190, 6400, 9500},
	{"220211", 120, 7300, 8800}, {"220221", 80, 3600, 3400}, {"220272", 20, 6100, 9200},
	{"220281", 75, 3300, 4600}, {"220282", 80, 3500, 4800}, {"220283", 65, 2900, 4100},
	{"220284", 70, 3100, 4500},
}

// origins are regions from which people moved here; their numbers say so.
var origins = []region{
	{code: "220102", share: 40}, {code: "220302", share: 20}, {code: "230102", share: 20},
	{code: "210102", share: 15}, {code: "370102", share: 25},
}

// firstBirth is the earliest year of birth; the eldest are 96.
const firstBirth = 1930

// agePyramid is the share of one year of age, in 1/10000 of the city.
func agePyramid(age int) int {
	switch {
	case age < 20:
		return 117
	case age < 25:
		return 140
	case age < 30:
		return 150
	case age < 40:
		return 160
	case age < 60:
		return 130
	case age < 70:
		return 110
	case age < 80:
		return 60
	case age < 90:
		return 26
	}
	return 5
}

// cell is a run of places: every day of one year in one region, with the same
// number of sequence codes a day.
type cell struct {
	start uint64
	daily int
	epoch int // first day of the year, days since 1970-01-01
	year  int
	code  string
}

// layout places the birth of everybody who could live here. A place is a region,
// a day and a sequence code, so that no two places share a resident number.
type layout struct {
	cells  []cell
	places uint64
	asOf   int // days since 1970-01-01
}

// targetPlaces fits the permutation's 2^26 closely and leaves room for MaxPersons.
const targetPlaces = 60_000_000

func newLayout() *layout {
	l := &layout{asOf: epochDay(AsOf())}
	regions := append(append([]region(nil), districts...), origins...)
	for year := firstBirth; year <= asOfYear; year++ {
		first := epochDay(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		next := epochDay(time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC))
		days := min(next, l.asOf+1) - first
		for _, r := range regions {
			daily := targetPlaces / 365 * agePyramid(asOfYear-year) / 10_000 * r.share / 1120
			daily = max(2, min(998, daily&^1))
			l.cells = append(l.cells, cell{start: l.places, daily: daily, epoch: first, year: year, code: r.code})
			l.places += uint64(days * daily)
		}
	}
	return l
}

func epochDay(t time.Time) int { return int(t.Unix() / 86400) }

// birth is what a resident number says of its holder.
type birth struct {
	code string // region of first registration
	day  int    // days since 1970-01-01
	seq  int    // 1 to 999; odd for men
	age  int    // completed years on AsOf
}

func (b *birth) male() bool { return b.seq%2 == 1 }

func (l *layout) at(place uint64) birth {
	i := sort.Search(len(l.cells), func(i int) bool { return l.cells[i].start > place }) - 1
	c := &l.cells[i]
	off := int(place - c.start)
	b := birth{code: c.code, day: c.epoch + off/c.daily, seq: off%c.daily + 1, age: asOfYear - c.year}
	// A year less before this year's birthday.
	if m, d := monthDay(b.day); m > asOfMonth || m == asOfMonth && d > asOfDay {
		b.age--
	}
	return b
}

func monthDay(day int) (time.Month, int) {
	_, m, d := dateOf(day).Date()
	return m, d
}

func dateOf(day int) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }
