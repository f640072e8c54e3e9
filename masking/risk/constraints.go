package risk

import (
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Constraints are what every class that stays must satisfy. Records of other
// classes are left out, at most the share given.
type Constraints struct {
	K         int64       // records of a class, at least 1
	Suppress  string      // most records left out: a decimal share such as "0.02"; "" is none
	Sensitive []Sensitive // what holds for sensitive columns, none of them a quasi-identifier
}

// Sensitive bounds what a class betrays of one column. Zero fields bound
// nothing. Null is a value like others.
type Sensitive struct {
	Column    string
	Distinct  int        // distinct l-diversity: different values
	Entropy   float64    // entropy l-diversity: entropy at least log(l), to 1e-9
	Recursive *Recursive // recursive (c,l)-diversity
	Closeness *Closeness // t-closeness to the whole table, left-out records counted
}

// Recursive is (c,l)-diversity (Machanavajjhala et al. 2007): of the value
// counts r1 >= r2 >= ... of a class, r1 < c (rl + ... + rm).
type Recursive struct {
	C float64
	L int
}

// Distance is the ground distance of the earth mover's distance (Li, Li and
// Venkatasubramanian 2007).
type Distance int

const (
	// Equal: any two values are one apart (half the L1 distance).
	Equal Distance = iota
	// Ordered: values are apart by ranks, first and last by one. Numbers and
	// dates only, no nulls.
	Ordered
	// Hierarchical: apart by the level at which a hierarchy joins them.
	Hierarchical
)

// Closeness is t-closeness.
type Closeness struct {
	T         float64
	Distance  Distance
	Hierarchy *Hierarchy // of Hierarchical, with one top label
}

// check refuses what means nothing.
func (c *Constraints) check() error {
	if c.K < 1 {
		return errors.New("constraints: k must be at least 1")
	}
	for _, s := range c.Sensitive {
		switch {
		case s.Distinct < 0,
			s.Entropy != 0 && (!(s.Entropy >= 1) || math.IsInf(s.Entropy, 1)),
			s.Recursive != nil && (!(s.Recursive.C > 0) || s.Recursive.L < 1 || math.IsInf(s.Recursive.C, 1)),
			s.Closeness != nil && !(s.Closeness.T >= 0):
			return fmt.Errorf("constraints: column %q: l must be at least 1, c above 0, t at least 0", s.Column)
		}
	}
	return nil
}

// limit is the most records that may be left out, exactly.
func (c *Constraints) limit(rows int) (int64, error) {
	if c.Suppress == "" {
		return 0, nil
	}
	share, err := shareOf(c.Suppress)
	if err != nil {
		return 0, err
	}
	share.Mul(share, new(big.Rat).SetInt64(int64(rows)))
	return new(big.Int).Div(share.Num(), share.Denom()).Int64(), nil
}

// absorbing reports whether a class that satisfies the constraints still does
// when any other class, satisfying or not, is merged into it. It is so for the
// least size and for distinct values: both only grow. It is not so for
// entropy, (c,l) and t: the other class may be all of one value. Those are
// closed under union only (entropy is concave, the earth mover's distance
// convex; for (c,l) r1 of the union is at most the sum of both, its tail at
// least the sum of both), and the union of satisfying classes satisfies.
//
// Hence: going up the lattice the number of left-out records cannot rise if
// the constraints absorb; without left-out records, closure under union is
// enough for a satisfying node's generalisations to satisfy. With left-out
// records and constraints that do not absorb, a generalisation of a satisfying
// node may fail, and nothing is concluded upwards.
//
// Downwards something always holds: each constraint implies a floor that
// absorbs (entropy l and (c,l) imply l different values; t implies nothing).
// Left-out records by the floor alone are at most those left out, and fall
// going up; where they exceed the limit, all specialisations fail too.
func (c *Constraints) absorbing() bool {
	for _, s := range c.Sensitive {
		if s.Entropy > 1 || s.Recursive != nil || s.Closeness != nil {
			return false
		}
	}
	return true
}

// floor is the least number of different values the constraints imply.
func (s *Sensitive) floor() int {
	l := s.Distinct
	if s.Entropy > 1 {
		l = max(l, int(math.Ceil(s.Entropy-1e-6)))
	}
	if s.Recursive != nil {
		l = max(l, s.Recursive.L)
	}
	return l
}
