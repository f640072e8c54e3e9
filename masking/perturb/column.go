package perturb

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// exactFloat bounds what a float is counted in: whole numbers up to it are
// floats.
const exactFloat = 1 << 53

// column is how a type is treated: its values as units at a scale.
type column struct {
	id           arrow.Type
	width, scale int
	lower, upper int64 // the clamp
	least, most  int64 // what the output is clamped to
	noise        ratio // the scale of the noise in units
}

// reach gives the least and greatest units a type holds, and its scale.
func (p Params) reach(t arrow.DataType) (least, most int64, scale int, err error) {
	switch t := t.(type) {
	case *arrow.Decimal128Type:
		if t.Scale < 0 || t.Scale > maxDigits {
			return 0, 0, 0, fmt.Errorf("%s: scale outside 0 to %d: %w", t, maxDigits, kernel.ErrType)
		}
		most = math.MaxInt64
		if t.Precision <= 18 {
			most = int64(math.Pow10(int(t.Precision))) - 1
		}
		return -most, most, int(t.Scale), nil
	case *arrow.Float32Type, *arrow.Float64Type:
		if p.scale < 0 {
			return 0, 0, 0, fmt.Errorf("%s needs parameter scale: %w", t, kernel.ErrType)
		}
		return -exactFloat, exactFloat, p.scale, nil
	}
	if !arrow.IsInteger(t.ID()) {
		return 0, 0, 0, fmt.Errorf("%s is not a number: %w", t, kernel.ErrType)
	}
	width := t.(arrow.FixedWidthDataType).BitWidth()
	if arrow.IsSignedInteger(t.ID()) {
		return math.MinInt64 >> (64 - width), math.MaxInt64 >> (64 - width), 0, nil
	}
	return 0, int64(min(^uint64(0)>>(64-width), math.MaxInt64)), 0, nil
}

// column checks the parameters against a type.
func (p Params) column(t arrow.DataType) (*column, error) {
	least, most, scale, err := p.reach(t)
	if err != nil {
		return nil, err
	}
	lower, ok1 := p.lower.at(scale)
	upper, ok2 := p.upper.at(scale)
	sens, ok3 := p.sensitivity.at(scale)
	if !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("parameters have more digits than %s: %w", t, kernel.ErrType)
	}
	if lower < least || upper > most {
		return nil, fmt.Errorf("%s does not reach from lower to upper: %w", t, kernel.ErrType)
	}
	c := &column{id: t.ID(), width: t.(arrow.FixedWidthDataType).Bytes(), scale: scale,
		lower: lower, upper: upper, least: lower, most: upper}
	if p.free {
		c.least, c.most = least, most
	}
	if c.noise, err = (ratio{p.epsilon.den, p.epsilon.num}).times(uint64(sens), 1); err != nil {
		return nil, fmt.Errorf("noise for %s too wide: %w", t, kernel.ErrType)
	}
	return c, nil
}

// Type keeps integers, decimals, and floats if the parameter scale is given: a
// float comes out as the one nearest to a decimal of that scale.
func (n *perturber) Type(in arrow.DataType) (arrow.DataType, error) {
	_, err := n.p.column(in)
	return in, err
}

func (n *perturber) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	c, err := n.p.column(in.DataType())
	if err != nil {
		return nil, err
	}
	raw, valid, err := kernel.OpenFixed(in, c.width)
	if err != nil {
		return nil, err
	}
	rows := make([]int, 0, in.Len())
	for i := range in.Len() {
		switch {
		case valid.Null(i):
		case !c.finite(raw, i):
			if err := env.Malformed(i, "not a finite number"); err != nil {
				return nil, err
			}
		default:
			rows = append(rows, i)
		}
	}
	noise := make([]int64, len(rows))
	if err := n.noise.Draw(noise, c.noise.num, c.noise.den); err != nil {
		return nil, fmt.Errorf("draw noise: %w", err)
	}
	out := kernel.Zeroed(env.Alloc, in.Len()*c.width)
	for j, i := range rows {
		x := min(max(c.units(raw, i), c.lower), c.upper)
		c.put(out.Bytes(), i, min(max(add(x, noise[j]), c.least), c.most))
	}
	clear(noise)
	bitmap, nulls := env.Validity(valid, in.Len())
	return kernel.Build(in.DataType(), in.Len(), nulls, bitmap, out), nil
}

