package dp

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/compute"
)

// Private is a noisy table: everything in it may leave under the plan's cost.
type Private struct {
	GroupBy []string
	// Cells that are shown, sorted by keys. Those withheld are not counted here:
	// with selected keys even their number would tell.
	Cells []PrivateCell
	Tau   int64
	Cost  Budget
	// Noise is what was added, each once, for the statement.
	Noise []Scale
}

// PrivateCell is one group. Figures follow the table's measures.
type PrivateCell struct {
	Keys     []string
	Subjects int64 // noisy count of distinct subjects, at least Tau
	Figures  []Figure
}

// Figure is one noisy figure. Noise is unbiased and not cut: counts of records
// and bands may be negative.
type Figure struct {
	// Text is a decimal: a count; a sum with the field's fraction digits; a mean
	// within its bounds or a variance, both rounded at compute.MeanDigits or
	// more. Empty where a noisy number of values is below one.
	Text string
	// Counts are the bands of a histogram, or for each quantile the number of its
	// band, -1 where no band has a positive count.
	Counts []int64
}

// Release adds noise to every figure and shows the cells whose noisy subject
// count reaches tau. It works once for a Bounded, and the totals are wiped; after
// an error nothing can be had from them either. The caller has spent Plan.Cost
// before. Errors are ErrSpent or the noise's.
func Release(ctx context.Context, b *Bounded, noise Noise) (*Private, error) {
	if b == nil || b.plan == nil || !b.spent.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("release private table: %w", ErrSpent)
	}
	defer clear(b.totals)
	p := b.plan
	out := &Private{Tau: p.tau, Cost: p.cost, Noise: p.Scales()}
	for _, g := range p.groups {
		out.GroupBy = append(out.GroupBy, g.field)
	}
	draws := make([]int64, len(b.keys))
	defer clear(draws)
	if err := noise.Take(ctx, p.cells.scale, draws); err != nil {
		return nil, fmt.Errorf("release private table: %w", err)
	}
	for i, keys := range b.keys {
		slots := b.totals[i*p.width:][:p.width]
		slots[p.cells.first] += draws[i]
		if slots[p.cells.first] < p.tau {
			continue
		}
		cell := PrivateCell{Keys: keys, Subjects: slots[p.cells.first]}
		for k := range p.measures {
			if err := p.measures[k].perturb(ctx, slots, noise); err != nil {
				return nil, fmt.Errorf("release private table: %w", err)
			}
			cell.Figures = append(cell.Figures, p.measures[k].figure(cell.Subjects, slots))
		}
		out.Cells = append(out.Cells, cell)
	}
	return out, nil
}

// perturb adds noise to the measure's slots. What follows reads noisy figures
// alone.
func (m *measure) perturb(ctx context.Context, slots []int64, noise Noise) error {
	for _, s := range m.stats {
		draws := make([]int64, s.slots)
		if err := noise.Take(ctx, s.scale, draws); err != nil {
			return err
		}
		for i, d := range draws {
			slots[s.first+i] += d
		}
		clear(draws)
	}
	return nil
}

// figure writes noisy slots.
func (m *measure) figure(subjects int64, slots []int64) Figure {
	at := func(k int) int64 { return slots[m.stats[k].first] }
	switch m.Kind {
	case compute.Subjects:
		return Figure{Text: decimal(subjects, 1, 0)}
	case compute.Count:
		return Figure{Text: decimal(at(0), 1, 0)}
	case compute.Sum:
		return Figure{Text: decimal(at(0), m.Unit, m.digit)}
	case compute.Mean:
		return Figure{Text: m.mean(at(0), at(1))}
	case Variance:
		return Figure{Text: m.variance(at(0), at(1), at(2))}
	}
	s := m.stats[0]
	counts := append([]int64(nil), slots[s.first:s.first+s.slots]...)
	if m.Kind == Quantiles {
		return Figure{Counts: quantiles(counts, m.Quantiles)}
	}
	return Figure{Counts: counts}
}
