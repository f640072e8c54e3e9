package classify

import (
	"time"

	"github.com/yumen-project/yumen/masking/identifier"
)

// eighteen judges the numbers of 18 characters.
func (s *scanner) eighteen(c []byte) signs {
	var g signs
	if s.resident(c) {
		g |= sResident
		if s.minor(c) {
			g |= sChild
		}
	} else if identifier.CheckPermanent(c) == "" {
		g |= sPermanent
	}
	if g == 0 && identifier.CheckCreditCode(c) == "" {
		g |= sCredit
	}
	return g
}

// resident holds a number against GB 11643 and its birthday against the clock.
func (s *scanner) resident(c []byte) bool {
	if identifier.CheckResident(c) != "" {
		return false
	}
	if len(c) == 15 {
		return true
	}
	year := digitsOf(c[6:10])
	return year >= 1880 && (s.asOf.IsZero() || digitsOf(c[6:14]) <= dayNumber(s.asOf))
}

// minor reports a birthday less than 18 years ago.
func (s *scanner) minor(c []byte) bool {
	return !s.asOf.IsZero() && dayNumber(s.asOf)-digitsOf(c[6:14]) < 180000
}

func dayNumber(t time.Time) int { return t.Year()*10000 + int(t.Month())*100 + t.Day() }

// abroad judges a number with a country prefix.
func (s *scanner) abroad(text []byte) signs {
	var buf [maxCode]byte
	c, rule := identifier.AppendFolded(buf[:0], text)
	if rule == "" && len(c) == 14 && string(c[:3]) == "+86" && identifier.CheckMobile(c[3:]) == "" {
		return sMobile
	}
	return 0
}

func digitsOf(b []byte) int {
	n := 0
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}

// region reports six digits that stand for an assigned region.
func region(c []byte) bool {
	n := uint32(digitsOf(c[:6]))
	if n%10000 == 0 {
		_, _, ok := identifier.RegionIndex(n)
		return ok
	}
	_, assigned, _ := identifier.RegionIndex(n)
	return assigned && n%100 <= 90
}
