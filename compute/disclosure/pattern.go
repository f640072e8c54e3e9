package disclosure

// pattern is a choice of shown cells with all that follows from it.
type pattern struct {
	final  []uint32 // piece -> atom
	base   []uint32 // atom -> atom of the registry
	class  []uint32 // atom -> class
	sets   [][]int  // class -> shown figures
	atoms  []atom
	rows   []int // shown figures in order
	pivot  []int // by figure: its place among the new independent rows, or -1
	basis  []int // new independent figures
	l      [][]uint64
	inv    []uint64
	v      [draws][]uint64
	kernel [draws][]uint64 // by atom: random vectors of the kernel of all shown rows
}

// pattern tells apart what the shown figures tell apart and eliminates among
// them.
func (t *Trial) pattern(shown []bool) (*pattern, error) {
	pat := &pattern{}
	visible := func(fig uint32) bool { return int(fig) == t.cells || shown[fig] }
	known := make(map[string]uint32)
	of := make([]uint32, len(t.sets))
	for c, set := range t.sets {
		var seen []int
		var key []uint32
		for _, fig := range set {
			if visible(fig) {
				seen, key = append(seen, int(fig)), append(key, fig)
			}
		}
		id, ok := known[setKey(key)]
		if !ok {
			id = uint32(len(pat.sets))
			known[setKey(key)] = id
			pat.sets = append(pat.sets, seen)
		}
		of[c] = id
	}
	class := make([]uint32, len(t.class))
	for p, c := range t.class {
		class[p] = of[c]
	}
	var err error
	pat.final, pat.base, err = refine(t.base, len(t.reg.atoms), class, len(t.base))
	if err != nil {
		return nil, err
	}
	t.merge(pat, class)
	for fig := range t.figures() {
		if visible(uint32(fig)) {
			pat.rows = append(pat.rows, fig)
		}
	}
	t.reduce(pat)
	return pat, nil
}

// merge sums pieces into atoms.
func (t *Trial) merge(pat *pattern, class []uint32) {
	f := t.reg.f
	pat.atoms = make([]atom, len(pat.base))
	pat.class = make([]uint32, len(pat.base))
	for p, a := range pat.final {
		from, to := &t.pieces[p], &pat.atoms[a]
		pat.class[a] = class[p]
		to.size += from.size
		for _, o := range from.who {
			to.meetOwner(o, t.reg.u.Least)
		}
		to.d = f.add(to.d, from.d)
		for k := range to.z {
			to.z[k] = f.add(to.z[k], from.z[k])
		}
	}
}

// reduce decomposes the Schur complement of the shown figures, leaving out the
// figures that others imply.
func (t *Trial) reduce(pat *pattern) {
	f := t.reg.f
	pat.pivot = make([]int, t.figures())
	for i := range pat.pivot {
		pat.pivot[i] = -1
	}
	for _, fig := range pat.rows {
		n := len(pat.basis)
		x := make([]uint64, n)
		l := make([]uint64, n)
		for e, other := range pat.basis {
			x[e] = f.sub(t.schur[max(fig, other)][min(fig, other)], f.dot(pat.l[e], x))
			l[e] = f.mul(x[e], pat.inv[e])
		}
		pivot := f.sub(t.schur[fig][fig], f.dot(l, x))
		if pivot == 0 {
			continue
		}
		pat.pivot[fig] = n
		pat.basis = append(pat.basis, fig)
		pat.l = append(pat.l, l)
		pat.inv = append(pat.inv, f.inverse(pivot))
		for k := range pat.v {
			pat.v[k] = append(pat.v[k], f.sub(t.resid[k][fig], f.dot(l, pat.v[k])))
		}
	}
}
