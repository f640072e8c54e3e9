package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
)

const agentPurpose = keyring.Agent

// answer gives this holder's shares of a plan that it approved, once the log holds
// query and release. It counts the scalars, writes the answer down, then sends it.
func (a *Agent) answer(ctx context.Context, hash Hash, q *queryNote) error {
	if !a.logged(encrypted.KindReleased, q.Plan) || !a.logged(apiv1.ObjectKind_OBJECT_KIND_QUERY, hash) {
		return nil // not in the log as far as it was read
	}
	query, err := a.query(ctx, hash)
	if err != nil {
		return err
	}
	if err := a.o.Parties.VerifyQuery(query); err != nil {
		return err
	}
	p, err := a.plan(ctx, q.Plan)
	if err != nil {
		return err
	}
	params := a.o.Params[p.Parameters]
	openings, err := a.openings(ctx, hash, q, p, params)
	if err != nil {
		return err
	}
	shares, err := a.shares(p, params, q.Own)
	if err != nil {
		return err
	}
	parts, err := threshold.Open(shares, openings)
	if err != nil {
		return err
	}
	plain, err := threshold.MarshalAnswers(params, shares[0].Sharing(), shares[0].Holder(), q.Own, parts)
	if err != nil {
		return err
	}
	defer clear(plain)
	word := &wire.Answer{Query: hash, Plan: q.Plan, Openings: q.Own, Holder: a.o.Identity.Party}
	if word.Sealed, err = keyring.SealTo(a.o.Parties.Find(query.Requester).Envelope, word.Context(), plain, a.o.Rand); err != nil {
		return err
	}
	msg, err := word.SigningBytes()
	if err != nil {
		return err
	}
	if word.Signature, err = a.o.Identity.Agent.Sign(msg); err != nil {
		return err
	}
	if q.Answer, err = word.Bytes(); err != nil {
		return err
	}
	q.Stage = Answered
	if err := a.save(); err != nil {
		return fmt.Errorf("%w: %w", errSave, err)
	}
	a.log.Info("shares sealed to requester", slog.Any("query", hash.String()), slog.Any("openings", len(openings)))
	if err := os.Remove(a.path("objects", "openings-"+q.Own.String())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Warn("openings not removed", slog.Any("error", bare(err)))
	}
	return a.tell(ctx, q)
}

// openings gives those that were computed when the plan was approved; where their copy
// is gone, or another copy of the state approved, the plan is judged and computed anew.
func (a *Agent) openings(ctx context.Context, hash Hash, q *queryNote, p *plan.Plan, params *he.Parameters) ([]*he.Opening, error) {
	if b, err := a.cached("openings", q.Own); err == nil {
		if list, err := wire.ParseOpenings(params, b); err == nil {
			if own, err := threshold.ListHash(params, list); err == nil && own == q.Own {
				return list, nil
			}
		}
	}
	ev := &evidence{plan: p}
	var err error
	if ev.query, err = a.query(ctx, hash); err != nil {
		return nil, err
	}
	if err := a.check(ctx, hash, ev); err != nil {
		return nil, err
	}
	err = a.recompute(ctx, &queryNote{Openings: q.Own}, ev)
	return ev.openings, err
}

// shares are this holder's of all keys of a plan, each charged with the plan's scalars.
// The charge is written with the answer, before that is sent.
func (a *Agent) shares(p *plan.Plan, params *he.Parameters, list Hash) ([]*threshold.Share, error) {
	var shares []*threshold.Share
	for _, k := range p.Keys {
		note := a.book.Keys[k.Key]
		if note == nil || note.Share == nil {
			return nil, &ruleError{plan.RuleCertificate}
		}
		s, err := threshold.ParseShare(params, note.Share)
		if err != nil {
			return nil, fmt.Errorf("%w: share: %w", ErrState, err)
		}
		limit, err := threshold.ParseCap(note.Cap)
		if err != nil {
			return nil, fmt.Errorf("%w: scalar cap: %w", ErrState, err)
		}
		if err := limit.Spend(list, uint64(k.Scalars)); err != nil {
			return nil, err
		}
		note.Cap = limit.Bytes()
		shares = append(shares, s)
	}
	if len(shares) == 0 {
		return nil, &ruleError{plan.RuleEmpty}
	}
	return shares, nil
}
