package ledger

import "time"

// shanghai is UTC+8 without daylight saving, which is what Asia/Shanghai has been since 1992.
var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// Day numbers the civil day in Asia/Shanghai of a Unix millisecond time, from 1970-01-01.
func Day(ms int64) int32 {
	const day = 24 * 3600 * 1000
	return int32((ms + 8*3600*1000) / day)
}

// Year is the civil year in Asia/Shanghai.
func Year(ms int64) int32 { return int32(time.UnixMilli(ms).In(shanghai).Year()) }

// prune drops accounts of past days and idempotency keys past the horizon once a day of log time.
// It reads only frames' time, so that replaying them gives the same state.
func (l *Ledger) prune() {
	today := Day(l.time)
	if today <= l.pruned {
		return
	}
	l.pruned = today
	for a, b := range l.accounts {
		if !daily(a.Kind) || a.Period >= today {
			continue
		}
		if b.held == 0 {
			delete(l.accounts, a)
			continue
		}
		l.accounts[a] = balance{held: b.held}
	}
	l.keys.lapse(l.time - Horizon.Milliseconds())
}

func daily(k AccountKind) bool { return k == Quota || k == Attempts || k == JobRuns }
