package plain

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/yumen-project/yumen/compute"
)

// Estimates of what a result takes on the Go heap, charged before it is built.
const (
	cellBytes    = 160
	keyRefBytes  = 16
	measureBytes = 512
)

// result turns the accumulators into cells.
func (r *run) result() (*compute.Result, error) {
	cell := int64(cellBytes + keyRefBytes*len(r.plan.groupBy) + measureBytes*len(r.plan.measure))
	if err := r.pool.charge(cell * int64(r.live+1)); err != nil {
		return nil, err
	}
	if err := r.spread(); err != nil {
		return nil, err
	}
	res := &compute.Result{
		GroupBy:  slices.Clone(r.plan.groupBy),
		Measures: slices.Clone(r.plan.measure),
		Subjects: r.rows, UniverseSubjects: r.universeRows,
		Rows: r.rows, UniverseRows: r.universeRows, Unattributed: r.unattributed,
	}
	if r.subj != nil {
		res.Subjects, res.UniverseSubjects = int64(r.pairs.members), int64(r.subj.n)
	}
	for g := range r.groups.size() {
		if r.records.v[g] > 0 || len(r.plan.groups) == 0 {
			res.Cells = append(res.Cells, r.cell(g))
		}
	}
	compute.SortCells(res.Cells)
	return res, nil
}

// spread brings what is kept per pair to the groups.
func (r *run) spread() error {
	if r.subj == nil {
		return nil
	}
	groupOf, groups := r.pairs.groupOf.v[:r.pairs.n], r.groups.size()
	for _, s := range r.sums {
		if err := s.spread(&r.pool, groupOf, groups); err != nil {
			return err
		}
	}
	if !r.plan.counts {
		return nil
	}
	if err := r.counts.grow(&r.pool, groups); err != nil {
		return err
	}
	for pid, g := range groupOf {
		r.counts.take(int(g), magnitude{uint64(r.perPair.v[pid])})
	}
	return nil
}

func (r *run) cell(g int) compute.Cell {
	c := compute.Cell{
		Keys:    r.groups.keys(uint32(g)),
		Records: r.records.v[g], Subjects: r.records.v[g],
	}
	if r.subj != nil {
		c.Subjects = r.members.v[g]
	}
	for k, m := range r.plan.measure {
		v, s := r.figure(g, k, m, &c)
		c.Values, c.TopShares = append(c.Values, v), append(c.TopShares, s)
	}
	return c
}

// figure is measure k of group g and how it spreads.
func (r *run) figure(g, k int, m compute.Measure, c *compute.Cell) (compute.Value, compute.Share) {
	switch m.Kind {
	case compute.Count:
		v := compute.Value{Text: strconv.FormatInt(c.Records, 10)}
		if r.subj == nil {
			return v, ones(c.Subjects)
		}
		return v, share(&r.counts, g)
	case compute.Subjects:
		return compute.Value{Text: strconv.FormatInt(c.Subjects, 10)}, ones(c.Subjects)
	}
	s := r.sums[r.plan.sumOf[k]]
	sum, n := signedBig(s.sum.v[words*g:words*g+words]), s.n.v[g]
	text := decimalText(sum, s.scale)
	if m.Kind == compute.Sum {
		return compute.Value{Text: text}, share(&s.tops, g)
	}
	v := compute.Value{Numerator: text, Denominator: strconv.FormatInt(n, 10)}
	if n > 0 {
		v.Text = meanText(sum, s.scale, n, max(compute.MeanDigits, s.scale))
	}
	return v, share(&s.tops, g)
}

func share(t *tops, g int) compute.Share {
	n, total, largest, second := t.read(g)
	return compute.Share{Subjects: n, Total: total.big(), Largest: largest.big(), Second: second.big()}
}

// ones is the spread of a figure to which each of n subjects contributes 1.
func ones(n int64) compute.Share {
	return compute.Share{
		Subjects: n, Total: big.NewInt(n),
		Largest: big.NewInt(min(n, 1)), Second: big.NewInt(min(max(n-1, 0), 1)),
	}
}
