package job

import (
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// idem binds the caller's key to what was asked. The party is part of the key. Both digests are keyed:
// whoever reads the disk without the keys cannot find out by trial whom a question was about. One tag is
// made of party and key. Its first half is stored; the second, 128 bits that nobody else has, goes before
// the request into SM3, of which half is stored, so that it can neither be tried nor lengthened. The same
// request under two keys has two digests.
func (r *Runner) idem(q *spec.Question) *ledger.Idem {
	var tag [32]byte
	var space [512]byte
	out := &ledger.Idem{Time: q.KeyTime.UnixMilli()}
	r.subjects.Sum(tag[:0], []byte("idempotency key"), []byte(q.Party), []byte(q.Key))
	b := append(space[:0], tag[16:]...)
	b = append(b, byte(q.Kind))
	b = fields(b, q.Scenario, q.Query, q.Consent)
	for _, s := range q.Subjects {
		b = fields(b, s.Number, s.Name, s.Phone)
	}
	sum := audit.HashOf(b)
	copy(out.Key[:], tag[:16])
	copy(out.Request[:], sum[:16])
	return out
}
