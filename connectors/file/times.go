package file

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/connectors"
)

// two reads two digits.
func two(c []byte) (int, bool) {
	a, b := c[0]-'0', c[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// parseDate reads YYYY-MM-DD, years 0001 to 9999, days that exist.
func parseDate(c []byte) (arrow.Date32, bool) {
	if len(c) != 10 || c[4] != '-' || c[7] != '-' {
		return 0, false
	}
	cent, ok1 := two(c)
	yy, ok2 := two(c[2:])
	m, ok3 := two(c[5:])
	d, ok4 := two(c[8:])
	y := cent*100 + yy
	if !ok1 || !ok2 || !ok3 || !ok4 || y < 1 || m < 1 || m > 12 || d < 1 || d > monthDays(y, m) {
		return 0, false
	}
	return arrow.Date32(civilDays(y, m, d)), true
}

func monthDays(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// civilDays counts the days from 1970-01-01 in the proleptic Gregorian
// calendar; the year is taken to begin in March so that leap days come last.
func civilDays(y, m, d int) int {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}

// parseTimestamp reads YYYY-MM-DD, a space or T, HH:MM:SS, optional milliseconds
// (further digits must be zero), and an optional zone, Z or ±HH:MM. Without a
// zone it is a wall clock in UTC+08:00.
func parseTimestamp(c []byte) (arrow.Timestamp, bool) {
	if len(c) < 19 || (c[10] != ' ' && c[10] != 'T') || c[13] != ':' || c[16] != ':' {
		return 0, false
	}
	day, ok0 := parseDate(c[:10])
	h, ok1 := two(c[11:])
	m, ok2 := two(c[14:])
	s, ok3 := two(c[17:])
	if !ok0 || !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || s > 59 {
		return 0, false
	}
	ms, rest, ok4 := parseMillis(c[19:])
	zone, ok5 := parseZone(rest)
	if !ok4 || !ok5 {
		return 0, false
	}
	secs := int64(day)*86400 + int64(h*3600+m*60+s-zone)
	return arrow.Timestamp(secs*1000 + int64(ms)), true
}

// parseMillis reads a fraction of a second that is a whole number of
// milliseconds and gives what follows it.
func parseMillis(c []byte) (ms int, rest []byte, ok bool) {
	if len(c) == 0 || c[0] != '.' {
		return 0, c, true
	}
	i, unit := 1, 100
	for ; i < len(c) && c[i] >= '0' && c[i] <= '9'; i++ {
		if unit == 0 && c[i] != '0' {
			return 0, nil, false
		}
		ms += int(c[i]-'0') * unit
		unit /= 10
	}
	return ms, c[i:], i > 1 && i <= 10
}

// parseZone reads nothing, Z or ±HH:MM and gives the offset in seconds.
func parseZone(c []byte) (int, bool) {
	switch {
	case len(c) == 0:
		return connectors.BeijingOffset, true
	case len(c) == 1 && c[0] == 'Z':
		return 0, true
	case len(c) != 6 || (c[0] != '+' && c[0] != '-') || c[3] != ':':
		return 0, false
	}
	h, ok1 := two(c[1:])
	m, ok2 := two(c[4:])
	off := h*3600 + m*60
	if c[0] == '-' {
		off = -off
	}
	return off, ok1 && ok2 && h <= 18 && m <= 59
}
