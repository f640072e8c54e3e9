// Package city makes a synthetic city: four public registers about the same
// persons, large enough to measure with and exact enough to test against.
//
// Everything about person i is a pure function of the seed and i: it depends
// neither on the size of the city, nor on the rows before it, nor on the
// machine. All arithmetic is on integers. A test can therefore ask Person(i) for
// the expected answer without reading a file, and two runs give the same bytes.
//
// The registers are household (the roster: everybody, one row each), civil
// (persons of 20 and over), housing (one row per home, so that an owner of
// several appears in several rows that are not neighbours) and insurance.
// Attributes are skewed and correlated: age drives marriage, ownership and
// insurance, the employer drives the industry, months and industry the wage.
//
// What is protected: nothing here is personal data. Numbers, names and phones
// are drawn at random; they are well formed, so one may by chance equal a real
// one. What is not: the seed reveals the whole city, and the randomness is fit
// for test data only.
package city

import (
	"errors"
	"math"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
)

// Names of the four registers.
const (
	Household = "household"
	Civil     = "civil"
	Housing   = "housing"
	Insurance = "insurance"
)

// MaxPersons is the largest city: every person needs a number of his own.
const MaxPersons = 40_000_000

// DefaultDirt is the share of dirty rows when Params says nothing.
const DefaultDirt = 0.002

// Params describes a city. Only checked parameters reach a City.
type Params struct {
	// Persons is the size of the household register, 1 to MaxPersons.
	Persons int
	// Seed selects the city. Persons and Dirt do not change who person i is.
	Seed uint64
	// Dirt is the share of rows whose numbers, names, phones and employers are
	// written in a non-canonical form that still has the same canonical form:
	// full-width, lower case, spaced, prefixed, with another dot. 0 stands for
	// DefaultDirt; a negative value for none.
	Dirt float64
	// Invalid is the share of rows whose resident number is no valid number,
	// for tests of intake. Person still gives the valid one.
	Invalid float64
}

// ErrParams says that the parameters describe no city.
var ErrParams = errors.New("city: persons must be 1 to 40000000, shares at most 1")

// ErrTable says that there is no register of that name.
var ErrTable = errors.New("city: unknown table")

// City answers for every person and every table. It is immutable and safe for
// concurrent use.
type City struct {
	persons   int
	seed      uint64
	dirt      uint32 // threshold on 32 random bits
	invalid   uint32
	layout    *layout
	births    permutation // person -> place in the layout
	homes     permutation // home -> number on its certificate
	families  permutation // household -> number of its book
	employers []employer
}

// New checks p and lays the city out; it generates no row.
func New(p Params) (*City, error) {
	if p.Persons < 1 || p.Persons > MaxPersons || !(p.Dirt <= 1) || !(p.Invalid >= 0 && p.Invalid <= 1) {
		return nil, ErrParams
	}
	if p.Dirt == 0 {
		p.Dirt = DefaultDirt
	}
	l := newLayout()
	c := &City{
		persons: p.Persons, seed: p.Seed, layout: l,
		dirt: threshold(p.Dirt), invalid: threshold(p.Invalid),
		births:   newPermutation(p.Seed, streamBirths, l.places),
		homes:    newPermutation(p.Seed, streamHomeIDs, 1<<28),
		families: newPermutation(p.Seed, streamFamilyIDs, 1<<28),
	}
	var err error
	c.employers, err = newEmployers(p.Seed)
	return c, err
}

// threshold turns a share into a bound on 32 random bits; scaling by a power of
// two is exact, so the bound is the same on every machine.
func threshold(share float64) uint32 {
	if !(share > 0) {
		return 0
	}
	return uint32(min(share*(1<<32), math.MaxUint32))
}

// Tables lists the registers in the order in which they are written.
func (c *City) Tables() []string {
	return []string{Household, Civil, Housing, Insurance}
}

// Persons is the size of the roster.
func (c *City) Persons() int { return c.persons }

// Schema gives the columns of a register, or nil if there is no such register.
func (c *City) Schema(table string) *arrow.Schema {
	if t := tableOf(table); t != nil {
		return t.schema()
	}
	return nil
}

// AsOf is the day for which all registers hold: ages are reckoned on it and no
// event is later. It is a constant of the package, not the clock.
func AsOf() time.Time { return time.Date(asOfYear, asOfMonth, asOfDay, 0, 0, 0, 0, time.UTC) }

const (
	asOfYear  = 2026
	asOfMonth = time.October
	asOfDay   = 31
)
