package risk

import (
	"cmp"
	"slices"
)

// Kept classes: those of at most poolSize checked nodes, each at most one
// poolShare of the base tuples, and of at most stageNodes stages, together at
// most stageShare times the base's tuples or stageLittle.
const (
	poolSize    = 64
	poolShare   = 8
	stageNodes  = 128
	stageShare  = 4
	stageLittle = 1 << 20
)

// pool keeps classes to roll up: the classes of a node are those of any
// specialisation, merged. The ring holds checked nodes; the oldest goes.
//
// A chain tried from its end has no checked node below it. So that it need not
// begin at the base, stages stand between: a node's stage has the node's levels
// in some columns, those of most values, and the lowest in the others. A stage
// is made when first wanted, stays, and serves all nodes with those levels.
type pool struct {
	nodes  [poolSize]int
	kept   [poolSize]tuples
	next   int
	most   int
	staged map[int]*tuples // nil: too many to be worth it
	stages []int           // the columns
	room   int             // tuples that may still be staged
}

func (p *pool) start(k *checker) {
	p.most = k.base.len() / poolShare
	p.room = max(stageShare*k.base.len(), stageLittle)
	p.staged = make(map[int]*tuples)
	for i := range p.nodes {
		p.nodes[i] = -1
	}
	cols := make([]int, len(k.l.cols))
	for i := range cols {
		cols[i] = i
	}
	slices.SortStableFunc(cols, func(a, b int) int {
		return cmp.Compare(len(k.l.cols[b].col.labels), len(k.l.cols[a].col.labels))
	})
	nodes := 1
	for _, c := range cols {
		if nodes *= k.l.cols[c].height + 1; nodes > stageNodes {
			break
		}
		p.stages = append(p.stages, c)
	}
}

// nearest gives the fewest tuples that a node can be made from.
func (p *pool) nearest(s *search, node int) *tuples {
	best := p.checked(s, node)
	if best.len() <= p.most {
		return best
	}
	at := 0
	for _, c := range p.stages {
		at += s.l.level(node, c) * s.l.stride[c]
	}
	if at == 0 || at == node {
		return best
	}
	t, ok := p.staged[at]
	if !ok {
		t = p.stage(s, at)
	}
	if t != nil && t.len() < best.len() {
		return t
	}
	return best
}

// checked gives the fewest among the ring and the base.
func (p *pool) checked(s *search, node int) *tuples {
	best := &s.base
	for i, n := range p.nodes {
		if n >= 0 && p.kept[i].len() < best.len() && s.l.within(n, node) {
			best = &p.kept[i]
		}
	}
	return best
}

// stage makes a stage, from another where there is one below it.
func (p *pool) stage(s *search, at int) *tuples {
	from := p.checked(s, at)
	for n, t := range p.staged {
		if t != nil && t.len() < from.len() && s.l.within(n, at) {
			from = t
		}
	}
	s.check(at, from)
	t := s.result()
	if t.len() > s.base.len()/2 || t.len() > p.room {
		p.staged[at] = nil
		return nil
	}
	p.room -= t.len()
	to := &tuples{}
	to.copy(t)
	p.staged[at] = to
	return to
}

// keep copies the classes of the node just checked, where that is worth it.
func (p *pool) keep(s *search, node int) {
	if t := s.result(); t.len() <= p.most {
		p.kept[p.next].copy(t)
		p.nodes[p.next] = node
		p.next = (p.next + 1) % poolSize
	}
}
