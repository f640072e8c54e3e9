package dp

import (
	"fmt"
	"slices"

	"github.com/yumen-project/yumen/compute"
)

// The measures of a private table are those of compute (a record count is
// compute.Count; compute.Subjects repeats what each cell has anyway, at no cost)
// and these.
const (
	// Variance of the values, as a population.
	Variance compute.MeasureKind = "variance"
	// Histogram counts records by the bands of Measure.Bands.
	Histogram compute.MeasureKind = "histogram"
	// Quantiles names, for each of Measure.Quantiles, the band it falls into.
	Quantiles compute.MeasureKind = "quantiles"
)

// Measure is one figure of a private table. Values count in the field's last
// fraction digit (fen for a decimal with two).
type Measure struct {
	Kind  compute.MeasureKind
	Field string // empty for count and subjects
	// Low and High bound the values of sum, mean and variance; both are
	// multiples of Unit.
	Low, High int64
	// Unit is the granule in which values are added and noise is drawn; each is
	// rounded to the nearest granule. Zero is one. Coarser granules make room for
	// larger values.
	Unit int64
	// Bands are the registered edges of histogram and quantiles, rising. Band 0
	// is what lies below the first, band i from edge i-1 up to below edge i.
	Bands []int64
	// Quantiles lie between 0 and 1, as rationals above zero.
	Quantiles []Rat
	// Rho is what the measure may cost, all its figures together.
	Rho Rho
}

// Group is one column of group keys.
type Group struct {
	Field string
	// Public lists every key, written as compute.TextKey writes it, from a list
	// that does not depend on the data: records with other keys take no part. Nil
	// means that keys are selected by threshold.
	Public []string
}

// Table is a private table to be registered. A literal: unchecked until NewPlan.
type Table struct {
	// Subject names the column of the privacy unit.
	Subject string
	// Canon appends the canonical form of a subject to dst; what it refuses, or
	// makes empty, belongs to no unit and takes no part. Nil takes subjects as
	// they are: then two spellings are two units, with the contributions of two.
	Canon  func(dst, v []byte) ([]byte, error)
	Groups []Group // at most compute.MaxGroupBy
	// Filters are all to hold for a record to take part. Texts and booleans are
	// compared by =, != and in; integers and decimals by every operator.
	Filters  []compute.Filter
	Measures []Measure
	// MaxGroups and MaxRecords bound what a unit contributes (see Bounds).
	MaxGroups, MaxRecords int
	Mechanism             Mechanism
	// Rho is the cost of the noisy subject counts that decide what is shown.
	Rho Rho
	// Tau: a cell is shown iff its noisy subject count >= Tau. Zero is the least
	// that is allowed.
	Tau int64
	// Delta is the cost of selecting keys; zero iff all keys are public.
	Delta Delta
	// MaxCells and MaxBytes bound the table and the working memory of a run; zero
	// is DefaultMaxCells and DefaultMaxBytes. Reaching one is an error that
	// depends on the data.
	MaxCells int
	MaxBytes int64
}

// Bounds where a Table leaves them zero.
const (
	DefaultMaxCells = 100_000
	DefaultMaxBytes = 2 << 30
)

const (
	maxBands = 1 << 10
	maxUnit  = 1 << 40
)

// stat is one kind of figure of every cell, in as many slots as it has figures.
type stat struct {
	first, slots int
	scale        Scale
}

// measure is a checked Measure and where its figures stand.
type measure struct {
	Measure
	col   int // among the value columns, -1 for none
	digit int // fraction digits of the field
	stats []stat
}

func (m *measure) bounds(t *Table) Bounds {
	b := Bounds{MaxGroups: t.MaxGroups, MaxRecords: t.MaxRecords}
	if m.Unit != 0 {
		b.Low, b.High = m.Low/m.Unit, m.High/m.Unit
	}
	return b
}

// check refuses what the kind does not take and fills Unit.
func (m *measure) check() error {
	ranged, banded := false, false
	switch m.Kind {
	case compute.Count, compute.Subjects:
		if m.Field != "" {
			return fmt.Errorf("%w: count and subjects take no field", compute.ErrQuery)
		}
	case compute.Sum, compute.Mean, Variance:
		ranged = true
	case Histogram, Quantiles:
		banded = true
	default:
		return fmt.Errorf("%w: unknown kind", compute.ErrQuery)
	}
	if !ranged && (m.Low != 0 || m.High != 0 || m.Unit != 0) || !banded && m.Bands != nil || m.Kind != Quantiles && m.Quantiles != nil {
		return fmt.Errorf("%w: bounds, bands or quantiles that the kind does not take", compute.ErrQuery)
	}
	if (m.Kind == compute.Subjects) != (m.Rho == 0) || m.Rho < 0 {
		return fmt.Errorf("%w: every measure but subjects has a cost", ErrParameter)
	}
	if ranged {
		return m.checkUnit()
	}
	if banded {
		return m.checkBands()
	}
	return nil
}

func (m *measure) checkUnit() error {
	if m.Unit == 0 {
		m.Unit = 1
	}
	if m.Unit < 1 || m.Unit > maxUnit || m.Low%m.Unit != 0 || m.High%m.Unit != 0 {
		return fmt.Errorf("%w: a unit of 1 to 2^40 that divides low and high", ErrParameter)
	}
	return nil
}

func (m *measure) checkBands() error {
	if len(m.Bands) < 1 || len(m.Bands) > maxBands {
		return fmt.Errorf("%w: 1 to %d edges of bands", ErrParameter, maxBands)
	}
	for i, edge := range m.Bands[1:] {
		if edge <= m.Bands[i] {
			return fmt.Errorf("%w: edges of bands rise", ErrParameter)
		}
	}
	if (m.Kind == Quantiles) != (len(m.Quantiles) > 0) || len(m.Quantiles) > maxBands {
		return fmt.Errorf("%w: 1 to %d quantiles", ErrParameter, maxBands)
	}
	for _, q := range m.Quantiles {
		if q.Num == 0 || q.Num > q.Den {
			return fmt.Errorf("%w: a quantile lies above 0 and at most at 1", ErrParameter)
		}
	}
	return nil
}

// figures are the sensitivities of the kind's statistics, in the order of their
// slots, and how many slots each has.
func (m *measure) figures(t *Table) (of []Sensitivity, slots int, err error) {
	b := m.bounds(t)
	var one, two, three Sensitivity
	switch m.Kind {
	case compute.Count:
		one, err = CountSensitivity(b)
		return []Sensitivity{one}, 1, err
	case compute.Sum:
		one, err = SumSensitivity(b)
		return []Sensitivity{one}, 1, err
	case compute.Mean:
		two, three, err = MeanSensitivity(b)
		return []Sensitivity{two, three}, 1, err
	case Variance:
		one, two, three, err = VarianceSensitivity(b)
		return []Sensitivity{two, three, one}, 1, err
	case Histogram, Quantiles:
		one, err = HistogramSensitivity(b)
		return []Sensitivity{one}, len(m.Bands) + 1, err
	}
	return nil, 0, nil // subjects
}

// clone keeps the plan from sharing slices with the literal.
func (m Measure) clone() Measure {
	m.Bands, m.Quantiles = slices.Clone(m.Bands), slices.Clone(m.Quantiles)
	return m
}
