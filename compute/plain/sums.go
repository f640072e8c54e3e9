package plain

// sums accumulates one summed field, per group and per pair of group and
// subject. Absolute contributions are kept per pair; where every record is its
// own subject the pair is the record.
type sums struct {
	col     int
	scale   int
	sum     vec[uint64] // words per group, two's complement
	n       vec[int64]  // non-null values per group
	byPair  vec[uint64] // words per pair, sum of absolute values
	present vec[uint8]  // per pair: has a non-null value
	tops    tops        // filled record by record if there are no pairs
}

// add takes the selected records: rows[k] of the window is in group gids[k],
// pair pids[k] (nil where each record is its own subject).
func (s *sums) add(c *column, rows []int32, gids, pids []uint32) {
	for k, i := range rows {
		if c.nulls != nil && !c.valid(int(i)) {
			continue
		}
		g := int(gids[k])
		s.n.v[g]++
		var hi, lo uint64
		if c.kind == physInt {
			v := c.ints[i]
			addInt(s.sum.v[words*g:words*g+words], v)
			lo = absInt(v)
		} else {
			v := c.nums[i]
			addNum(s.sum.v[words*g:words*g+words], v)
			hi, lo = absNum(v)
		}
		if pids == nil {
			s.tops.take(g, magnitude{lo, hi})
			continue
		}
		pid := int(pids[k])
		addMagnitude(s.byPair.v[words*pid:words*pid+words], hi, lo)
		s.present.v[pid] = 1
	}
}

func (s *sums) growGroups(p *pool, n int, direct bool) error {
	if err := s.sum.grow(p, words*n); err != nil {
		return err
	}
	if err := s.n.grow(p, n); err != nil {
		return err
	}
	if direct {
		return s.tops.grow(p, n)
	}
	return nil
}

func (s *sums) growPairs(p *pool, n int) error {
	if err := s.byPair.grow(p, words*n); err != nil {
		return err
	}
	return s.present.grow(p, n)
}

// spread moves the contributions of the pairs into tops.
func (s *sums) spread(p *pool, groupOf []uint32, groups int) error {
	if err := s.tops.grow(p, groups); err != nil {
		return err
	}
	for pid, g := range groupOf {
		if s.present.v[pid] != 0 {
			s.tops.take(int(g), magnitude(s.byPair.v[words*pid:words*pid+words]))
		}
	}
	return nil
}

func (s *sums) free(p *pool) {
	s.sum.free(p)
	s.n.free(p)
	s.byPair.free(p)
	s.present.free(p)
	s.tops.free(p)
}

// tops keeps per group how contributions spread: their number, their total and
// the two largest.
type tops struct {
	n   vec[int64]
	abs vec[uint64] // three magnitudes per group: total, largest, second
}

const topWords = 3 * words

func (t *tops) grow(p *pool, groups int) error {
	if err := t.n.grow(p, groups); err != nil {
		return err
	}
	return t.abs.grow(p, topWords*groups)
}

// take adds one subject's contribution to group g.
func (t *tops) take(g int, m magnitude) {
	t.n.v[g]++
	a := t.abs.v[topWords*g : topWords*(g+1)]
	addMagnitude(a[:words], m[1], m[0])
	a[words-1] += m[2]
	switch {
	case magnitude(a[words : 2*words]).less(m):
		copy(a[2*words:], a[words:2*words])
		copy(a[words:2*words], m[:])
	case magnitude(a[2*words:]).less(m):
		copy(a[2*words:], m[:])
	}
}

func (t *tops) read(g int) (n int64, total, largest, second magnitude) {
	a := t.abs.v[topWords*g : topWords*(g+1)]
	return t.n.v[g], magnitude(a[:words]), magnitude(a[words : 2*words]), magnitude(a[2*words:])
}

func (t *tops) free(p *pool) {
	t.n.free(p)
	t.abs.free(p)
}
