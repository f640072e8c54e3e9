package plan

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/yumen-project/yumen/compute/he"
)

// LeafSource gives the leaves of a lane. Safe for concurrent use.
type LeafSource interface {
	// Hashes gives the leaf hashes of a lane, all of them, in order. It is not
	// called for leaves that the caller vouches for.
	Hashes(ctx context.Context, dataset, version, lane string) ([][32]byte, error)
	// Leaf gives the stored form of one leaf. It may use buf, whose capacity is
	// that of a leaf, or return memory of its own that stays as it is until the
	// source is asked with the same buf again.
	Leaf(ctx context.Context, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error)
}

// Options of Evaluate.
type Options struct {
	// Relin has the relinearisation key of each key that a plan multiplies under;
	// the caller compared its hash with the certificate's.
	Relin map[[32]byte]*he.RelinKey
	// Vouched skips hashes, roots and the look at every residue: for a copy of
	// one's own whose leaves were verified against the manifest's root before.
	// Headers are checked all the same.
	Vouched bool
	// Workers is the number of goroutines; 0: one for each core.
	Workers int
}

// Evaluate computes the openings of a plan, output by output, limb by limb. It
// reads leaf by leaf: memory is that of a few batches for each worker, one batch
// of sums for each fold and, unless vouched for, 32 bytes for each leaf of the
// lane at hand. The same plan and leaves give the same bytes whatever the number
// of workers. Plans that open nothing give no openings.
func Evaluate(ctx context.Context, p *Plan, params *he.Parameters, src LeafSource, o Options) ([]*he.Opening, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if params == nil || params.ID() != p.Parameters {
		return nil, refuse(RuleParameters, "")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	e := &evaluation{plan: p, params: params, source: src, options: o}
	sums := make([]*he.Sum, len(p.Folds))
	for i := range p.Folds {
		var err error
		if sums[i], err = e.fold(ctx, &p.Folds[i]); err != nil {
			return nil, err
		}
	}
	return e.extract(ctx, sums)
}

type evaluation struct {
	plan    *Plan
	params  *he.Parameters
	source  LeafSource
	options Options
}

// extract runs over the outputs with all workers, each writing its own places.
func (e *evaluation) extract(ctx context.Context, sums []*he.Sum) ([]*he.Opening, error) {
	limbs := e.params.Limbs()
	out := make([]*he.Opening, limbs*len(e.plan.Outputs))
	return out, e.split(ctx, uint64(len(e.plan.Outputs)), func(ctx context.Context, _ int, from, to uint64) error {
		for i := from; i < to; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			var terms []he.Term
			for _, t := range e.plan.Outputs[i].Terms {
				terms = append(terms, he.Term{Sum: sums[t.Fold], Mask: mask(e.params, t)})
			}
			openings, err := he.Extract(e.params, terms)
			if err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
			copy(out[int(i)*limbs:], openings)
		}
		return nil
	})
}

func mask(p *he.Parameters, t Term) he.Mask {
	m := p.DotMask()
	if t.Groups > 0 {
		m = p.GroupMask(int(t.Groups), int(t.Group))
	}
	for j := range m {
		m[j] *= t.Weight
	}
	return m
}

// split cuts 0..n into one run for each worker, waits for all and gives the error
// of the first run that has one.
func (e *evaluation) split(ctx context.Context, n uint64, work func(ctx context.Context, worker int, from, to uint64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := uint64(e.options.Workers)
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			if errs[w] = work(ctx, int(w), n*w/workers, n*(w+1)/workers); errs[w] != nil {
				cancel()
			}
		})
	}
	group.Wait()
	return firstCause(errs)
}

// firstCause prefers an error of its own to one that the cancelling made.
func firstCause(errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || isCancel(first) && !isCancel(err)) {
			first = err
		}
	}
	return first
}
