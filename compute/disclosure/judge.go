package disclosure

import (
	"cmp"
	"context"
	"slices"
)

// Rule names what a shown pattern may break.
type Rule string

// The rules. In all of them "small" is fewer subjects than Universe.Least.
const (
	// RuleCell: a shown cell is small.
	RuleCell Rule = "small-cell"
	// RuleComplement: all but a small group of the data set, or of the table, are
	// in one shown cell; an empty complement is small.
	RuleComplement Rule = "small-complement"
	// RuleDifference: a shown figure and another shown figure, of this table or a
	// registered one, differ by a small group, however many atoms it has.
	RuleDifference Rule = "small-difference"
	// RuleAtom: the total over a small atom follows from what is shown.
	RuleAtom Rule = "atom"
	// RulePair: some combination of the totals over two atoms, small together,
	// follows from what is shown: their sum, their difference, any other.
	RulePair Rule = "pair"
)

// Finding is one broken rule. Cell is -1 where the rule is about atoms, and the
// number of cells where it is about the table's total.
type Finding struct {
	Rule Rule
	Cell int
}

// maxFindings bounds the reported atoms and pairs.
const maxFindings = 256

// Report is a judgement. EVIDENCE: it never leaves; what may be said of an
// unsafe table is that it is unsafe.
type Report struct {
	Findings []Finding
	Atoms    int // with this table registered
	Small    int // atoms that are small
	Rows     int // shown figures of all tables
	Rank     int // independent ones among them
}

// Safe says that no rule is broken.
func (r *Report) Safe() bool { return len(r.Findings) == 0 }

// reveal is a combination x*a + y*b of atom totals that follows from the shown
// rows; b is -1 for a single atom.
type reveal struct {
	a, b int
	x, y uint64
}

// judge makes shown the trial's pattern and writes the report.
func (t *Trial) judge(ctx context.Context, shown []bool) error {
	pat, err := t.pattern(shown)
	if err != nil {
		return err
	}
	t.shown, t.pat = slices.Clone(shown), pat
	t.report = Report{
		Atoms: len(pat.atoms), Rows: len(t.reg.rows) + len(pat.rows),
		Rank: t.reg.q.rank() + len(pat.basis),
	}
	t.report.Findings = t.direct(shown)
	reveals, err := t.reveals(ctx, pat)
	if err != nil {
		return err
	}
	t.broken = reveals
	for _, v := range reveals {
		rule := RulePair
		if v.b < 0 {
			rule = RuleAtom
		}
		t.report.Findings = append(t.report.Findings, Finding{Rule: rule, Cell: -1})
	}
	return nil
}

// direct applies the rules that look at figures alone.
func (t *Trial) direct(shown []bool) []Finding {
	var out []Finding
	for c, on := range shown {
		if !on {
			continue
		}
		for _, rule := range t.primary(c) {
			out = append(out, Finding{Rule: rule, Cell: c})
		}
	}
	if t.total {
		if t.count[t.cells] < t.reg.u.Least {
			out = append(out, Finding{Rule: RuleCell, Cell: t.cells})
		}
		if t.near[t.cells] {
			out = append(out, Finding{Rule: RuleDifference, Cell: t.cells})
		}
	}
	for _, pair := range t.twins {
		if shown[pair[0]] && shown[pair[1]] {
			out = append(out, Finding{Rule: RuleDifference, Cell: int(pair[0])})
		}
	}
	return out
}

// primary lists the rules by which a cell must be withheld whatever else is
// shown of its table.
func (t *Trial) primary(c int) []Rule {
	var out []Rule
	u := &t.reg.u
	if t.count[c] < u.Least {
		out = append(out, RuleCell)
	}
	if u.Units-t.count[c] < u.Least || t.cells > 1 && t.within-t.count[c] < u.Least {
		out = append(out, RuleComplement)
	}
	if t.near[c] {
		out = append(out, RuleDifference)
	}
	return out
}

// reveals finds the atoms and pairs. A combination of atom totals follows from
// the rows iff it vanishes on their kernel. So the total of a follows only if
// both random kernel vectors are 0 at a, and a combination of a and b only if
// (n1[a], n2[a]) and (n1[b], n2[b]) are parallel: sorting by n2/n1 finds all
// such pairs at once.
func (t *Trial) reveals(ctx context.Context, pat *pattern) ([]reveal, error) {
	var small []int
	for a := range pat.atoms {
		if pat.atoms[a].size < t.reg.u.Least {
			small = append(small, a)
		}
	}
	t.report.Small = len(small)
	if len(small) == 0 {
		return nil, nil
	}
	if err := t.project(ctx, pat); err != nil {
		return nil, err
	}
	f := t.reg.f
	n1, n2 := pat.kernel[0], pat.kernel[1]
	var out []reveal
	small = slices.DeleteFunc(small, func(a int) bool {
		alone := n1[a] == 0 && n2[a] == 0
		if alone && len(out) < maxFindings {
			out = append(out, reveal{a: a, b: -1, x: 1})
		}
		return alone
	})
	slope := slopes(f, small, n1, n2)
	order := make([]int, len(small))
	for i := range order {
		order[i] = i
	}
	size := func(i int) int { return pat.atoms[small[i]].size }
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(slope[i], slope[j]), cmp.Compare(size(i), size(j)), cmp.Compare(i, j))
	})
	for i := 1; i < len(order) && len(out) < maxFindings; i++ {
		a, b := order[i-1], order[i]
		first := i == 1 || slope[order[i-2]] != slope[a]
		if first && slope[a] == slope[b] && size(a)+size(b) < t.reg.u.Least {
			out = append(out, parallelPair(f, small[a], small[b], n1, n2))
		}
	}
	return out, nil
}

// parallelPair makes the combination of a and b that vanishes on the kernel.
func parallelPair(f field, a, b int, n1, n2 []uint64) reveal {
	n := n1
	if n1[a] == 0 {
		n = n2
	}
	return reveal{a: a, b: b, x: n[b], y: f.sub(0, n[a])}
}

// slopes returns n2/n1 for each atom, p standing for a zero n1, with a single
// inversion for all.
func slopes(f field, atoms []int, n1, n2 []uint64) []uint64 {
	before := make([]uint64, len(atoms))
	product := uint64(1)
	for i, a := range atoms {
		before[i] = product
		if n1[a] != 0 {
			product = f.mul(product, n1[a])
		}
	}
	inv := f.inverse(product)
	out := make([]uint64, len(atoms))
	for i := len(atoms) - 1; i >= 0; i-- {
		a := atoms[i]
		if n1[a] == 0 {
			out[i] = f.p
			continue
		}
		out[i] = f.mul(n2[a], f.mul(inv, before[i]))
		inv = f.mul(inv, n1[a])
	}
	return out
}
