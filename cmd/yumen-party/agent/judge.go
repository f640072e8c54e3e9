package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
)

// Rules of objections beside those of package plan.
const (
	RuleRecomputed = "recomputed-otherwise" // the gateway's openings are not those computed here
	RuleRequester  = "requester-signature"
	RuleByHand     = "refused-by-hand"
)

// heard notes what an event says of a query. Which plan and openings belong to it is
// settled once; what is said later is another query's.
func (a *Agent) heard(e *encrypted.Event) {
	hash := Hash(e.Thread)
	if e.Kind == apiv1.ObjectKind_OBJECT_KIND_QUERY {
		hash = e.Hash
	}
	q := a.book.Queries[hash]
	if q == nil {
		q = &queryNote{Stage: Pending}
		a.book.Queries[hash] = q
	}
	switch e.Kind {
	case apiv1.ObjectKind_OBJECT_KIND_PLAN:
		if q.Plan == (Hash{}) {
			q.Plan = e.Hash
		}
		q.Released = q.Released || e.Released && q.Plan == e.Hash
	case apiv1.ObjectKind_OBJECT_KIND_OPENINGS:
		if !q.Computed {
			q.Openings, q.Computed = e.Hash, true
		}
	}
}

// queries does what can be done about every query: judge it, tell, answer.
func (a *Agent) queries(ctx context.Context) error {
	if !a.book.Seen {
		return a.follow(ctx)
	}
	read := false
	for _, hash := range slices.SortedFunc(maps.Keys(a.book.Queries), func(x, y Hash) int { return slices.Compare(x[:], y[:]) }) {
		q := a.book.Queries[hash]
		decided, err := a.decision(hash, q)
		if err != nil {
			return err
		}
		judging := q.Computed && q.Plan != (Hash{}) && (q.Stage == Pending || q.Stage == Waiting && decided != "")
		answering := q.Stage == Approved && q.Released
		if !judging && !answering {
			continue
		}
		if !read {
			if err := a.follow(ctx); err != nil {
				return err
			}
			read = true
		}
		if judging {
			err = a.judge(ctx, hash, q, decided)
		} else {
			err = a.answer(ctx, hash, q)
		}
		if err = a.passable(err, "plan"); err != nil {
			return err
		}
		if q.Stage == Approved && q.Released {
			if err = a.passable(a.answer(ctx, hash, q), "answer"); err != nil {
				return err
			}
		}
	}
	return nil
}

// evidence is what a judgement was made on.
type evidence struct {
	query    *plan.Query
	plan     *plan.Plan
	params   *he.Parameters
	certs    []plan.Cert
	openings []*he.Opening
	list     Hash
}

// judge checks a plan in every way, computes it again and says yes, no, or leaves it
// to a person.
func (a *Agent) judge(ctx context.Context, hash Hash, q *queryNote, decided string) error {
	ev, err := a.examine(ctx, hash, q)
	if rule := refusalOf(err); rule != "" {
		a.log.Warn("plan refused", slog.Any("query", hash.String()), slog.Any("rule", rule), slog.Any("error", err))
		return a.object(ctx, hash, q, rule)
	}
	if err != nil {
		return err
	}
	q.Own = ev.list
	if decided == "" {
		rule := a.o.Policy.allows(ev.query, ev.plan, a.o.Clock())
		if rule != "" {
			q.Stage, q.Rule = Waiting, rule
			return a.save()
		}
	} else if decided == no {
		return a.object(ctx, hash, q, RuleByHand)
	}
	return a.approve(ctx, hash, q, ev)
}

// refusalOf is the rule by which a plan is refused for good, or nothing.
func refusalOf(err error) string {
	var refusal *plan.Refusal
	var other *ruleError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Rule
	case errors.As(err, &other):
		return other.rule
	case errors.Is(err, encrypted.ErrTrust):
		return RuleRequester
	case errors.Is(err, threshold.ErrCap):
		return plan.RuleScalars
	}
	return ""
}

