package fpe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

// First and last birthday of the domain of resident numbers when the
// parameters name none.
const (
	DefaultFrom = "1900-01-01"
	DefaultTo   = "2029-12-31"
)

// Where the region of an enciphered resident number lies (Params.Region).
const (
	// RegionUnassigned: a code no person's number begins with, so that no real
	// person's number comes out.
	RegionUnassigned = "unassigned"
	// RegionAny: any code that may be a person's.
	RegionAny = "any"
	// RegionSame: the region stays, birthday and sequence are enciphered
	// within it.
	RegionSame = "same"
)

const (
	ruleResident  = "not a resident number"
	ruleOld       = "a resident number of fifteen digits"
	ruleRegion    = "a region code outside the domain"
	ruleBirthday  = "a birthday outside the domain"
	ruleDecipher  = "not a number this key has made"
	widthResident = 18
	regionSize    = 6
	dayLayout     = "2006-01-02"
)

// resident ranks numbers by region, day and sequence.
type resident struct {
	first, days uint64 // of the domain, from 1800-01-01
	same        bool
	upgrade     bool
	from, to    bool   // regions read, and written, are the assigned ones
	limit       uint64 // ranks that may be written
}

func newResident(p Params, key []byte, back bool) (kernel.Kernel, error) {
	if err := p.only("region", "old", "domain", "from", "to"); err != nil {
		return nil, err
	}
	if p.Domain == "" {
		p.Domain = identifier.ResidentDomainVersion
	}
	if p.Domain != identifier.ResidentDomainVersion {
		return nil, fmt.Errorf("parameter domain: want version %s", identifier.ResidentDomainVersion)
	}
	r := &resident{from: true, to: true}
	if err := r.choose(&p); err != nil {
		return nil, err
	}
	if err := r.span(&p); err != nil {
		return nil, err
	}
	e, err := engineFor(key, TypeResident, p.Domain, p.Region, p.From, p.To, p.Tweak)
	if err != nil {
		return nil, err
	}
	size, tweak := r.days*identifier.ResidentSequences, []byte(nil)
	r.limit = size
	switch p.Region {
	case RegionSame:
		tweak = make([]byte, regionSize) // the code of each row is added to it
	case RegionAny:
		size *= identifier.AssignedRegions
		r.limit = size
	default:
		r.limit = size * identifier.AssignedRegions
		size *= identifier.UnassignedRegions
		if !back {
			r.limit = size
		}
		r.from, r.to = !back, back
	}
	if size < minDomain {
		return nil, errors.New("parameters from and to: fewer than 10^6 possible numbers")
	}
	return &integers{e: e, s: e.newDomain(size, tweak), size: size, width: widthResident, back: back, kind: r}, nil
}

// choose reads the parameters region and old.
func (r *resident) choose(p *Params) error {
	switch p.Region {
	case "":
		p.Region = RegionUnassigned
	case RegionSame:
		r.same = true
	case RegionAny, RegionUnassigned:
	default:
		return errors.New("parameter region: want unassigned, any or same")
	}
	switch p.Old {
	case "", "refuse":
	case "upgrade":
		r.upgrade = true
	default:
		return errors.New("parameter old: want refuse or upgrade")
	}
	return nil
}

// span reads the parameters from and to.
func (r *resident) span(p *Params) error {
	if p.From == "" {
		p.From = DefaultFrom
	}
	if p.To == "" {
		p.To = DefaultTo
	}
	first, ok := dayOf(p.From)
	if !ok {
		return errors.New("parameter from: want a day of the years 1800 to 2099")
	}
	last, ok := dayOf(p.To)
	if !ok || last < first {
		return errors.New("parameter to: want a day of the years 1800 to 2099, not before from")
	}
	r.first, r.days = uint64(first), uint64(last-first)+1
	return nil
}

func dayOf(s string) (uint32, bool) {
	t, err := time.Parse(dayLayout, s)
	if err != nil {
		return 0, false
	}
	return identifier.ResidentDay(t.Year(), int(t.Month()), t.Day())
}

func (r *resident) read(v []byte) (rank, extra uint64, rule string) {
	n, old, err := identifier.ParseResident(v)
	if err != nil {
		return 0, 0, ruleResident
	}
	if old && !r.upgrade {
		return 0, 0, ruleOld
	}
	day := uint64(n.Day) - r.first
	if day >= r.days {
		return 0, 0, ruleBirthday
	}
	rank = day*identifier.ResidentSequences + uint64(n.Sequence)
	if r.same {
		return rank, regionTweak(n.Region), ""
	}
	index, assigned, ok := identifier.RegionIndex(n.Region)
	if !ok || assigned != r.from {
		return 0, 0, ruleRegion
	}
	return uint64(index)*r.days*identifier.ResidentSequences + rank, 0, ""
}

func (r *resident) write(dst []byte, rank, extra uint64) ([]byte, string) {
	if rank >= r.limit {
		return dst, ruleDecipher
	}
	n := identifier.ResidentNumber{Sequence: uint32(rank % identifier.ResidentSequences)}
	rank /= identifier.ResidentSequences
	n.Day = uint32(rank%r.days + r.first)
	if r.same {
		n.Region = regionOf(extra)
	} else {
		n.Region, _ = identifier.RegionAt(uint32(rank/r.days), r.to)
	}
	dst, err := n.Append(dst)
	if err != nil {
		return dst, ruleResident
	}
	return dst, ""
}

// regionTweak is a region code as the first six bytes of a block.
func regionTweak(code uint32) uint64 {
	var b [8]byte
	for i := regionSize - 1; i >= 0; i-- {
		b[i] = byte('0' + code%10)
		code /= 10
	}
	return binary.BigEndian.Uint64(b[:])
}

func regionOf(tweak uint64) uint32 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], tweak)
	code := uint32(0)
	for _, c := range b[:regionSize] {
		code = code*10 + uint32(c-'0')
	}
	return code
}
