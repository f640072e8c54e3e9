package dp

import (
	"fmt"
	"math"
)

// MicroEpsilon is an epsilon in millionths.
type MicroEpsilon int64

const (
	epsilonUnits = 1_000_000
	// slack covers the rounding of the computation below, whose relative error
	// is under 1e-12 with steps of 2^-53.
	slack = 1e-9
)

// Epsilon is the smallest epsilon, rounded up, that the conversion below grants
// at a total probability of failure of delta. The budget's own delta is part of
// it, so delta must exceed it.
//
// For every alpha > 1, rho-zCDP implies (epsilon, delta) with
//
//	epsilon = alpha rho + (ln(1/delta) - ln alpha)/(alpha-1) + ln(1 - 1/alpha)
//
// (the conversion of Canonne, Kamath and Steinke 2020, solved for epsilon). It is never worse than rho + 2 sqrt(rho ln(1/delta)) of Bun and
// Steinke 2016. Any alpha is valid, so the search for the best
// needs no proof; the result gets a relative slack of 1e-9.
func (b Budget) Epsilon(delta Delta) (MicroEpsilon, error) {
	if b.Rho < 0 || b.Delta < 0 || delta <= b.Delta || delta >= deltaUnits {
		return 0, fmt.Errorf("convert rho: %w: delta must lie above the budget's own and below one", ErrParameter)
	}
	if b.Rho == 0 {
		return 0, nil
	}
	rho, log := float64(b.Rho)/rhoUnits, math.Log(deltaUnits/float64(delta-b.Delta))
	eps := min(tight(rho, log), rho+2*math.Sqrt(rho*log))
	micro := math.Ceil(max(eps, 0)*(1+slack)*epsilonUnits + slack)
	if micro >= 1<<62 {
		return 0, fmt.Errorf("convert rho: %w", ErrOverflow)
	}
	return MicroEpsilon(micro), nil
}

// tight searches over ln(alpha-1); the function has one minimum there.
func tight(rho, log float64) float64 {
	at := func(x float64) float64 {
		a1 := math.Exp(x)
		return (1+a1)*rho + (log-math.Log1p(a1))/a1 - math.Log1p(1/a1)
	}
	lo, hi := -20.0, 40.0
	for range 200 {
		third := (hi - lo) / 3
		if at(lo+third) < at(hi-third) {
			hi -= third
		} else {
			lo += third
		}
	}
	return at(lo)
}
