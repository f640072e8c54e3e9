package alarms

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func rulesOf(as []Alarm) []Rule {
	var out []Rule
	for _, a := range as {
		out = append(out, a.Rule)
	}
	return out
}

// small thresholds, so that each rule is reached by few events.
func small() Thresholds {
	return Thresholds{
		Window: time.Minute, Absent: 5, AbsentPermille: 500, HitSample: 10, HitPermille: 300, Mismatches: 3,
		OddFrom: 0, OddTo: 5, Odd: 4, QuotaPermille: 900, Refused: 3,
	}
}

func repeat(w *Watch, n int, e Event) (out []Alarm) {
	for range n {
		out = append(out, w.Observe(e)...)
	}
	return out
}

func TestEachRuleSpeaksAtItsThresholdAndOnce(t *testing.T) {
	night := noon.Add(-10 * time.Hour)
	for name, c := range map[string]struct {
		event Event
		n     int
		rule  Rule
	}{
		"enumeration":    {Event{Asked: 1, Absent: 1, At: noon}, 5, Enumeration},
		"failed matches": {Event{Asked: 1, Mismatched: 1, At: noon}, 3, FailedMatches},
		"odd hours":      {Event{Asked: 1, At: night}, 4, OddHours},
		"refusals":       {Event{Refused: true, At: noon}, 3, Refusals},
		"near quota":     {Event{Asked: 1, Used: 90, Limit: 100, At: noon}, 1, NearQuota},
	} {
		w := New(small())
		require.Empty(t, repeat(w, c.n-1, c.event), name)
		got := repeat(w, 1, c.event)
		require.Equal(t, []Rule{c.rule}, rulesOf(got), name)
		require.GreaterOrEqual(t, got[0].Value, got[0].Threshold, name)
		require.NotContains(t, rulesOf(repeat(w, 2, c.event)), c.rule, name)
	}
}

func TestEnumerationNeedsAShareToo(t *testing.T) {
	w := New(small())
	require.Empty(t, w.Observe(Event{Asked: 100, Absent: 40, At: noon}))
}

func TestHitRateIsComparedWithTheWindowBefore(t *testing.T) {
	w := New(small())
	require.Empty(t, w.Observe(Event{Asked: 10, At: noon}))
	later := noon.Add(time.Minute)
	require.Empty(t, w.Observe(Event{Asked: 9, Absent: 3, At: later}), "too few to tell")
	require.Equal(t, []Rule{HitRate}, rulesOf(w.Observe(Event{Asked: 1, At: later})))
}

func TestAWindowEnds(t *testing.T) {
	w := New(small())
	e := Event{Asked: 1, Mismatched: 1, At: noon}
	repeat(w, 2, e)
	e.At = noon.Add(time.Minute)
	require.Empty(t, repeat(w, 2, e), "the count began anew")
	require.Equal(t, []Rule{FailedMatches}, rulesOf(repeat(w, 1, e)))
}

func TestPartiesAndScenariosAreWatchedApart(t *testing.T) {
	w := New(small())
	for i := range 50 {
		e := Event{Party: fmt.Sprint(i % 5), Scenario: fmt.Sprint(i / 5), Asked: 1, Mismatched: 1, At: noon}
		require.Empty(t, w.Observe(e))
	}
}

func TestZeroThresholdsSayNothing(t *testing.T) {
	w := New(Thresholds{Window: time.Minute})
	require.Empty(t, repeat(w, 100, Event{Asked: 5, Absent: 5, Mismatched: 5, Used: 9, Limit: 9, At: noon}))
	require.Empty(t, repeat(w, 100, Event{Refused: true, At: noon}))
}

func TestAtMostOneAlarmARuleAndWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(small())
		seen := map[Rule]int{}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			e := Event{
				At: noon, Refused: rapid.Bool().Draw(t, "refused"), Asked: rapid.Int64Range(0, 5).Draw(t, "asked"),
				Mismatched: rapid.Int64Range(0, 5).Draw(t, "mismatched"), Used: rapid.Int64Range(0, 10).Draw(t, "used"), Limit: 10,
			}
			e.Absent = rapid.Int64Range(0, e.Asked).Draw(t, "absent")
			for _, a := range w.Observe(e) {
				seen[a.Rule]++
			}
		}
		for rule, n := range seen {
			require.Equal(t, 1, n, string(rule))
		}
	})
}

func TestConcurrentObservers(t *testing.T) {
	w := New(small())
	var mu sync.Mutex
	count := 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			n := len(repeat(w, 100, Event{Asked: 1, Mismatched: 1, At: noon}))
			mu.Lock()
			count += n
			mu.Unlock()
		})
	}
	all.Wait()
	require.Equal(t, 1, count)
}

func TestParse(t *testing.T) {
	got, err := ParseThresholds("enumeration=7, refusals=0")
	require.NoError(t, err)
	want := Defaults()
	want.Absent, want.Refused = 7, 0
	require.Equal(t, want, got)
	for _, bad := range []string{"x=1", "enumeration", "enumeration=-1", "enumeration=a", "enumeration=1,,", "=", "enumeration=99999999999"} {
		_, err := ParseThresholds(bad)
		require.ErrorIs(t, err, ErrThresholds, bad)
	}
	rules, err := ParseRules("failed-matches,enumeration")
	require.NoError(t, err)
	require.Equal(t, map[Rule]bool{FailedMatches: true, Enumeration: true}, rules)
	_, err = ParseRules("all")
	require.ErrorIs(t, err, ErrThresholds)
}

func FuzzParseThresholds(f *testing.F) {
	f.Add("enumeration=7,refusals=0")
	f.Fuzz(func(t *testing.T, s string) {
		if th, err := ParseThresholds(s); err == nil {
			require.GreaterOrEqual(t, th.Absent, int64(0))
		}
	})
}
