package risk

import (
	"errors"
	"math"
	"slices"
)

// judge holds one sensitive column's constraint and its counters.
type judge struct {
	spec  *Sensitive
	floor int
	total []int64  // by code: records of the table
	rows  int64    // of the table
	count []int64  // by code: records of the class
	met   []uint32 // codes of the class
	order []uint32 // of Ordered
	tree  *tree    // of Hierarchical
	tops  []int64  // scratch of (c,l)
}

func newJudge(s *Sensitive, c *coded) (*judge, error) {
	j := &judge{spec: s, floor: s.floor(), total: make([]int64, len(c.labels)),
		count: make([]int64, len(c.labels)), rows: int64(len(c.codes))}
	for _, code := range c.codes {
		j.total[code]++
	}
	if s.Closeness == nil {
		return j, nil
	}
	switch s.Closeness.Distance {
	case Equal:
	case Ordered:
		if c.null >= 0 || len(c.order) != len(c.labels) {
			return nil, errors.New("the ordered distance wants numbers or dates without nulls")
		}
		j.order = c.order
	case Hierarchical:
		t, err := newTree(s.Closeness.Hierarchy, c)
		if err != nil {
			return nil, err
		}
		j.tree = t
	default:
		return nil, errors.New("no such distance")
	}
	return j, nil
}

// class judges the class of the combinations met, each with many records.
func (j *judge) class(met, many, codes []uint32, size int64) (few, fails bool) {
	j.met = j.met[:0]
	for _, m := range met {
		code := codes[m]
		if j.count[code] == 0 {
			j.met = append(j.met, code)
		}
		j.count[code] += int64(many[m])
	}
	few = len(j.met) < j.floor
	fails = few || j.spec.Entropy > 1 && j.entropy(size) < math.Log2(j.spec.Entropy)-1e-9 ||
		j.spec.Recursive != nil && !j.recursive() ||
		j.spec.Closeness != nil && j.distance(size) > j.spec.Closeness.T
	for _, code := range j.met {
		j.count[code] = 0
	}
	return few, fails
}

// entropy of the class, in bits. Codes are summed in rising order, so that
// equal classes have equal sums.
func (j *judge) entropy(size int64) float64 {
	slices.Sort(j.met)
	var sum float64
	for _, code := range j.met {
		n := float64(j.count[code])
		sum += n * math.Log2(n)
	}
	return math.Log2(float64(size)) - sum/float64(size)
}

// recursive reports r1 < c (rl + ... + rm), exactly: a fused product and sum
// keeps its sign.
func (j *judge) recursive() bool {
	j.tops = j.tops[:0]
	for _, code := range j.met {
		j.tops = append(j.tops, j.count[code])
	}
	slices.Sort(j.tops)
	var tail int64
	for _, n := range j.tops[:max(0, len(j.tops)-j.spec.Recursive.L+1)] {
		tail += n
	}
	return math.FMA(j.spec.Recursive.C, float64(tail), -float64(j.tops[len(j.tops)-1])) > 0
}

// distance is the earth mover's distance from the class to the table, 0 to 1.
func (j *judge) distance(size int64) float64 {
	switch j.spec.Closeness.Distance {
	case Ordered:
		return j.ordered(size)
	case Hierarchical:
		return j.tree.distance(j, size)
	default:
		return j.equal(size)
	}
}

// equal is half the L1 distance. Where the class has a value, |p-q| differs
// from q; elsewhere it is q: so only the class's values are visited. Over the
// common denominator size*rows all terms are whole and below 2^63.
func (j *judge) equal(size int64) float64 {
	var over int64 // sum of p-q where it is positive: equal to where it is negative
	for _, code := range j.met {
		over += max(0, j.count[code]*j.rows-j.total[code]*size)
	}
	return float64(over) / (float64(size) * float64(j.rows))
}

// ordered is the sum of |cumulated p-q| over the ranks but the last, by their
// number.
func (j *judge) ordered(size int64) float64 {
	if len(j.order) < 2 {
		return 0
	}
	var run int64
	var sum float64
	for _, code := range j.order {
		run += j.count[code]*j.rows - j.total[code]*size
		sum += math.Abs(float64(run))
	}
	return sum / float64(len(j.order)-1) / (float64(size) * float64(j.rows))
}

// tree is a hierarchy as the hierarchical distance walks it.
type tree struct {
	up   [][]uint32 // by level from 1, by group of the level below: its group
	low  []uint32   // by code: the leaf
	pos  [][]int64  // by level, by group: what its children have too much
	neg  [][]int64  // and too little
	more [][]int64  // what it has too much by itself
}

func newTree(h *Hierarchy, c *coded) (*tree, error) {
	if h == nil || h.Tops() != 1 {
		return nil, errors.New("the hierarchical distance wants a hierarchy with one top label")
	}
	t := &tree{low: make([]uint32, len(c.labels))}
	for code, label := range c.labels {
		leaf, ok := h.leaf[label]
		if !ok || code == c.null {
			return nil, errors.New("a value is null or not in the hierarchy")
		}
		t.low[code] = h.up[0][leaf]
	}
	for level, labels := range h.labels {
		if level > 0 {
			up := make([]uint32, len(h.labels[level-1]))
			for leaf, group := range h.up[level-1] {
				up[group] = h.up[level][leaf]
			}
			t.up = append(t.up, up)
		}
		t.pos, t.neg = append(t.pos, make([]int64, len(labels))), append(t.neg, make([]int64, len(labels)))
		t.more = append(t.more, make([]int64, len(labels)))
	}
	return t, nil
}

// distance (Li et al. 2007, 4.2): what moves between the children of a node
// moves by its height / the tree's height; it is the lesser of what some have
// too much and others too little.
func (t *tree) distance(j *judge, size int64) float64 {
	for level := range t.more {
		clear(t.more[level])
		clear(t.pos[level])
		clear(t.neg[level])
	}
	for code, leaf := range t.low {
		t.more[0][leaf] += j.count[code]*j.rows - j.total[code]*size
	}
	var sum float64
	for level, up := range t.up {
		for group, above := range up {
			more := t.more[level][group]
			t.more[level+1][above] += more
			if more > 0 {
				t.pos[level+1][above] += more
			} else {
				t.neg[level+1][above] -= more
			}
		}
		for group := range t.pos[level+1] {
			sum += float64(level+1) * float64(min(t.pos[level+1][group], t.neg[level+1][group]))
		}
	}
	return sum / float64(len(t.up)) / (float64(size) * float64(j.rows))
}
