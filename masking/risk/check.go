package risk

import "fmt"

// verdict is what a check finds out about a node.
type verdict struct {
	suppressed int64   // records left out
	floor      int64   // records left out by the absorbing floor alone
	classes    int     // classes that stay
	value      float64 // meaningful only if suppressed is within the limit
	bound      float64 // the cost were nothing left out
}

// checker judges nodes. All memory is made at its beginning.
type checker struct {
	l       *lattice
	k       int64
	limit   int64
	cost    *cost
	base    tuples
	codes   []uint32 // of base tuples: their code in each column, tuple by tuple
	group   *grouper
	classes tuples
	merged  tuples // with secrets: the classes' tuples, merged
	secrets *secrets
	fails   []bool // by class
	extra   []int64
}

func newChecker(t *Table, l *lattice, c Constraints, m Measure) (*checker, error) {
	limit, err := c.limit(t.rows)
	if err != nil {
		return nil, err
	}
	k := &checker{l: l, k: c.K, limit: limit, cost: newCost(m, l, t.rows), extra: make([]int64, len(l.cols))}
	if k.secrets, err = newSecrets(t, c.Sensitive); err != nil {
		return nil, err
	}
	k.load(t)
	n := k.base.len()
	k.group = newGrouper(n)
	k.fails = make([]bool, n)
	k.classes.reserve(n, l.wide, false)
	if k.secrets != nil {
		k.secrets.reserve(n)
		k.merged.reserve(n, l.wide, true)
	}
	return k, nil
}

// load makes the base tuples: the different records.
func (k *checker) load(t *Table) {
	type full struct {
		lo, hi uint64
		secret uint32
	}
	at := make(map[full]uint32, t.rows/2)
	for row := range t.rows {
		var f full
		f.lo, f.hi = k.l.key(row)
		if k.secrets != nil {
			f.secret = k.secrets.of[row]
		}
		id, ok := at[f]
		if !ok {
			id = uint32(k.base.len())
			at[f] = id
			k.base.lo = append(k.base.lo, f.lo)
			if k.l.wide {
				k.base.hi = append(k.base.hi, f.hi)
			}
			if k.secrets != nil {
				k.base.secret = append(k.base.secret, f.secret)
			}
			k.base.count = append(k.base.count, 0)
			k.base.rep = append(k.base.rep, id)
			for _, b := range k.l.cols {
				k.codes = append(k.codes, b.col.codes[row])
			}
		}
		k.base.count[id]++
	}
}

// check judges a node from the tuples of one of its specialisations.
func (k *checker) check(node int, from *tuples) verdict {
	lo, hi := k.l.mask(node)
	k.group.merge(from, &k.classes, lo, hi, k.secrets != nil)
	n := k.classes.len()
	var v verdict
	if k.secrets != nil {
		k.secrets.judge(k, from)
	}
	for id, size := range k.classes.count {
		small := int64(size) < k.k
		if k.secrets != nil {
			small = small || k.secrets.few[id]
		}
		fails := small || k.secrets != nil && k.secrets.fails[id]
		k.fails[id] = fails
		if small {
			v.floor += int64(size)
		}
		if fails {
			v.suppressed += int64(size)
		} else {
			v.classes++
		}
	}
	k.price(node, n, &v)
	return v
}

// price computes value and bound.
func (k *checker) price(node, n int, v *verdict) {
	c := k.cost
	switch c.measure {
	case AverageClass:
		left := v.classes
		if v.suppressed > 0 {
			left++
		}
		v.value, v.bound = ratio(c.rows, left), ratio(c.rows, n)
	case Discernibility, DiscernibilityStar:
		var all, paid int64
		for id, size := range k.classes.count {
			s := int64(size)
			all += s * s
			if k.fails[id] && c.measure == Discernibility {
				paid += s * c.rows
			} else {
				paid += s * s
			}
		}
		v.value, v.bound = float64(paid), float64(all)
	default:
		v.bound = c.static(k.l, node)
		v.value = v.bound
		if v.suppressed > 0 && v.suppressed <= k.limit {
			v.value = k.priceCells(node)
		}
	}
}

func ratio(a int64, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (k *checker) priceCells(node int) float64 {
	clear(k.extra)
	cols := len(k.l.cols)
	for id, fails := range k.fails[:k.classes.len()] {
		if !fails {
			continue
		}
		rep, n := int(k.classes.rep[id])*cols, int64(k.classes.count[id])
		for col := range cols {
			k.extra[col] += n * k.cost.extra[col][k.l.level(node, col)][k.codes[rep+col]]
		}
	}
	var value float64
	for col := range cols {
		value += k.cost.weight[col] * float64(k.cost.kept[col][k.l.level(node, col)]+k.extra[col])
	}
	return value
}

// result is what the last check leaves for its generalisations to start from.
func (k *checker) result() *tuples {
	if k.secrets != nil {
		return &k.merged
	}
	return &k.classes
}

// newSecrets gives nil where no column is sensitive.
func newSecrets(t *Table, specs []Sensitive) (*secrets, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	s := &secrets{}
	at := make([]uint32, t.rows) // the combination of the columns so far
	for i, spec := range specs {
		c := t.column(spec.Column)
		if c == nil {
			return nil, fmt.Errorf("constraints: column %q: not in the table", spec.Column)
		}
		j, err := newJudge(&specs[i], c)
		if err != nil {
			return nil, fmt.Errorf("constraints: column %q: %w", spec.Column, err)
		}
		s.judges = append(s.judges, j)
		at = s.combine(at, c, i)
	}
	s.of = at
	return s, nil
}
