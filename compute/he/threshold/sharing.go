package threshold

import (
	"fmt"
	"math/bits"
	"slices"
)

// MaxHolders bounds a sharing: 35 components at the worst.
const MaxHolders = 7

// Default sharing: three holders, any two open.
const (
	DefaultHolders   = 3
	DefaultThreshold = 2
)

// Sharing says who knows which component. Holders are points 1 to n. There is
// one component for every set of t-1 holders (its absentees), in lexical order
// of the sorted absentees; everyone else knows it. So t-1 holders together miss
// exactly one component, and any t miss none.
type Sharing struct {
	n, t   int
	absent []uint8 // per component, bit h-1 for an absent holder h
}

// NewSharing wants 2 <= t <= n <= MaxHolders.
func NewSharing(n, t int) (Sharing, error) {
	if n < 2 || n > MaxHolders || t < 2 || t > n {
		return Sharing{}, fmt.Errorf("%w: %d of %d holders", ErrSharing, t, n)
	}
	s := Sharing{n: n, t: t}
	for set := 0; set < 1<<n; set++ {
		if bits.OnesCount(uint(set)) == t-1 {
			s.absent = append(s.absent, uint8(set))
		}
	}
	slices.SortFunc(s.absent, func(a, b uint8) int { return slices.Compare(points(a), points(b)) })
	return s, nil
}

func points(set uint8) []int {
	var list []int
	for h := 1; h <= MaxHolders; h++ {
		if set>>(h-1)&1 == 1 {
			list = append(list, h)
		}
	}
	return list
}

// Holders is n.
func (s Sharing) Holders() int { return s.n }

// Threshold is t.
func (s Sharing) Threshold() int { return s.t }

// Components is the number of components.
func (s Sharing) Components() int { return len(s.absent) }

// Absentees are the t-1 holders, rising, that do not know component c.
func (s Sharing) Absentees(c int) []int { return points(s.absent[c]) }

// Members are the n-t+1 holders, rising, that know component c.
func (s Sharing) Members(c int) []int { return points(^s.absent[c] & (1<<s.n - 1)) }

// Knows reports whether holder (a point) knows component c.
func (s Sharing) Knows(holder, c int) bool {
	return s.valid(holder) && c >= 0 && c < len(s.absent) && s.absent[c]>>(holder-1)&1 == 0
}

// Of are the components, rising, that a holder knows.
func (s Sharing) Of(holder int) []int {
	var list []int
	for c := range s.absent {
		if s.Knows(holder, c) {
			list = append(list, c)
		}
	}
	return list
}

// Sufficient reports whether the distinct valid points among holders reach t.
func (s Sharing) Sufficient(holders []int) bool {
	var set uint
	for _, h := range holders {
		if s.valid(h) {
			set |= 1 << h
		}
	}
	return s.t > 0 && bits.OnesCount(set) >= s.t
}

// Forgers is the least number of holders who, together, can shift what Combine
// makes of these holders' answers without a disagreement: the fewest members of a
// component among them, since for that component nobody else speaks. 1 if exactly
// t answer: who wants one liar found asks t+1 (with n = t nobody can). 0 if too few
// answer.
func (s Sharing) Forgers(holders []int) int {
	if !s.Sufficient(holders) {
		return 0
	}
	fewest := s.n
	for c := range s.Components() {
		members := 0
		for _, h := range s.Members(c) {
			if slices.Contains(holders, h) {
				members++
			}
		}
		fewest = min(fewest, members)
	}
	return fewest
}

func (s Sharing) valid(holder int) bool { return holder >= 1 && holder <= s.n }

// equal reports whether two sharings are of the same numbers.
func (s Sharing) equal(o Sharing) bool { return s.n == o.n && s.t == o.t }

// Quorums are all sets of exactly t points, each rising.
func (s Sharing) Quorums() [][]int {
	var all [][]int
	for set := 0; set < 1<<s.n; set++ {
		if bits.OnesCount(uint(set)) == s.t {
			all = append(all, points(uint8(set)))
		}
	}
	return all
}
