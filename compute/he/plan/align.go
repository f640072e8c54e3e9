package plan

import "slices"

// coverage lists the columns whose nulls decide which records of the lane count.
func (l *Lane) coverage() []string {
	c := slices.Concat(l.Columns, l.Present)
	slices.Sort(c)
	return slices.Compact(c)
}

// aligned reports whether position i of one lane and of the other are the same
// record, and the same records count: equal sections, and either every record
// counts in both or (same dataset and version only) nulls of the same columns
// decide.
func aligned(a, b *Lane, sameDataset bool) bool {
	if a.Kind == Bucketed || b.Kind == Bucketed || a.Degree != b.Degree || len(a.Sections) != len(b.Sections) {
		return false
	}
	alike := sameDataset && slices.Equal(a.coverage(), b.coverage())
	for i := range a.Sections {
		s, o := &a.Sections[i], &b.Sections[i]
		if s.Name != o.Name || s.First != o.First || s.Batches != o.Batches || s.Positions != o.Positions {
			return false
		}
		r, q := s.Counts[0].Rows, o.Counts[0].Rows
		if r != q || !alike && r != s.Positions {
			return false
		}
	}
	return true
}
