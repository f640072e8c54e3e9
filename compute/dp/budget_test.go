package dp

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// logOf is ln(x) to the precision of the oracle, by Newton's steps on expOf.
func logOf(x *big.Float) *big.Float {
	f, _ := x.Float64()
	y := newFloat().SetFloat64(math.Log(f))
	for range 3 {
		r, _ := y.Rat(nil)
		e := expOf(r.Neg(r))
		y.Add(y, e.Sub(e.Mul(e, x), newFloat().SetInt64(1)))
	}
	return y
}

// epsilonAt is the conversion of the documentation, independently computed.
func epsilonAt(alpha, rho, delta *big.Rat) *big.Float {
	a := newFloat().SetRat(alpha)
	a1 := newFloat().Sub(a, newFloat().SetInt64(1))
	out := newFloat().Mul(a, newFloat().SetRat(rho))
	num := logOf(newFloat().SetRat(new(big.Rat).Inv(delta)))
	num.Sub(num, logOf(a))
	out.Add(out, num.Quo(num, a1))
	return out.Add(out, logOf(newFloat().Quo(a1, a)))
}

// TestEpsilonAgainstOracle: never below the best of a grid of alphas in 256-bit
// arithmetic by more than the grid's own coarseness, never above it by more than
// a millionth and the grid's, and never above Bun and Steinke's form.
func TestEpsilonAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rho := Rho(math.Exp(rapid.Float64Range(0, 26).Draw(t, "ln rho")))
		delta := Delta(math.Exp(rapid.Float64Range(0, 23).Draw(t, "ln delta")))
		own := Delta(rapid.Int64Range(0, int64(delta)-1).Draw(t, "own"))
		got, err := Budget{rho, own}.Epsilon(delta)
		require.NoError(t, err)

		r, d := big.NewRat(int64(rho), rhoUnits), big.NewRat(int64(delta-own), deltaUnits)
		rf, _ := r.Float64()
		df, _ := d.Float64()
		guess := 1 + math.Sqrt(math.Log(1/df)/rf)
		best := math.Inf(1)
		for k := -20; k <= 20; k++ {
			alpha := new(big.Rat).SetFloat64(1 + (guess-1)*math.Pow(2, float64(k)/5))
			e, _ := epsilonAt(alpha, r, d).Float64()
			best = min(best, e)
		}
		eps := float64(got) / epsilonUnits
		require.LessOrEqual(t, eps, rf+2*math.Sqrt(rf*math.Log(1/df))*(1+1e-8)+2e-6)
		require.LessOrEqual(t, eps, max(best, 0)*(1+1e-6)+2e-6)
		require.GreaterOrEqual(t, eps, best*(1-1e-2)-1e-9)
	})
}

// TestEpsilonIsAchievedBySomeAlpha: the figure is a bound, not an estimate: at
// the alpha the search found the 256-bit figure does not exceed it.
func TestEpsilonIsAchievedBySomeAlpha(t *testing.T) {
	for _, rho := range []Rho{1, 1000, 1_000_000, DefaultRho, rhoUnits, 50 * rhoUnits} {
		for _, delta := range []Delta{1, 1_000_000, 1_000_000_000} {
			got, err := Budget{Rho: rho}.Epsilon(delta)
			require.NoError(t, err)
			r, d := big.NewRat(int64(rho), rhoUnits), big.NewRat(int64(delta), deltaUnits)
			rf, _ := r.Float64()
			df, _ := d.Float64()
			lo, hi := -14.0, 30.0
			at := func(x float64) float64 {
				return (1+math.Exp(x))*rf + (-math.Log(df)-math.Log1p(math.Exp(x)))/math.Exp(x) - math.Log1p(math.Exp(-x))
			}
			for range 120 {
				if l, h := lo+(hi-lo)/3, hi-(hi-lo)/3; at(l) < at(h) {
					hi = h
				} else {
					lo = l
				}
			}
			e, _ := epsilonAt(new(big.Rat).SetFloat64(1+math.Exp(lo)), r, d).Float64()
			require.LessOrEqual(t, e, float64(got)/epsilonUnits, "rho %d delta %d", rho, delta)
			require.GreaterOrEqual(t, max(e, 0)*(1+2e-9)+1.1e-6, float64(got)/epsilonUnits)
		}
	}
}

func TestDefaultTotal(t *testing.T) {
	eps, err := Budget{Rho: DefaultRho}.Epsilon(DefaultDelta)
	require.NoError(t, err)
	require.Equal(t, MicroEpsilon(2_000_000), eps)
	more, err := Budget{Rho: DefaultRho + 1}.Epsilon(DefaultDelta)
	require.NoError(t, err)
	require.Greater(t, more, eps)
	for _, b := range []Budget{{-1, 0}, {0, -1}, {1, DefaultDelta}} {
		_, err := b.Epsilon(DefaultDelta)
		require.ErrorIs(t, err, ErrParameter)
	}
	_, err = Budget{Rho: 1}.Epsilon(deltaUnits)
	require.ErrorIs(t, err, ErrParameter)
	_, err = Budget{Rho: math.MaxInt64}.Epsilon(1)
	require.NoError(t, err)
	none, err := Budget{}.Epsilon(1)
	require.NoError(t, err)
	require.Zero(t, none)
}

