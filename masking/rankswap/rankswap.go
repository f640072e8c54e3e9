// Package rankswap swaps each value of a window with one of near rank (ISO/IEC
// 20889: permutation; Moore, Controlled Data-Swapping Techniques for Masking
// Public Use Microdata, 1996): values are ranked, and from the lowest up each
// one not yet swapped changes places with one drawn under a key, equally
// likely, of those not yet swapped whose rank lies at most percent of the
// window's values above it.
//
// What is protected: which row of its window a value belongs to, among rows of
// near rank. A whole window of the read is swapped alike in whatever batches
// it comes; one that a batch cuts is swapped within the batch.
//
// What is not protected: the values, which all remain; roughly how large a
// person's value is, within percent of the ranks and the more exactly the
// closer values lie; which rows are null. Of values that have no partner left
// in reach, the last of a window for one, each stays where it is, and one
// swapped with its equal looks the same. The key undoes the swaps.
package rankswap

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/draw"
	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	// DefaultWindow is the window when none is given.
	DefaultWindow = 4096
	// DefaultLeast is how many values are ranked at least when not said.
	DefaultLeast = 10
	// MaxWindow is the largest window.
	MaxWindow = 1 << 20
)

// Params is a literal; New checks it.
type Params struct {
	// Percent is the farthest a value moves in rank: 1 to 100 percent of the
	// values of its window, rounded down to ranks, one rank at least.
	Percent int
	// Window is the number of rows within which values move: 2 to MaxWindow;
	// 0 means DefaultWindow. Windows begin at its multiples in the read.
	Window int
	// Least is how many values, nulls not counted, must share a window: 2 to
	// Window; 0 means DefaultLeast, or Window if that is smaller. Fewer join
	// the neighbouring window of the batch; a batch of fewer is malformed.
	Least int
}

// Parse reads percent, window and least.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != v {
			return Params{}, fmt.Errorf("parameter %q: want a whole number above 0", name)
		}
		switch name {
		case "percent":
			p.Percent = int(n)
		case "window":
			p.Window = int(n)
		case "least":
			p.Least = int(n)
		default:
			return Params{}, fmt.Errorf("parameter %q is unknown to rankswap", name)
		}
	}
	return p, nil
}

// New checks the parameters and makes the kernel. The key has at least
// draw.MinKey bytes and is not retained; column is the column's name, by which
// columns under one key move apart.
func New(p Params, key []byte, column string) (kernel.Kernel, error) {
	if p.Window == 0 {
		p.Window = DefaultWindow
	}
	if p.Least == 0 {
		p.Least = min(DefaultLeast, p.Window)
	}
	if p.Percent < 1 || p.Percent > 100 {
		return nil, fmt.Errorf("rankswap: want percent from 1 to 100")
	}
	if p.Window < 2 || p.Window > MaxWindow {
		return nil, fmt.Errorf("rankswap: want a window of 2 to %d rows", MaxWindow)
	}
	if p.Least < 2 || p.Least > p.Window {
		return nil, fmt.Errorf("rankswap: want least from 2 to the window")
	}
	s, err := draw.New(key, "rankswap", column)
	if err != nil {
		return nil, fmt.Errorf("rankswap: %w", err)
	}
	return &swapper{p: p, stream: s}, nil
}

type swapper struct {
	p      Params
	stream *draw.Stream
}

// Type keeps integers, floats, decimals, dates and timestamps: text and
// booleans have no rank.
func (*swapper) Type(in arrow.DataType) (arrow.DataType, error) {
	if orderOf(in) == nil {
		return nil, fmt.Errorf("%s has no rank: %w", in, kernel.ErrType)
	}
	return in, nil
}

func (s *swapper) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	c, err := open(in)
	if err != nil {
		return nil, err
	}
	n := in.Len()
	present := draw.Present(c.valid, n)
	rows := slices.DeleteFunc(slices.Clone(present), c.unranked)
	bad := slices.DeleteFunc(present, func(i int) bool { return !c.unranked(i) })
	groups, err := draw.Scarce(env, draw.Windows(env.Row, rows, s.p.Window, s.p.Least), s.p.Least, bad, ruleRank)
	if err != nil {
		return nil, err
	}
	from := make([]int, n)
	for i := range from {
		from[i] = i
	}
	draws := s.stream.Rows(env.Row, n)
	for _, g := range groups {
		s.swap(draws, c, g, from)
	}
	return c.take(env, from), nil
}

// swap ranks the rows of a group and writes to from where each takes its value.
func (s *swapper) swap(draws *draw.Rows, c column, group, from []int) {
	ranked := c.rank(group)
	n := len(ranked)
	reach := max(1, n*s.p.Percent/100)
	left := newTally(n)
	for i := range n {
		if !left.has(i) {
			continue
		}
		left.remove(i)
		far := min(n-1, i+reach)
		before := left.below(i + 1)
		free := left.below(far+1) - before
		if free == 0 {
			continue
		}
		j := left.find(before + int(draws.Below(group[i], uint64(free))))
		left.remove(j)
		from[ranked[i]], from[ranked[j]] = ranked[j], ranked[i]
	}
}