// ruleError is a refusal by a rule of the agent's own.
type ruleError struct{ rule string }

func (e *ruleError) Error() string { return "agent: " + e.rule }

func (a *Agent) examine(ctx context.Context, hash Hash, q *queryNote) (*evidence, error) {
	ev := &evidence{}
	var err error
	if ev.query, err = a.query(ctx, hash); err != nil {
		return nil, err
	}
	if err := a.o.Parties.VerifyQuery(ev.query); err != nil {
		return nil, err
	}
	if ev.plan, err = a.plan(ctx, q.Plan); err != nil {
		return nil, err
	}
	if ev.plan.Query != hash || !a.logged(apiv1.ObjectKind_OBJECT_KIND_QUERY, hash) {
		return nil, fmt.Errorf("plan of query: not in the log: %w", encrypted.ErrForeign)
	}
	if err := a.check(ctx, hash, ev); err != nil {
		return nil, err
	}
	return ev, a.recompute(ctx, q, ev)
}

// check holds the plan against certificates, manifests, earlier plans and limits.
func (a *Agent) check(ctx context.Context, hash Hash, ev *evidence) error {
	in := plan.Evidence{}
	for _, s := range ev.plan.Sources {
		m, err := a.manifest(ctx, s.Manifest)
		if err != nil {
			return err
		}
		in.Manifests = append(in.Manifests, m)
	}
	for _, k := range ev.plan.Keys {
		note := a.book.Keys[k.Key]
		if note == nil || note.Share == nil {
			return &ruleError{plan.RuleCertificate}
		}
		_, of, err := a.cert(k.Key)
		if err != nil {
			return err
		}
		limit, err := threshold.ParseCap(note.Cap)
		if err != nil {
			return fmt.Errorf("%w: scalar cap: %w", ErrState, err)
		}
		if limit.Left() < uint64(k.Scalars) {
			return threshold.ErrCap
		}
		in.Certs = append(in.Certs, of)
	}
	var err error
	if in.Earlier, in.History, err = a.earlier(ctx, hash); err != nil {
		return err
	}
	ev.certs = in.Certs
	limits := plan.Limits{MinimumSubjects: a.o.MinimumSubjects}
	return plan.Check(ev.plan, ev.query, in, plan.Policy{Limits: limits, Now: a.now()})
}

// recompute evaluates the plan on the own copy of the leaves. A list hash binds every
// byte of every opening.
func (a *Agent) recompute(ctx context.Context, q *queryNote, ev *evidence) error {
	ev.params = a.o.Params[ev.plan.Parameters]
	source, err := a.copyLeaves(ctx, ev.plan)
	if err != nil {
		return err
	}
	relin := map[[32]byte]*he.RelinKey{}
	for _, k := range ev.plan.Keys {
		c, of, err := a.cert(k.Key)
		if err != nil {
			return err
		}
		if !of.Product {
			continue
		}
		keys, err := a.keys(ctx, c)
		if err != nil {
			return err
		}
		relin[k.Key] = keys.Relin
	}
	if ev.openings, err = plan.Evaluate(ctx, ev.plan, ev.params, source, plan.Options{Relin: relin, Vouched: true}); err != nil {
		return err
	}
	list, err := threshold.ListHash(ev.params, ev.openings)
	if err != nil {
		return err
	}
	ev.list = list
	if ev.list != q.Openings {
		return &ruleError{RuleRecomputed}
	}
	b, err := wire.MarshalOpenings(ev.params, ev.openings)
	if err != nil {
		return err
	}
	return a.cache("openings", ev.list, b)
}

