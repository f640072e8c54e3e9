package alarms

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// ErrThresholds: want rule=count,rule=count with known rules and counts of 0 or more.
var ErrThresholds = errors.New("alarms: want RULE=COUNT,... with known rules")

// Rules lists all rules.
func Rules() []Rule {
	return []Rule{Enumeration, HitRate, FailedMatches, OddHours, NearQuota, Refusals}
}

// ParseThresholds reads RULE=COUNT,... over the defaults. Counts are subjects, questions or per mille as
// the rule counts; 0 switches a rule off.
func ParseThresholds(s string) (Thresholds, error) {
	t := Defaults()
	for _, part := range split(s) {
		name, value, ok := strings.Cut(part, "=")
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32)
		if !ok || err != nil || n < 0 {
			return Thresholds{}, ErrThresholds
		}
		at, ok := map[Rule]*int64{
			Enumeration: &t.Absent, HitRate: &t.HitPermille, FailedMatches: &t.Mismatches, OddHours: &t.Odd,
			NearQuota: &t.QuotaPermille, Refusals: &t.Refused,
		}[Rule(strings.TrimSpace(name))]
		if !ok {
			return Thresholds{}, ErrThresholds
		}
		*at = n
	}
	return t, nil
}

// ParseRules reads a list of rules separated by commas.
func ParseRules(s string) (map[Rule]bool, error) {
	out := map[Rule]bool{}
	for _, part := range split(s) {
		r := Rule(strings.TrimSpace(part))
		if !slices.Contains(Rules(), r) {
			return nil, ErrThresholds
		}
		out[r] = true
	}
	return out, nil
}

func split(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return strings.Split(s, ",")
}
