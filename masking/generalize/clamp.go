package generalize

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// clamp is top and bottom coding: values beyond an end become the end.
type clamp struct{ bottom, top *decimal }

func newClamp(p Params) (kernel.Kernel, error) {
	if err := p.only("bottom", "top"); err != nil {
		return nil, err
	}
	bottom, top, err := ends(p)
	if err != nil {
		return nil, err
	}
	if bottom == nil && top == nil {
		return nil, errors.New("clamp: bottom or top is needed")
	}
	return &clamp{bottom: bottom, top: top}, nil
}

func (c *clamp) Type(in arrow.DataType) (arrow.DataType, error) {
	_, err := c.bounds(in)
	return in, err
}

type bounds struct {
	bottom, top int64
	scale       int
}

func (c *clamp) bounds(t arrow.DataType) (*bounds, error) {
	var params []decimal
	for _, d := range []*decimal{c.bottom, c.top} {
		if d != nil {
			params = append(params, *d)
		}
	}
	scale, err := scaleOf(t, params...)
	if err != nil {
		return nil, err
	}
	b := &bounds{scale: scale}
	var ok1, ok2 bool
	b.bottom, ok1 = endAt(c.bottom, scale, math.MinInt64)
	b.top, ok2 = endAt(c.top, scale, math.MaxInt64)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("parameters have more digits than %s", t)
	}
	if b.bottom >= b.top {
		return nil, errors.New("bottom must be below top")
	}
	return b, nil
}

func (c *clamp) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	b, err := c.bounds(in.DataType())
	if err != nil {
		return nil, err
	}
	return mapNumbers(env, in, b)
}

func (b *bounds) integer(v int64, r reach) (int64, string) {
	switch {
	case v > b.top || (r == above && b.top != math.MaxInt64):
		return b.top, ""
	case v < b.bottom || (r == below && b.bottom != math.MinInt64):
		return b.bottom, ""
	case r != inside:
		return 0, ruleRange
	}
	return v, ""
}

// float leaves what lies between the ends as it is, to the last bit.
func (b *bounds) float(v float64) (float64, string) {
	if b.bottom != math.MinInt64 {
		v = max(v, floatOf(b.bottom, b.scale))
	}
	if b.top != math.MaxInt64 {
		v = min(v, floatOf(b.top, b.scale))
	}
	return v, ""
}
