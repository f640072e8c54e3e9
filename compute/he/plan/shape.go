package plan

import (
	"math/big"
	"slices"
)

// shape builds folds, outputs and parts by kind.
func (c *compiler) shape() error {
	var err error
	switch c.query.Kind {
	case KindCount:
		err = c.shapeCount()
	case Sum, Mean:
		err = c.shapeTotals(Value)
	case Variance:
		err = c.shapeTotals(Value, Square)
	case GroupSum, GroupMean, Histogram:
		err = c.shapeGroups()
	case Covariance, Correlation:
		err = c.shapePair()
	case Score:
		err = c.shapeScore()
	}
	if err == nil && !slices.ContainsFunc(c.plan.Parts, func(p Part) bool { return p.Rows > 0 }) {
		err = refuse(RuleEmpty, "")
	}
	return err
}

// perDataset finds, for every dataset, exactly one column of each kind.
func (c *compiler) perDataset(kinds ...LaneKind) ([][]*column, error) {
	out := make([][]*column, len(c.sources))
	for i := range c.sources {
		out[i] = make([]*column, len(kinds))
	}
	for _, col := range c.columns {
		k := slices.Index(kinds, col.lane.Kind)
		if k < 0 || out[col.source][k] != nil {
			return nil, refuse(RuleShape, col.Lane)
		}
		out[col.source][k] = col
	}
	for _, set := range out {
		if slices.Contains(set, nil) {
			return nil, refuse(RuleShape, "")
		}
	}
	return out, nil
}

func (c *compiler) shapeCount() error {
	if len(c.columns) != len(c.sources) {
		return refuse(RuleShape, "")
	}
	var rows, subjects uint64
	for _, col := range c.columns {
		for g := range col.lane.groups() {
			r, s := col.counts(g)
			rows += r
			subjects = max(subjects, s)
		}
	}
	c.part("", rows, subjects)
	return nil
}

// shapeTotals opens, per kind of lane, the sum over all datasets.
func (c *compiler) shapeTotals(kinds ...LaneKind) error {
	sets, err := c.perDataset(kinds...)
	if err != nil {
		return err
	}
	var rows, subjects uint64
	for _, set := range sets {
		r, s := set[0].counts(0)
		rows += r
		subjects = max(subjects, s)
		if err := c.sameColumn(sets[0][0], set); err != nil {
			return err
		}
	}
	for k := range kinds {
		var terms []Term
		bound := new(big.Int)
		for _, set := range sets {
			c.sum(set[k])
			terms = append(terms, Term{Fold: set[k].fold, Groups: 1, Weight: 1})
			bound.Add(bound, set[k].reach(0))
		}
		c.output(terms, bound)
	}
	c.plan.Scale[0] = sets[0][0].lane.Scale
	c.part("", rows, subjects)
	return nil
}

// reach bounds the absolute sum of a group: bound times rows.
func (c *column) reach(group int) *big.Int {
	rows, _ := c.counts(group)
	return new(big.Int).Mul(new(big.Int).SetUint64(rows), new(big.Int).SetUint64(c.lane.Bound))
}

// sameColumn checks that a dataset's lanes are of one column and of the scale of
// the first dataset's, and cover the same rows.
func (c *compiler) sameColumn(first *column, set []*column) error {
	x := set[0]
	if x.lane.Scale != first.lane.Scale {
		return refuse(RuleScale, x.Lane)
	}
	for _, o := range set[1:] {
		if err := square(x, o); err != nil {
			return err
		}
	}
	return nil
}

// square checks that o is the square lane of x.
func square(x, o *column) error {
	switch {
	case len(x.lane.Columns) != 1 || !slices.Equal(x.lane.Columns, o.lane.Columns):
		return refuse(RuleShape, o.Lane)
	case o.lane.Scale != 2*x.lane.Scale:
		return refuse(RuleScale, o.Lane)
	case !aligned(x.lane, o.lane, true):
		return refuse(RuleAligned, o.Lane)
	}
	return nil
}

