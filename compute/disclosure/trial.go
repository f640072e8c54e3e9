package disclosure

import (
	"context"
	"fmt"
	"slices"
)

// Trial is a table judged against a registry and not yet part of it. It keeps
// nothing of the Table.
type Trial struct {
	reg   *Registry
	epoch int
	// The table told apart as finely as its cells allow, shown or not: pieces.
	of     []uint32 // unit -> piece
	base   []uint32 // piece -> atom of the registry
	class  []uint32 // piece -> class of the layout
	pieces []atom
	sets   [][]uint32 // class -> figures; figure number cells is the total
	cells  int        // figures that can be withheld
	total  bool
	// Per figure, against the registered rows.
	members [][]uint32  // figure -> pieces
	count   []int       // units
	near    []bool      // differs from a registered row, or from its complement, by a small group
	alone   []bool      // the figure is small
	rest    []bool      // all but a small group are in it
	twins   [][2]uint32 // cells of this table of which that is true
	lrow    [][]uint64  // its row of the factor
	schur   [][]uint64  // Gram matrix of the figures, registered rows eliminated
	resid   [draws][]uint64

	shown  []bool
	pat    *pattern
	broken []reveal // what pat tells of
	report Report
}

// Try judges the table with the cells it declares as shown. The registry stays
// as it is. Errors: ErrTable, ErrLimit, ErrDraw, or the context's. An unsafe
// table is no error: read the Report.
func (r *Registry) Try(ctx context.Context, t *Table) (*Trial, error) {
	tr, err := r.prepare(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("judge table: %w", err)
	}
	if err := tr.judge(ctx, t.Shown); err != nil {
		return nil, fmt.Errorf("judge table: %w", err)
	}
	return tr, nil
}

// prepare does all that does not depend on which cells are shown.
func (r *Registry) prepare(ctx context.Context, t *Table) (*Trial, error) {
	if len(r.tables) > r.u.Limits.Tables {
		return nil, fmt.Errorf("%w: more than %d tables", ErrLimit, r.u.Limits.Tables)
	}
	lay, err := t.layout(r.u.Units, r.u.Limits.Cells)
	if err != nil {
		return nil, err
	}
	tr := &Trial{reg: r, epoch: r.epoch, cells: len(t.Shown), total: t.Total}
	tr.sets = lay.sets
	if t.Total {
		for i := 1; i < len(tr.sets); i++ {
			tr.sets[i] = append(tr.sets[i], uint32(tr.cells))
		}
	}
	tr.of, tr.base, err = refine(r.of, len(r.atoms), lay.class, r.u.Limits.Atoms)
	if err != nil {
		return nil, err
	}
	tr.class = make([]uint32, len(tr.base))
	for u, p := range tr.of {
		tr.class[p] = lay.class[u]
	}
	if err := tr.split(); err != nil {
		return nil, err
	}
	return tr, tr.eliminate(ctx)
}

// split gives pieces their sizes and shares of the atoms' random numbers: a new
// piece draws its own, and the rest stays with the old number, so sums over any
// registered row are what they were, and all are uniform.
func (t *Trial) split() error {
	r := t.reg
	t.pieces = make([]atom, len(t.base))
	copy(t.pieces, r.atoms)
	for p := range t.pieces {
		t.pieces[p].size, t.pieces[p].who = 0, nil
	}
	for u, p := range t.of {
		t.pieces[p].size++
		if r.u.Owners != nil {
			t.pieces[p].meetOwner(r.u.Owners[u], r.u.Least)
		}
	}
	for p := len(r.atoms); p < len(t.base); p++ {
		child, rest := &t.pieces[p], &t.pieces[t.base[p]]
		for _, v := range [][2]*uint64{
			{&child.d, &rest.d}, {&child.z[0], &rest.z[0]}, {&child.z[1], &rest.z[1]}, {&child.z[2], &rest.z[2]},
		} {
			x, err := r.f.draw(r.random)
			if err != nil {
				return err
			}
			*v[0], *v[1] = x, r.f.sub(*v[1], x)
		}
	}
	return nil
}

// eliminate reduces every figure of the table by the registered rows.
func (t *Trial) eliminate(ctx context.Context) error {
	n := t.figures()
	t.members = make([][]uint32, n)
	t.count = make([]int, n)
	for p, c := range t.class {
		for _, fig := range t.sets[c] {
			t.members[fig] = append(t.members[fig], uint32(p))
			t.count[fig] += t.pieces[p].size
		}
	}
	t.crowds()
	if err := t.meet(ctx); err != nil {
		return err
	}
	if err := t.solve(ctx); err != nil {
		return err
	}
	return t.complement(ctx)
}

// figures is the number of cells, and one more for a told total.
func (t *Trial) figures() int {
	if t.total {
		return t.cells + 1
	}
	return t.cells
}

// meet fills lrow with the measures of every figure's intersections with the
// registered rows, and notes figures that differ from one by a small group.
func (t *Trial) meet(ctx context.Context) error {
	r := t.reg
	n := t.figures()
	t.lrow = make([][]uint64, n)
	for i := range t.lrow {
		t.lrow[i] = make([]uint64, r.q.rank())
	}
	t.near = make([]bool, n)
	var m meeting
	for i := range r.tables {
		if err := ctx.Err(); err != nil {
			return err
		}
		tab := &r.tables[i]
		for fig := range n {
			m.gather(t, tab, t.members[fig])
			m.spread(t, tab, fig)
		}
	}
	return nil
}

// meeting is working space: sums over the classes of one registered table, then
// over its rows.
type meeting struct {
	d    []uint64
	size []int
	rows []int
}

