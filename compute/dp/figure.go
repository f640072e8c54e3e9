package dp

import (
	"math/big"

	"github.com/yumen-project/yumen/compute"
)

// Everything here works on noisy figures and public parameters.

// scaled is x / 10^digits.
func scaled(x *big.Int, digits int) *big.Rat {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return new(big.Rat).SetFrac(x, ten)
}

// decimal writes v granules of unit with that many fraction digits.
func decimal(v, unit int64, digits int) string {
	x := big.NewInt(v)
	return scaled(x.Mul(x, big.NewInt(unit)), digits).FloatString(digits)
}

// mean is middle + sum/count, brought into the bounds.
func (m *measure) mean(sum, count int64) string {
	if count < 1 {
		return ""
	}
	v := new(big.Rat).SetFrac(big.NewInt(sum), big.NewInt(count))
	v.Add(v, new(big.Rat).SetInt64(m.middle()))
	v.Mul(v, scaled(big.NewInt(m.Unit), m.digit))
	if low := scaled(big.NewInt(m.Low), m.digit); v.Cmp(low) < 0 {
		v = low
	}
	if high := scaled(big.NewInt(m.High), m.digit); v.Cmp(high) > 0 {
		v = high
	}
	return v.FloatString(max(compute.MeanDigits, m.digit))
}

// variance is squares/count - (sum/count)^2, not below zero nor above a quarter
// of the squared range, which no variance exceeds.
func (m *measure) variance(sum, count, squares int64) string {
	if count < 1 {
		return ""
	}
	n := big.NewInt(count)
	mean := new(big.Rat).SetFrac(big.NewInt(sum), n)
	v := new(big.Rat).SetFrac(big.NewInt(squares), n)
	v.Sub(v, mean.Mul(mean, mean))
	if v.Sign() < 0 {
		v.SetInt64(0)
	}
	unit := scaled(big.NewInt(m.Unit), m.digit)
	v.Mul(v, unit.Mul(unit, unit))
	span := scaled(new(big.Int).Sub(big.NewInt(m.High), big.NewInt(m.Low)), m.digit)
	if span.Mul(span, span).Mul(span, big.NewRat(1, 4)); v.Cmp(span) > 0 {
		v = span
	}
	return v.FloatString(max(compute.MeanDigits, 2*m.digit))
}

// quantiles finds for each q the first band at which the running count, negative
// bands taken as empty, reaches q of the whole.
func quantiles(counts []int64, qs []Rat) []int64 {
	whole := new(big.Int)
	for i, c := range counts {
		counts[i] = max(0, c)
		whole.Add(whole, big.NewInt(counts[i]))
	}
	out := make([]int64, len(qs))
	for k, q := range qs {
		out[k] = -1
		need := new(big.Int).Mul(whole, new(big.Int).SetUint64(q.Num))
		running := new(big.Int)
		for i := 0; i < len(counts) && whole.Sign() > 0 && out[k] < 0; i++ {
			running.Add(running, big.NewInt(counts[i]))
			if new(big.Int).Mul(running, new(big.Int).SetUint64(q.Den)).Cmp(need) >= 0 {
				out[k] = int64(i)
			}
		}
	}
	return out
}