// TestCostsRoundUp: every cost is the least count of billionths not below the
// exact rational.
func TestCostsRoundUp(t *testing.T) {
	parts := rapid.Uint64Range(1, 1<<40)
	rapid.Check(t, func(t *rapid.T) {
		n, d, sens := parts.Draw(t, "n"), parts.Draw(t, "d"), rapid.Uint64Range(1, 1<<20).Draw(t, "sens")
		check := func(exact *big.Rat, got Budget, err error) {
			exact.Mul(exact, big.NewRat(rhoUnits, 1))
			if err != nil {
				require.ErrorIs(t, err, ErrOverflow)
				require.Positive(t, exact.Cmp(new(big.Rat).SetInt64(math.MaxInt64)))
				return
			}
			require.GreaterOrEqual(t, new(big.Rat).SetInt64(int64(got.Rho)).Cmp(exact), 0)
			require.Negative(t, new(big.Rat).SetInt64(int64(got.Rho)-1).Cmp(exact))
			require.Zero(t, got.Delta)
		}
		x := big.NewRat(int64(n), int64(d))
		half := big.NewRat(1, 2)
		pure, err := PureCost(Rat{n, d})
		check(new(big.Rat).Mul(half, new(big.Rat).Mul(x, x)), pure, err)
		eps := new(big.Rat).Quo(big.NewRat(int64(sens), 1), x)
		lap, err := LaplaceCost(sens, Rat{n, d})
		check(new(big.Rat).Mul(half, new(big.Rat).Mul(eps, eps)), lap, err)
		gauss, err := GaussianCost(sens, Rat{n, d})
		check(new(big.Rat).Mul(half, eps), gauss, err)
	})
	for _, err := range []error{
		second(PureCost(Rat{0, 1})), second(PureCost(Rat{1, 0})), second(LaplaceCost(0, Rat{1, 1})), second(LaplaceCost(1, Rat{})),
		second(GaussianCost(0, Rat{1, 1})), second(GaussianCost(1, Rat{0, 1})), second(Scale{}.Cost(Sensitivity{1, 1})),
	} {
		require.ErrorIs(t, err, ErrParameter)
	}
}

func second[T any](_ T, err error) error { return err }

func TestCompose(t *testing.T) {
	sum, err := Compose(Budget{1, 2}, Budget{3, 4}, Budget{})
	require.NoError(t, err)
	require.Equal(t, Budget{4, 6}, sum)
	_, err = Compose(Budget{math.MaxInt64, 0}, Budget{1, 0})
	require.ErrorIs(t, err, ErrOverflow)
	_, err = Compose(Budget{0, 1}, Budget{0, math.MaxInt64})
	require.ErrorIs(t, err, ErrOverflow)
	_, err = Compose(Budget{5, 0}, Budget{-1, 0})
	require.ErrorIs(t, err, ErrParameter)
	require.True(t, sum.Within(Budget{4, 6}))
	require.False(t, sum.Within(Budget{3, 6}))
	require.False(t, sum.Within(Budget{4, 5}))
	require.False(t, Budget{-1, 0}.Within(Budget{4, 5}))
}

// TestScaleForIsLeast: the noise costs no more than was allowed, and one step
// less of it would.
func TestScaleForIsLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Uint64Range(1, 1<<20).Draw(t, "a")
		g := rapid.Uint64Range(1, 64).Draw(t, "g")
		of := Sensitivity{L1: g * a, L2Squared: g * a * a}
		rho := Rho(rapid.Int64Range(1, 10*rhoUnits).Draw(t, "rho"))
		m := rapid.SampledFrom([]Mechanism{LaplaceNoise, GaussianNoise}).Draw(t, "mechanism")
		s, err := ScaleFor(m, of, rho)
		if err != nil {
			require.ErrorIs(t, err, ErrParameter)
			return
		}
		cost, err := s.Cost(of)
		require.NoError(t, err)
		require.LessOrEqual(t, cost.Rho, rho)
		grow := laplaceDen / s.Parameter.Den
		less := Scale{m, Rat{s.Parameter.Num*grow - 1, laplaceDen}}
		if s.Parameter.Num*grow == 1 || s.Parameter.Num > 1<<45 {
			return
		}
		// Exactly, not in billionths: the bound is rho itself.
		x := new(big.Rat).SetFrac(new(big.Int).SetUint64(less.Parameter.Num), new(big.Int).SetUint64(less.Parameter.Den))
		exact := new(big.Rat).SetFrac(new(big.Int).SetUint64(of.L2Squared), big.NewInt(2))
		exact.Quo(exact, x)
		if m == LaplaceNoise {
			exact.SetFrac(square(of.L1), big.NewInt(2))
			exact.Quo(exact, x.Mul(x, x))
		}
		require.Positive(t, exact.Cmp(big.NewRat(int64(rho), rhoUnits)))
	})
}