// approve signs, writes, then tells.
func (a *Agent) approve(ctx context.Context, hash Hash, q *queryNote, ev *evidence) error {
	cp, err := a.o.Log.Parse([]byte(a.book.Checkpoint))
	if err != nil {
		return fmt.Errorf("%w: checkpoint: %w", ErrState, err)
	}
	word := &wire.Approval{Query: hash, Plan: q.Plan, Openings: ev.list, Holder: a.o.Identity.Party, Requester: ev.query.Requester,
		Sealing: a.o.Parties.Find(ev.query.Requester).Envelope.ID(), Size: cp.Size, Root: cp.Root, Expiry: ev.query.Expiry}
	msg, err := word.SigningBytes()
	if err != nil {
		return err
	}
	if word.Signature, err = a.o.Identity.Agent.Sign(msg); err != nil {
		return err
	}
	if q.Approval, err = word.Bytes(); err != nil {
		return err
	}
	q.Stage, q.Rule, q.Time = Approved, "", a.now()
	if err := a.save(); err != nil {
		return fmt.Errorf("%w: %w", errSave, err)
	}
	a.log.Info("plan approved", slog.Any("query", hash.String()))
	return a.tell(ctx, q)
}

// object refuses a plan, by a rule and no more.
func (a *Agent) object(ctx context.Context, hash Hash, q *queryNote, rule string) error {
	word := &wire.Objection{Query: hash, Plan: q.Plan, Holder: a.o.Identity.Party, Rule: rule, Time: a.now()}
	msg, err := word.SigningBytes()
	if err != nil {
		return err
	}
	if word.Signature, err = a.o.Identity.Agent.Sign(msg); err != nil {
		return err
	}
	if q.Objection, err = word.Bytes(); err != nil {
		return err
	}
	q.Stage, q.Rule = Refused, rule
	if err := a.save(); err != nil {
		return fmt.Errorf("%w: %w", errSave, err)
	}
	return a.tell(ctx, q)
}

// tell sends the words on a query that were not sent, or may not have arrived.
func (a *Agent) tell(ctx context.Context, q *queryNote) error {
	for _, word := range []struct {
		kind  encrypted.Kind
		bytes []byte
		sent  *bool
	}{
		{apiv1.ObjectKind_OBJECT_KIND_APPROVAL, q.Approval, &q.Told.Approval},
		{apiv1.ObjectKind_OBJECT_KIND_OBJECTION, q.Objection, &q.Told.Objection},
		{apiv1.ObjectKind_OBJECT_KIND_ANSWER, q.Answer, &q.Told.Answer},
	} {
		if word.bytes == nil || *word.sent {
			continue
		}
		_, err := a.o.Gateway.Put(ctx, word.kind, word.bytes)
		if errors.Is(err, encrypted.ErrTaken) {
			// the same word, signed or sealed by another copy of this state
			a.log.Error("gateway holds this holder's word already", slog.Any("object", encrypted.Name(word.kind)))
			a.book.Older++
			err = nil
		}
		if err := a.passable(err, encrypted.Name(word.kind)); err != nil {
			a.fresh = true
			return err
		}
		*word.sent = true
		if err := a.save(); err != nil {
			return err
		}
	}
	return nil
}

// ownWord finds approvals of this holder that the book does not have: an older copy
// of the state was restored. They are taken up, so that nothing is forgotten.
func (a *Agent) ownWord(ctx context.Context, e *encrypted.Event) error {
	q := a.book.Queries[e.Thread]
	if q == nil || q.Approval != nil {
		return nil
	}
	word, err := a.o.Gateway.Approval(ctx, e.Hash)
	if err != nil || word.Holder != a.o.Identity.Party {
		return err
	}
	msg, err := word.SigningBytes()
	if err != nil || word.Query != e.Thread || !a.o.Identity.Agent.Public().Verify(agentPurpose, msg, word.Signature) {
		return encrypted.ErrForeign
	}
	a.log.Error("own approval found that the state does not have: an older copy was restored")
	a.book.Older++
	if q.Approval, err = word.Bytes(); err != nil {
		return err
	}
	q.Stage, q.Plan, q.Own, q.Told.Approval = Approved, word.Plan, word.Openings, true
	return a.save()
}
