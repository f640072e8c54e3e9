package dateshift

// Days since 1970-01-01 in the proleptic Gregorian calendar.
const (
	minDay = -719528 // 0000-01-01
	maxDay = 2932896 // 9999-12-31
	perEra = 146097  // days of 400 years
)

// parseDay reads 2006-01-02 or 20060102, and nothing else.
func parseDay(b []byte) (int32, bool) {
	var d [8]byte
	switch {
	case len(b) == 10 && b[4] == '-' && b[7] == '-':
		copy(d[:], b[:4])
		copy(d[4:], b[5:7])
		copy(d[6:], b[8:])
	case len(b) == 8:
		copy(d[:], b)
	default:
		return 0, false
	}
	n := uint32(0)
	for _, c := range d {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	year, month, day := n/10000, n/100%100, n%100
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	at := dayOf(year, month, day)
	y, m, _ := civil(at)
	return at, y == year && m == month
}

// writeDay writes the date into 8 or 10 bytes, in the form of that length.
func writeDay(dst []byte, at int32) {
	year, month, day := civil(at)
	put(dst[:4], year)
	if len(dst) == 10 {
		dst[4], dst[7] = '-', '-'
		put(dst[5:7], month)
		put(dst[8:], day)
		return
	}
	put(dst[4:6], month)
	put(dst[6:], day)
}

// put writes x as decimal digits, zeros first.
func put(b []byte, x uint32) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + x%10)
		x /= 10
	}
}

// Both computations count from 1 March of the year -400, so that a leap day
// ends its year and every number is positive.
const shift = -minDay + perEra - 60 // 0000-01-01 is 60 days before 0000-03-01

func dayOf(year, month, day uint32) int32 {
	y, m := year+400, month
	if m <= 2 {
		y--
		m += 12
	}
	return int32(365*y+y/4-y/100+y/400+(153*(m-3)+2)/5+day-1) - shift
}

func civil(at int32) (year, month, day uint32) {
	n := uint32(at + shift)
	era := n / perEra
	n %= perEra
	y := (n - n/1460 + n/36524 - n/(perEra-1)) / 365
	n -= 365*y + y/4 - y/100
	m := (5*n + 2) / 153
	day = n - (153*m+2)/5 + 1
	year, month = era*400+y-400, m+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}
