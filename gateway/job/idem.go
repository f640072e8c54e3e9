package job

import (
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// idem binds the caller's key to what was asked. The party is part of the key. Both digests are keyed:
// whoever reads the disk without the keys cannot find out by trial whom a question was about.
func (r *Runner) idem(q *spec.Question) *ledger.Idem {
	var space [512]byte
	out := &ledger.Idem{Time: q.KeyTime.UnixMilli()}
	sum := r.subjects.Sum(space[:0], []byte("idempotency key"), []byte(q.Party), []byte(q.Key))
	out.Key = [16]byte(sum[:16])
	b := append(space[:0], byte(q.Kind))
	b = fields(b, q.Scenario, q.Query, q.Consent)
	for _, s := range q.Subjects {
		b = fields(b, s.Number, s.Name, s.Phone)
	}
	sum = r.subjects.Sum(nil, []byte("request"), b)
	out.Request = [16]byte(sum[:16])
	return out
}
