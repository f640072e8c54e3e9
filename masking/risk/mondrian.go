package risk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Local is a local recoding: groups of records, and for each group and
// quasi-identifier the range that stands for all its values.
type Local struct {
	Columns []string
	t       *Table
	dims    []*dimension
	group   []uint32 // by record
	ranges  [][]Range
	sizes   []int64
}

// Range stands for the values of one group and column: from Low to High among
// numbers and dates, or a label of the hierarchy, then Low equals High. Null
// says that some are null.
type Range struct {
	Low, High string
	Null      bool
	width     float64 // 0 one value, 1 all
}

// Mondrian recodes locally (LeFevre, DeWitt and Ramakrishnan, Mondrian
// multidimensional k-anonymity, 2006): the records are cut at the median of
// the widest column, again and again, while every part satisfies the
// constraints. It takes many quasi-identifiers where a lattice cannot, and
// gives no optimum. Numbers and dates without a hierarchy become ranges of the
// values met, null before all; others are cut into the children of the least
// label that covers them. Strict parts never overlap in all columns; relaxed
// ones may share the median's value of a number, and are of more equal size.
// Nothing is left out: a suppression limit is refused.
func Mondrian(ctx context.Context, t *Table, quasi []Quasi, c Constraints, relaxed bool) (*Local, error) {
	m, err := newMondrian(t, quasi, c, relaxed)
	if err != nil {
		return nil, fmt.Errorf("recode locally: %w", err)
	}
	rows := make([]uint32, t.rows)
	for i := range rows {
		rows[i] = uint32(i)
	}
	if !m.satisfies(rows) {
		return nil, ErrNoRecoding
	}
	work := [][]uint32{rows}
	for len(work) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := work[len(work)-1]
		work = work[:len(work)-1]
		cut := m.cut(part)
		if cut == nil {
			m.settle(part)
			continue
		}
		slices.Reverse(cut) // the first part is worked on first
		work = append(work, cut...)
	}
	return m.out, nil
}

type mondrian struct {
	k       int64
	secrets *secrets
	relaxed bool
	out     *Local
	widths  []dimWidth
}

type dimWidth struct {
	dim   int
	width float64
}

func newMondrian(t *Table, quasi []Quasi, c Constraints, relaxed bool) (*mondrian, error) {
	switch err := c.check(); {
	case err != nil:
		return nil, err
	case t.rows == 0:
		return nil, errors.New("the table is empty")
	case c.Suppress != "" && c.Suppress != "0":
		return nil, errors.New("no record is left out: the suppression limit must be empty")
	}
	var names []string
	for _, q := range quasi {
		names = append(names, q.Column)
	}
	if _, err := t.want(names); err != nil {
		return nil, err
	}
	m := &mondrian{k: c.K, relaxed: relaxed, out: &Local{Columns: names, t: t, group: make([]uint32, t.rows)}}
	for _, s := range c.Sensitive {
		if slices.Contains(names, s.Column) {
			return nil, fmt.Errorf("column %q: both quasi-identifier and sensitive", s.Column)
		}
	}
	var err error
	if m.secrets, err = newSecrets(t, c.Sensitive); err != nil {
		return nil, err
	}
	for _, q := range quasi {
		d, err := newDimension(t, q)
		if err != nil {
			return nil, err
		}
		m.out.dims = append(m.out.dims, d)
	}
	return m, nil
}

// satisfies judges a part.
func (m *mondrian) satisfies(rows []uint32) bool {
	if int64(len(rows)) < m.k {
		return false
	}
	if m.secrets == nil {
		return true
	}
	s := m.secrets
	for _, row := range rows {
		secret := s.of[row]
		if s.many[secret] == 0 {
			s.met = append(s.met, secret)
		}
		s.many[secret]++
	}
	good := true
	for col, j := range s.judges {
		_, fails := j.class(s.met, s.many, s.codes[col], int64(len(rows)))
		good = good && !fails
	}
	for _, secret := range s.met {
		s.many[secret] = 0
	}
	s.met = s.met[:0]
	return good
}

// cut tries the columns from the widest on; nil if no cut leaves only parts
// that satisfy.
func (m *mondrian) cut(rows []uint32) [][]uint32 {
	if int64(len(rows)) < 2*m.k {
		return nil
	}
	m.widths = m.widths[:0]
	for i, d := range m.out.dims {
		if w := d.width(rows); w > 0 {
			m.widths = append(m.widths, dimWidth{i, w})
		}
	}
	slices.SortFunc(m.widths, func(a, b dimWidth) int {
		return cmp.Or(cmp.Compare(b.width, a.width), cmp.Compare(a.dim, b.dim))
	})
	for _, w := range m.widths {
		parts := m.out.dims[w.dim].cut(rows, m.relaxed)
		if len(parts) > 1 && !slices.ContainsFunc(parts, func(p []uint32) bool { return !m.satisfies(p) }) {
			return parts
		}
	}
	return nil
}

// settle makes a part a group.
func (m *mondrian) settle(rows []uint32) {
	o := m.out
	ranges := make([]Range, len(o.dims))
	for i, d := range o.dims {
		ranges[i] = d.summary(rows)
	}
	for _, row := range rows {
		o.group[row] = uint32(len(o.ranges))
	}
	o.ranges = append(o.ranges, ranges)
	o.sizes = append(o.sizes, int64(len(rows)))
}

// Groups is the number of groups.
func (l *Local) Groups() int { return len(l.ranges) }

// Group is the number of a record's group.
func (l *Local) Group(row int) int { return int(l.group[row]) }

// Range stands for a column of a group, both by number.
func (l *Local) Range(group, column int) Range { return l.ranges[group][column] }

// Loss is the mean over all cells of the width of their range: 0 one value, 1
// the whole column; numbers by rank, labels by leaves.
func (l *Local) Loss() float64 {
	var sum float64
	for g, ranges := range l.ranges {
		for _, r := range ranges {
			sum += r.width * float64(l.sizes[g])
		}
	}
	return sum / float64(l.t.rows) / float64(max(1, len(l.dims)))
}

// Apply gives the table as recoded, other columns as they are.
func (l *Local) Apply() *Table {
	out := &Table{rows: l.t.rows}
	for _, c := range l.t.cols {
		i := slices.Index(l.Columns, c.name)
		if i < 0 {
			out.cols = append(out.cols, c)
			continue
		}
		out.cols = append(out.cols, l.column(c, i))
	}
	return out
}

func (l *Local) column(c *coded, i int) *coded {
	next := &coded{name: c.name, null: -1, codes: make([]uint32, 0, len(c.codes))}
	met := make(map[Range]uint32)
	at := make([]uint32, len(l.ranges))
	for g, ranges := range l.ranges {
		code, ok := met[ranges[i]]
		if !ok {
			code = uint32(len(next.labels))
			met[ranges[i]] = code
			next.labels = append(next.labels, ranges[i].String())
			next.first = append(next.first, 0)
			if ranges[i].Null && ranges[i].Low == "" {
				next.null = int(code)
			}
		}
		at[g] = code
	}
	for row := len(l.group) - 1; row >= 0; row-- {
		next.first[at[l.group[row]]] = row
	}
	for _, g := range l.group {
		next.codes = append(next.codes, at[g])
	}
	return next
}

// String is the label that is written for the range.
func (r Range) String() string {
	switch {
	case r.Low != r.High && r.Null:
		return "[" + r.Low + ", " + r.High + "] or null"
	case r.Low != r.High:
		return "[" + r.Low + ", " + r.High + "]"
	case r.Null && r.Low != "":
		return r.Low + " or null"
	}
	return r.Low
}
