package pram

import (
	"errors"
	"fmt"
	"math/bits"
	"sort"
	"strconv"
	"strings"
)

// chances says what a category becomes.
type chances interface {
	// total is above every number that to is asked with.
	total(from int) uint64
	// to gives the category for a number in [0, total(from)), each equally
	// likely.
	to(from int, x uint64) int
}

// maxTotal bounds common denominators.
const maxTotal = 1 << 62

var (
	errRational = errors.New("want a rational from 0 to 1 such as 1/8 or 0.125")
	errLarge    = errors.New("common denominator too large")
)

// rational is num/den in lowest terms, from 0 to 1.
type rational struct{ num, den uint64 }

// maxDigits bounds the digits of a numerator or denominator.
const maxDigits = 15

// parseRational reads digits[.digits] or digits/digits.
func parseRational(s string) (rational, error) {
	if top, bottom, ok := strings.Cut(s, "/"); ok {
		n, err1 := parseDigits(top)
		d, err2 := parseDigits(bottom)
		if err1 != nil || err2 != nil {
			return rational{}, errRational
		}
		return reduce(n, d)
	}
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" || (point && frac == "") {
		return rational{}, errRational
	}
	n, err := parseDigits(whole + frac)
	if err != nil {
		return rational{}, err
	}
	d := uint64(1)
	for range frac {
		d *= 10
	}
	return reduce(n, d)
}

func parseDigits(s string) (uint64, error) {
	if len(s) == 0 || len(s) > maxDigits || strings.Trim(s, "0123456789") != "" {
		return 0, errRational
	}
	return strconv.ParseUint(s, 10, 64)
}

func reduce(n, d uint64) (rational, error) {
	if d == 0 || n > d {
		return rational{}, errRational
	}
	g := gcd(n, d)
	return rational{n / g, d / g}, nil
}

// gcd of 0 and d is d.
func gcd(a, b uint64) uint64 {
	for a != 0 {
		a, b = b%a, a
	}
	return b
}

// uniform keeps a category with weight keep of keep + (m-1) rest, and lets
// each of the m-1 others have weight rest.
type uniform struct{ keep, rest, sum uint64 }

func newUniform(keep string, m int) (*uniform, error) {
	r, err := parseRational(keep)
	if err != nil {
		return nil, fmt.Errorf("keep: %w", err)
	}
	if r.num == r.den {
		return nil, errors.New("keep: 1 would change nothing")
	}
	others := uint64(m - 1)
	// r.den < 10^15 and others < 2^10 stay far below 2^62.
	return &uniform{keep: r.num * others, rest: r.den - r.num, sum: r.den * others}, nil
}

func (u *uniform) total(int) uint64 { return u.sum }

func (u *uniform) to(from int, x uint64) int {
	if x < u.keep {
		return from
	}
	other := int((x - u.keep) / u.rest)
	if other >= from {
		other++
	}
	return other
}

// matrix holds, of each row, the running sums of its weights.
type matrix [][]uint64

func newMatrix(rows [][]string, m int) (matrix, error) {
	if len(rows) != m {
		return nil, fmt.Errorf("matrix: want %d rows", m)
	}
	out := make(matrix, m)
	doubt := false
	for i, row := range rows {
		if len(row) != m {
			return nil, fmt.Errorf("matrix row %d: want %d numbers", i+1, m)
		}
		sums, err := weigh(row)
		if err != nil {
			return nil, fmt.Errorf("matrix row %d: %w", i+1, err)
		}
		doubt = doubt || sums[m-1] > 1
		out[i] = sums
	}
	if !doubt {
		return nil, errors.New("matrix: nothing is left to chance")
	}
	return out, nil
}

// MaxCertainty bounds what a category that shows may tell of what it was: the
// probability of the likeliest, where all were equally frequent before.
const MaxCertainty = 0.99

// doubtful refuses probabilities that look like chance and tell all the same: a
// category that is kept almost always, two that are only exchanged, one that
// nothing else becomes.
func doubtful(c chances, m int) error {
	shown, most := make([]float64, m), make([]float64, m)
	add := func(b int, p float64) {
		shown[b] += p
		most[b] = max(most[b], p)
	}
	for a := range m {
		switch c := c.(type) {
		case *uniform:
			for b := range m {
				w := c.rest
				if a == b {
					w = c.keep
				}
				add(b, float64(w)/float64(c.sum))
			}
		case matrix:
			below := uint64(0)
			for b, sum := range c[a] {
				add(b, float64(sum-below)/float64(c.total(a)))
				below = sum
			}
		}
	}
	for b := range m {
		if most[b] > MaxCertainty*shown[b]+1e-12 {
			return fmt.Errorf("category %d tells what it was: more than %g likely", b+1, MaxCertainty)
		}
	}
	return nil
}

// weigh brings a row to its least common denominator.
func weigh(row []string) ([]uint64, error) {
	parsed := make([]rational, len(row))
	common := uint64(1)
	for i, s := range row {
		r, err := parseRational(s)
		if err != nil {
			return nil, fmt.Errorf("number %d: %w", i+1, err)
		}
		parsed[i] = r
		hi, lo := bits.Mul64(common/gcd(common, r.den), r.den)
		if hi != 0 || lo > maxTotal {
			return nil, errLarge
		}
		common = lo
	}
	sums := make([]uint64, len(row))
	var sum uint64
	for i, r := range parsed {
		sum += r.num * (common / r.den) // each at most 2^62, and the sum is bounded below
		if sum > common {
			return nil, errors.New("sum above 1")
		}
		sums[i] = sum
	}
	if sum != common {
		return nil, errors.New("sum below 1")
	}
	return sums, nil
}

func (m matrix) total(from int) uint64 { return m[from][len(m)-1] }

func (m matrix) to(from int, x uint64) int {
	row := m[from]
	return sort.Search(len(row)-1, func(b int) bool { return x < row[b] })
}
