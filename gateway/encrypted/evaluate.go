package encrypted

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
)

// Evaluate computes the openings of an accepted query and keeps them. It reads every leaf of the plan;
// run it aside from what answers.
func (r *Room) Evaluate(ctx context.Context, hash Hash) error {
	r.mu.RLock()
	q := r.state.queries[hash]
	var computed bool
	if q != nil {
		computed = q.computed
	}
	r.mu.RUnlock()
	if q == nil {
		return ErrNone
	}
	if computed {
		return nil
	}
	b, err := r.stored(Plan, q.Plan)
	if err != nil {
		return err
	}
	p, err := plan.ParsePlan(b)
	if err != nil {
		return fmt.Errorf("plan: %w", ErrDamaged)
	}
	params := r.parameters(p.Parameters)
	relin, err := r.relinKeys(params, p)
	if err != nil {
		return err
	}
	openings, err := plan.Evaluate(ctx, p, params, source{r}, plan.Options{Relin: relin})
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	return r.computed(ctx, hash, params, openings)
}

func (r *Room) computed(ctx context.Context, hash Hash, params *he.Parameters, openings []*he.Opening) error {
	list, err := threshold.ListHash(params, openings)
	if err != nil {
		return err
	}
	object, err := wire.MarshalOpenings(params, openings)
	if err != nil {
		return err
	}
	r.putting.Lock()
	defer r.putting.Unlock()
	rec := recordOf(Openings, list, "", hash, object)
	rec.Word = &WordFacts{Openings: list}
	_, err = r.keep(ctx, rec, object)
	return err
}

// relinKeys reads the relinearisation keys that a plan multiplies under.
func (r *Room) relinKeys(params *he.Parameters, p *plan.Plan) (map[[32]byte]*he.RelinKey, error) {
	if params == nil {
		return nil, ErrDamaged
	}
	out := map[[32]byte]*he.RelinKey{}
	if !params.Multiplies() {
		return out, nil
	}
	for _, k := range p.Keys {
		r.mu.RLock()
		c := r.state.certs[k.Key]
		r.mu.RUnlock()
		if c == nil {
			return nil, ErrDamaged
		}
		b, err := r.stored(PublicKey, c.Public)
		if err != nil {
			return nil, err
		}
		keys, err := wire.ParseKeys(params, b)
		if err != nil {
			return nil, fmt.Errorf("keys: %w", ErrDamaged)
		}
		out[k.Key] = keys.Relin
	}
	return out, nil
}
