package dp

import (
	"fmt"
	"math"
)

// maxThresholdSigma bounds the Gaussian noise under which keys are selected.
const maxThresholdSigma = 1 << 16

// Threshold is the least tau at which keys that are on no public list may be
// shown iff their noisy subject count >= tau, at a probability of failure of
// delta for a unit with at most maxGroups keys. A key that one unit alone brings
// has the count 1, so tau is the least with
//
//	maxGroups * P(1 + noise >= tau) <= delta
//
// where P is the exact tail of the discrete distribution: exp(-k/b) /
// (1 + exp(-1/b)) for Laplace and k >= 1, the quotient of the sums for Gaussian.
// It is computed in floating point with a relative margin of 1e-7 on the safe
// side, from the parameters alone. Errors wrap ErrParameter.
func Threshold(s Scale, maxGroups int, delta Delta) (int64, error) {
	if _, err := s.sampler(); err != nil {
		return 0, err
	}
	if maxGroups < 1 || maxGroups > maxBound || delta < 1 || delta >= deltaUnits {
		return 0, fmt.Errorf("threshold: %w: groups of 1 to %d, delta between zero and one", ErrParameter, maxBound)
	}
	most := float64(delta) / deltaUnits / float64(maxGroups) * (1 - 1e-7)
	p := float64(s.Parameter.Num) / float64(s.Parameter.Den)
	if s.Mechanism == LaplaceNoise {
		return laplaceTau(p, most), nil
	}
	if p > maxThresholdSigma*maxThresholdSigma {
		return 0, fmt.Errorf("threshold: %w: sigma above %d", ErrParameter, maxThresholdSigma)
	}
	return gaussianTau(p, most), nil
}

// laplaceTau: the least k >= 1 with exp(-k/b)/(1+exp(-1/b)) <= most; tau = k+1.
func laplaceTau(b, most float64) int64 {
	tail := func(k float64) float64 { return math.Exp(-k/b) / (1 + math.Exp(-1/b)) }
	k := math.Max(1, math.Floor(-b*(math.Log(most)+math.Log1p(math.Exp(-1/b))))-1)
	for tail(k) > most {
		k++
	}
	return int64(k) + 1
}

// gaussianTau adds the tail from far away until it exceeds its share; what lies
// beyond 40 sigma is below 1e-340 of the whole.
func gaussianTau(sigma2, most float64) int64 {
	sigma := math.Sqrt(sigma2)
	// The whole is at least 1 (x = 0) and at least sqrt(2 pi) sigma (Poisson
	// summation), and is summed where that is quick.
	whole := max(1, math.Sqrt(2*math.Pi)*sigma)
	if sigma < 64 {
		whole = 1
		for k := math.Ceil(40*sigma + 2); k >= 1; k-- {
			whole += 2 * math.Exp(-k*k/(2*sigma2))
		}
	}
	tail := 0.0
	for k := math.Ceil(40*sigma + 2); k >= 1; k-- {
		tail += math.Exp(-k * k / (2 * sigma2))
		if tail > most*whole {
			return int64(k) + 2 // k is too near, k+1 is not
		}
	}
	return 2
}
