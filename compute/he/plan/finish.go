package plan

import (
	"fmt"
	"math/big"
)

// Figure is one number of a result. Exact is nil where it is not defined (a mean
// over no record) or not rational (a correlation). Text is a decimal without
// exponent, rounded half to even: to max(6, scale) fraction digits where the exact
// number needs more than scale digits, 12 for a correlation; empty if not defined.
type Figure struct {
	Name  string
	Exact *big.Rat
	Text  string
}

// Line is one part of a result: the whole (Label empty) or one group.
type Line struct {
	Label   string
	Rows    uint64 // signed by the providers
	Figures []Figure
}

// Result is what a query asked for. The figures by kind:
//
//	count                 count
//	sum, group_sum        sum
//	mean, group_mean      sum, mean
//	histogram             count
//	score                 sum, mean
//	variance              sum, mean, variance_population, variance_sample
//	covariance            mean_x, mean_y, covariance_population, covariance_sample
//	correlation           those, variance_x, variance_y (population), correlation_squared, correlation
type Result struct {
	Kind  Kind
	Lines []Line
}

const (
	meanDigits        = 6
	correlationDigits = 12
)

// Finish computes the result from the opened scalars, in the order of
// Plan.Outputs. It refuses numbers beyond their proven bounds and numbers that
// contradict each other (a negative variance, a histogram that differs from the
// signed rows) with ErrInconsistent.
func Finish(p *Plan, opened []*big.Int) (*Result, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(opened) != len(p.Outputs) {
		return nil, fmt.Errorf("%w: %d numbers for %d outputs", ErrInvalid, len(opened), len(p.Outputs))
	}
	for i, v := range opened {
		if v == nil || v.CmpAbs(p.Outputs[i].Bound) > 0 {
			return nil, fmt.Errorf("%w: output %d is beyond its bound", ErrInconsistent, i)
		}
	}
	out := &Result{Kind: p.Kind}
	k := p.roles()
	for i, part := range p.Parts {
		f := &formula{plan: p, rows: new(big.Int).SetUint64(part.Rows), v: opened[i*k : (i+1)*k]}
		if err := f.run(); err != nil {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		out.Lines = append(out.Lines, Line{Label: part.Label, Rows: part.Rows, Figures: f.figures})
	}
	return out, nil
}

type formula struct {
	plan    *Plan
	rows    *big.Int
	v       []*big.Int
	figures []Figure
}

func (f *formula) run() error {
	sx, sy := int(f.plan.Scale[0]), int(f.plan.Scale[1])
	switch f.plan.Kind {
	case KindCount:
		f.whole("count", f.rows, 0)
	case Histogram:
		if f.v[0].Cmp(f.rows) != 0 {
			return fmt.Errorf("%w: opened count and signed rows", ErrInconsistent)
		}
		f.whole("count", f.rows, 0)
	case Sum, GroupSum:
		f.whole("sum", f.v[0], sx)
	case Mean, GroupMean, Score:
		f.whole("sum", f.v[0], sx)
		f.over("mean", f.v[0], f.rows, sx)
	case Variance:
		f.whole("sum", f.v[0], sx)
		f.over("mean", f.v[0], f.rows, sx)
		d := f.moment(f.v[1], f.v[0], f.v[0])
		if d.Sign() < 0 {
			return fmt.Errorf("%w: negative variance", ErrInconsistent)
		}
		f.spread("variance", d, 2*sx)
	case Covariance, Correlation:
		return f.pair(sx, sy)
	}
	return nil
}

// moment is n*sum(ab) - sum(a)*sum(b), that is n^2 times the population moment.
func (f *formula) moment(ab, a, b *big.Int) *big.Int {
	m := new(big.Int).Mul(f.rows, ab)
	return m.Sub(m, new(big.Int).Mul(a, b))
}

func (f *formula) pair(sx, sy int) error {
	x, y := f.v[0], f.v[1]
	xy := f.moment(f.v[2], x, y)
	f.over("mean_x", x, f.rows, sx)
	f.over("mean_y", y, f.rows, sy)
	f.spread("covariance", xy, sx+sy)
	if f.plan.Kind == Covariance {
		return nil
	}
	xx, yy := f.moment(f.v[3], x, x), f.moment(f.v[4], y, y)
	product, square := new(big.Int).Mul(xx, yy), new(big.Int).Mul(xy, xy)
	if xx.Sign() < 0 || yy.Sign() < 0 || square.Cmp(product) > 0 {
		return fmt.Errorf("%w: moments", ErrInconsistent)
	}
	n2 := new(big.Int).Mul(f.rows, f.rows)
	f.over("variance_x", xx, n2, 2*sx)
	f.over("variance_y", yy, n2, 2*sy)
	f.over("correlation_squared", square, product, 0)
	f.figures = append(f.figures, Figure{Name: "correlation", Text: correlation(xy, square, product)})
	return nil
}

// spread adds moment/n^2 and moment/(n*(n-1)).
func (f *formula) spread(name string, moment *big.Int, scale int) {
	f.over(name+"_population", moment, new(big.Int).Mul(f.rows, f.rows), scale)
	less := new(big.Int).Sub(f.rows, big.NewInt(1))
	f.over(name+"_sample", moment, less.Mul(less, f.rows), scale)
}

func (f *formula) whole(name string, v *big.Int, scale int) {
	r := new(big.Rat).SetFrac(v, power(scale))
	f.figures = append(f.figures, Figure{Name: name, Exact: r, Text: decimal(r, scale)})
}

// over adds v / (n * 10^scale), not defined if n is not positive.
func (f *formula) over(name string, v, n *big.Int, scale int) {
	if n.Sign() <= 0 {
		f.figures = append(f.figures, Figure{Name: name})
		return
	}
	r := new(big.Rat).SetFrac(v, new(big.Int).Mul(n, power(scale)))
	f.figures = append(f.figures, Figure{Name: name, Exact: r, Text: decimal(r, max(meanDigits, scale))})
}

func power(digits int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
}

// decimal renders r with so many fraction digits, half to even.
func decimal(r *big.Rat, digits int) string {
	twice := new(big.Int).Mul(r.Num(), power(digits))
	twice.Abs(twice).Lsh(twice, 1)
	m, rest := new(big.Int).QuoRem(twice, r.Denom(), new(big.Int))
	return place(r.Sign() < 0, even(m, rest.Sign() == 0), digits)
}

// even halves m = floor(2x), rounding half to even; exact says 2x = m.
func even(m *big.Int, exact bool) *big.Int {
	half := new(big.Int).Rsh(m, 1)
	if m.Bit(0) == 1 && (!exact || half.Bit(0) == 1) {
		half.Add(half, big.NewInt(1))
	}
	return half
}

// place puts the decimal point before the last digits.
func place(negative bool, v *big.Int, digits int) string {
	s := v.String()
	if digits > 0 {
		s = fmt.Sprintf("%0*s", digits+1, s)
		s = s[:len(s)-digits] + "." + s[len(s)-digits:]
	}
	if negative && v.Sign() != 0 {
		s = "-" + s
	}
	return s
}

// correlation renders sign(xy)*sqrt(square/product) by whole numbers alone.
func correlation(xy, square, product *big.Int) string {
	if product.Sign() == 0 {
		return ""
	}
	four := new(big.Int).Mul(square, power(2*correlationDigits))
	four.Lsh(four, 2)
	quotient, rest := new(big.Int).QuoRem(four, product, new(big.Int))
	m := new(big.Int).Sqrt(quotient)
	exact := rest.Sign() == 0 && new(big.Int).Mul(m, m).Cmp(quotient) == 0
	return place(xy.Sign() < 0, even(m, exact), correlationDigits)
}
