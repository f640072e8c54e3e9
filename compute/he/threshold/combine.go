package threshold

import (
	"fmt"
	"maps"
	"math/big"
	"math/bits"
	"slices"

	"github.com/yumen-project/yumen/compute/he"
)

// Combine is the requester's part: from the answers of holders (by point) to the
// openings, scalar by scalar with their limbs in order, to the scalars. Members
// of a component must agree bit for bit, else *DisagreementError. bounds holds,
// per scalar, what the plan proved: a value v with |v| >= bound is refused with
// he.ErrRange; nil, or a nil bound, stands for the capacity alone.
//
// Agreement shows only what two say: see Sharing.Forgers for how few can shift a
// value unseen.
//
// It must be the requester who combines: whether a value decodes is not for
// anyone else.
func Combine(p *he.Parameters, s Sharing, openings []*he.Opening, answers map[int][]Answer, bounds []*big.Int) ([]*big.Int, error) {
	limbs := p.Limbs()
	if len(openings)%limbs != 0 || (bounds != nil && len(bounds)*limbs != len(openings)) {
		return nil, fmt.Errorf("%w: %d openings of %d limbs, %d bounds", ErrMalformed, len(openings), limbs, len(bounds))
	}
	for i, o := range openings {
		if o == nil || o.Limb != i%limbs {
			return nil, fmt.Errorf("%w: opening %d is not of limb %d", ErrMalformed, i, i%limbs)
		}
	}
	phases, err := Phases(p, s, openings, answers)
	if err != nil {
		return nil, err
	}
	values := make([]*big.Int, len(openings)/limbs)
	for i := range values {
		var bound *big.Int
		if bounds != nil {
			bound = bounds[i]
		}
		if values[i], err = he.Decode(p, phases[i*limbs:(i+1)*limbs], bound); err != nil {
			return nil, fmt.Errorf("decode scalar %d: %w", i, err)
		}
	}
	return values, nil
}

// Phases is the part of Combine before decoding: per opening B plus one part of
// each component, modulo each prime of Q.
func Phases(p *he.Parameters, s Sharing, openings []*he.Opening, answers map[int][]Answer) ([][]uint64, error) {
	holders := slices.Sorted(maps.Keys(answers))
	for _, h := range holders {
		if !s.valid(h) {
			return nil, fmt.Errorf("%w: answer of point %d", ErrMismatch, h)
		}
		if err := checkAnswers(p, s, h, len(openings), answers[h]); err != nil {
			return nil, err
		}
	}
	if !s.Sufficient(holders) {
		return nil, fmt.Errorf("%w: %d, want %d", ErrTooFew, len(holders), s.t)
	}
	if err := agree(s, answers); err != nil {
		return nil, err
	}
	q := p.Q()
	phases := make([][]uint64, len(openings))
	for i, o := range openings {
		if err := checkOpening(p, o); err != nil {
			return nil, fmt.Errorf("opening %d: %w", i, err)
		}
		phases[i] = slices.Clone(o.B)
		for c := range s.Components() {
			for k, x := range partOf(s, holders, answers, i, c) {
				phases[i][k] = (phases[i][k] + x) % q[k]
			}
		}
	}
	return phases, nil
}

// checkAnswers refuses answers that are not of the holder's form.
func checkAnswers(p *he.Parameters, s Sharing, holder, openings int, answers []Answer) error {
	if len(answers) != openings {
		return fmt.Errorf("%w: holder %d gives %d answers to %d openings", ErrMalformed, holder, len(answers), openings)
	}
	known, q := s.Of(holder), p.Q()
	for i, a := range answers {
		if len(a.Parts) != len(known) {
			return fmt.Errorf("%w: holder %d, answer %d of %d parts", ErrMalformed, holder, i, len(a.Parts))
		}
		for k, part := range a.Parts {
			if part.Component != known[k] || !below(part.Value, 1, q) {
				return fmt.Errorf("%w: holder %d, answer %d, part %d", ErrMalformed, holder, i, k)
			}
		}
	}
	return nil
}

// partOf is the value of component c by the first holder that knows it.
func partOf(s Sharing, holders []int, answers map[int][]Answer, opening, c int) []uint64 {
	for _, h := range holders {
		if v := valueOf(s, h, answers[h][opening], c); v != nil {
			return v
		}
	}
	return nil
}

func valueOf(s Sharing, holder int, a Answer, c int) []uint64 {
	if !s.Knows(holder, c) {
		return nil
	}
	for _, part := range a.Parts {
		if part.Component == c {
			return part.Value
		}
	}
	return nil
}

// agree compares the members of every component and, on a conflict, names the
// cheaters as far as they can be told.
func agree(s Sharing, answers map[int][]Answer) error {
	conflicts, odd := Compare(s, answers)
	if conflicts.Empty() {
		return nil
	}
	e := &DisagreementError{Component: odd[0], Opening: conflicts.opening}
	e.Holders, e.Certain = conflicts.Blame()
	return e
}

// Compare gives the contradictions between members of components in their answers
// to the same openings, and the components in question, in order of appearance.
// Answers are of the holders' form (see ParseAnswers); of lists of several lengths
// the common beginning is compared.
func Compare(s Sharing, answers map[int][]Answer) (conflicts *Conflicts, components []int) {
	conflicts = new(Conflicts)
	holders := slices.Sorted(maps.Keys(answers))
	common := MaxOpenings
	for _, list := range answers {
		common = min(common, len(list))
	}
	if len(holders) == 0 {
		return conflicts, nil
	}
	for i := range common {
		for c := range s.Components() {
			for k, a := range holders {
				va := valueOf(s, a, answers[a][i], c)
				for _, b := range holders[k+1:] {
					vb := valueOf(s, b, answers[b][i], c)
					if va == nil || vb == nil || slices.Equal(va, vb) {
						continue
					}
					if conflicts.Empty() {
						conflicts.opening = i
					}
					conflicts.Add(a, b)
					if !slices.Contains(components, c) {
						components = append(components, c)
					}
				}
			}
		}
	}
	return conflicts, components
}

// Conflicts collects pairs of holders of which at least one cheated.
type Conflicts struct {
	pairs   [][2]int
	opening int // of the first
}

// Add notes that a and b contradict each other.
func (c *Conflicts) Add(a, b int) {
	pair := [2]int{min(a, b), max(a, b)}
	if !slices.Contains(c.pairs, pair) {
		c.pairs = append(c.pairs, pair)
	}
}

// Empty reports whether nobody contradicts anybody.
func (c *Conflicts) Empty() bool { return len(c.pairs) == 0 }

// Blame gives the smallest set of holders such that every conflict touches it
// (a smallest vertex cover, by trying all of at most 2^7). If it is the only one
// of its size it is certain, as long as no more than that many cheat; otherwise
// all holders of all smallest sets are given.
func (c *Conflicts) Blame() (holders []int, certain bool) {
	smallest, count := MaxHolders+1, 0
	var union uint8
	for set := range 1 << MaxHolders {
		size := bits.OnesCount(uint(set))
		if size > smallest || !c.covered(uint8(set)) {
			continue
		}
		if size < smallest {
			smallest, count, union = size, 0, 0
		}
		count++
		union |= uint8(set)
	}
	return points(union), count == 1
}

func (c *Conflicts) covered(set uint8) bool {
	for _, pair := range c.pairs {
		if set>>(pair[0]-1)&1 == 0 && set>>(pair[1]-1)&1 == 0 {
			return false
		}
	}
	return true
}