func (m *meeting) gather(t *Trial, tab *record, members []uint32) {
	m.d = append(m.d[:0], make([]uint64, len(tab.rows))...)
	m.size = append(m.size[:0], make([]int, len(tab.rows))...)
	f := t.reg.f
	for _, p := range members {
		c := tab.class[t.base[p]]
		m.d[c] = f.add(m.d[c], t.pieces[p].d)
		m.size[c] += t.pieces[p].size
	}
}

func (m *meeting) spread(t *Trial, tab *record, fig int) {
	r := t.reg
	m.rows = append(m.rows[:0], make([]int, tab.shown)...)
	for c, rows := range tab.rows {
		if m.size[c] == 0 {
			continue
		}
		for _, i := range rows {
			m.rows[i-tab.first] += m.size[c]
			if p := r.rows[i].pivot; p >= 0 {
				t.lrow[fig][p] = r.f.add(t.lrow[fig][p], m.d[c])
			}
		}
	}
	for i, both := range m.rows {
		apart := t.count[fig] + r.rows[tab.first+i].size - 2*both
		if !t.near[fig] && (r.maybeSmall(apart) || r.maybeSmallRest(apart)) {
			t.near[fig] = r.alike(t.pieces, apart, func(p int) bool {
				there := slices.Contains(tab.rows[tab.class[t.base[p]]], tab.first+i)
				return there != t.in(p, fig)
			})
		}
	}
}

// maybeSmall says that n units may be a small group of subjects.
func (r *Registry) maybeSmall(n int) bool { return n > 0 && n < r.u.Least*r.most }

// maybeSmallRest says the same of all units but n, where figures over all units are known.
func (r *Registry) maybeSmallRest(n int) bool { return r.u.KnownTotal && r.maybeSmall(r.u.Units-n) }

// alike says that two figures that differ in apart units, those of the pieces that differ picks, differ by a
// small group, or one from the other's complement.
func (r *Registry) alike(pieces []atom, apart int, differ func(p int) bool) bool {
	if r.maybeSmall(apart) && r.few(pieces, differ) {
		return true
	}
	return r.maybeSmallRest(apart) && r.few(pieces, func(p int) bool { return !differ(p) })
}

// in says that piece p is in the figure.
func (t *Trial) in(p, fig int) bool {
	_, found := slices.BinarySearch(t.sets[t.class[p]], uint32(fig))
	return found
}

// crowds finds the figures that are small or leave a small rest, of the data set
// or of a table that has other cells. An empty rest is small.
func (t *Trial) crowds() {
	r := t.reg
	t.alone, t.rest = make([]bool, t.figures()), make([]bool, t.figures())
	for fig := range t.figures() {
		t.alone[fig] = r.few(t.pieces, func(p int) bool { return t.in(p, fig) })
		t.rest[fig] = r.few(t.pieces, func(p int) bool { return !t.in(p, fig) })
		if t.cells > 1 && !t.rest[fig] {
			t.rest[fig] = r.few(t.pieces, func(p int) bool { return t.class[p] != 0 && !t.in(p, fig) })
		}
	}
}

// solve turns the intersections into rows of the factor: L u = g, row = u/pivot,
// and u's products into the matrix that remains among the figures themselves.
func (t *Trial) solve(ctx context.Context) error {
	u := t.lrow
	t.lrow = make([][]uint64, len(u))
	err := parallel(ctx, t.reg.workers, len(u), func(i int) {
		t.reg.q.forward(u[i])
		t.lrow[i] = t.reg.q.scale(u[i])
	})
	if err != nil {
		return err
	}
	f, q := t.reg.f, &t.reg.q
	for k := range t.resid {
		t.resid[k] = make([]uint64, len(u))
	}
	t.schur = make([][]uint64, len(u))
	return parallel(ctx, t.reg.workers, len(u), func(i int) {
		t.schur[i] = make([]uint64, i+1)
		for j := range i + 1 {
			t.schur[i][j] = f.sub(0, f.dot(t.lrow[i], u[j]))
		}
		for k := range t.resid {
			var z uint64
			for _, p := range t.members[i] {
				z = f.add(z, t.pieces[p].z[k])
			}
			t.resid[k][i] = f.sub(z, f.dot(t.lrow[i], q.v[k]))
		}
	})
}

// complement adds the figures' own intersections to the Schur complement.
func (t *Trial) complement(ctx context.Context) error {
	f := t.reg.f
	both := make(map[[2]uint32]int) // overlapping pairs, in units
	for p, c := range t.class {
		for i, a := range t.sets[c] {
			for _, b := range t.sets[c][:i+1] {
				t.schur[a][b] = f.add(t.schur[a][b], t.pieces[p].d)
				if a != b && int(a) < t.cells {
					both[[2]uint32{a, b}] += t.pieces[p].size
				}
			}
		}
	}
	for a := range t.cells { // that together are nearly all units: one of the two is half of them
		for b := range t.cells {
			pair := [2]uint32{uint32(max(a, b)), uint32(min(a, b))}
			if a != b && 2*t.count[a] >= t.reg.u.Units-t.reg.u.Least*t.reg.most && both[pair] == 0 {
				both[pair] = 0
			}
		}
	}
	for pair, n := range both {
		a, b := int(pair[0]), int(pair[1])
		apart := t.count[a] + t.count[b] - 2*n
		if t.reg.alike(t.pieces, apart, func(p int) bool { return t.in(p, a) != t.in(p, b) }) {
			t.twins = append(t.twins, pair)
		}
	}
	slices.SortFunc(t.twins, func(a, b [2]uint32) int { return slices.Compare(a[:], b[:]) })
	return ctx.Err()
}

// Shown tells which cells the judged pattern shows: the whole of what may be
// said about withheld cells.
func (t *Trial) Shown() []bool { return slices.Clone(t.shown) }

// Report is the judgement. EVIDENCE: it never leaves.
func (t *Trial) Report() Report { return t.report }
