package dp

import (
	"fmt"
	"math/big"
)

// Rho is zero-concentrated differential privacy (Bun and Steinke 2016) in
// billionths. Costs are rounded up.
type Rho int64

// Delta is a probability of failure in units of 1e-12. Costs are rounded up.
type Delta int64

const (
	rhoUnits   = 1_000_000_000
	deltaUnits = 1_000_000_000_000
)

// The default total for one data set and year: DefaultRho is the largest Rho
// whose Epsilon at DefaultDelta is at most 2.
const (
	DefaultRho   Rho   = 88_152_688
	DefaultDelta Delta = deltaUnits / 1_000_000
)

// Budget is a cost or a total: delta-approximate rho-zCDP.
type Budget struct {
	Rho   Rho
	Delta Delta
}

// Add composes: both columns add, whatever was asked in between. A negative part
// wraps ErrParameter, a sum out of range ErrOverflow.
func (b Budget) Add(o Budget) (Budget, error) {
	if b.Rho < 0 || b.Delta < 0 || o.Rho < 0 || o.Delta < 0 {
		return Budget{}, fmt.Errorf("add costs: %w: a part is negative", ErrParameter)
	}
	sum := Budget{Rho: b.Rho + o.Rho, Delta: b.Delta + o.Delta}
	if sum.Rho < 0 || sum.Delta < 0 {
		return Budget{}, fmt.Errorf("add costs: %w", ErrOverflow)
	}
	return sum, nil
}

// Within tells whether neither column exceeds total's.
func (b Budget) Within(total Budget) bool {
	return b.Rho >= 0 && b.Delta >= 0 && b.Rho <= total.Rho && b.Delta <= total.Delta
}

// Compose adds costs.
func Compose(costs ...Budget) (Budget, error) {
	var sum Budget
	for _, c := range costs {
		var err error
		if sum, err = sum.Add(c); err != nil {
			return Budget{}, err
		}
	}
	return sum, nil
}

// PureCost is what a pure epsilon costs: rho = epsilon^2/2 (Bun and Steinke 2016),
// rounded up.
func PureCost(epsilon Rat) (Budget, error) {
	if epsilon.Num == 0 || epsilon.Den == 0 {
		return Budget{}, fmt.Errorf("cost of epsilon: %w: both parts above zero", ErrParameter)
	}
	return ceilRho(square(epsilon.Num), new(big.Int).Lsh(square(epsilon.Den), 1))
}

// LaplaceCost is the cost of independent Laplace noise of one scale on every
// figure of a vector of sensitivity l1: epsilon = l1/scale, rho = epsilon^2/2.
func LaplaceCost(l1 uint64, scale Rat) (Budget, error) {
	if l1 == 0 || scale.Num == 0 || scale.Den == 0 {
		return Budget{}, fmt.Errorf("cost of laplace noise: %w: sensitivity and scale above zero", ErrParameter)
	}
	num := square(l1)
	return ceilRho(num.Mul(num, square(scale.Den)), new(big.Int).Lsh(square(scale.Num), 1))
}

// GaussianCost is the cost of independent Gaussian noise of one sigma^2 on every
// figure of a vector whose squared l2 sensitivity is l2sq: rho = l2sq/(2 sigma^2)
// (Canonne, Kamath and Steinke 2020: the discrete Gaussian on integer figures costs
// what the continuous one does).
func GaussianCost(l2sq uint64, sigma2 Rat) (Budget, error) {
	if l2sq == 0 || sigma2.Num == 0 || sigma2.Den == 0 {
		return Budget{}, fmt.Errorf("cost of gaussian noise: %w: sensitivity and scale above zero", ErrParameter)
	}
	num := new(big.Int).SetUint64(l2sq)
	den := new(big.Int).SetUint64(sigma2.Num)
	return ceilRho(num.Mul(num, new(big.Int).SetUint64(sigma2.Den)), den.Lsh(den, 1))
}

// Cost is the cost of this noise on a vector of this sensitivity.
func (s Scale) Cost(of Sensitivity) (Budget, error) {
	switch s.Mechanism {
	case LaplaceNoise:
		return LaplaceCost(of.L1, s.Parameter)
	case GaussianNoise:
		return GaussianCost(of.L2Squared, s.Parameter)
	}
	return Budget{}, fmt.Errorf("cost of noise: %w: unknown mechanism", ErrParameter)
}

func square(x uint64) *big.Int {
	v := new(big.Int).SetUint64(x)
	return v.Mul(v, v)
}

// ceilRho is num/den in billionths, rounded up.
func ceilRho(num, den *big.Int) (Budget, error) {
	r := ceilDiv(num.Mul(num, big.NewInt(rhoUnits)), den)
	if !r.IsInt64() {
		return Budget{}, fmt.Errorf("cost of noise: %w", ErrOverflow)
	}
	return Budget{Rho: Rho(r.Int64())}, nil
}

func ceilDiv(num, den *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}
