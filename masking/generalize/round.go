package generalize

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// round gives the nearest multiple of a unit, halves away from zero.
type round struct{ unit decimal }

func newRound(p Params) (kernel.Kernel, error) {
	if err := p.only("unit"); err != nil {
		return nil, err
	}
	u, err := parseDecimal(p.Unit)
	if err != nil || u.units <= 0 {
		return nil, errors.New("parameter unit: want a decimal number above 0")
	}
	return &round{unit: u}, nil
}

func (r *round) Type(in arrow.DataType) (arrow.DataType, error) {
	_, err := r.step(in)
	return in, err
}

// step is the unit at the scale of a column.
type step struct {
	unit  int64
	scale int
}

func (r *round) step(t arrow.DataType) (*step, error) {
	scale, err := scaleOf(t, r.unit)
	if err != nil {
		return nil, err
	}
	u, ok := r.unit.at(scale)
	if !ok {
		return nil, fmt.Errorf("parameter unit has more digits than %s", t)
	}
	if u == 1 && !isFloat(t) {
		return nil, errors.New("parameter unit: every value would stay as it is")
	}
	return &step{unit: u, scale: scale}, nil
}

func (r *round) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := r.step(in.DataType())
	if err != nil {
		return nil, err
	}
	return mapNumbers(env, in, s)
}

func (s *step) integer(v int64, r reach) (int64, string) {
	if r != inside {
		return 0, ruleRange
	}
	rest := v % s.unit
	down := v - rest
	switch {
	case rest >= 0 && rest >= s.unit-rest && rest > 0:
		if down > math.MaxInt64-s.unit {
			return 0, ruleRange
		}
		return down + s.unit, ""
	case rest < 0 && -rest >= s.unit+rest:
		if down < math.MinInt64+s.unit {
			return 0, ruleRange
		}
		return down - s.unit, ""
	}
	return down, ""
}

func (s *step) float(v float64) (float64, string) {
	n := math.Round(v / floatOf(s.unit, s.scale))
	if math.Abs(n)*float64(s.unit) > maxFloat {
		return 0, ruleRange
	}
	return floatOf(int64(n)*s.unit, s.scale), ""
}

func isFloat(t arrow.DataType) bool { return t.ID() == arrow.FLOAT32 || t.ID() == arrow.FLOAT64 }
