package governance

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // days are those of Asia/Shanghai, on every machine
)

// Date is a calendar day in Asia/Shanghai. The zero Date means none.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

const dateLayout = "2006-01-02"

// zone is the time of the domain. Should the embedded zone be unreadable the fixed
// offset is the same for every date a domain file can hold from 1992 on.
var zone = sync.OnceValue(func() *time.Location {
	if z, err := time.LoadLocation("Asia/Shanghai"); err == nil {
		return z
	}
	return time.FixedZone("+08:00", 8*60*60)
})

// ParseDate reads YYYY-MM-DD, years 1900 to 2199.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil || t.Year() < 1900 || t.Year() > 2199 {
		return Date{}, fmt.Errorf("date: want YYYY-MM-DD")
	}
	return dateOf(t), nil
}

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero says that there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// String gives YYYY-MM-DD, or "" for none.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText gives YYYY-MM-DD, or nothing for none.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Start is the first instant of the day in Asia/Shanghai.
func (d Date) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone()) }

// End is the first instant after the day: an inclusive "until" ends here.
func (d Date) End() time.Time { return time.Date(d.Year, d.Month, d.Day+1, 0, 0, 0, 0, zone()) }

// Before compares calendar days.
func (d Date) Before(e Date) bool {
	return d.Year < e.Year || d.Year == e.Year && (d.Month < e.Month || d.Month == e.Month && d.Day < e.Day)
}

// addYears gives the corresponding day n years on; where there is none (29 February), the last day of that month.
func (d Date) addYears(n int) Date {
	out := Date{d.Year + n, d.Month, d.Day}
	for dateOf(time.Date(out.Year, out.Month, out.Day, 0, 0, 0, 0, time.UTC)).Month != out.Month {
		out.Day--
	}
	return out
}
