package generalize

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// ranges puts numbers on the grid origin + n * width.
type ranges struct {
	width, origin decimal
	bottom, top   *decimal
	label         bool
}

func newRange(p Params) (kernel.Kernel, error) {
	if err := p.only("as", "width", "origin", "bottom", "top"); err != nil {
		return nil, err
	}
	label, err := p.label()
	if err != nil {
		return nil, err
	}
	r := &ranges{label: label}
	if r.width, err = parseDecimal(p.Width); err != nil || r.width.units <= 0 {
		return nil, errors.New("parameter width: want a decimal number above 0")
	}
	if p.Origin != "" {
		if r.origin, err = parseDecimal(p.Origin); err != nil {
			return nil, fmt.Errorf("parameter origin: %w", err)
		}
	}
	if r.bottom, r.top, err = ends(p); err != nil {
		return nil, err
	}
	return r, nil
}

// ends reads bottom and top, each nil when not given.
func ends(p Params) (bottom, top *decimal, err error) {
	read := func(name, s string) *decimal {
		if s == "" || err != nil {
			return nil
		}
		d, e := parseDecimal(s)
		if e != nil {
			err = fmt.Errorf("parameter %s: %w", name, e)
		}
		return &d
	}
	return read("bottom", p.Bottom), read("top", p.Top), err
}

func (r *ranges) Type(in arrow.DataType) (arrow.DataType, error) {
	if _, err := r.grid(in); err != nil {
		return nil, err
	}
	if r.label {
		return arrow.BinaryTypes.String, nil
	}
	return in, nil
}

// grid is ranges at the scale of one column, in units.
type grid struct {
	width, origin int64
	bottom, top   int64 // math.MinInt64 and math.MaxInt64 when not given
	scale         int
}

func (r *ranges) grid(t arrow.DataType) (*grid, error) {
	params := []decimal{r.width, r.origin}
	for _, d := range []*decimal{r.bottom, r.top} {
		if d != nil {
			params = append(params, *d)
		}
	}
	scale, err := scaleOf(t, params...)
	if err != nil {
		return nil, err
	}
	g := &grid{bottom: math.MinInt64, top: math.MaxInt64, scale: scale}
	var fits [4]bool
	g.width, fits[0] = r.width.at(scale)
	g.origin, fits[1] = r.origin.at(scale)
	g.bottom, fits[2] = endAt(r.bottom, scale, math.MinInt64)
	g.top, fits[3] = endAt(r.top, scale, math.MaxInt64)
	if fits != [4]bool{true, true, true, true} {
		return nil, fmt.Errorf("parameters have more digits than %s", t)
	}
	if g.bottom >= g.top {
		return nil, errors.New("bottom must be below top")
	}
	if g.width == 1 && !isFloat(t) {
		return nil, errors.New("parameter width: every value would be alone in its range")
	}
	if !g.on(r.bottom, g.bottom) || !g.on(r.top, g.top) {
		return nil, errors.New("bottom and top must be origin plus a multiple of width")
	}
	return g, nil
}

func endAt(d *decimal, scale int, otherwise int64) (int64, bool) {
	if d == nil {
		return otherwise, true
	}
	return d.at(scale)
}

func (g *grid) on(d *decimal, units int64) bool {
	if d == nil {
		return true
	}
	diff, ok := sub(units, g.origin)
	return ok && diff%g.width == 0
}

func sub(a, b int64) (int64, bool) {
	d := a - b
	return d, (a >= b) == (d >= 0)
}

// integer gives the lower end of the range of v, math.MinInt64 below bottom and
// top from top on.
func (g *grid) integer(v int64, r reach) (int64, string) {
	switch {
	case v >= g.top && g.top != math.MaxInt64:
		return g.top, ""
	case v < g.bottom:
		return math.MinInt64, ""
	case r != inside:
		return 0, ruleRange
	}
	d, ok := sub(v, g.origin)
	if !ok {
		return 0, ruleRange
	}
	rest := d - floorDiv(d, g.width)*g.width
	low, ok := sub(v, rest)
	if !ok || low > math.MaxInt64-g.width || low == math.MinInt64 {
		return 0, ruleRange
	}
	return low, ""
}

// cell is integer for floats.
func (g *grid) cell(v float64) (int64, string) {
	switch {
	case g.top != math.MaxInt64 && v >= floatOf(g.top, g.scale):
		return g.top, ""
	case g.bottom != math.MinInt64 && v < floatOf(g.bottom, g.scale):
		return math.MinInt64, ""
	}
	width := floatOf(g.width, g.scale)
	n := math.Floor((v - floatOf(g.origin, g.scale)) / width)
	if math.Abs(n)*float64(g.width)+math.Abs(float64(g.origin)) > maxFloat {
		return 0, ruleRange
	}
	low := g.origin + int64(n)*g.width
	// The quotient may be off by one step at a boundary; the boundaries, as
	// floats, decide.
	if v < floatOf(low, g.scale) {
		low -= g.width
	} else if v >= floatOf(low+g.width, g.scale) {
		low += g.width
	}
	return low, ""
}

// start writes the lower end of a range, and bottom for what lies below it.
type start struct{ *grid }

func (s start) integer(v int64, r reach) (int64, string) {
	units, rule := s.grid.integer(v, r)
	return max(units, s.bottom), rule
}

func (s start) float(v float64) (float64, string) {
	units, rule := s.cell(v)
	return floatOf(max(units, s.bottom), s.scale), rule
}

func (r *ranges) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	g, err := r.grid(in.DataType())
	if err != nil {
		return nil, err
	}
	if !r.label {
		return mapNumbers(env, in, start{g})
	}
	c, err := openNumbers(in)
	if err != nil {
		return nil, err
	}
	l := newLabels(env, c.n)
	for i := range c.n {
		if c.valid.Null(i) {
			l.skip()
			continue
		}
		low, rule := g.low(c, i)
		if rule != "" {
			if err := env.Malformed(i, rule); err != nil {
				return nil, err
			}
			l.skip()
			continue
		}
		l.add(low, g.text)
	}
	return l.finish(c.valid)
}

// low is the lower end of the range of value i of any numeric type.
func (g *grid) low(c numbers, i int) (int64, string) {
	if !c.isFloat() {
		return g.integer(c.integer(i))
	}
	v, rule := c.finite(i)
	if rule != "" {
		return 0, rule
	}
	return g.cell(v)
}

// text writes the label of the range that starts at low.
func (g *grid) text(dst []byte, low int64) []byte {
	switch {
	case low == math.MinInt64:
		return appendUnits(append(dst, '<'), g.bottom, g.scale)
	case low == g.top:
		return appendUnits(append(dst, ">="...), g.top, g.scale)
	}
	dst = appendUnits(append(dst, '['), low, g.scale)
	dst = appendUnits(append(dst, ','), low+g.width, g.scale)
	return append(dst, ')')
}
