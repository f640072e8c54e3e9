package plan

import (
	"fmt"
	"math/big"

	"github.com/yumen-project/yumen/compute/he"
)

// Cert is what planning needs of a key certificate. Whoever fills it in has
// verified the certificate.
type Cert struct {
	Hash       [32]byte
	Parameters *he.Parameters
	Holders    []string // in order
	Threshold  int
	Datasets   []string
	Product    bool // the key set multiplies
	Cap        uint64
	Expiry     int64 // Unix seconds
}

// Source is one manifest of a plan.
type Source struct {
	Dataset, Version string
	Manifest         [32]byte
}

// KeyUse is one key of a plan and the scalars it is charged: the outputs that its
// secret takes part in.
type KeyUse struct {
	Key     [32]byte
	Scalars uint32
}

// Input is a lane that is read.
type Input struct {
	Source uint32 // index of the source
	Lane   string
	Key    [32]byte
	Root   [32]byte
	Degree uint32
	Whole  bool     // every position of a batch counts as used (Bucketed)
	Leaves uint32   // of the lane, all of which are under Root
	Layout []Extent // of the lane: its sections
}

// Extent is a run of batches and the positions in use from its start.
type Extent struct {
	First, Batches uint32
	Positions      uint64
}

// Fold is one encrypted batch of sums: of the batches of X in the extents, or of
// the products of the batches of X and Y.
type Fold struct {
	X       uint32 // index of an input
	Y       uint32 // index of an input, or NoInput
	Extents []Extent
}

// NoInput stands for no second factor.
const NoInput = 1<<32 - 1

// Term adds Weight times the positions j of a fold with j mod Groups = Group; of a
// fold of products the last position alone (Groups 0).
type Term struct {
	Fold          uint32
	Groups, Group uint32
	Weight        int64
}

// Output is one scalar to be opened.
type Output struct {
	Terms []Term
	Bound *big.Int // of the absolute value, proven from the signed rows
}

// Part is one line of the result: the whole, or one group.
type Part struct {
	Label string // group name; empty for the whole
	Rows  uint64 // signed
}

// Plan says what is added, opened and computed from what was opened. It is a pure
// function of query, manifests and certificates; treat it as immutable.
type Plan struct {
	Query      [32]byte
	Kind       Kind
	Requester  string
	Expiry     int64
	Parameters [32]byte
	Holders    []string // of every key, in order
	Threshold  uint8
	Sources    []Source
	Keys       []KeyUse // by rising hash
	Inputs     []Input
	Folds      []Fold
	Outputs    []Output // part by part, in the order of the kind's roles
	Parts      []Part
	Scale      [2]uint8 // decimal digits of x and y
	Minimum    uint64   // distinct subjects in the smallest part: the greatest signed count among its atoms, never their sum
}

// Bounds are, per output, what threshold.Combine and he.Decode want: a decoded
// absolute value below it.
func (p *Plan) Bounds() []*big.Int {
	out := make([]*big.Int, len(p.Outputs))
	for i, o := range p.Outputs {
		out[i] = new(big.Int).Add(o.Bound, big.NewInt(1))
	}
	return out
}

// Opens is the number of scalars to open; 0 for a count, which is answered from
// signed counts: there is nothing to evaluate, and no holder's share is needed.
func (p *Plan) Opens() int { return len(p.Outputs) }

// Hash is SM3 of the canonical form.
func (p *Plan) Hash() ([32]byte, error) {
	b, err := p.Bytes()
	if err != nil {
		return [32]byte{}, err
	}
	return hashOf(planDomain, b), nil
}

func (p *Plan) check() error {
	if p == nil || p.roles() < 0 || !validName(p.Requester) || !distinctNames(p.Holders) || len(p.Parts) == 0 {
		return fmt.Errorf("%w: plan", ErrInvalid)
	}
	if len(p.Outputs) != p.roles()*len(p.Parts) {
		return fmt.Errorf("%w: %d outputs for %d parts", ErrInvalid, len(p.Outputs), len(p.Parts))
	}
	for i := range p.Inputs {
		if int(p.Inputs[i].Source) >= len(p.Sources) {
			return fmt.Errorf("%w: input %d of no source", ErrInvalid, i)
		}
	}
	for i, f := range p.Folds {
		if int(f.X) >= len(p.Inputs) || f.Y != NoInput && int(f.Y) >= len(p.Inputs) || len(f.Extents) == 0 {
			return fmt.Errorf("%w: fold %d of no input", ErrInvalid, i)
		}
		for _, e := range f.Extents {
			if e.Batches == 0 || uint64(e.First)+uint64(e.Batches) > uint64(p.Inputs[f.X].Leaves) {
				return fmt.Errorf("%w: fold %d beyond its lane", ErrInvalid, i)
			}
		}
	}
	for i := range p.Outputs {
		if err := p.checkOutput(&p.Outputs[i]); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

func (p *Plan) checkOutput(o *Output) error {
	if len(o.Terms) == 0 || o.Bound == nil || o.Bound.Sign() < 0 || o.Bound.BitLen() > 256 {
		return fmt.Errorf("%w: terms or bound", ErrInvalid)
	}
	for _, t := range o.Terms {
		if int(t.Fold) >= len(p.Folds) || t.Weight == 0 || t.Weight > maxWeight || t.Weight < -maxWeight ||
			(t.Groups == 0) != (p.Folds[t.Fold].Y != NoInput) || t.Groups > 0 && t.Group >= t.Groups || t.Groups == 0 && t.Group != 0 {
			return fmt.Errorf("%w: term", ErrInvalid)
		}
	}
	return nil
}

// roles is the number of outputs a part has, -1 for no kind.
func (p *Plan) roles() int {
	switch p.Kind {
	case KindCount:
		return 0
	case Sum, Mean, GroupSum, GroupMean, Histogram, Score:
		return 1
	case Variance:
		return 2 // x, xx
	case Covariance:
		return 3 // x, y, xy
	case Correlation:
		return 5 // x, y, xy, xx, yy
	}
	return -1
}
