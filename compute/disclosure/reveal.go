package disclosure

import (
	"cmp"
	"context"
	"slices"
)

// reveal is a combination of atom totals that follows from the shown rows.
type reveal struct {
	atoms []int
	coef  []uint64
}

// search looks for small sets of atoms with dependent kernel entries.
type search struct {
	t     *Trial
	f     field
	atoms []atom
	n     *[draws][]uint64
	small []int // small atoms that nothing gives away alone, by size, then number
}

// reveals finds atoms, pairs and triples. A combination of atom totals follows
// from the rows iff it vanishes on their kernel. So the total of a follows only
// if the random kernel vectors are all 0 at a, and a combination of a and b only
// if the entries at a and b are parallel: sorting by slope finds all such pairs
// at once. Triples are pairs modulo the entries of a third atom.
func (t *Trial) reveals(ctx context.Context, pat *pattern) ([]reveal, error) {
	s := &search{t: t, f: t.reg.f, atoms: pat.atoms, n: &pat.kernel}
	for a := range pat.atoms {
		if t.reg.fewTogether(pat.atoms, a) {
			s.small = append(s.small, a)
		}
	}
	t.report.Small = len(s.small)
	t.report.Depth = draws
	if len(s.small) == 0 {
		return nil, nil
	}
	if err := t.project(ctx, pat); err != nil {
		return nil, err
	}
	out := append(s.singles(), s.pairs()...)
	if len(out) > 0 || len(t.report.Findings) > 0 || s.work() > t.reg.u.Limits.Triples {
		t.report.Depth = draws - 1
		return out[:min(len(out), maxFindings)], nil
	}
	return s.triples(ctx)
}

// singles takes the atoms that follow alone out of the search.
func (s *search) singles() []reveal {
	var out []reveal
	s.small = slices.DeleteFunc(s.small, func(a int) bool {
		alone := s.n[0][a]|s.n[1][a]|s.n[2][a] == 0
		if alone {
			out = append(out, reveal{atoms: []int{a}, coef: []uint64{1}})
		}
		return alone
	})
	slices.SortFunc(s.small, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.atoms[a].size, s.atoms[b].size), cmp.Compare(a, b))
	})
	return out
}

// slot is an atom and its two coordinates, projective.
type slot struct {
	atom       int
	u, v       uint64
	slope, inv uint64
}

func (s *search) pairs() []reveal {
	slots := make([]slot, 0, len(s.small))
	for _, a := range s.small {
		slots = append(slots, slot{atom: a, u: s.n[0][a], v: s.n[1][a]})
	}
	var out []reveal
	s.alike(slots, func(run []slot) bool {
		if b, c, ok := s.match(run); ok {
			x, y := s.annul(b, c)
			out = append(out, reveal{atoms: []int{b.atom, c.atom}, coef: []uint64{x, y}})
		}
		return len(out) < maxFindings
	})
	return out
}

// annul returns x and y with x*b + y*c = 0 for parallel slots.
func (s *search) annul(b, c slot) (x, y uint64) {
	if b.u != 0 {
		return c.u, s.f.sub(0, b.u)
	}
	return c.v, s.f.sub(0, b.v)
}

// partners is how far into small one looks for the other two of a triple whose
// first and smallest is number i.
func (s *search) partners(i int) int {
	if s.t.reg.u.Owners != nil {
		return len(s.small)
	}
	size := s.atoms[s.small[i]].size
	// The largest has room for the smallest and another no smaller.
	room := s.t.reg.u.Least - 1 - 2*size
	end, _ := slices.BinarySearchFunc(s.small, room+1, func(a, limit int) int {
		return cmp.Compare(s.atoms[a].size, limit)
	})
	return end
}

func (s *search) work() int {
	total := 0
	for i := range s.small {
		total += max(0, s.partners(i)-i-1)
	}
	return total
}

func (s *search) triples(ctx context.Context) ([]reveal, error) {
	found := make([]*reveal, len(s.small))
	err := parallel(ctx, s.t.reg.workers, len(s.small), func(i int) { found[i] = s.triple(i) })
	var out []reveal
	for _, v := range found {
		if v != nil && len(out) < maxFindings {
			out = append(out, *v)
		}
	}
	return out, err
}

