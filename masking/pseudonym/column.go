package pseudonym

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// column is a column as messages.
type column struct {
	n     int
	valid kernel.Validity
	rows  rows
}

func (c column) present() int { return c.n - c.valid.Nulls(c.n) }

// rows gives the messages of a column.
type rows interface {
	// value is the message of one row, appended to dst or where it lies.
	value(dst []byte, row int) []byte
	// span gives the messages of the rows from up to to where they lie, with
	// their offsets written to off; false if they lie nowhere as they are.
	span(off []int64, from, to int) (data []byte, ok bool)
}

// text is a column of strings.
type text[O kernel.Offset] struct{ kernel.Strings[O] }

func (t text[O]) value(_ []byte, row int) []byte { return t.At(row) }

func (t text[O]) span(off []int64, from, to int) ([]byte, bool) {
	base := t.Off[from]
	for i, o := range t.Off[from : to+1] {
		off[i] = int64(o - base)
	}
	return t.Data[base:t.Off[to]], true
}

// binaries is a column of fixed-size binary.
type binaries struct {
	raw   []byte
	width int
}

func (b binaries) value(_ []byte, row int) []byte { return b.raw[row*b.width : (row+1)*b.width] }

func (b binaries) span(off []int64, from, to int) ([]byte, bool) {
	for i := range off[:to-from+1] {
		off[i] = int64(i * b.width)
	}
	return b.raw[from*b.width : to*b.width], true
}

// integers is a column of integers; each stands for its decimal digits.
type integers struct {
	raw    []byte
	width  int
	signed bool
}

func (c integers) value(dst []byte, row int) []byte {
	var u uint64
	b := c.raw[row*c.width : (row+1)*c.width]
	switch c.width {
	case 1:
		u = uint64(b[0])
	case 2:
		u = uint64(binary.NativeEndian.Uint16(b))
	case 4:
		u = uint64(binary.NativeEndian.Uint32(b))
	default:
		u = binary.NativeEndian.Uint64(b)
	}
	if !c.signed {
		return strconv.AppendUint(dst, u, 10)
	}
	shift := 64 - 8*c.width
	return strconv.AppendInt(dst, int64(u<<shift)>>shift, 10)
}

func (integers) span([]int64, int, int) ([]byte, bool) { return nil, false }

// openFixed reads a column of integers or fixed-size binary.
func openFixed(in arrow.Array) (rows, kernel.Validity, error) {
	t, ok := in.DataType().(arrow.FixedWidthDataType)
	if !ok {
		return nil, kernel.Validity{}, fmt.Errorf("%s: %w", in.DataType(), kernel.ErrType)
	}
	raw, v, err := kernel.OpenFixed(in, t.Bytes())
	if err != nil {
		return nil, v, err
	}
	if arrow.IsInteger(t.ID()) {
		return integers{raw: raw, width: t.Bytes(), signed: arrow.IsSignedInteger(t.ID())}, v, nil
	}
	return binaries{raw: raw, width: t.Bytes()}, v, nil
}
