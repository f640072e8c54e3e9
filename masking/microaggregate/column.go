package microaggregate

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	ruleFinite = "not a finite number"
	ruleDay    = "not a whole day"
	ruleRange  = "number outside the range that can be averaged"
)

// dayMillis is a day of date64, which counts whole days in milliseconds.
const dayMillis = 24 * 60 * 60 * 1000

// widthOf is the size in bytes of a value that has a mean, else 0.
func widthOf(t arrow.DataType) int {
	switch t.ID() {
	case arrow.INT8, arrow.UINT8, arrow.INT16, arrow.UINT16, arrow.INT32, arrow.UINT32, arrow.INT64, arrow.UINT64,
		arrow.FLOAT32, arrow.FLOAT64, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP, arrow.DECIMAL128:
		return t.(arrow.FixedWidthDataType).Bytes()
	}
	return 0
}

// column is a column as whole numbers, or as floats, in ints or floats.
// Dates are held in days. Unsigned 64-bit numbers are held less 2^63: neither order nor means, which
// round halves up, notice.
type column struct {
	n, width int
	id       arrow.Type
	raw      []byte
	valid    kernel.Validity
	ints     []int64
	floats   []float64
	unit     float64 // what one whole number is worth in Loss
}

func open(in arrow.Array) (*column, error) {
	c := &column{n: in.Len(), width: widthOf(in.DataType()), id: in.DataType().ID(), unit: 1}
	if c.width == 0 {
		return nil, kernel.ErrType
	}
	if t, ok := in.DataType().(*arrow.Decimal128Type); ok {
		c.unit = math.Pow10(-int(t.Scale))
	}
	var err error
	c.raw, c.valid, err = kernel.OpenFixed(in, c.width)
	return c, err
}

func (c *column) isFloat() bool { return c.id == arrow.FLOAT32 || c.id == arrow.FLOAT64 }

func (c *column) rule() string {
	switch {
	case c.isFloat():
		return ruleFinite
	case c.id == arrow.DATE64:
		return ruleDay
	}
	return ruleRange
}

// split reads the rows given and parts those that have a mean from the others.
func (c *column) split(present []int) (rows, bad []int) {
	if c.isFloat() {
		c.floats = make([]float64, c.n)
	} else {
		c.ints = make([]int64, c.n)
	}
	rows = present[:0]
	for _, i := range present {
		if c.read(i) {
			rows = append(rows, i)
		} else {
			bad = append(bad, i)
		}
	}
	return rows, bad
}

// read reads value i; false if it has no mean.
func (c *column) read(i int) bool {
	e, b := binary.NativeEndian, c.raw[i*c.width:(i+1)*c.width]
	switch c.id {
	case arrow.INT8:
		c.ints[i] = int64(int8(b[0]))
	case arrow.UINT8:
		c.ints[i] = int64(b[0])
	case arrow.INT16:
		c.ints[i] = int64(int16(e.Uint16(b)))
	case arrow.UINT16:
		c.ints[i] = int64(e.Uint16(b))
	case arrow.INT32, arrow.DATE32:
		c.ints[i] = int64(int32(e.Uint32(b)))
	case arrow.UINT32:
		c.ints[i] = int64(e.Uint32(b))
	case arrow.UINT64:
		c.ints[i] = int64(e.Uint64(b) ^ 1<<63)
	case arrow.DECIMAL128:
		c.ints[i] = int64(e.Uint64(b))
		return int64(e.Uint64(b[8:])) == c.ints[i]>>63
	case arrow.FLOAT32:
		c.floats[i] = float64(math.Float32frombits(e.Uint32(b)))
		return finite(c.floats[i])
	case arrow.FLOAT64:
		c.floats[i] = math.Float64frombits(e.Uint64(b))
		return finite(c.floats[i])
	case arrow.DATE64:
		v := int64(e.Uint64(b))
		c.ints[i] = v / dayMillis
		return v%dayMillis == 0
	default:
		c.ints[i] = int64(e.Uint64(b))
	}
	return true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// sort puts rows in order of their values, equal ones in order of rows.
func (c *column) sort(rows []int) {
	if c.isFloat() {
		sortBy(rows, c.floats)
		return
	}
	sortBy(rows, c.ints)
}

func sortBy[T int64 | float64](rows []int, values []T) {
	type pair struct {
		v   T
		row int
	}
	pairs := make([]pair, len(rows))
	for i, r := range rows {
		pairs[i] = pair{values[r], r}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.v != b.v {
			return cmp.Compare(a.v, b.v)
		}
		return a.row - b.row
	})
	for i, p := range pairs {
		rows[i] = p.row
	}
}

// level writes the mean of a group, which is sorted, to each of its rows.
func (c *column) level(dst []byte, group []int) Loss {
	if c.isFloat() {
		m := floatMean(c.floats, group)
		if c.id == arrow.FLOAT32 {
			m = float64(float32(m))
		}
		for _, row := range group {
			c.put(dst[row*c.width:], floatBits(c.id, m))
		}
		return lossOf(len(group), m, func(i int) float64 { return c.floats[group[i]] })
	}
	m := intMean(c.ints, group)
	for _, row := range group {
		c.putInt(dst[row*c.width:], m)
	}
	l := lossOf(len(group), 0, func(i int) float64 { return delta(c.ints[group[i]], m) * c.unit })
	l.Mean += c.worth(m)
	return l
}

// worth is a whole number in the unit of Loss.
func (c *column) worth(m int64) float64 {
	if c.id == arrow.UINT64 {
		return float64(uint64(m) ^ 1<<63)
	}
	return float64(m) * c.unit
}

// delta is a - b, also where int64 cannot hold it.
func delta(a, b int64) float64 {
	if a < b {
		return -float64(uint64(b) - uint64(a))
	}
	return float64(uint64(a) - uint64(b))
}

// lossOf measures a group of n values all replaced by shown.
func lossOf(n int, shown float64, value func(int) float64) Loss {
	l := Loss{Cells: int64(n), Groups: 1}
	for i := range n {
		v := value(i)
		d := v - l.Mean
		l.Mean += d / float64(i+1)
		l.Total += d * (v - l.Mean)
		l.Within += (v - shown) * (v - shown)
	}
	return l
}

func floatBits(id arrow.Type, v float64) uint64 {
	if id == arrow.FLOAT32 {
		return uint64(math.Float32bits(float32(v)))
	}
	return math.Float64bits(v)
}

func (c *column) putInt(dst []byte, m int64) {
	switch c.id {
	case arrow.UINT64:
		c.put(dst, uint64(m)^1<<63)
	case arrow.DECIMAL128:
		binary.NativeEndian.PutUint64(dst, uint64(m))
		binary.NativeEndian.PutUint64(dst[8:], uint64(m>>63))
	case arrow.DATE64:
		c.put(dst, uint64(m*dayMillis))
	default:
		c.put(dst, uint64(m))
	}
}

// put writes the low bytes of v, as many as a value has.
func (c *column) put(dst []byte, v uint64) {
	switch c.width {
	case 1:
		dst[0] = byte(v)
	case 2:
		binary.NativeEndian.PutUint16(dst, uint16(v))
	case 4:
		binary.NativeEndian.PutUint32(dst, uint32(v))
	default:
		binary.NativeEndian.PutUint64(dst, v)
	}
}
