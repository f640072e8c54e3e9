package plain

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute"
)

// run is the state of one reading.
type run struct {
	plan    *plan
	pool    pool
	cols    []*column
	subj    *subjects // nil where every record is its own subject
	pairs   *pairs    // likewise
	groups  *groups
	sums    []*sums
	records vec[int64] // per group
	members vec[int64] // distinct subjects per group
	perPair vec[int64] // records per pair, if a count was asked
	counts  tops       // how a count spreads
	sel     []int32
	trace   *trace // nil unless Assign asked

	live         int // groups with a record
	rows         int64
	universeRows int64
	unattributed int64
}

// Run implements compute.Plan.
func (p *plan) Run(ctx context.Context, src array.RecordReader) (*compute.Result, error) {
	r, err := newRun(p)
	defer r.close()
	if err != nil {
		return nil, fmt.Errorf("compute table: %w", err)
	}
	return r.read(ctx, src)
}

// read computes on all batches of src.
func (r *run) read(ctx context.Context, src array.RecordReader) (*compute.Result, error) {
	for ctx.Err() == nil && src.Next() {
		if err := r.batch(ctx, src.Record()); err != nil {
			return nil, fmt.Errorf("compute table: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("compute table: %w", err)
	}
	if err := src.Err(); err != nil {
		return nil, fmt.Errorf("compute table: read batch: %w", err)
	}
	res, err := r.result()
	if err != nil {
		return nil, fmt.Errorf("compute table: %w", err)
	}
	return res, nil
}

func newRun(p *plan) (*run, error) {
	seed := maphash.MakeSeed()
	r := &run{plan: p, pool: pool{alloc: p.opt.Alloc, max: p.opt.MaxMemory}}
	for _, f := range p.fields {
		r.cols = append(r.cols, &column{field: f})
	}
	if p.subject >= 0 {
		r.subj = &subjects{canon: p.opt.Subject, seed: seed}
		r.pairs = newPairs(seed)
	}
	r.groups = newGroups(p.groups, p.opt.MaxGroups, seed)
	for _, col := range p.sums {
		r.sums = append(r.sums, &sums{col: col, scale: scaleOf(p.fields[col].dt)})
	}
	if err := r.pool.charge(int64(len(r.cols)*scratchBytes + window*rowBytes)); err != nil {
		return r, err
	}
	return r, r.growGroups() // the one cell of a table without groups
}

// rowBytes is the scratch of a record besides the columns: selection, subject,
// group, code and pair.
const rowBytes = 5 * 4

func (r *run) close() {
	p := &r.pool
	if r.subj != nil {
		r.subj.free(p)
		r.pairs.free(p)
	}
	r.groups.free(p)
	for _, s := range r.sums {
		s.free(p)
	}
	r.records.free(p)
	r.members.free(p)
	r.perPair.free(p)
	r.counts.free(p)
}

// batch computes on one record batch, window by window.
func (r *run) batch(ctx context.Context, rec arrow.Record) error {
	for _, c := range r.cols {
		at, err := find(rec.Schema(), c.name)
		if err != nil {
			return err
		}
		arr := rec.Column(at)
		if int64(arr.Len()) != rec.NumRows() {
			return fmt.Errorf("field %q: %w: its length is not the batch's", c.name, compute.ErrData)
		}
		if err := c.begin(arr); err != nil {
			return err
		}
	}
	for lo, n := 0, int(rec.NumRows()); lo < n; lo += window {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.window(lo, min(lo+window, n)); err != nil {
			return err
		}
	}
	return nil
}

// window computes on records lo to hi of the batch.
func (r *run) window(lo, hi int) error {
	first, n := r.universeRows+1, hi-lo
	for _, c := range r.cols {
		if err := c.load(lo, hi); err != nil {
			return fmt.Errorf("rows %d to %d: %w", first, first+int64(n)-1, err)
		}
	}
	r.universeRows += int64(n)
	sel, err := r.choose(n)
	if err != nil {
		return err
	}
	if err := r.traceRecords(n); err != nil || len(sel) == 0 {
		return err
	}
	r.rows += int64(len(sel))
	if at, err := r.groups.number(&r.pool, r.cols, sel); err != nil {
		return fmt.Errorf("row %d: %w", first+int64(at), err)
	}
	r.traceCells(n, sel)
	if err := r.growGroups(); err != nil {
		return err
	}
	if err := r.count(); err != nil {
		return err
	}
	return r.add(sel)
}

// choose numbers the subjects of all records and selects those that have one
// and pass the filters.
func (r *run) choose(n int) ([]int32, error) {
	r.sel = room(r.sel, n)
	for i := range r.sel {
		r.sel[i] = int32(i)
	}
	sel := r.sel
	if r.subj != nil {
		lost, err := r.subj.number(&r.pool, r.cols[r.plan.subject], n)
		if err != nil {
			return nil, err
		}
		if lost > 0 {
			r.unattributed += lost
			sel = attributed(r.subj.ids, sel)
		}
	}
	for k := range r.plan.filters {
		f := &r.plan.filters[k]
		sel = f.refine(r.cols[f.col], sel)
	}
	return sel, nil
}

func attributed(ids []uint32, sel []int32) []int32 {
	n := 0
	for _, i := range sel {
		if ids[i] != none {
			sel[n] = i
			n++
		}
	}
	return sel[:n]
}

func (r *run) growGroups() error {
	n := r.groups.size()
	if err := r.records.grow(&r.pool, n); err != nil {
		return err
	}
	if err := r.members.grow(&r.pool, n); err != nil {
		return err
	}
	for _, s := range r.sums {
		if err := s.growGroups(&r.pool, n, r.subj == nil); err != nil {
			return err
		}
	}
	return nil
}

// count counts records per group and bounds the groups.
func (r *run) count() error {
	for _, g := range r.groups.ids {
		r.live += bit(r.records.v[g] == 0)
		r.records.v[g]++
	}
	if r.live > r.plan.opt.MaxGroups {
		return fmt.Errorf("%w: more than %d groups", compute.ErrLimit, r.plan.opt.MaxGroups)
	}
	return nil
}

// add takes the selected records into pairs and sums.
func (r *run) add(sel []int32) error {
	gids := r.groups.ids
	var pids []uint32
	if r.subj != nil {
		if err := r.pairs.number(&r.pool, sel, r.subj.ids, gids, r.subj.n, r.members.v); err != nil {
			return err
		}
		pids = r.pairs.ids
	}
	if err := r.countPairs(pids); err != nil {
		return err
	}
	for _, s := range r.sums {
		if r.subj != nil {
			if err := s.growPairs(&r.pool, r.pairs.n); err != nil {
				return err
			}
		}
		s.add(r.cols[s.col], sel, gids, pids)
	}
	return nil
}

func (r *run) countPairs(pids []uint32) error {
	if !r.plan.counts || pids == nil {
		return nil
	}
	if err := r.perPair.grow(&r.pool, r.pairs.n); err != nil {
		return err
	}
	for _, pid := range pids {
		r.perPair.v[pid]++
	}
	return nil
}
