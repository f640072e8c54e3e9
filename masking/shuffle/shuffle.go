// Package shuffle moves the values of a column between the rows of a window
// (ISO/IEC 20889: permutation, 置换): Fisher and Yates' permutation (Durstenfeld
// 1964), every order equally likely, drawn under a key for the window.
//
// What is protected: which row of its window a value belongs to. A whole
// window of the read is permuted alike in whatever batches it comes; one that
// a batch cuts is permuted within the batch, by rows of their own draws.
//
// What is not protected: the values themselves, which all remain, rare and
// telling ones too; that a person's value is among those of its window, which
// tells much where a window's values are alike, as in a sorted table; which
// rows are null. A value stays where it is once in as many times as the window
// has rows. The key undoes the permutation. Any relation to other columns is
// lost.
package shuffle

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
	// DefaultLeast is how many values are shuffled at least when not said.
	DefaultLeast = 10
	// MaxWindow is the largest window.
	MaxWindow = 1 << 20
)

// Params is a literal; New checks it.
type Params struct {
	// Window is the number of rows within which values move: 2 to MaxWindow;
	// 0 means DefaultWindow. Windows begin at its multiples in the read.
	Window int
	// Least is how many values, nulls not counted, must share a window: 2 to
	// Window; 0 means DefaultLeast, or Window if that is smaller. Fewer join
	// the neighbouring window of the batch; a batch of fewer is malformed.
	Least int
}

// Parse reads window and least.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != v {
			return Params{}, fmt.Errorf("parameter %q: want a whole number above 0", name)
		}
		switch name {
		case "window":
			p.Window = int(n)
		case "least":
			p.Least = int(n)
		default:
			return Params{}, fmt.Errorf("parameter %q is unknown to shuffle", name)
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
	if p.Window < 2 || p.Window > MaxWindow {
		return nil, fmt.Errorf("shuffle: want a window of 2 to %d rows", MaxWindow)
	}
	if p.Least < 2 || p.Least > p.Window {
		return nil, fmt.Errorf("shuffle: want least from 2 to the window")
	}
	s, err := draw.New(key, "shuffle", column)
	if err != nil {
		return nil, fmt.Errorf("shuffle: %w", err)
	}
	return &shuffler{window: p.Window, least: p.Least, stream: s}, nil
}

type shuffler struct {
	window, least int
	stream        *draw.Stream
}

// ByRow implements kernel.ByRow: rows are treated and not distinct values. A
// dictionary comes as it is, or its codes would be a secret alphabet and no
// permutation.
func (*shuffler) ByRow() {}

var _ kernel.ByRow = (*shuffler)(nil)

// Type keeps every type that can be copied, dictionaries of text among them.
func (*shuffler) Type(in arrow.DataType) (arrow.DataType, error) {
	return in, kernel.Supported(in)
}

func (s *shuffler) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	nulls, err := kernel.Nulls(in)
	if err != nil {
		return nil, err
	}
	n := in.Len()
	groups := draw.Windows(env.Row, others(nulls, n), s.window, s.least)
	before := len(groups)
	if groups, err = draw.Scarce(env, groups, s.least, nil, ""); err != nil {
		return nil, err
	}
	if len(groups) < before {
		return kernel.AllNull(env.Alloc, in.DataType(), n)
	}
	from := make([]int, n)
	for i := range from {
		from[i] = i
	}
	draws := s.stream.Rows(env.Row, n)
	for _, g := range groups {
		for last := len(g) - 1; last > 0; last-- {
			x := draws.Below(g[last], uint64(last)+1)
			a, b := g[last], g[x]
			from[a], from[b] = from[b], from[a]
		}
	}
	return kernel.Take(env.Alloc, in, from)
}

// others lists the rows of n that are not in the ascending list.
func others(rows []int, n int) []int {
	rest := make([]int, 0, n-len(rows))
	for i := range n {
		if len(rows) > 0 && rows[0] == i {
			rows = rows[1:]
			continue
		}
		rest = append(rest, i)
	}
	return rest
}
