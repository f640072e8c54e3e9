package generalize

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// scaleOf is the scale a numeric column is treated at: that of its type for
// decimals, 0 for integers, that of the parameters for floats.
func scaleOf(t arrow.DataType, params ...decimal) (int, error) {
	switch t := t.(type) {
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return 0, nil
	case *arrow.Decimal128Type:
		if t.Scale < 0 || t.Scale > maxDigits {
			return 0, fmt.Errorf("%s: scale outside 0..%d: %w", t, maxDigits, kernel.ErrType)
		}
		return int(t.Scale), nil
	case *arrow.Float32Type, *arrow.Float64Type:
		scale := 0
		for _, p := range params {
			scale = max(scale, p.scale)
		}
		return scale, nil
	}
	return 0, fmt.Errorf("%s is not a number that can be generalised: %w", t, kernel.ErrType)
}

// numbers is a numeric column as integers at one scale.
type numbers struct {
	n     int
	raw   []byte
	valid kernel.Validity
	id    arrow.Type
	width int
}

func openNumbers(in arrow.Array) (numbers, error) {
	t, ok := in.DataType().(arrow.FixedWidthDataType)
	if !ok {
		return numbers{}, kernel.ErrType
	}
	c := numbers{n: in.Len(), id: t.ID(), width: t.Bytes()}
	var err error
	c.raw, c.valid, err = kernel.OpenFixed(in, c.width)
	return c, err
}

func (c numbers) isFloat() bool { return c.id == arrow.FLOAT32 || c.id == arrow.FLOAT64 }

// reach says where a decimal128 lies that int64 cannot hold.
type reach int8

const (
	inside reach = iota
	below
	above
)

// integer reads an integer or decimal as int64 units.
func (c numbers) integer(i int) (int64, reach) {
	switch c.id {
	case arrow.INT32:
		return int64(int32(binary.NativeEndian.Uint32(c.raw[i*4:]))), inside
	case arrow.INT64:
		return int64(binary.NativeEndian.Uint64(c.raw[i*8:])), inside
	case arrow.INT8:
		return int64(int8(c.raw[i])), inside
	case arrow.INT16:
		return int64(int16(binary.NativeEndian.Uint16(c.raw[i*2:]))), inside
	case arrow.UINT8:
		return int64(c.raw[i]), inside
	case arrow.UINT16:
		return int64(binary.NativeEndian.Uint16(c.raw[i*2:])), inside
	case arrow.UINT32:
		return int64(binary.NativeEndian.Uint32(c.raw[i*4:])), inside
	case arrow.UINT64:
		if u := binary.NativeEndian.Uint64(c.raw[i*8:]); u <= math.MaxInt64 {
			return int64(u), inside
		}
		return math.MaxInt64, above
	}
	lo, hi := arrowDecimal(c.raw[i*16:])
	switch {
	case hi == int64(lo)>>63:
		return int64(lo), inside
	case hi < 0:
		return math.MinInt64, below
	}
	return math.MaxInt64, above
}

// arrowDecimal reads the halves of a decimal128, kept low half first.
func arrowDecimal(b []byte) (lo uint64, hi int64) {
	return binary.NativeEndian.Uint64(b), int64(binary.NativeEndian.Uint64(b[8:]))
}

// put writes units back in the integer or decimal type of the column, and
// reports false if they do not fit.
func (c numbers) put(dst []byte, i int, units int64) bool {
	if c.id == arrow.DECIMAL128 {
		binary.NativeEndian.PutUint64(dst[i*16:], uint64(units))
		binary.NativeEndian.PutUint64(dst[i*16+8:], uint64(units>>63))
		return true
	}
	least, most := int64(math.MinInt64)>>(64-8*c.width), int64(math.MaxInt64)>>(64-8*c.width)
	if arrow.IsUnsignedInteger(c.id) {
		least, most = 0, int64(min(math.MaxUint64>>(64-8*c.width), uint64(math.MaxInt64)))
	}
	if units < least || units > most {
		return false
	}
	switch c.width {
	case 1:
		dst[i] = byte(units)
	case 2:
		binary.NativeEndian.PutUint16(dst[i*2:], uint16(units))
	case 4:
		binary.NativeEndian.PutUint32(dst[i*4:], uint32(units))
	default:
		binary.NativeEndian.PutUint64(dst[i*8:], uint64(units))
	}
	return true
}

// floatOf is the float nearest to units / 10^scale (exact up to 2^53).
func floatOf(units int64, scale int) float64 {
	return float64(units) / math.Pow10(scale)
}

// mapper turns a value into another of the same type; rule says why it cannot.
// Integers and decimals come in units, with where they lie beyond int64.
type mapper interface {
	integer(v int64, r reach) (units int64, rule string)
	float(v float64) (f float64, rule string)
}

// mapNumbers writes m of every value in the type of the column.
func mapNumbers(env *kernel.Env, in arrow.Array, m mapper) (arrow.Array, error) {
	c, err := openNumbers(in)
	if err != nil {
		return nil, err
	}
	out := kernel.Zeroed(env.Alloc, c.n*c.width)
	for i := range c.n {
		if c.valid.Null(i) {
			continue
		}
		if rule := c.write(out.Bytes(), m, i); rule != "" {
			if err := env.Malformed(i, rule); err != nil {
				out.Release()
				return nil, err
			}
		}
	}
	valid, nulls := env.Validity(c.valid, c.n)
	return kernel.Build(in.DataType(), c.n, nulls, valid, out), nil
}

// write puts m of value i into dst, or returns the rule it breaks.
func (c numbers) write(dst []byte, m mapper, i int) string {
	if c.isFloat() {
		v, rule := c.finite(i)
		if rule == "" {
			v, rule = m.float(v)
		}
		switch {
		case rule != "":
		case c.id == arrow.FLOAT32:
			binary.NativeEndian.PutUint32(dst[i*4:], math.Float32bits(float32(v)))
		default:
			binary.NativeEndian.PutUint64(dst[i*8:], math.Float64bits(v))
		}
		return rule
	}
	units, rule := m.integer(c.integer(i))
	if rule == "" && !c.put(dst, i, units) {
		return ruleRange
	}
	return rule
}

// finite reads a float and refuses NaN and the infinities. A float of 32 bits
// stands for the shortest decimal that names it, so that 0.7 lies where 0.7 of
// 64 bits does.
func (c numbers) finite(i int) (float64, string) {
	if c.id == arrow.FLOAT64 {
		v := math.Float64frombits(binary.NativeEndian.Uint64(c.raw[i*8:]))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, ruleFinite
		}
		return v, ""
	}
	v := float64(math.Float32frombits(binary.NativeEndian.Uint32(c.raw[i*4:])))
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, ruleFinite
	}
	var buf [32]byte
	short, err := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], v, 'g', -1, 32)), 64)
	if err != nil {
		return 0, ruleFinite
	}
	return short, ""
}

const (
	ruleRange  = "number outside the range that can be generalised"
	ruleFinite = "not a finite number"
)

// maxFloat bounds floats in units so that they fit int64 with room to spare.
const maxFloat = 1 << 60
