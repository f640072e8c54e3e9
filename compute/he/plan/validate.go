package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/yumen-project/yumen/compute/he"
)

// check looks at the form: names, order, shapes, leaf counts. Bytes, Hash and
// ParseManifest need it to hold.
func (m *Manifest) check() error {
	if m == nil {
		return fmt.Errorf("%w: no manifest", ErrInvalid)
	}
	for _, s := range []string{m.Dataset, m.Version, m.Provider} {
		if !validName(s) {
			return fmt.Errorf("%w: name of dataset, version or provider", ErrInvalid)
		}
	}
	if len(m.Lanes) == 0 || len(m.Lanes) > maxLanes || len(m.Changes) > maxChanges {
		return fmt.Errorf("%w: %d lanes, %d changes", ErrInvalid, len(m.Lanes), len(m.Changes))
	}
	for i, c := range m.Changes {
		if slices.ContainsFunc(m.Changes[:i], func(o Change) bool { return o.Manifest == c.Manifest }) {
			return fmt.Errorf("%w: change %d stands twice", ErrInvalid, i)
		}
	}
	atoms := 0
	for i := range m.Lanes {
		l := &m.Lanes[i]
		if i > 0 && m.Lanes[i-1].Name >= l.Name {
			return fmt.Errorf("%w: lane %d does not rise", ErrInvalid, i)
		}
		if err := l.check(); err != nil {
			return fmt.Errorf("lane %d: %w", i, err)
		}
		if atoms += len(l.Sections) * l.groups(); atoms > maxAtoms {
			return fmt.Errorf("%w: more than %d atoms", ErrInvalid, maxAtoms)
		}
	}
	for i, o := range m.Overlaps {
		if i > 0 && m.Overlaps[i-1].Column >= o.Column || !validText(o.Column, maxName) {
			return fmt.Errorf("%w: overlap %d", ErrInvalid, i)
		}
	}
	if len(m.Overlaps) > 2*maxLanes+1 {
		return fmt.Errorf("%w: %d overlaps", ErrInvalid, len(m.Overlaps))
	}
	return nil
}

func (l *Lane) check() error {
	if !validName(l.Name) || !l.shape() || !slices.IsSorted(l.Present) || len(l.Present) > maxColumns ||
		!distinctNames(slices.Concat(l.Columns, l.Present)) || !distinctNames(l.Groups) {
		return fmt.Errorf("%w: names, columns or groups", ErrInvalid)
	}
	if l.Degree == 0 || l.Degree > 1<<14 || len(l.Groups) > int(l.Degree) || l.Bound > he.MaxValue || l.Scale > 76 {
		return fmt.Errorf("%w: degree, bound or scale", ErrInvalid)
	}
	if len(l.Sections) == 0 || len(l.Sections) > maxSections {
		return fmt.Errorf("%w: %d sections", ErrInvalid, len(l.Sections))
	}
	names := make([]string, len(l.Sections))
	next := uint64(0)
	for i := range l.Sections {
		s := &l.Sections[i]
		names[i] = s.Name
		if uint64(s.First) != next || len(s.Counts) != l.groups() {
			return fmt.Errorf("%w: section %d", ErrInvalid, i)
		}
		if next += uint64(s.Batches); next > maxBatches {
			return fmt.Errorf("%w: more than %d batches", ErrInvalid, maxBatches)
		}
		if err := s.check(l); err != nil {
			return err
		}
	}
	if !distinctNames(names) {
		return fmt.Errorf("%w: names of sections", ErrInvalid)
	}
	return nil
}

// shape reports whether columns and groups are those of the kind.
func (l *Lane) shape() bool {
	grouped := len(l.Groups) > 0 && len(l.Groups) <= maxGroups
	switch l.Kind {
	case Value, Reversed:
		return len(l.Columns) <= 1 && len(l.Groups) == 0
	case Square:
		return len(l.Columns) == 1 && len(l.Groups) == 0
	case Product:
		return len(l.Columns) == 2 && len(l.Groups) == 0
	case Bucketed:
		return len(l.Columns) <= 1 && grouped
	}
	return false
}

