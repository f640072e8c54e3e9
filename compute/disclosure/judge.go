package disclosure

import (
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
	// registered one, differ by a small group, however many atoms it has; or, with
	// KnownTotal, one and the complement of the other do.
	RuleDifference Rule = "small-difference"
	// RuleAtom: the total over a small atom follows from what is shown.
	RuleAtom Rule = "atom"
	// RulePair: some combination of the totals over two atoms, small together,
	// follows from what is shown: their sum, their difference, any other.
	RulePair Rule = "pair"
	// RuleTriple: the same of three atoms. Looked for only where no atom or pair is
	// found, and within Limits.Triples.
	RuleTriple Rule = "triple"
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
	// Depth is the most atoms of which every small union was examined: 3, or 2
	// where there are too many small atoms for Limits.Triples or a rule is broken.
	Depth int
}

// Safe says that no rule is broken.
func (r *Report) Safe() bool { return len(r.Findings) == 0 }

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
		rule := []Rule{RuleAtom, RulePair, RuleTriple}[len(v.atoms)-1]
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
		if t.alone[t.cells] {
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
	if t.alone[c] {
		out = append(out, RuleCell)
	}
	if t.rest[c] {
		out = append(out, RuleComplement)
	}
	if t.near[c] {
		out = append(out, RuleDifference)
	}
	return out
}
