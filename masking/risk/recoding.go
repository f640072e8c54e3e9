package risk

// Level is how far one column is generalised.
type Level struct {
	Column string `json:"column"`
	Level  int    `json:"level"`
	Height int    `json:"height"` // of the hierarchy
}

// Recoding is a node of the lattice and what it does to the table.
type Recoding struct {
	Levels     []Level `json:"levels"`
	Measure    string  `json:"measure"`
	Value      float64 `json:"value"`
	Rows       int     `json:"rows"`
	Suppressed int64   `json:"suppressed"` // records left out
	Classes    int     `json:"classes"`    // that stay
	Nodes      int     `json:"nodes"`      // recodings there are
	Checked    int     `json:"checked"`    // recodings looked at; the others are excluded by proof

	t     *Table
	cols  []*bound
	class []uint32 // by record
	keep  []bool   // by class
}

func (s *search) recoding(t *Table, c Constraints, m Measure) (*Recoding, error) {
	v := s.check(s.best.node, &s.base)
	r := &Recoding{Measure: m.String(), Value: s.best.value, Rows: t.rows, Suppressed: v.suppressed,
		Classes: v.classes, Nodes: s.l.nodes, Checked: s.checks, t: t, cols: s.l.cols}
	for i, b := range s.l.cols {
		r.Levels = append(r.Levels, Level{b.name, s.l.level(s.best.node, i), b.height})
	}
	type key struct{ lo, hi uint64 }
	at := make(map[key]uint32, s.classes.len())
	for id, lo := range s.classes.lo {
		k := key{lo: lo}
		if s.l.wide {
			k.hi = s.classes.hi[id]
		}
		at[k] = uint32(id)
		r.keep = append(r.keep, !s.fails[id])
	}
	lo, hi := s.l.mask(s.best.node)
	r.class = make([]uint32, t.rows)
	for row := range r.class {
		a, b := s.l.key(row)
		r.class[row] = at[key{a & lo, b & hi}]
	}
	return r, nil
}

// Keep reports whether record row of the table stays.
func (r *Recoding) Keep(row int) bool { return r.keep[r.class[row]] }

// Apply gives the table as recoded: the quasi-identifiers at their levels, the
// other columns as they are, and which records of the old table stay. The new
// table holds only those.
func (r *Recoding) Apply() (*Table, []bool) {
	mask := make([]bool, r.t.rows)
	out := &Table{}
	for row := range mask {
		mask[row] = r.Keep(row)
		if mask[row] {
			out.rows++
		}
	}
	for _, c := range r.t.cols {
		next := &coded{name: c.name, null: c.null, labels: c.labels, order: c.order}
		at := make([]uint32, len(c.labels))
		for code := range at {
			at[code] = uint32(code)
		}
		for i, b := range r.cols {
			if b.col == c && r.Levels[i].Level > 0 {
				next, at = b.recoded(r.Levels[i].Level)
			}
		}
		next.fill(c, at, mask, out.rows)
		out.cols = append(out.cols, next)
	}
	return out, mask
}

// recoded is the column of a level without records, and the new code of each
// old one.
func (b *bound) recoded(level int) (*coded, []uint32) {
	next := &coded{name: b.name, null: -1}
	at := make([]uint32, len(b.col.labels))
	met := make(map[uint32]uint32)
	for code, group := range b.up[level] {
		to, ok := met[group]
		if !ok {
			to = uint32(len(next.labels))
			met[group] = to
			next.labels = append(next.labels, b.label(level, code, next, to))
		}
		at[code] = to
	}
	return next, at
}

// label is what a group is called; null stays null below a single top.
func (b *bound) label(level, code int, next *coded, to uint32) string {
	switch {
	case b.h == nil:
		return "*"
	case int(b.up[level][code]) < len(b.h.labels[level]):
		return b.h.labels[level][b.up[level][code]]
	}
	next.null = int(to)
	return ""
}

// fill takes over the records that stay.
func (c *coded) fill(from *coded, at []uint32, mask []bool, rows int) {
	c.codes = make([]uint32, 0, rows)
	c.first = make([]int, len(c.labels))
	for row, stays := range mask {
		if stays {
			c.codes = append(c.codes, at[from.codes[row]])
		}
	}
	for row := len(c.codes) - 1; row >= 0; row-- {
		c.first[c.codes[row]] = row
	}
}
