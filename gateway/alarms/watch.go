package alarms

import (
	"sync"
	"time"
)

// Event is one question that ended. Counts are of subjects: one, or the rows of a batch.
type Event struct {
	Party, Scenario string
	At              time.Time // civil time of the domain
	Refused         bool
	Asked           int64 // subjects asked about
	Absent          int64 // of them not found
	Mismatched      int64 // identity matches that failed
	// Used and Limit are the unit's quota after this question; Limit 0 is none.
	Used, Limit int64
}

// Alarm is one rule that spoke about one party. Value and Threshold are counts or per mille.
type Alarm struct {
	Rule             Rule
	Party, Scenario  string
	At               time.Time
	Value, Threshold int64
}

// key of a watched party in a scenario.
type key struct{ party, scenario string }

// window is what is known of a party in a scenario since begin, and its share of hits before.
type window struct {
	begin                                   time.Time
	asked, absent, mismatched, refused, odd int64
	spoke                                   map[Rule]bool
	hitPermille                             int64 // of earlier windows, -1 unknown
	quotaDay                                int
}

// maxParties bounds what is watched; beyond it, windows that have ended are forgotten first.
const maxParties = 100_000

// Watch turns events into alarms. It is safe for concurrent use.
type Watch struct {
	t       Thresholds
	mu      sync.Mutex
	windows map[key]*window
}

// New watches by thresholds.
func New(t Thresholds) *Watch { return &Watch{t: t, windows: map[key]*window{}} }

// Observe takes an event and returns the alarms it raises; each rule speaks at most once a window for
// a party in a scenario, and NearQuota once a day.
func (w *Watch) Observe(e Event) []Alarm {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := key{e.Party, e.Scenario}
	win := w.windows[k]
	if win == nil {
		w.makeRoom(e.At)
		win = &window{begin: e.At, spoke: map[Rule]bool{}, hitPermille: -1}
		w.windows[k] = win
	}
	if e.At.Sub(win.begin) >= w.t.Window {
		win.roll(e.At, w.t.HitSample)
	}
	win.add(&e, &w.t)
	return w.judge(win, &e)
}

func (w *Watch) makeRoom(now time.Time) {
	if len(w.windows) < maxParties {
		return
	}
	for k, win := range w.windows {
		if now.Sub(win.begin) >= w.t.Window {
			delete(w.windows, k)
		}
	}
}

// roll begins a new window. The share of hits is remembered only from a large enough sample.
func (win *window) roll(now time.Time, sample int64) {
	if sample > 0 && win.asked >= sample {
		win.hitPermille = permille(win.asked-win.absent, win.asked)
	}
	*win = window{begin: now, spoke: map[Rule]bool{}, hitPermille: win.hitPermille, quotaDay: win.quotaDay}
}

func (win *window) add(e *Event, t *Thresholds) {
	if e.Refused {
		win.refused++
	} else {
		win.asked += e.Asked
		win.absent += e.Absent
		win.mismatched += e.Mismatched
	}
	if h := e.At.Hour(); h >= t.OddFrom && h < t.OddTo {
		win.odd += max(e.Asked, 1)
	}
}

func (w *Watch) judge(win *window, e *Event) []Alarm {
	var out []Alarm
	t := &w.t
	say := func(r Rule, value, threshold int64, on bool) {
		if threshold > 0 && on && !win.spoke[r] {
			win.spoke[r] = true
			out = append(out, Alarm{Rule: r, Party: e.Party, Scenario: e.Scenario, At: e.At, Value: value, Threshold: threshold})
		}
	}
	say(Enumeration, win.absent, t.Absent, win.absent >= t.Absent && permille(win.absent, win.asked) >= t.AbsentPermille)
	say(FailedMatches, win.mismatched, t.Mismatches, win.mismatched >= t.Mismatches)
	say(OddHours, win.odd, t.Odd, win.odd >= t.Odd)
	say(Refusals, win.refused, t.Refused, win.refused >= t.Refused)
	if win.hitPermille >= 0 && t.HitSample > 0 && win.asked >= t.HitSample {
		moved := permille(win.asked-win.absent, win.asked) - win.hitPermille
		say(HitRate, max(moved, -moved), t.HitPermille, max(moved, -moved) >= t.HitPermille)
	}
	if day := e.At.YearDay() + 1000*e.At.Year(); e.Limit > 0 && t.QuotaPermille > 0 && win.quotaDay != day {
		if used := permille(e.Used, e.Limit); used >= t.QuotaPermille {
			win.quotaDay = day
			out = append(out, Alarm{Rule: NearQuota, Party: e.Party, Scenario: e.Scenario, At: e.At, Value: used, Threshold: t.QuotaPermille})
		}
	}
	return out
}

func permille(part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	return part * 1000 / whole
}
