package plan

import (
	"math/big"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// prove checks every output: its bound below half the product of the plaintext
// primes, and its noise, in the worst case and with one mask of every component,
// below what decoding bears.
//
// Noise: a term over n batches whose mask weighs k positions w each has at most
// n*k*|w| times the noise of one fresh encryption; a sum of n products has n
// times that of one product, and one relinearisation.
func (c *compiler) prove() error {
	k := c.used[0]
	sharing, err := threshold.NewSharing(len(k.Holders), k.Threshold)
	if err != nil {
		return refuse(RuleHolders, "")
	}
	half := k.Parameters.Capacity()
	half.Rsh(half, 1)
	for _, o := range c.plan.Outputs {
		if o.Bound.Cmp(half) >= 0 {
			return refuse(RuleRange, c.laneOf(o))
		}
		noise := new(big.Int)
		for _, t := range o.Terms {
			noise.Add(noise, c.plan.noise(k.Parameters, sharing.Components(), t))
		}
		if k.Parameters.CheckNoise(noise, sharing.Components()) != nil {
			return refuse(RuleNoise, c.laneOf(o))
		}
	}
	return nil
}

func (c *compiler) laneOf(o Output) string {
	return c.plan.Inputs[c.plan.Folds[o.Terms[0].Fold].X].Lane
}

func (p *Plan) noise(params *he.Parameters, components int, t Term) *big.Int {
	f := p.Folds[t.Fold]
	batches := new(big.Int)
	for _, e := range f.Extents {
		batches.Add(batches, new(big.Int).SetUint64(uint64(e.Batches)))
	}
	weight := new(big.Int).Abs(big.NewInt(t.Weight))
	if f.Y != NoInput {
		batches.Mul(batches, params.ProductNoise(components)).Add(batches, params.RelinNoise(components))
		return batches.Mul(batches, weight)
	}
	slots := int64((params.N() - int(t.Group) + int(t.Groups) - 1) / int(t.Groups))
	return batches.Mul(batches, weight).Mul(batches, big.NewInt(slots)).Mul(batches, params.FreshNoise(components))
}
