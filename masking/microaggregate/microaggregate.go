// Package microaggregate replaces values by the mean of a group of at least k
// near ones (ISO/IEC 20889: microaggregation): the values of a window are
// sorted and cut into groups of k, the last of up to 2k-1, the fixed-size
// heuristic in one dimension whose multivariate form is MDAV (Domingo-Ferrer
// and Mateo-Sanz, Practical Data-Oriented Microaggregation for Statistical
// Disclosure Control, IEEE Transactions on Knowledge and Data Engineering 14,
// 2002).
//
// What is protected: a value among the k or more of its group, which all show
// the same. Whole windows of the read are treated alike in whatever batches
// they come; one that a batch cuts is treated within the batch.
//
// What is not protected: that a person's value lies near the mean shown; how
// many values lie where; a group of k equal values, which shows them as they
// are; several cells of one person, which count as several; which cells are
// null. Several columns treated one by one are not k-anonymous together. Whoever
// knows all values of a group but one can compute that one up to rounding.
package microaggregate

import (
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/draw"
	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	// DefaultWindow is the window when none is given.
	DefaultWindow = 4096
	// MaxWindow is the largest window.
	MaxWindow = 1 << 20
	// MinK is the smallest group.
	MinK = 2
)

// Params is a literal; New checks it.
type Params struct {
	// K is how many values a group has at least: MinK to Window.
	K int
	// Window is the number of rows whose values are sorted together: K to
	// MaxWindow; 0 means DefaultWindow, or K if that is larger. Windows begin
	// at its multiples in the read. A window of fewer than K values joins its
	// neighbour in the batch; a batch of fewer is malformed.
	Window int
}

// Parse reads k and window.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != v {
			return Params{}, fmt.Errorf("parameter %q: want a whole number above 0", name)
		}
		switch name {
		case "k":
			p.K = int(n)
		case "window":
			p.Window = int(n)
		default:
			return Params{}, fmt.Errorf("parameter %q is unknown to microaggregate", name)
		}
	}
	return p, nil
}

// New checks the parameters and makes the kernel, which is a Measured.
func New(p Params) (kernel.Kernel, error) {
	if p.K < MinK || p.K > MaxWindow {
		return nil, fmt.Errorf("microaggregate: want k from %d to %d", MinK, MaxWindow)
	}
	if p.Window == 0 {
		p.Window = max(DefaultWindow, p.K)
	}
	if p.Window < p.K || p.Window > MaxWindow {
		return nil, fmt.Errorf("microaggregate: want a window from k to %d rows", MaxWindow)
	}
	return &aggregator{p: p}, nil
}

type aggregator struct {
	p    Params
	loss meter
}

// Type keeps integers, floats, decimals, dates and timestamps: text and
// booleans have no mean.
func (*aggregator) Type(in arrow.DataType) (arrow.DataType, error) {
	if widthOf(in) == 0 {
		return nil, fmt.Errorf("%s has no mean: %w", in, kernel.ErrType)
	}
	return in, nil
}

func (a *aggregator) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	c, err := open(in)
	if err != nil {
		return nil, err
	}
	rows, bad := c.split(draw.Present(c.valid, c.n))
	groups, err := draw.Scarce(env, draw.Windows(env.Row, rows, a.p.Window, a.p.K), a.p.K, bad, c.rule())
	if err != nil {
		return nil, err
	}
	out := kernel.Zeroed(env.Alloc, c.n*c.width)
	var loss Loss
	for _, g := range groups {
		c.sort(g)
		for len(g) > 0 {
			size := a.p.K
			if len(g) < 2*a.p.K {
				size = len(g)
			}
			loss.add(c.level(out.Bytes(), g[:size]))
			g = g[size:]
		}
	}
	a.loss.add(loss)
	valid, nulls := env.Validity(c.valid, c.n)
	return kernel.Build(in.DataType(), c.n, nulls, valid, out), nil
}
