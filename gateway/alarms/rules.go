package alarms

import "time"

// Rule names a kind of alarm.
type Rule string

const (
	// Enumeration: many subjects that are not there, as when numbers are tried out.
	Enumeration Rule = "enumeration"
	// HitRate: the share of subjects found moved far from what this party's has been.
	HitRate Rule = "hit-rate"
	// FailedMatches: a burst of identity matches that fail.
	FailedMatches Rule = "failed-matches"
	// OddHours: many questions in the small hours.
	OddHours Rule = "odd-hours"
	// NearQuota: a quota nearly used up.
	NearQuota Rule = "near-quota"
	// Refusals: a burst of refused questions, as when the border is probed.
	Refusals Rule = "refusals"
)

// Thresholds say from when on a rule speaks. Zero in a count switches its rule off.
type Thresholds struct {
	Window         time.Duration // over which counts run
	Absent         int64         // Enumeration: absent subjects in a window
	AbsentPermille int64         // Enumeration: and their share of all
	HitSample      int64         // HitRate: answers before a share is trusted
	HitPermille    int64         // HitRate: distance from the share before
	Mismatches     int64         // FailedMatches: in a window
	OddFrom, OddTo int           // OddHours: civil hours, from inclusive to exclusive
	Odd            int64         // OddHours: questions in a window
	QuotaPermille  int64         // NearQuota: part of the quota
	Refused        int64         // Refusals: in a window
}

// Defaults suit a unit with some thousand questions a day.
func Defaults() Thresholds {
	return Thresholds{
		Window: 10 * time.Minute, Absent: 200, AbsentPermille: 500, HitSample: 500, HitPermille: 300, Mismatches: 30,
		OddFrom: 0, OddTo: 5, Odd: 500, QuotaPermille: 900, Refused: 100,
	}
}
