package dp

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Bounds limit what one privacy unit adds to a table: it counts in at most
// MaxGroups cells, with at most MaxRecords records in each, whose values are
// brought into [Low, High]. Values are in units of the measure. A literal:
// unchecked until it is used.
type Bounds struct {
	MaxGroups  int
	MaxRecords int
	Low, High  int64
}

// Sensitivity is the most by which a vector of figures (one statistic in every
// cell) changes when all records of one unit come or go: the sum of the absolute
// changes, and the sum of their squares.
type Sensitivity struct {
	L1        uint64
	L2Squared uint64
}

// Limits of Bounds. They keep every exact total of up to 2^31 subjects within 62
// bits, so that adding a draw cannot wrap.
const (
	maxBound   = 1 << 16
	maxPerUnit = 1 << 31 // what a unit may add to one cell of one statistic
)

func (b Bounds) check() error {
	if b.MaxGroups < 1 || b.MaxGroups > maxBound || b.MaxRecords < 1 || b.MaxRecords > maxBound {
		return fmt.Errorf("bounds: %w: groups and records are 1 to %d", ErrParameter, maxBound)
	}
	return nil
}

func (b Bounds) checkRange() error {
	if err := b.check(); err != nil {
		return err
	}
	if b.Low >= b.High || b.Low < -maxPerUnit || b.High > maxPerUnit {
		return fmt.Errorf("bounds: %w: low is to lie below high, both within 2^31 units", ErrParameter)
	}
	return nil
}

// perCell is the sensitivity when a unit changes each of its cells by at most a.
func (b Bounds) perCell(a uint64) (Sensitivity, error) {
	if a == 0 || a > maxPerUnit {
		return Sensitivity{}, fmt.Errorf("sensitivity: %w: a unit may move a cell by 1 to 2^31; count in coarser units", ErrParameter)
	}
	l1 := uint64(b.MaxGroups) * a // at most 2^47
	hi, l2 := bits.Mul64(l1, a)
	if hi != 0 {
		return Sensitivity{}, fmt.Errorf("sensitivity: %w: its square exceeds 64 bits; count in coarser units", ErrParameter)
	}
	return Sensitivity{L1: l1, L2Squared: l2}, nil
}

// Middle is the value from which means and variances count: the middle of Low
// and High, rounded down. It depends on the bounds alone.
func (b Bounds) Middle() int64 { return b.Low + (b.High-b.Low)/2 }

// reach is the largest distance of a value from Middle.
func (b Bounds) reach() uint64 { return uint64(b.High - b.Middle()) }

// SubjectsSensitivity is that of distinct subjects in every cell.
func SubjectsSensitivity(b Bounds) (Sensitivity, error) {
	if err := b.check(); err != nil {
		return Sensitivity{}, err
	}
	return b.perCell(1)
}

// CountSensitivity is that of records in every cell.
func CountSensitivity(b Bounds) (Sensitivity, error) {
	if err := b.check(); err != nil {
		return Sensitivity{}, err
	}
	return b.perCell(uint64(b.MaxRecords))
}

// SumSensitivity is that of sums of values in [Low, High].
func SumSensitivity(b Bounds) (Sensitivity, error) {
	if err := b.checkRange(); err != nil {
		return Sensitivity{}, err
	}
	return b.perCell(uint64(b.MaxRecords) * uint64(max(b.High, -b.Low, -b.High, b.Low)))
}

// MeanSensitivity is that of the two figures a mean is made of: the sum of
// distances from Middle, and the count of values.
func MeanSensitivity(b Bounds) (sum, count Sensitivity, err error) {
	if err := b.checkRange(); err != nil {
		return sum, count, err
	}
	if sum, err = b.perCell(uint64(b.MaxRecords) * b.reach()); err != nil {
		return sum, count, err
	}
	count, err = b.perCell(uint64(b.MaxRecords))
	return sum, count, err
}

// VarianceSensitivity is that of the three figures a variance is made of: the sum
// of squared distances from Middle and the two of a mean.
func VarianceSensitivity(b Bounds) (squares, sum, count Sensitivity, err error) {
	if sum, count, err = MeanSensitivity(b); err != nil {
		return squares, sum, count, err
	}
	hi, sq := bits.Mul64(b.reach()*b.reach(), uint64(b.MaxRecords))
	if hi != 0 {
		sq = ^uint64(0)
	}
	squares, err = b.perCell(sq)
	return squares, sum, count, err
}

// HistogramSensitivity is that of record counts in every band of every cell. A
// record lies in one band, and all of a unit's records may lie in the same.
func HistogramSensitivity(b Bounds) (Sensitivity, error) { return CountSensitivity(b) }

// QuantileSensitivity is that of the histogram quantiles are read from.
func QuantileSensitivity(b Bounds) (Sensitivity, error) { return HistogramSensitivity(b) }

// laplaceDen is the denominator of the scales that ScaleFor makes.
const laplaceDen = 1 << 10

// ScaleFor is the least noise that hides a vector of this sensitivity at a cost
// of at most rho: the parameter is rounded up, to 1/1024 for Laplace, to what
// fits for Gaussian. Errors wrap ErrParameter.
func ScaleFor(m Mechanism, of Sensitivity, rho Rho) (Scale, error) {
	if rho <= 0 || of.L1 == 0 || of.L2Squared == 0 {
		return Scale{}, fmt.Errorf("find scale: %w: sensitivity and rho above zero", ErrParameter)
	}
	var num *big.Int
	den := uint64(laplaceDen)
	twice := new(big.Int).Lsh(big.NewInt(int64(rho)), 1)
	switch m {
	case LaplaceNoise: // b >= l1 sqrt(1e9 / (2 rho))
		num = square(of.L1)
		num.Mul(num, square(den)).Mul(num, big.NewInt(rhoUnits))
		num = ceilDiv(num, twice)
		root := new(big.Int).Sqrt(num)
		if new(big.Int).Mul(root, root).Cmp(num) < 0 {
			root.Add(root, big.NewInt(1))
		}
		num = root
	case GaussianNoise: // sigma^2 >= l2^2 1e9 / (2 rho)
		all := new(big.Int).SetUint64(of.L2Squared)
		all.Mul(all, big.NewInt(rhoUnits))
		for num = ceilDiv(new(big.Int).Mul(all, new(big.Int).SetUint64(den)), twice); num.BitLen() > maxRatBits && den > 1; {
			den >>= 1
			num = ceilDiv(new(big.Int).Mul(all, new(big.Int).SetUint64(den)), twice)
		}
	default:
		return Scale{}, fmt.Errorf("find scale: %w: unknown mechanism", ErrParameter)
	}
	if !num.IsUint64() {
		return Scale{}, fmt.Errorf("find scale: %w: beyond what is drawn exactly; count in coarser units", ErrParameter)
	}
	return NewScale(m, Rat{Num: num.Uint64(), Den: den})
}
