package city

import "github.com/yumen-project/yumen/masking/identifier"

// home is a row of the housing register.
type home struct {
	id        int
	district  *region
	area      int // hundredths of a square metre
	built     int
	mortgaged bool
	value     int64 // fen
}

const maxHomes = 3

var (
	// areas has its median at 86 m2 and a long tail.
	areas = quantile{
		{0, 1800}, {1, 2660}, {10, 3554}, {50, 4600}, {100, 5280}, {200, 6250}, {300, 7050},
		{500, 8600}, {700, 10500}, {800, 11840}, {900, 14000}, {950, 16070}, {990, 20800}, {999, 27800}, {1000, 60000},
	}
	years = quantile{{0, 1958}, {50, 1980}, {250, 1998}, {500, 2009}, {750, 2016}, {1000, 2026}}
)

// ownerShare is the share of an age that owns a home, in 1/10000.
func ownerShare(age int) int {
	switch {
	case age < 20:
		return 300
	case age < 25:
		return 1500
	case age < 30:
		return 4200
	case age < 40:
		return 6300
	case age < 60:
		return 6800
	}
	return 6200
}

// homeCount is how many homes the person owns, 0 to maxHomes.
func (c *City) homeCount(i int, b *birth) int {
	s := newSource(c.seed, streamHousing, uint64(i)*4)
	if !s.chance(ownerShare(b.age)) {
		return 0
	}
	switch at := s.below(100); {
	case at < 78:
		return 1
	case at < 95:
		return 2
	}
	return 3
}

// homeOf gives the person's home number nth, counted from 0.
func (c *City) homeOf(i, nth int, b *birth) home {
	s := newSource(c.seed, streamHousing, uint64(i)*4+1+uint64(nth))
	h := home{id: int(c.homes.at(uint64(i)*4 + uint64(nth)))}
	if s.chance(8000) {
		h.district = c.familyOf(i).district
	} else {
		h.district = pickRegion(&s, districts)
	}
	h.area = s.draw(areas)
	h.built = s.draw(years)
	loans := 800
	if h.built >= 2005 && b.age >= 25 && b.age < 55 {
		loans = 4500
	}
	h.mortgaged = s.chance(loans)
	worth := 70 + s.below(51) - min(asOfYear-h.built, 40)/2 // percent of the district's price
	h.value = int64(h.area) * int64(h.district.price) * int64(worth) / 100
	return h
}

func (h *home) appendID(dst []byte) []byte {
	dst = append(dst, h.district.code...)
	return appendDigits(append(dst, 'F'), h.id, 9)
}

// employer pays insurance for its people; the early ones in the list are large.
type employer struct {
	code     string
	industry *industry
}

// industry has its share of employers and its wage level, both in percent.
type industry struct {
	name        string
	share, wage int
}

var industries = []industry{
	{"制造业", 21, 105}, {"批发零售", 17, 88}, {"居民服务", 14, 74}, {"建筑业", 11, 98}, {"教育", 9, 112},
	{"卫生", 8, 118}, {"交通运输", 7, 101}, {"住宿餐饮", 6, 76}, {"信息技术", 4, 150}, {"金融业", 3, 162},
}

const (
	employerCount   = 20_000
	serviceIndustry = "居民服务"
)

func newEmployers(seed uint64) ([]employer, error) {
	weights := make([]int, len(industries))
	for i := range industries {
		weights[i] = industries[i].share
	}
	out := make([]employer, employerCount)
	for e := range out {
		s := newSource(seed, streamEmployers, uint64(e))
		code, err := identifier.CreditCodeWithCheck(employerCode(&s, e))
		if err != nil {
			return nil, err
		}
		out[e] = employer{code: code, industry: &industries[s.pick(weights)]}
	}
	return out, nil
}

// employerCode gives the 17 characters of a business (91) registered here, with
// an organisation number of its own.
func employerCode(s *source, e int) string {
	body := append(make([]byte, 0, 17), "91"...)
	body = append(body, pickRegion(s, districts).code...)
	org := appendDigits([]byte("MA"), e*37+s.below(37), 6)
	body = append(body, org...)
	return string(append(body, organisationCheck(org)))
}

// organisationCheck is the ninth character of an organisation code (GB 11714).
func organisationCheck(org []byte) byte {
	sum := 0
	for i, w := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		v := int(org[i] - '0')
		if org[i] >= 'A' {
			v = int(org[i]-'A') + 10
		}
		sum += v * w
	}
	return "0X987654321"[sum%11]
}

// policy is a row of the insurance register.
type policy struct {
	employer  *employer
	months    int
	wage      int // fen a month
	certified bool
	debtor    bool
}

var (
	// tenures are months paid: 12% below 12, 41% below 24, median 30.
	tenures = quantile{{0, 1}, {120, 12}, {400, 24}, {500, 30}, {650, 54}, {800, 110}, {920, 220}, {985, 360}, {1000, 430}}
	// wages are log-normal, in 1/1000 of the median.
	wages = quantile{
		{0, 200}, {1, 249}, {10, 351}, {50, 477}, {100, 562}, {200, 685}, {300, 790}, {400, 892}, {500, 1000},
		{600, 1121}, {700, 1266}, {800, 1460}, {900, 1780}, {950, 2096}, {990, 2849}, {999, 4017}, {1000, 5500},
	}
)

const medianWage = 520_000 // fen

// insuredShare is the share of an age that is insured, in 1/10000.
func insuredShare(age int) int {
	switch {
	case age < 18:
		return 0
	case age < 25:
		return 5500
	case age < 60:
		return 9000
	}
	return 9200
}

// policyOf gives the person's insurance, if he has one.
func (c *City) policyOf(i int, b *birth) (policy, bool) {
	s := newSource(c.seed, streamInsurance, uint64(i))
	if !s.chance(insuredShare(b.age)) {
		return policy{}, false
	}
	p := policy{employer: &c.employers[s.front(len(c.employers))]}
	p.months = min(s.draw(tenures), (b.age-17)*12)
	level := s.draw(wages) * p.employer.industry.wage / 100 * (100 + min(p.months, 240)/6) / 100
	p.wage = medianWage*level/1000 + s.below(100)
	p.certified = s.chance(certifiedShare(p.employer.industry, b))
	p.debtor = s.chance(150)
	return p, true
}

// certifiedShare is the share with a domestic-service certificate, in 1/10000.
func certifiedShare(in *industry, b *birth) int {
	switch {
	case in.name == serviceIndustry:
		return 7200
	case !b.male() && b.age >= 30 && b.age < 60:
		return 2900
	}
	return 1300
}
