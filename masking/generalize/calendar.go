package generalize

import (
	"math"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	secondsPerDay = 86400
	minDay        = -719528 // 0000-01-01
	maxDay        = 2932896 // 9999-12-31
	noDay         = math.MinInt32
)

// civil gives year and month of a day since 1970-01-01 in the proleptic
// Gregorian calendar, for days of the years 0 to 9999. After Neri and
// Schneider, "Euclidean affine functions and their application to calendar
// algorithms", 2022: no branch, no table.
func civil(day int32) (year, month uint32) {
	// Day 0 of the computation is 0000-03-01 of an era before year 0.
	const shift, era = 719468, 146097
	n1 := 4*uint32(day+shift+era) + 3
	century, rest := n1/era, n1%era/4
	p := 2939745 * uint64(4*rest+3)
	ofYear := uint32(p) / 2939745 / 4
	year = 100*century + uint32(p>>32) - 400
	month = (2141*ofYear + 197913) >> 16
	if ofYear >= 306 {
		return year + 1, month - 12
	}
	return year, month
}

// dayOf is the day since 1970-01-01 of the first of a month.
func dayOf(year, month uint32) int32 {
	y, m := int32(year), int32(month)
	if m <= 2 {
		y--
		m += 12
	}
	y += 400 // keeps the divisions below on positive numbers for year 0
	return 365*y + y/4 - y/100 + y/400 + (153*m-457)/5 - 719468 - 146097
}

// openDays reads a column as days since 1970-01-01; what is no date, or too
// far away, is noDay. A date32 column aliases the input.
func openDays(in arrow.Array) ([]int32, kernel.Validity, error) {
	switch t := in.DataType().(type) {
	case *arrow.StringType:
		return textDays[int32](in)
	case *arrow.LargeStringType:
		return textDays[int64](in)
	case *arrow.TimestampType:
		return stampDays(in, t)
	case *arrow.Date64Type:
		return stampDays(in, &arrow.TimestampType{Unit: arrow.Millisecond})
	}
	raw, v, err := kernel.OpenFixed(in, 4)
	return arrow.GetData[int32](raw), v, err
}

func stampDays(in arrow.Array, t *arrow.TimestampType) ([]int32, kernel.Validity, error) {
	raw, v, err := kernel.OpenFixed(in, 8)
	if err != nil {
		return nil, v, err
	}
	zone, err := zoneOf(t)
	if err != nil {
		return nil, v, err
	}
	days := make([]int32, in.Len())
	perSecond := ticks(t.Unit)
	for i, x := range arrow.GetData[int64](raw) {
		sec := floorDiv(x, perSecond)
		day := floorDiv(sec, secondsPerDay)
		if zone != time.UTC && day >= minDay-1 && day <= maxDay+1 {
			_, off := time.Unix(sec, 0).In(zone).Zone()
			day = floorDiv(sec+int64(off), secondsPerDay)
		}
		days[i] = noDay
		if day >= minDay && day <= maxDay {
			days[i] = int32(day)
		}
	}
	return days, v, nil
}

func ticks(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Millisecond:
		return 1e3
	case arrow.Microsecond:
		return 1e6
	case arrow.Nanosecond:
		return 1e9
	}
	return 1
}

// zoneOf is the time zone of a timestamp; UTC when it has none.
func zoneOf(t *arrow.TimestampType) (*time.Location, error) {
	if t.TimeZone == "" {
		return time.UTC, nil
	}
	zone, err := t.GetZone()
	if err != nil || zone == nil {
		return nil, errZone
	}
	return zone, nil
}

func isUTC(t *arrow.TimestampType) (bool, error) {
	zone, err := zoneOf(t)
	return zone == time.UTC, err
}

func textDays[O kernel.Offset](in arrow.Array) ([]int32, kernel.Validity, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, s.Valid, err
	}
	if err := s.Check(); err != nil {
		return nil, s.Valid, err
	}
	days := make([]int32, s.N)
	for i := range days {
		days[i] = parseDay(s.At(i))
	}
	return days, s.Valid, nil
}

// parseDay reads 2006-01-02 or 20060102, and nothing else; noDay otherwise.
func parseDay(b []byte) int32 {
	if len(b) == 10 && b[4] == '-' && b[7] == '-' {
		b = []byte{b[0], b[1], b[2], b[3], b[5], b[6], b[8], b[9]}
	}
	if len(b) != 8 {
		return noDay
	}
	var n uint32
	for _, c := range b {
		if c < '0' || c > '9' {
			return noDay
		}
		n = n*10 + uint32(c-'0')
	}
	year, month, day := n/10000, n/100%100, int32(n%100)
	if month < 1 || month > 12 || day < 1 {
		return noDay
	}
	first := dayOf(year, month)
	if y, m := civil(first + day - 1); y != year || m != month {
		return noDay
	}
	return first + day - 1
}