func (c *compiler) shapeGroups() error {
	sets, err := c.perDataset(Bucketed)
	if err != nil {
		return err
	}
	labels := c.query.Groups
	if len(labels) == 0 {
		labels = sets[0][0].lane.Groups
	}
	for _, set := range sets {
		l := set[0].lane
		if (len(l.Columns) == 0) != (c.query.Kind == Histogram) {
			return refuse(RuleShape, l.Name)
		}
		if l.Scale != sets[0][0].lane.Scale {
			return refuse(RuleScale, l.Name)
		}
		if len(c.query.Groups) == 0 && len(l.Groups) != len(labels) {
			return refuse(RuleUnknown, l.Name)
		}
		c.sum(set[0])
	}
	c.plan.Scale[0] = sets[0][0].lane.Scale
	for _, label := range labels {
		if err := c.group(sets, label); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) group(sets [][]*column, label string) error {
	var terms []Term
	var rows, subjects uint64
	bound := new(big.Int)
	for _, set := range sets {
		l := set[0].lane
		g := slices.Index(l.Groups, label)
		if g < 0 {
			return refuse(RuleUnknown, l.Name)
		}
		terms = append(terms, Term{Fold: set[0].fold, Groups: uint32(len(l.Groups)), Group: uint32(g), Weight: 1})
		bound.Add(bound, set[0].reach(g))
		r, s := set[0].counts(g)
		rows += r
		subjects = max(subjects, s)
	}
	c.output(terms, bound)
	c.part(label, rows, subjects)
	return nil
}

// pair is what covariance and correlation are made of.
type pair struct {
	x, y, product *column    // product nil: of two datasets, through a key of the pair
	squares       [2]*column // correlation: of x and of y
}

func (c *compiler) findPair() (*pair, error) {
	p := &pair{}
	var squares []*column
	for _, col := range c.columns {
		switch kind := col.lane.Kind; {
		case kind == Value && p.x == nil:
			p.x = col
		case (kind == Value || kind == Reversed) && p.y == nil:
			p.y = col
		case kind == Product && p.product == nil:
			p.product = col
		case kind == Square:
			squares = append(squares, col)
		default:
			return nil, refuse(RuleShape, col.Lane)
		}
	}
	if p.x == nil || p.y == nil || (p.product == nil) != (p.y.lane.Kind == Reversed) || (p.product == nil) != (p.x.source != p.y.source) {
		return nil, refuse(RuleShape, "")
	}
	want := 0
	if c.query.Kind == Correlation {
		want = 2
	}
	if len(squares) != want {
		return nil, refuse(RuleShape, "")
	}
	for _, s := range squares {
		for i, of := range []*column{p.x, p.y} {
			if s.source == of.source && slices.Equal(s.lane.Columns, of.lane.Columns) && p.squares[i] == nil {
				p.squares[i] = s
				break
			}
		}
	}
	if want > 0 && (p.squares[0] == nil || p.squares[1] == nil) {
		return nil, refuse(RuleShape, squares[0].Lane)
	}
	return p, c.checkPair(p)
}

func (c *compiler) checkPair(p *pair) error {
	x, y := p.x.lane, p.y.lane
	if len(x.Columns) != 1 || len(y.Columns) != 1 {
		return refuse(RuleShape, x.Name)
	}
	for _, col := range []*column{p.y, p.product, p.squares[0], p.squares[1]} {
		if col != nil && !aligned(x, col.lane, col.source == p.x.source) {
			return refuse(RuleAligned, col.Lane)
		}
	}
	for i, of := range []*column{p.x, p.y} {
		if s := p.squares[i]; s != nil && s.lane.Scale != 2*of.lane.Scale {
			return refuse(RuleScale, s.Lane)
		}
	}
	if p.product != nil {
		both := []string{x.Columns[0], y.Columns[0]}
		if !slices.Equal(p.product.lane.Columns, both) && !slices.Equal(p.product.lane.Columns, []string{both[1], both[0]}) {
			return refuse(RuleShape, p.product.Lane)
		}
		if p.product.lane.Scale != x.Scale+y.Scale {
			return refuse(RuleScale, p.product.Lane)
		}
		return nil
	}
	i := slices.IndexFunc(c.used, func(k Cert) bool { return k.Hash == x.Key })
	if x.Key != y.Key || !c.used[i].Product || !c.used[i].Parameters.Multiplies() {
		return refuse(RuleCertificate, p.y.Lane)
	}
	return nil
}

// shapePair opens x, y, xy and, for a correlation, xx, yy.
func (c *compiler) shapePair() error {
	p, err := c.findPair()
	if err != nil {
		return err
	}
	rows, subjects := p.x.counts(0)
	_, more := p.y.counts(0)
	c.whole(p.x)
	c.whole(p.y)
	if p.product != nil {
		c.whole(p.product)
	} else {
		c.plan.Folds = append(c.plan.Folds, Fold{X: c.input(p.x), Y: c.input(p.y), Extents: p.x.extents()})
		bound := p.x.reach(0)
		bound.Mul(bound, new(big.Int).SetUint64(p.y.lane.Bound))
		c.output([]Term{{Fold: uint32(len(c.plan.Folds) - 1), Weight: 1}}, bound)
	}
	for _, s := range p.squares {
		if s != nil {
			c.whole(s)
		}
	}
	c.plan.Scale = [2]uint8{p.x.lane.Scale, p.y.lane.Scale}
	c.part("", rows, max(subjects, more))
	return nil
}

// whole opens the sum of a row-aligned lane.
func (c *compiler) whole(col *column) {
	c.sum(col)
	c.output([]Term{{Fold: col.fold, Groups: 1, Weight: 1}}, col.reach(0))
}

func (c *compiler) shapeScore() error {
	first := c.columns[0]
	var terms []Term
	bound := new(big.Int)
	var subjects uint64
	for _, col := range c.columns {
		switch {
		case col.lane.Kind != Value:
			return refuse(RuleShape, col.Lane)
		case col.lane.Scale != first.lane.Scale:
			return refuse(RuleScale, col.Lane)
		case !aligned(first.lane, col.lane, col.source == first.source):
			return refuse(RuleAligned, col.Lane)
		}
		c.sum(col)
		terms = append(terms, Term{Fold: col.fold, Groups: 1, Weight: col.Weight})
		reach := col.reach(0)
		bound.Add(bound, reach.Mul(reach, new(big.Int).Abs(big.NewInt(col.Weight))))
		_, s := col.counts(0)
		subjects = max(subjects, s)
	}
	c.output(terms, bound)
	rows, _ := first.counts(0)
	c.plan.Scale[0] = first.lane.Scale
	c.part("", rows, subjects)
	return nil
}
