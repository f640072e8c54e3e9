package microaggregate

import (
	"math"
	"math/bits"
)

// intMean is the exact mean of the values at rows rounded to the nearest whole
// number, halves up. It lies between the least and the greatest of them.
func intMean(values []int64, rows []int) int64 {
	// Differences from the least value are not negative: their sum needs 128
	// bits and no sign.
	least := values[rows[0]]
	for _, r := range rows {
		least = min(least, values[r])
	}
	var hi, lo, carry uint64
	for _, r := range rows {
		lo, carry = bits.Add64(lo, uint64(values[r])-uint64(least), 0)
		hi += carry
	}
	n := uint64(len(rows))
	lo, carry = bits.Add64(lo, n/2, 0)
	hi += carry
	q, _ := bits.Div64(hi, lo, n) // hi < n: the mean is below 2^64
	return int64(uint64(least) + q)
}

// floatMean is the mean of finite values at rows: a compensated sum (Neumaier
// 1974), kept between the least and the greatest of them.
func floatMean(values []float64, rows []int) float64 {
	least, most := math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		least, most = min(least, values[r]), max(most, values[r])
	}
	n := float64(len(rows))
	m := compensated(values, rows, 1) / n
	if math.IsInf(m, 0) || math.IsNaN(m) {
		m = compensated(values, rows, n)
	}
	return max(least, min(most, m))
}

// compensated is the sum of the values, each divided by n.
func compensated(values []float64, rows []int, n float64) float64 {
	var sum, lost float64
	for _, r := range rows {
		v := values[r] / n
		t := sum + v
		if math.Abs(sum) >= math.Abs(v) {
			lost += sum - t + v
		} else {
			lost += v - t + sum
		}
		sum = t
	}
	return sum + lost
}
