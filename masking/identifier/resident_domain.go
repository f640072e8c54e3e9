package identifier

// ResidentDomainVersion names the valid domain of resident numbers below: which
// region codes count as assigned, the days, the sequences. A number enciphered
// within a domain can be deciphered only within the same; a change of the
// regions is a new version.
const ResidentDomainVersion = "1"

const (
	// ResidentDays is the number of days from 1800-01-01 to 2099-12-31.
	ResidentDays = 109573
	// ResidentSequences is the number of sequence codes of a region and a day.
	ResidentSequences = 1000
)

// Sizes of the two sets of region codes. Both follow the coding rules of GB/T
// 2260: two digits each for province, city and county. A code counts as
// assigned when its city code lies in a range that published lists have drawn
// from, whether or not that very code was ever given out; should a city code be
// opened that is free here, a new version is due.
const (
	mainland  = 31 // province-level codes 11 to 65
	inUse     = 52 // city codes 00 to 45, 51 to 55, 90
	notInUse  = 100 - inUse
	counties  = 100
	permits   = 3     // 810000, 820000, 830000: residence permits
	ofTaiwan  = 10000 // 71....
	ofPermits = 9999  // 81...., 82...., 83...., apart from the three above
	// AssignedRegions counts the codes a person's number can begin with.
	AssignedRegions = mainland*inUse*counties + permits
	// UnassignedRegions counts the codes that pass for a region here and that
	// no person's number begins with.
	UnassignedRegions = mainland*notInUse*counties + ofTaiwan + permits*ofPermits
)

// ResidentNumber is a resident number without its check character.
type ResidentNumber struct {
	Region   uint32 // six digits, as a number
	Day      uint32 // days since 1800-01-01, below ResidentDays
	Sequence uint32 // below ResidentSequences
}

// ParseResident reads a resident number in any spelling Canonical accepts; old
// tells the fifteen-digit form. An error is always an *Error.
func ParseResident(s []byte) (n ResidentNumber, old bool, err error) {
	var buf [residentLen]byte
	full := s
	if len(s) != residentLen || !digits(s[:residentLen-1]) {
		var c code
		if rule := c.fold(s); rule == "" {
			old = c.n == residentOldLen
		}
		if full, err = AppendCanonical(buf[:0], ResidentID, s); err != nil {
			return n, false, err
		}
	} else if rule := residentRule(s); rule != "" {
		return n, false, &Error{Kind: ResidentID, Rule: rule}
	}
	n.Region = uint32(number(full[:6]))
	n.Day, _ = ResidentDay(number(full[6:10]), number(full[10:12]), number(full[12:14]))
	n.Sequence = uint32(number(full[14:17]))
	return n, old, nil
}

// residentRule checks 18 characters of which the first 17 are digits.
func residentRule(s []byte) string {
	if rule := residentBody(s[:residentLen-1]); rule != "" {
		return rule
	}
	last := s[residentLen-1]
	if last == 'x' {
		last = 'X'
	}
	if last != residentCheckOf(s[:residentLen-1]) {
		if last == 'X' || last >= '0' && last <= '9' {
			return RuleCheck
		}
		return RuleCharacter
	}
	return ""
}

// Append appends the 18 characters of the number to dst. It fails, with dst as
// it came, when a part is out of range or the region names no province.
func (n ResidentNumber) Append(dst []byte) ([]byte, error) {
	rule := ""
	switch {
	case n.Region > 999999 || !isProvince(int(n.Region/10000)):
		rule = RuleRegion
	case n.Day >= ResidentDays:
		rule = RuleDate
	case n.Sequence >= ResidentSequences:
		rule = RuleLength
	}
	if rule != "" {
		return dst, &Error{Kind: ResidentID, Rule: rule}
	}
	var b [residentLen]byte
	year, month, day := dateOf(n.Day)
	put(b[:6], n.Region)
	put(b[6:10], year)
	put(b[10:12], month)
	put(b[12:14], day)
	put(b[14:17], n.Sequence)
	b[17] = residentCheckOf(b[:17])
	return append(dst, b[:]...), nil
}

// put writes x as decimal digits, zeros first.
func put(b []byte, x uint32) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + x%10)
		x /= 10
	}
}