// triple finds two atoms after number i that are dependent with it.
func (s *search) triple(i int) *reveal {
	end := s.partners(i)
	if end-i < 3 {
		return nil
	}
	a, f := s.small[i], s.f
	pivot := 0
	for s.n[pivot][a] == 0 {
		pivot++
	}
	p, q, r := s.n[pivot], s.n[(pivot+1)%draws], s.n[(pivot+2)%draws]
	slots := make([]slot, 0, end-i-1)
	for _, b := range s.small[i+1 : end] {
		slots = append(slots, slot{
			atom: b,
			u:    f.sub(f.mont(q[b], p[a]), f.mont(p[b], q[a])),
			v:    f.sub(f.mont(r[b], p[a]), f.mont(p[b], r[a])),
		})
	}
	var out *reveal
	s.alike(slots, func(run []slot) bool {
		b, c, ok := s.match(run, a)
		if !ok {
			return true
		}
		x, y := s.annul(b, c)
		rest := f.add(f.mul(x, p[b.atom]), f.mul(y, p[c.atom]))
		z := f.sub(0, f.mul(rest, f.inverse(p[a])))
		out = &reveal{atoms: []int{a, b.atom, c.atom}, coef: []uint64{z, x, y}}
		return false
	})
	return out
}

// maxRun bounds the pairwise search in one run; a longer one counts as a match.
const maxRun = 64

// match finds two slots of a run of parallel ones that are small together with
// the atoms of with. Where units are subjects the first two are the smallest.
func (s *search) match(run []slot, with ...int) (b, c slot, ok bool) {
	if s.t.reg.u.Owners == nil {
		run = run[:2]
	}
	if len(run) > maxRun {
		return run[0], run[1], true
	}
	for j := range run {
		for i := range j {
			if s.t.reg.fewTogether(s.atoms, append(with[:len(with):len(with)], run[i].atom, run[j].atom)...) {
				return run[i], run[j], true
			}
		}
	}
	return b, c, false
}

// alike calls visit with every run of two or more parallel slots, each run in
// the order of slots, until visit returns false. Zero slots are left out.
func (s *search) alike(slots []slot, visit func(run []slot) bool) {
	slots = slices.DeleteFunc(slots, func(x slot) bool { return x.u|x.v == 0 })
	s.slopes(slots)
	if !repeated(slots) {
		return
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.slope, b.slope) })
	for from := 0; from < len(slots); {
		to := from + 1
		for to < len(slots) && slots[to].slope == slots[from].slope {
			to++
		}
		if to-from > 1 && !visit(slots[from:to]) {
			return
		}
		from = to
	}
}

// slopes sets v/u, times one constant, with a single inversion for all: with
// P[i] = P[i-1]*u[i]/R, the factors R of mont cancel alike in every slot.
func (s *search) slopes(slots []slot) {
	f := s.f
	product := uint64(1)
	for i := range slots {
		slots[i].inv = product
		if slots[i].u != 0 {
			product = f.mont(product, slots[i].u)
		}
	}
	inv := f.inverse(product)
	for i := len(slots) - 1; i >= 0; i-- {
		x := &slots[i]
		if x.u == 0 {
			x.slope = f.p // no element is p
			continue
		}
		x.slope = f.mont(x.v, f.mont(inv, x.inv))
		inv = f.mont(inv, x.u)
	}
}

// repeated says that two slots have one slope. Slopes are random enough to be
// their own hash.
func repeated(slots []slot) bool {
	size := 1
	for size < 2*len(slots) {
		size *= 2
	}
	seen := make([]uint64, size)
	for i := range slots {
		key := slots[i].slope + 1
		at := key & uint64(size-1)
		for seen[at] != 0 {
			if seen[at] == key {
				return true
			}
			at = (at + 1) & uint64(size-1)
		}
		seen[at] = key
	}
	return false
}