// check compares leaves with rows.
func (s *Section) check(l *Lane) error {
	if s.Batches == 0 || s.Positions > uint64(s.Batches)*uint64(l.Degree) {
		return refuseAtom(RuleLeaves, l.Name, s.Name, -1)
	}
	if want := (s.Positions + uint64(l.Degree) - 1) / uint64(l.Degree); l.Kind != Bucketed && want != uint64(s.Batches) {
		return refuseAtom(RuleLeaves, l.Name, s.Name, -1)
	}
	left := s.Positions
	for g, c := range s.Counts {
		if c.Rows > left || c.Rows > uint64(s.Batches)*l.slots(g) {
			return refuseAtom(RuleLeaves, l.Name, s.Name, g)
		}
		left -= c.Rows
		if c.Subjects > c.Rows || (c.Subjects == 0) != (c.Rows == 0) || c.Top1 > c.Top2 || c.Top2 > million {
			return fmt.Errorf("%w: section %q group %d: counts contradict each other", ErrInvalid, s.Name, g)
		}
	}
	return nil
}

// slots is the number of positions of a batch that belong to a group.
func (l *Lane) slots(group int) uint64 {
	n, g := uint64(l.Degree), uint64(l.groups())
	return (n - uint64(group) + g - 1) / g
}

// Limits are the authority's.
type Limits struct {
	MinimumSubjects uint64 // 0: 10
	MaximumRows     uint64 // positions of a lane; 0: no other than the form's
}

// DefaultMinimum is the least number of distinct subjects of an atom.
const DefaultMinimum = 10

func (l Limits) minimum() uint64 {
	if l.MinimumSubjects == 0 {
		return DefaultMinimum
	}
	return l.MinimumSubjects
}

// Shares above which a subject, or two, dominate an atom.
const (
	limitOne = 500_000
	limitTwo = 670_000
)

// Validate checks the form and holds every atom against the limits: enough
// distinct subjects, and no subject with more than 50 %, no two with more than
// 67 % of the sum of absolute values. An atom without rows holds nobody and
// passes. Lanes that read one column must have an Overlap that is large enough,
// unless they all split it alike. Refusals name lane, section, group index and
// rule.
func (m *Manifest) Validate(limits Limits) error {
	if err := m.check(); err != nil {
		return err
	}
	for i := range m.Lanes {
		if err := m.Lanes[i].validate(limits); err != nil {
			return err
		}
	}
	return m.validateOverlaps(limits)
}

func (l *Lane) validate(limits Limits) error {
	var rows uint64
	for i := range l.Sections {
		s := &l.Sections[i]
		rows += s.Positions
		for g, c := range s.Counts {
			rule := ""
			switch {
			case c.Rows == 0:
			case c.Subjects < limits.minimum():
				rule = RuleMinimum
			case c.Top1 > limitOne:
				rule = RuleOne
			case c.Top2 > limitTwo:
				rule = RuleTwo
			}
			if rule != "" {
				return refuseAtom(rule, l.Name, s.Name, g)
			}
		}
	}
	if limits.MaximumRows > 0 && rows > limits.MaximumRows {
		return refuse(RuleRange, l.Name)
	}
	return nil
}

func (m *Manifest) validateOverlaps(limits Limits) error {
	families := m.families()
	for _, column := range slices.Sorted(maps.Keys(families)) {
		lanes := families[column]
		if !m.overlapping(lanes) {
			continue
		}
		i, ok := slices.BinarySearchFunc(m.Overlaps, column, func(o Overlap, c string) int { return cmpText(o.Column, c) })
		if !ok || m.Overlaps[i].Smallest < limits.minimum() {
			return refuse(RuleOverlap, lanes[len(lanes)-1].Name)
		}
	}
	return nil
}

// families lists the lanes that read each column; "" has the lanes of ones.
func (m *Manifest) families() map[string][]*Lane {
	out := map[string][]*Lane{}
	for i := range m.Lanes {
		l := &m.Lanes[i]
		for _, c := range l.Columns {
			out[c] = append(out[c], l)
		}
		if len(l.Columns) == 0 {
			out[""] = append(out[""], l)
		}
	}
	return out
}

// overlapping reports whether some two lanes split the records in different ways.
func (m *Manifest) overlapping(lanes []*Lane) bool {
	return slices.ContainsFunc(lanes[1:], func(l *Lane) bool { return !sameSplit(lanes[0], l) })
}

// sameSplit reports whether two lanes of one dataset have the same atoms: without
// groups, with equal sections, and equal coverage.
func sameSplit(a, b *Lane) bool {
	return len(a.Groups) == 0 && len(b.Groups) == 0 && aligned(a, b, true)
}
