package threshold

import (
	"crypto/hmac"
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/yumen-project/yumen/compute/he"
)

// MaxKeys bounds the key sets of one opening.
const MaxKeys = he.MaxOpeningKeys

// Answer is what one holder says to one opening: a part for each component it
// knows, by rising component.
type Answer struct{ Parts []Part }

// Part is <A, sigma_c>, added over the opening's keys, plus the component's mask,
// modulo each prime of Q.
type Part struct {
	Component int
	Value     []uint64
}

// Open answers openings under this share's key set alone; see Open.
func (s *Share) Open(openings []*he.Opening) ([]Answer, error) {
	return Open([]*Share{s}, openings)
}

// Open answers openings, one Answer each. shares are one holder's, one per key
// set; all sets have the same parameters and sharing, and the opening's keys are
// among them. Per component the keys' parts are added and masked once. The answer
// is a function of shares and A alone: the same for every repetition, every
// companion and every restored copy of the state.
//
// The caller has decided that these openings may be opened, and counted them
// against each certificate's Cap: Open itself answers whatever it is given.
func Open(shares []*Share, openings []*he.Opening) ([]Answer, error) {
	byKey, err := index(shares)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(openings))
	for i := range openings {
		if answers[i], err = openOne(byKey, shares[0], openings[i]); err != nil {
			return nil, fmt.Errorf("opening %d: %w", i, err)
		}
	}
	return answers, nil
}

func index(shares []*Share) (map[[32]byte]*Share, error) {
	if len(shares) == 0 || len(shares) > 1<<16 {
		return nil, fmt.Errorf("%w: %d shares", ErrMalformed, len(shares))
	}
	byKey := make(map[[32]byte]*Share, len(shares))
	first := shares[0]
	for _, s := range shares {
		if s.params.ID() != first.params.ID() || s.holder != first.holder || !s.sharing.equal(first.sharing) {
			return nil, fmt.Errorf("%w: shares of several holders, sharings or parameters", ErrMismatch)
		}
		if byKey[s.key] != nil {
			return nil, fmt.Errorf("%w: two shares of one key set", ErrMismatch)
		}
		byKey[s.key] = s
	}
	return byKey, nil
}

func openOne(byKey map[[32]byte]*Share, first *Share, o *he.Opening) (Answer, error) {
	p := first.params
	if err := checkOpening(p, o); err != nil {
		return Answer{}, err
	}
	bounds, err := NewBounds(p, first.sharing)
	if err != nil {
		return Answer{}, err
	}
	sets := make([]*Share, len(o.Keys))
	for k, key := range o.Keys {
		if sets[k] = byKey[key]; sets[k] == nil {
			return Answer{}, fmt.Errorf("%w: opening under a key set without share", ErrMismatch)
		}
	}
	id := sampleID(p, o)
	q := p.Q()
	answer := Answer{Parts: make([]Part, len(first.parts))}
	for c := range first.parts {
		m := uniform(maskKey(sets, c), id, bounds.MaskBits)
		value := make([]uint64, len(q))
		for i := range q {
			value[i] = m.mod(q[i])
			for k := range sets {
				value[i] = (value[i] + inner(o.A[k].Coeffs[i], sets[k].parts[c].sigma, q[i])) % q[i]
			}
		}
		answer.Parts[c] = Part{first.parts[c].index, value}
	}
	return answer, nil
}

// PartsOf gives what members of a component with this seed answer to openings
// under one key set, so that a seed that was made public can be held against
// answers. The key set is that of a share of the same seeds.
func PartsOf(p *he.Parameters, s Sharing, c int, seed Seed, openings []*he.Opening) ([][]uint64, error) {
	sigma, err := secretOf(p, seed)
	if err != nil {
		return nil, err
	}
	if c < 0 || c >= s.Components() || len(openings) == 0 || len(openings[0].Keys) != 1 {
		return nil, fmt.Errorf("%w: component or openings", ErrMismatch)
	}
	lone := &Share{
		params: p, sharing: s, holder: s.Members(c)[0], key: openings[0].Keys[0],
		parts: []component{{c, seed, sigma, seed.derive(p, labelMask)}},
	}
	answers, err := lone.Open(openings)
	if err != nil {
		return nil, err
	}
	values := make([][]uint64, len(answers))
	for i, a := range answers {
		values[i] = a.Parts[0].Value
	}
	return values, nil
}

// maskKey is the mask key of a component over several key sets: secret if that
// of any one set is.
func maskKey(sets []*Share, c int) [32]byte {
	if len(sets) == 1 {
		return sets[0].parts[c].mask
	}
	var keys []byte
	for _, s := range sets {
		keys = append(keys, s.parts[c].mask[:]...)
	}
	mac := hmac.New(sm3.New, keys)
	mac.Write([]byte("yumen threshold mask of several keys 1"))
	mac.Write([]byte{uint8(len(sets))})
	var k [32]byte
	mac.Sum(k[:0])
	return k
}

// inner is <row, sigma> mod q, q below 2^56: at most 64 terms, below 2^62 in
// absolute value, are added before a reduction. The secret picks no branch.
func inner(row []uint64, sigma []int8, q uint64) uint64 {
	var total uint64
	for len(row) > 0 {
		n := min(64, len(row))
		var sum int64
		for j, x := range row[:n] {
			sum += int64(x) * int64(sigma[j])
		}
		// 64q > |sum| lifts the sum above zero
		total = (total + uint64(sum+int64(q<<6))) % q
		row, sigma = row[n:], sigma[n:]
	}
	return total
}
