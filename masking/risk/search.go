package risk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrNoRecoding: no recoding satisfies the constraints. Loosen them, allow
// more records to be left out, or give coarser hierarchies.
var ErrNoRecoding = errors.New("no recoding satisfies the constraints")

// Search finds the full-domain recoding of least measure whose classes satisfy
// the constraints: one level for each quasi-identifier. Of equal ones it takes
// the least sum of levels, then the lowest levels from the first column on.
//
// The result is the optimum over all nodes of the lattice. What is not looked
// at is excluded by proof only: see Constraints on what a checked node says of
// those below and above it, and Measure on the bounds. The way through the
// lattice is after Flash (Kohlmayer et al. 2012): chains upwards, tags in both
// directions, classes rolled up from a checked specialisation; but chains end
// where the bound reaches the best found, and are tried from that end first.
func Search(ctx context.Context, t *Table, quasi []Quasi, c Constraints, m Measure) (*Recoding, error) {
	s, err := newSearch(t, quasi, c, m)
	if err != nil {
		return nil, fmt.Errorf("search recoding: %w", err)
	}
	for _, node := range s.order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.from(int(node)) {
			break
		}
	}
	if s.best.node < 0 {
		return nil, ErrNoRecoding
	}
	return s.recoding(t, c, m)
}

// Tags of a node.
const (
	failing    uint8 = 1 << iota // this node and all below leave too many out
	satisfying                   // this node and all above satisfy
	seen                         // checked
)

// candidate is a node with what it is compared by.
type candidate struct {
	value float64
	sum   int
	node  int
}

type search struct {
	*checker
	m      Measure
	order  []int32 // of nodes: every node after its specialisations
	tags   []uint8
	bound  []float64 // by node: what its value cannot be below
	best   candidate
	up     bool // tags upwards are valid
	pool   pool
	stack  []int32
	chain  []int32
	checks int
}

func newSearch(t *Table, quasi []Quasi, c Constraints, m Measure) (*search, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if t.rows == 0 {
		return nil, errors.New("the table is empty")
	}
	if m < 0 || int(m) >= len(measureNames) {
		return nil, errors.New("no such measure")
	}
	var names []string
	for _, q := range quasi {
		names = append(names, q.Column)
	}
	if _, err := t.want(names); err != nil {
		return nil, err
	}
	for _, s := range c.Sensitive {
		if slices.Contains(names, s.Column) {
			return nil, fmt.Errorf("column %q: both quasi-identifier and sensitive", s.Column)
		}
	}
	l, err := newLattice(t, quasi)
	if err != nil {
		return nil, err
	}
	k, err := newChecker(t, l, c, m)
	if err != nil {
		return nil, err
	}
	s := &search{checker: k, m: m, best: candidate{node: -1}, up: k.limit == 0 || c.absorbing()}
	s.tags = make([]uint8, l.nodes)
	s.pool.start(k)
	s.arrange()
	return s, nil
}

// arrange orders the nodes so that every node comes after its specialisations:
// by bound where it is known beforehand, else by an entropy that stands in for
// it as a guess of where good nodes are.
func (s *search) arrange() {
	guess := s.cost
	if !s.m.byCell() {
		guess = newCost(Entropy, s.l, int(s.cost.rows))
	}
	rank := make([]candidate, s.l.nodes)
	for node := range rank {
		rank[node] = candidate{guess.static(s.l, node), s.l.sum(node), node}
	}
	s.bound = make([]float64, s.l.nodes)
	if s.m.byCell() {
		for node := range rank {
			s.bound[node] = rank[node].value
		}
	}
	slices.SortFunc(rank, s.compare)
	s.order = make([]int32, len(rank))
	for i, r := range rank {
		s.order[i] = int32(r.node)
	}
}

// compare orders candidates: value, sum of levels, levels.
func (s *search) compare(a, b candidate) int {
	if d := cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.sum, b.sum)); d != 0 || a.node == b.node {
		return d
	}
	for c := range s.l.cols {
		if d := cmp.Compare(s.l.level(a.node, c), s.l.level(b.node, c)); d != 0 {
			return d
		}
	}
	return 0
}