func TestScaleForRefuses(t *testing.T) {
	for _, err := range []error{
		second(ScaleFor(LaplaceNoise, Sensitivity{}, 1)), second(ScaleFor(LaplaceNoise, Sensitivity{1, 1}, 0)),
		second(ScaleFor(0, Sensitivity{1, 1}, 1)), second(ScaleFor(GaussianNoise, Sensitivity{1 << 40, 1 << 63}, 1)),
		second(ScaleFor(LaplaceNoise, Sensitivity{1 << 60, 1 << 63}, 1)), second(NewScale(3, Rat{1, 1})), second(NewScale(LaplaceNoise, Rat{})),
	} {
		require.ErrorIs(t, err, ErrParameter)
	}
	s, err := NewScale(GaussianNoise, Rat{10, 4})
	require.NoError(t, err)
	require.Equal(t, Scale{GaussianNoise, Rat{5, 2}}, s)
}

func TestSensitivities(t *testing.T) {
	b := Bounds{MaxGroups: 3, MaxRecords: 4, Low: -10, High: 7}
	got, err := SubjectsSensitivity(b)
	require.NoError(t, err)
	require.Equal(t, Sensitivity{3, 3}, got)
	got, err = CountSensitivity(b)
	require.NoError(t, err)
	require.Equal(t, Sensitivity{12, 48}, got)
	got, err = HistogramSensitivity(b)
	require.NoError(t, err)
	require.Equal(t, Sensitivity{12, 48}, got)
	got, err = SumSensitivity(b)
	require.NoError(t, err)
	require.Equal(t, Sensitivity{120, 4800}, got)
	require.Equal(t, int64(-2), b.Middle())
	squares, sum, count, err := VarianceSensitivity(b)
	require.NoError(t, err)
	require.Equal(t, Sensitivity{3 * 4 * 9, 3 * 36 * 36}, sum)
	require.Equal(t, Sensitivity{12, 48}, count)
	require.Equal(t, Sensitivity{3 * 4 * 81, 3 * 324 * 324}, squares)
	for _, bad := range []Bounds{{}, {0, 1, 0, 1}, {1, 0, 0, 1}, {1, 1, 1, 1}, {1, 1, 2, 1}, {1 << 17, 1, 0, 1}, {1, 1, math.MinInt64, 0}, {1, 1, 0, math.MaxInt64}, {1, 3, 0, 1 << 30}} {
		require.ErrorIs(t, second(SumSensitivity(bad)), ErrParameter)
	}
	_, _, _, err = VarianceSensitivity(Bounds{1, 1, 0, 1 << 31})
	require.ErrorIs(t, err, ErrParameter)
}

// TestThresholdExact: tau holds and tau-1 does not, by the exact masses.
func TestThresholdExact(t *testing.T) {
	for _, c := range []struct {
		m Mechanism
		p Rat
	}{{LaplaceNoise, Rat{1, 3}}, {LaplaceNoise, Rat{1, 1}}, {LaplaceNoise, Rat{7, 2}}, {LaplaceNoise, Rat{40, 1}},
		{GaussianNoise, Rat{1, 9}}, {GaussianNoise, Rat{1, 1}}, {GaussianNoise, Rat{17, 2}}, {GaussianNoise, Rat{90, 1}}, {GaussianNoise, Rat{6000, 1}}} {
		tails := exactTails(c.m, c.p)
		for _, groups := range []int{1, 3, 50} {
			for _, delta := range []Delta{1, 1_000, 1_000_000, 40_000_000_000} {
				tau, err := Threshold(Scale{c.m, c.p}, groups, delta)
				require.NoError(t, err)
				fails := func(tau int64) bool { // groups * P(noise >= tau-1) > delta
					return float64(groups)*tails(tau-2) > float64(delta)/deltaUnits
				}
				require.False(t, fails(tau), "%v %d %d", c, groups, delta)
				require.True(t, tau == 2 || fails(tau-1), "%v %d %d: tau %d is not the least", c, groups, delta, tau)
			}
		}
	}
	for _, err := range []error{
		second(Threshold(Scale{}, 1, 1)), second(Threshold(Scale{LaplaceNoise, Rat{1, 1}}, 0, 1)), second(Threshold(Scale{LaplaceNoise, Rat{1, 1}}, 1, 0)),
		second(Threshold(Scale{LaplaceNoise, Rat{1, 1}}, 1, deltaUnits)), second(Threshold(Scale{GaussianNoise, Rat{1 << 40, 1}}, 1, 1)),
	} {
		require.ErrorIs(t, err, ErrParameter)
	}
}

// exactTails is P(noise > reach), summed from the far end of the exact masses.
func exactTails(m Mechanism, p Rat) func(reach int64) float64 {
	if m == LaplaceNoise {
		return func(reach int64) float64 {
			_, beyond := laplaceMass(p, reach)
			return beyond
		}
	}
	mass, far := gaussianMass(p, 20*int64(isqrt(p.Num/p.Den)+1))
	tails := make([]float64, len(mass))
	for x := len(mass) - 1; x >= 0; x-- {
		tails[x] = far
		far += mass[x]
	}
	return func(reach int64) float64 { return tails[reach] }
}