// Days of the proleptic Gregorian calendar, counted from 1 March of the year 0,
// so that a leap day ends its year.
const (
	perEra   = 146097 // 400 years
	of1800   = 657377 // 1800-01-01
	perYear  = 365
	perSpan  = 153 // March to July, August to December
	perSpanM = 5
)

// ResidentDay numbers a day from 1800-01-01 on; false for what is no day of the
// years 1800 to 2099.
func ResidentDay(year, month, day int) (uint32, bool) {
	if !isDay(year, month, day) {
		return 0, false
	}
	y, m := uint32(year), uint32(month)
	if m <= 2 {
		y--
		m += 12
	}
	return perYear*y + y/4 - y/100 + y/400 + (perSpan*(m-3)+2)/perSpanM + uint32(day) - 1 - of1800, true
}

// dateOf is the reverse of ResidentDay, for days below ResidentDays.
func dateOf(n uint32) (year, month, day uint32) {
	n += of1800
	era := n / perEra
	n %= perEra
	y := (n - n/1460 + n/36524 - n/(perEra-1)) / perYear
	n -= perYear*y + y/4 - y/100
	m := (perSpanM*n + 2) / perSpan
	day = n - (perSpan*m+2)/perSpanM + 1
	year, month = era*400+y, m+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

// RegionIndex gives a region code its place among the assigned ones, or among
// the unassigned ones. ok is false when its province does not exist.
func RegionIndex(code uint32) (index uint32, assigned, ok bool) {
	province, city, county := code/10000, code/100%100, code%100
	if code > 999999 || !isProvince(int(province)) {
		return 0, false, false
	}
	switch {
	case province == 71:
		return mainland*notInUse*counties + code%10000, false, true
	case province > 80 && code%10000 == 0:
		return mainland*inUse*counties + province - 81, true, true
	case province > 80:
		return mainland*notInUse*counties + ofTaiwan + (province-81)*ofPermits + code%10000 - 1, false, true
	}
	at, used := cityIndex(city)
	if used {
		return (provinceIndex(province)*inUse+at)*counties + county, true, true
	}
	return (provinceIndex(province)*notInUse+at)*counties + county, false, true
}

// RegionAt is the reverse of RegionIndex. ok is false beyond the last code.
func RegionAt(index uint32, assigned bool) (code uint32, ok bool) {
	per, size := uint32(notInUse), uint32(UnassignedRegions)
	if assigned {
		per, size = inUse, AssignedRegions
	}
	if index >= size {
		return 0, false
	}
	if cities := index / counties; cities < mainland*per {
		return (provinceAt(cities/per)*100+cityAt(cities%per, assigned))*100 + index%counties, true
	}
	index -= mainland * per * counties
	if assigned {
		return (81 + index) * 10000, true
	}
	if index < ofTaiwan {
		return 71*10000 + index, true
	}
	index -= ofTaiwan
	return (81+index/ofPermits)*10000 + index%ofPermits + 1, true
}

// cityIndex gives a city code its place among those in use, or not in use.
func cityIndex(c uint32) (at uint32, used bool) {
	switch {
	case c <= 45:
		return c, true
	case c <= 50:
		return c - 46, false
	case c <= 55:
		return c - 5, true
	case c < 90:
		return c - 51, false
	case c == 90:
		return inUse - 1, true
	}
	return c - 52, false
}

func cityAt(at uint32, used bool) uint32 {
	switch {
	case used && at <= 45:
		return at
	case used && at == inUse-1:
		return 90
	case used:
		return at + 5
	case at < 5:
		return at + 46
	case at < 39:
		return at + 51
	}
	return at + 52
}

// provinceIndex is the place of a mainland province among the 31.
func provinceIndex(p uint32) uint32 {
	switch p / 10 {
	case 1:
		return p - 11
	case 2:
		return p - 21 + 5
	case 3:
		return p - 31 + 8
	case 4:
		return p - 41 + 15
	case 5:
		return p - 50 + 21
	}
	return p - 61 + 26
}

func provinceAt(i uint32) uint32 {
	switch {
	case i < 5:
		return 11 + i
	case i < 8:
		return 21 + i - 5
	case i < 15:
		return 31 + i - 8
	case i < 21:
		return 41 + i - 15
	case i < 26:
		return 50 + i - 21
	}
	return 61 + i - 26
}
