package rankswap

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const ruleRank = "not a number: it has no rank"

// order reads a value as a number of 128 bits that sorts like it, the high
// half signed; ok is false for a float that is not a number.
type order struct {
	width int
	read  func(b []byte) (rank, bool)
}

type rank struct {
	hi int64
	lo uint64
}

func compare(a, b rank) int {
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.lo, b.lo)
}

func signed(v int64) (rank, bool) { return rank{hi: v}, true }

func unsigned(v uint64) (rank, bool) { return rank{lo: v}, true }

// float sorts by the bits of the value, all of them turned over if negative;
// both zeroes are one.
func float(v float64) (rank, bool) {
	b := int64(math.Float64bits(v))
	if v == 0 {
		b = 0
	}
	if b < 0 {
		b ^= math.MaxInt64
	}
	return rank{hi: b}, !math.IsNaN(v)
}

// orderOf is nil for types without rank.
func orderOf(t arrow.DataType) *order {
	e := binary.NativeEndian
	switch t.ID() {
	case arrow.INT8:
		return &order{1, func(b []byte) (rank, bool) { return signed(int64(int8(b[0]))) }}
	case arrow.UINT8:
		return &order{1, func(b []byte) (rank, bool) { return unsigned(uint64(b[0])) }}
	case arrow.INT16:
		return &order{2, func(b []byte) (rank, bool) { return signed(int64(int16(e.Uint16(b)))) }}
	case arrow.UINT16:
		return &order{2, func(b []byte) (rank, bool) { return unsigned(uint64(e.Uint16(b))) }}
	case arrow.INT32, arrow.DATE32:
		return &order{4, func(b []byte) (rank, bool) { return signed(int64(int32(e.Uint32(b)))) }}
	case arrow.UINT32:
		return &order{4, func(b []byte) (rank, bool) { return unsigned(uint64(e.Uint32(b))) }}
	case arrow.INT64, arrow.DATE64, arrow.TIMESTAMP:
		return &order{8, func(b []byte) (rank, bool) { return signed(int64(e.Uint64(b))) }}
	case arrow.UINT64:
		return &order{8, func(b []byte) (rank, bool) { return unsigned(e.Uint64(b)) }}
	case arrow.FLOAT32:
		return &order{4, func(b []byte) (rank, bool) { return float(float64(math.Float32frombits(e.Uint32(b)))) }}
	case arrow.FLOAT64:
		return &order{8, func(b []byte) (rank, bool) { return float(math.Float64frombits(e.Uint64(b))) }}
	case arrow.DECIMAL128:
		return &order{16, func(b []byte) (rank, bool) { return rank{hi: int64(e.Uint64(b[8:])), lo: e.Uint64(b)}, true }}
	}
	return nil
}

// column is a column of ranked values, aliasing the input.
type column struct {
	typ   arrow.DataType
	raw   []byte
	valid kernel.Validity
	*order
}

func open(in arrow.Array) (column, error) {
	c := column{typ: in.DataType(), order: orderOf(in.DataType())}
	if c.order == nil {
		return c, kernel.ErrType
	}
	var err error
	c.raw, c.valid, err = kernel.OpenFixed(in, c.width)
	return c, err
}

func (c column) at(i int) []byte { return c.raw[i*c.width : (i+1)*c.width] }

func (c column) unranked(i int) bool {
	_, ok := c.read(c.at(i))
	return !ok
}

// rank sorts rows by value, equal values by row.
func (c column) rank(rows []int) []int {
	type ranked struct {
		rank
		row int
	}
	all := make([]ranked, len(rows))
	for i, row := range rows {
		r, _ := c.read(c.at(row))
		all[i] = ranked{r, row}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		if c := compare(a.rank, b.rank); c != 0 {
			return c
		}
		return a.row - b.row
	})
	out := make([]int, len(all))
	for i, r := range all {
		out[i] = r.row
	}
	return out
}

// take writes row from[i]'s value to row i; nulls and rows reported as
// malformed are zero.
func (c column) take(env *kernel.Env, from []int) arrow.Array {
	n := len(from)
	out := kernel.Zeroed(env.Alloc, n*c.width)
	dst := out.Bytes()
	for i, r := range from {
		if !c.valid.Null(i) {
			copy(dst[i*c.width:(i+1)*c.width], c.at(r))
		}
	}
	for _, row := range env.Suppressed() {
		clear(dst[row*c.width : (row+1)*c.width])
	}
	valid, nulls := env.Validity(c.valid, n)
	return kernel.Build(c.typ, n, nulls, valid, out)
}
