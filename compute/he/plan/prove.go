package plan

import (
	"math/big"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// prove checks every output: its bound below half the product of the plaintext
// primes; its noise, in the worst case and with one mask of every component,
// below what decoding bears; and its noise, by its variance over honest
// encryptions, short enough for the masks to hide. Great weights pass the second
// and fail the third.
//
// Noise: a term over n batches whose mask weighs k positions w each has at most
// n*k*|w| times the noise of one fresh encryption; a sum of n products has n
// times that of one product, and one relinearisation.
//
// Variance: the noises of encryptions are independent and no position stands twice
// in an output (a query names a lane once), so it is n*k*w^2 times that of one
// encryption, and of n products n*w^2 times that of one. Relinearisation adds
// 2^36.5 to a deviation of 2^60.9 and is not counted.
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
		noise, variance := new(big.Int), new(big.Int)
		for _, t := range o.Terms {
			noise.Add(noise, c.plan.noise(k.Parameters, sharing.Components(), t))
			variance.Add(variance, c.plan.variance(k.Parameters, sharing.Components(), t))
		}
		if k.Parameters.CheckNoise(noise, sharing.Components()) != nil || k.Parameters.CheckHiding(variance, sharing.Components()) != nil {
			return refuse(RuleNoise, c.laneOf(o))
		}
	}
	return nil
}

func (c *compiler) laneOf(o Output) string {
	return c.plan.Inputs[c.plan.Folds[o.Terms[0].Fold].X].Lane
}

func (p *Plan) noise(params *he.Parameters, components int, t Term) *big.Int {
	sum := p.count(params, t)
	sum.Mul(sum, new(big.Int).Abs(big.NewInt(t.Weight)))
	if p.Folds[t.Fold].Y == NoInput {
		return sum.Mul(sum, params.FreshNoise(components))
	}
	relin := params.RelinNoise(components)
	relin.Mul(relin, new(big.Int).Abs(big.NewInt(t.Weight)))
	return sum.Mul(sum, params.ProductNoise(components)).Add(sum, relin)
}

func (p *Plan) variance(params *he.Parameters, components int, t Term) *big.Int {
	weight := big.NewInt(t.Weight)
	sum := p.count(params, t)
	sum.Mul(sum, weight.Mul(weight, weight))
	if p.Folds[t.Fold].Y == NoInput {
		return sum.Mul(sum, params.FreshVariance(components))
	}
	return sum.Mul(sum, params.ProductVariance(components))
}

// count is how many encryptions, or products of batches, a term adds.
func (p *Plan) count(params *he.Parameters, t Term) *big.Int {
	f := p.Folds[t.Fold]
	count := new(big.Int)
	for _, e := range f.Extents {
		count.Add(count, new(big.Int).SetUint64(uint64(e.Batches)))
	}
	if f.Y != NoInput {
		return count
	}
	slots := int64((params.N() - int(t.Group) + int(t.Groups) - 1) / int(t.Groups))
	return count.Mul(count, big.NewInt(slots))
}