// hopeless reports that neither the node nor any above it can be the best:
// above, bounds are no less and sums of levels greater.
func (s *search) hopeless(node int) bool {
	return s.best.node >= 0 && s.compare(candidate{s.bound[node], s.l.sum(node), node}, s.best) >= 0
}

// from works on a node of the order; true ends the search.
func (s *search) from(node int) bool {
	s.inherit(node)
	if s.hopeless(node) {
		return s.m.byCell() // the order is by bound: so is all that comes after
	}
	switch tag := s.tags[node]; {
	case tag&(failing|seen) != 0:
	case tag&satisfying != 0 && s.limit == 0 && s.m.byCell():
		s.offer(node, s.bound[node]) // nothing is left out: the bound is the value
	case tag&satisfying != 0 || !s.up:
		s.look(node)
	default:
		s.climb(node)
	}
	return false
}

// inherit takes over the bounds of the specialisations.
func (s *search) inherit(node int) {
	if s.m.byCell() {
		return
	}
	for c, stride := range s.l.stride {
		if s.l.level(node, c) > 0 {
			s.bound[node] = max(s.bound[node], s.bound[node-stride])
		}
	}
}

// climb makes a chain of untagged nodes upwards and searches it for the
// boundary between failing and satisfying.
func (s *search) climb(node int) {
	s.chain = append(s.chain[:0], int32(node))
	for next := s.next(node); next >= 0; next = s.next(next) {
		s.chain = append(s.chain, int32(next))
	}
	low, high := 0, len(s.chain)-1
	if s.best.node >= 0 {
		if !s.look(int(s.chain[high])) {
			return
		}
		high--
	}
	for low <= high {
		mid := (low + high) / 2
		if s.look(int(s.chain[mid])) {
			high = mid - 1
		} else {
			low = mid + 1
		}
	}
}

// next is the untagged and not hopeless generalisation that comes first in the
// order of candidates; -1 if there is none.
func (s *search) next(node int) int {
	at := candidate{node: -1}
	for c, stride := range s.l.stride {
		if s.l.level(node, c) == s.l.cols[c].height {
			continue
		}
		n := node + stride
		if s.tags[n]&(failing|satisfying|seen) != 0 || s.hopeless(n) {
			continue
		}
		if x := (candidate{s.bound[n], s.l.sum(n), n}); at.node < 0 || s.compare(x, at) < 0 {
			at = x
		}
	}
	return at.node
}

// look checks a node, tags what follows and offers it if it satisfies.
func (s *search) look(node int) bool {
	s.checks++
	v := s.check(node, s.pool.nearest(s, node))
	s.pool.keep(s, node)
	s.tags[node] |= seen
	s.bound[node] = max(s.bound[node], v.bound)
	if v.floor > s.limit || s.up && v.suppressed > s.limit {
		s.tag(node, failing, false)
	}
	if v.suppressed > s.limit {
		return false
	}
	if s.up {
		s.tag(node, satisfying, true)
	}
	s.offer(node, v.value)
	return true
}

func (s *search) offer(node int, value float64) {
	if x := (candidate{value, s.l.sum(node), node}); s.best.node < 0 || s.compare(x, s.best) < 0 {
		s.best = x
	}
}

// tag marks a node and all above, or all below. Sets of marked nodes are
// closed, so the walk stops at what is marked: each node is marked once.
func (s *search) tag(node int, mark uint8, up bool) {
	if s.tags[node]&mark != 0 {
		return
	}
	s.tags[node] |= mark
	s.stack = append(s.stack[:0], int32(node))
	for len(s.stack) > 0 {
		at := int(s.stack[len(s.stack)-1])
		s.stack = s.stack[:len(s.stack)-1]
		for c, stride := range s.l.stride {
			level, n := s.l.level(at, c), at-stride
			if up {
				level, n = s.l.cols[c].height-level, at+stride
			}
			if level > 0 && s.tags[n]&mark == 0 {
				s.tags[n] |= mark
				s.stack = append(s.stack, int32(n))
			}
		}
	}
}
