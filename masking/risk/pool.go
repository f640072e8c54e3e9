package risk

// Kept classes: of at most poolSize checked nodes, each at most one poolShare
// of the base tuples. Together they take at most poolSize/poolShare times the
// base's memory.
const (
	poolSize  = 64
	poolShare = 8
)

// pool keeps the classes of checked nodes for generalisations to roll up: the
// classes of a node are those of any specialisation, merged. It is a ring; the
// oldest goes.
type pool struct {
	nodes [poolSize]int
	kept  [poolSize]tuples
	next  int
	most  int
}

func (p *pool) start(k *checker) {
	p.most = k.base.len() / poolShare
	for i := range p.nodes {
		p.nodes[i] = -1
	}
}

// nearest gives the fewest tuples that a node can be made from.
func (p *pool) nearest(s *search, node int) *tuples {
	best := &s.base
	for i, n := range p.nodes {
		if n >= 0 && p.kept[i].len() < best.len() && s.l.within(n, node) {
			best = &p.kept[i]
		}
	}
	return best
}

// keep copies the classes of the node just checked, where that is worth it.
func (p *pool) keep(s *search, node int) {
	t := s.result()
	if t.len() > p.most {
		return
	}
	to := &p.kept[p.next]
	to.reset()
	to.lo, to.hi = append(to.lo, t.lo...), append(to.hi, t.hi...)
	to.count, to.rep, to.secret = append(to.count, t.count...), append(to.rep, t.rep...), append(to.secret, t.secret...)
	p.nodes[p.next] = node
	p.next = (p.next + 1) % poolSize
}
