package risk

// secrets judges the sensitive values of classes. Combinations of the values
// of all sensitive columns are numbered; a class is met as the combinations of
// its tuples.
type secrets struct {
	of     []uint32   // by record: the combination
	codes  [][]uint32 // by column, by combination: the code of the value
	judges []*judge
	few    []bool // by class: fewer values than the floor
	fails  []bool // by class: fails, the floor included
	start  []uint32
	sorted []uint32 // input tuples by class
	many   []uint32 // by combination: records of the class at hand
	met    []uint32 // combinations of the class at hand
}

// combine numbers the combinations of those so far with another column.
func (s *secrets) combine(at []uint32, c *coded, col int) []uint32 {
	type pair struct{ before, code uint32 }
	ids := make(map[pair]uint32)
	next := make([]uint32, len(at))
	codes := make([][]uint32, col+1)
	for row, before := range at {
		p := pair{before, c.codes[row]}
		id, ok := ids[p]
		if !ok {
			id = uint32(len(ids))
			ids[p] = id
			for i := range col {
				codes[i] = append(codes[i], s.codes[i][before])
			}
			codes[col] = append(codes[col], p.code)
		}
		next[row] = id
	}
	s.codes = codes
	s.many = make([]uint32, len(ids))
	return next
}

func (s *secrets) reserve(n int) {
	s.few, s.fails = make([]bool, n), make([]bool, n)
	s.start, s.sorted = make([]uint32, n+2), make([]uint32, n)
	s.met = make([]uint32, 0, min(n, len(s.many)))
}

// judge sorts the tuples by class, counts each class's values and judges them.
// On the way it merges the tuples of one class and combination into k.merged.
func (s *secrets) judge(k *checker, from *tuples) {
	n := k.classes.len()
	class := k.group.class
	start := s.start[:n+2]
	clear(start)
	for _, id := range class {
		start[id+2]++
	}
	for i := 2; i < len(start); i++ {
		start[i] += start[i-1]
	}
	for i, id := range class {
		s.sorted[start[id+1]] = uint32(i)
		start[id+1]++
	}
	k.merged.reset()
	for id := range n {
		for _, i := range s.sorted[start[id]:start[id+1]] {
			secret := from.secret[i]
			if s.many[secret] == 0 {
				s.met = append(s.met, secret)
			}
			s.many[secret] += from.count[i]
		}
		s.few[id], s.fails[id] = false, false
		for col, j := range s.judges {
			few, fails := j.class(s.met, s.many, s.codes[col], int64(k.classes.count[id]))
			s.few[id], s.fails[id] = s.few[id] || few, s.fails[id] || fails
		}
		s.flush(k, id)
	}
}

// flush appends the class's tuples and forgets them.
func (s *secrets) flush(k *checker, id int) {
	for _, secret := range s.met {
		k.merged.lo = append(k.merged.lo, k.classes.lo[id])
		if k.l.wide {
			k.merged.hi = append(k.merged.hi, k.classes.hi[id])
		}
		k.merged.count = append(k.merged.count, s.many[secret])
		k.merged.rep = append(k.merged.rep, k.classes.rep[id])
		k.merged.secret = append(k.merged.secret, secret)
		s.many[secret] = 0
	}
	s.met = s.met[:0]
}