// add stays at the end of int64 instead of going beyond.
func add(a, b int64) int64 {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

func (c *column) finite(raw []byte, i int) bool {
	switch c.id {
	case arrow.FLOAT32:
		return binary.NativeEndian.Uint32(raw[i*4:])>>23&0xff != 0xff
	case arrow.FLOAT64:
		return binary.NativeEndian.Uint64(raw[i*8:])>>52&0x7ff != 0x7ff
	}
	return true
}

// units reads value i; one that int64 cannot hold becomes the end on its side,
// which the clamp changes no further.
func (c *column) units(raw []byte, i int) int64 {
	e, b := binary.NativeEndian, raw[i*c.width:(i+1)*c.width]
	switch c.id {
	case arrow.INT8:
		return int64(int8(b[0]))
	case arrow.UINT8:
		return int64(b[0])
	case arrow.INT16:
		return int64(int16(e.Uint16(b)))
	case arrow.UINT16:
		return int64(e.Uint16(b))
	case arrow.INT32:
		return int64(int32(e.Uint32(b)))
	case arrow.UINT32:
		return int64(e.Uint32(b))
	case arrow.UINT64:
		return int64(min(e.Uint64(b), math.MaxInt64))
	case arrow.DECIMAL128:
		lo, hi := int64(e.Uint64(b)), int64(e.Uint64(b[8:]))
		switch {
		case hi == lo>>63:
			return lo
		case hi < 0:
			return math.MinInt64
		}
		return math.MaxInt64
	case arrow.FLOAT32:
		return floatUnits(math.Float64bits(float64(math.Float32frombits(e.Uint32(b)))), c.scale)
	case arrow.FLOAT64:
		return floatUnits(e.Uint64(b), c.scale)
	}
	return int64(e.Uint64(b))
}

// floatUnits is the finite float of these bits times 10^scale, rounded exactly
// to the nearest whole number, halves away from zero, and kept within
// exactFloat.
func floatUnits(b uint64, scale int) int64 {
	power := uint64(1)
	for range scale {
		power *= 10
	}
	// The value is mantissa / 2^shift.
	mantissa, shift := b&(1<<52-1), 1074
	if e := int(b >> 52 & 0x7ff); e != 0 {
		mantissa, shift = mantissa|1<<52, 1075-e
	}
	hi, lo := bits.Mul64(mantissa, power)
	magnitude := int64(exactFloat)
	switch {
	case shift < 0:
	case shift >= 127: // the product is below 2^103
		magnitude = 0
	default:
		if shift > 0 {
			hi, lo = halfUp(hi, lo, uint(shift))
		}
		if hi == 0 && lo < exactFloat {
			magnitude = int64(lo)
		}
	}
	if b>>63 != 0 {
		return -magnitude
	}
	return magnitude
}

// halfUp divides by 2^shift, 1 to 126, rounding halves up.
func halfUp(hi, lo uint64, shift uint) (uint64, uint64) {
	var carry uint64
	if shift <= 64 {
		lo, carry = bits.Add64(lo, 1<<(shift-1), 0)
		hi += carry
	} else {
		hi += 1 << (shift - 65)
	}
	if shift < 64 {
		return hi >> shift, lo>>shift | hi<<(64-shift)
	}
	return 0, hi >> (shift - 64)
}

// put writes units as value i.
func (c *column) put(dst []byte, i int, units int64) {
	e, b := binary.NativeEndian, dst[i*c.width:(i+1)*c.width]
	switch c.id {
	case arrow.INT8, arrow.UINT8:
		b[0] = byte(units)
	case arrow.INT16, arrow.UINT16:
		e.PutUint16(b, uint16(units))
	case arrow.INT32, arrow.UINT32:
		e.PutUint32(b, uint32(units))
	case arrow.DECIMAL128:
		e.PutUint64(b, uint64(units))
		e.PutUint64(b[8:], uint64(units>>63))
	case arrow.FLOAT32:
		e.PutUint32(b, math.Float32bits(float32(float64(units)/math.Pow10(c.scale))))
	case arrow.FLOAT64:
		e.PutUint64(b, math.Float64bits(float64(units)/math.Pow10(c.scale)))
	default:
		e.PutUint64(b, uint64(units))
	}
}
