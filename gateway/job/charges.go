package job

import (
	"sync"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// quotaName is how a statement names the caller's own budget.
const quotaName = "answers per day"

// charges lists what a question costs. The first is always the unit's daily quota, whose balance the
// statement shows. Identity matches also count every attempt of the unit on each subject, absent
// subjects included; answers under a consent count against the consent's year.
func (r *Runner) charges(d *governance.Decision, people []person, now int64) []ledger.Limited {
	day := ledger.Day(now)
	unit, scenario := d.Unit.Party, d.Scenario.ID
	out := make([]ledger.Limited, 1, 3)
	out[0] = limited(ledger.Quota, r.quotas.of(unit, scenario), day, int64(max(len(people), 1)), d.Limits.PerDay)
	if d.Limits.Attempts {
		for i := range people {
			var space [32]byte
			sum := r.subjects.Sum(space[:0], []byte(unit), people[i].number)
			out = append(out, limited(ledger.Attempts, ledger.Scope(sum[:16]), day, 1, d.Limits.PerSubjectDay))
		}
	}
	if d.Consent != nil {
		out = append(out, limited(ledger.ConsentUse, scopeOf("consent", unit, d.Consent.ID), ledger.Year(now), 1, d.Policy.Settings().ConsentPerYear))
	}
	return out
}

// quotas remembers the scopes of the units that were granted something: as many as the domain files name.
type quotas struct{ known sync.Map }

type quotaKey struct{ unit, scenario string }

func (q *quotas) of(unit, scenario string) ledger.Scope {
	key := quotaKey{unit, scenario}
	if s, ok := q.known.Load(key); ok {
		return s.(ledger.Scope)
	}
	s := scopeOf("quota", unit, scenario)
	q.known.Store(key, s)
	return s
}

func limited(kind ledger.AccountKind, scope ledger.Scope, period int32, amount, limit int64) ledger.Limited {
	return ledger.Limited{
		Charge: ledger.Charge{Account: ledger.Account{Kind: kind, Scope: scope, Period: period}, Amount: amount},
		Limit:  limit,
	}
}

// exhaustedRule says by which rule an exhausted account refuses.
func exhaustedRule(kind ledger.AccountKind) governance.Rule {
	if kind == ledger.Attempts {
		return governance.AttemptsExhausted
	}
	return governance.QuotaExhausted
}
