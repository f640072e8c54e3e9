// Package perturb adds noise to numbers (ISO/IEC 20889: noise addition, of the
// randomization techniques): the two-sided geometric, or discrete Laplace,
// mechanism (Ghosh, Roughgarden and Sundararajan, Universally
// Utility-Maximizing Privacy Mechanisms, 2009) on every cell by itself.
// A value is clamped to [lower, upper], counted in whole units of its column's
// last place, and the noise x of probability proportional to
// exp(-|x| epsilon / sensitivity) is added. No floating point touches the data
// before the noise is in: the attack of Mironov 2012 on the low bits of floats
// finds none.
//
// What is protected: one cell is epsilon-indistinguishable from any other
// value within sensitivity of it; when sensitivity is the whole range, which
// it is if not given, from any other value the clamp lets through.
//
// What is not protected: the cells of one person add up, epsilon by epsilon,
// and so does masking the same data again: noise is drawn anew each time, and
// the mean of many draws is the value. Which cells are null. That a value lies
// beyond the clamp is hidden only by looking like the clamp. A smaller
// sensitivity than the range protects small differences alone: WholeRange says
// what is lost between the ends. Clamping the output as well shifts the mean of
// values near the ends towards the middle.
package perturb

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Noise makes the noise; this package never does.
type Noise interface {
	// Draw fills dst with independent draws from the discrete Laplace
	// distribution of scale num/den: P(x) proportional to exp(-|x| den/num).
	Draw(dst []int64, num, den uint64) error
}

// MaxEpsilon is the largest privacy loss of a cell: beyond it the noise is 0 in
// all but one cell of ten thousand units, and a column that says it is
// perturbed is not.
const MaxEpsilon = 10

// MaxScale is the largest number of decimal places of floats.
const MaxScale = 15

// Params are checked parameters, made by Parse. The zero value is refused.
type Params struct {
	epsilon      ratio
	wholeRange   ratio
	lower, upper decimal
	sensitivity  decimal
	scale        int // of floats; -1 if not given
	free         bool
}

// Parse reads
//
//	epsilon      a rational above 0 such as 1/2 or 0.5, at most MaxEpsilon; must be given
//	lower, upper the clamp, decimals; must be given
//	sensitivity  the largest difference hidden, a decimal above 0 and at most
//	             upper - lower, which it is if not given
//	scale        decimal places of floats, 0 to MaxScale; floats need it
//	output       clamped (also when not given): what comes out is clamped
//	             again; free: it is bounded by its type alone
func Parse(params map[string]string) (Params, error) {
	p := Params{scale: -1}
	for _, name := range []string{"epsilon", "lower", "upper"} {
		if params[name] == "" {
			return Params{}, fmt.Errorf("parameter %s: missing", name)
		}
	}
	for name, v := range params {
		var err error
		switch name {
		case "epsilon":
			if p.epsilon, err = parseRatio(v); err == nil && p.epsilon.num > MaxEpsilon*p.epsilon.den {
				err = fmt.Errorf("want at most %d", MaxEpsilon)
			}
		case "lower":
			p.lower, err = parseDecimal(v)
		case "upper":
			p.upper, err = parseDecimal(v)
		case "sensitivity":
			p.sensitivity, err = parseDecimal(v)
		case "scale":
			p.scale, err = parseScale(v)
		case "output":
			p.free = v == "free"
			if !p.free && v != "clamped" {
				err = errors.New("want clamped or free")
			}
		default:
			return Params{}, fmt.Errorf("parameter %q is unknown to perturb", name)
		}
		if err != nil {
			return Params{}, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return p, p.relate(params["sensitivity"] != "")
}

func parseScale(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n > MaxScale || strconv.FormatUint(n, 10) != s {
		return -1, fmt.Errorf("want a whole number from 0 to %d", MaxScale)
	}
	return int(n), nil
}

// relate checks the parameters against each other and fills what follows.
func (p *Params) relate(given bool) error {
	scale := max(p.lower.scale, p.upper.scale, p.sensitivity.scale)
	low, ok1 := p.lower.at(scale)
	high, ok2 := p.upper.at(scale)
	sens, ok3 := p.sensitivity.at(scale)
	if !ok1 || !ok2 || !ok3 {
		return errors.New("parameters lower, upper and sensitivity: too many digits together")
	}
	if low >= high {
		return errors.New("parameter lower: not below upper")
	}
	width := high - low // both are below 10^18
	if !given {
		sens = width
		p.sensitivity = decimal{units: width, scale: scale}
	}
	if sens <= 0 || sens > width {
		return errors.New("parameter sensitivity: want more than 0, and at most upper - lower")
	}
	g := gcd(uint64(width), uint64(sens))
	var err error
	p.wholeRange, err = p.epsilon.times(uint64(width)/g, uint64(sens)/g)
	if err != nil {
		return errors.New("parameters epsilon and sensitivity: numbers too large together")
	}
	return nil
}

// Epsilon is the privacy loss num/den, in lowest terms, of one cell between
// two values that differ by Sensitivity.
func (p Params) Epsilon() (num, den uint64) { return p.epsilon.num, p.epsilon.den }

// Sensitivity is the difference Epsilon speaks of, units / 10^scale.
func (p Params) Sensitivity() (units int64, scale int) {
	return p.sensitivity.units, p.sensitivity.scale
}

// WholeRange is the privacy loss num/den of one cell between the ends of the
// clamp, epsilon * (upper - lower) / sensitivity: what a ledger that asks
// nothing of the data must charge for a cell.
func (p Params) WholeRange() (num, den uint64) { return p.wholeRange.num, p.wholeRange.den }

// New makes the kernel. It needs parameters from Parse and a source of noise,
// which must be safe for concurrent use if Mask is called so.
func New(p Params, n Noise) (kernel.Kernel, error) {
	if p.epsilon.num == 0 || p.epsilon.den == 0 {
		return nil, errors.New("perturb: parameters were not made by Parse")
	}
	if n == nil {
		return nil, errors.New("perturb: a source of noise is needed")
	}
	return &perturber{p: p, noise: n}, nil
}

type perturber struct {
	p     Params
	noise Noise
}

var errRatio = errors.New("want a rational above 0 such as 1/2 or 0.5, of at most 9 digits a part")

// ratio is num/den in lowest terms.
type ratio struct{ num, den uint64 }

// maxPart bounds both parts of epsilon.
const maxPart = 1e9

// times is r * num / den.
func (r ratio) times(num, den uint64) (ratio, error) {
	a, b := gcd(r.num, den), gcd(num, r.den)
	hi1, n := bits.Mul64(r.num/a, num/b)
	hi2, d := bits.Mul64(r.den/b, den/a)
	if hi1 != 0 || hi2 != 0 {
		return ratio{}, errRatio
	}
	return ratio{n, d}, nil
}

func gcd(a, b uint64) uint64 {
	for a != 0 {
		a, b = b%a, a
	}
	return b
}
