package city

import (
	"time"

	"github.com/yumen-project/yumen/masking/identifier"
)

// Person is everything the four registers say of one person, in canonical form.
type Person struct {
	Index       int
	RID         string // resident number, unique in the city
	Name        string
	Phone       string
	Birth       time.Time // midnight UTC
	Age         int       // completed years on AsOf
	Sex         string    // Man or Woman
	District    string    // of residence, six digits
	HouseholdID string
	Kind        string // Town or Country
	Objection   bool   // objects to verification from the household register

	InCivil        bool
	Marital        string    // "" if not InCivil
	Registered     time.Time // zero if null
	SpouseRegion   string    // "" if null
	CivilObjection bool

	Homes []Home // in the order of their rows; empty if he owns none

	Insured   bool
	Employer  string // credit code
	Months    int
	WageCents int64 // hundredths of a yuan a month
	Industry  string
	Certified bool
	Debtor    bool
}

// OwnsHome reports whether the person appears in the housing register.
func (p *Person) OwnsHome() bool { return len(p.Homes) > 0 }

// Home is one row of the housing register.
type Home struct {
	ID         string // unique in the city
	AreaCenti  int64  // hundredths of a square metre
	District   string
	Built      int
	Mortgaged  bool
	ValueCents int64 // hundredths of a yuan
}

// Person gives person i of the city, 0 <= i < Persons. The same seed gives the
// same person i in a city of any size. Out of range, the zero Person comes back
// with Index -1.
func (c *City) Person(i int) Person {
	if i < 0 || i >= c.persons {
		return Person{Index: -1}
	}
	b, f := c.birthOf(i), c.familyOf(i)
	rid, err := appendRID(nil, &b)
	if err != nil {
		return Person{Index: -1}
	}
	who := c.contactOf(i, &b, nil)
	p := Person{
		Index: i, RID: string(rid), Name: string(who.name), Phone: string(who.phone),
		Birth: dateOf(b.day), Age: b.age, Sex: sexOf(&b),
		District: f.district.code, HouseholdID: string(f.appendID(nil)), Kind: f.kind, Objection: who.objection,
	}
	c.addCivil(&p, &b)
	for nth := range c.homeCount(i, &b) {
		h := c.homeOf(i, nth, &b)
		p.Homes = append(p.Homes, Home{
			ID: string(h.appendID(nil)), AreaCenti: int64(h.area), District: h.district.code,
			Built: h.built, Mortgaged: h.mortgaged, ValueCents: h.value,
		})
	}
	c.addPolicy(&p, &b)
	return p
}

func (c *City) addCivil(p *Person, b *birth) {
	if p.InCivil = inCivil(b); !p.InCivil {
		return
	}
	row := c.civilOf(p.Index, b)
	p.Marital, p.SpouseRegion, p.CivilObjection = row.marital, row.spouseRegion, row.objection
	if row.set {
		p.Registered = dateOf(row.registered)
	}
}

func (c *City) addPolicy(p *Person, b *birth) {
	row, ok := c.policyOf(p.Index, b)
	if p.Insured = ok; !ok {
		return
	}
	p.Employer, p.Industry = row.employer.code, row.employer.industry.name
	p.Months, p.WageCents = row.months, int64(row.wage)
	p.Certified, p.Debtor = row.certified, row.debtor
}

func sexOf(b *birth) string {
	if b.male() {
		return Man
	}
	return Woman
}

// Stranger gives a valid resident number that nobody in this city has, for
// questions about absent subjects. Up to MaxPersons of them are distinct.
func (c *City) Stranger(n int) (string, error) {
	if n < 0 || n >= MaxPersons {
		return "", ErrParams
	}
	var first [17]byte
	day := dateOf(epochDay(AsOf()) - n/999%20_000)
	buf := append(first[:0], "65"...) // a province no number of this city names
	buf = appendDigits(buf, 2_700+n/999/20_000, 4)
	buf = appendDigits(buf, day.Year()*10_000+int(day.Month())*100+day.Day(), 8)
	return identifier.ResidentIDWithCheck(string(appendDigits(buf, n%999+1, 3)))
}
