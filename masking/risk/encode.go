package risk

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking/kernel"
)

// cells appends the key of one row of a column: 0 for null, else 1 and the
// value, of fixed width or with its length before it.
type cells func(dst []byte, row int) []byte

type encoder struct {
	column int
	write  func(arrow.Array) (cells, error)
}

func encoderOf(t arrow.DataType) (func(arrow.Array) (cells, error), error) {
	if err := kernel.Supported(t); err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case *arrow.NullType:
		return func(arrow.Array) (cells, error) {
			return func(dst []byte, _ int) []byte { return append(dst, 0) }, nil
		}, nil
	case *arrow.StringType:
		return textCells[int32], nil
	case *arrow.LargeStringType:
		return textCells[int64], nil
	case *arrow.DictionaryType:
		return dictionaryCells, nil
	case *arrow.BooleanType:
		return boolCells, nil
	case *arrow.Float32Type:
		return float32Cells, nil
	case *arrow.Float64Type:
		return float64Cells, nil
	default:
		width := t.(arrow.FixedWidthDataType).Bytes()
		return func(a arrow.Array) (cells, error) { return fixedCells(a, width) }, nil
	}
}

func fixedCells(a arrow.Array, width int) (cells, error) {
	raw, v, err := kernel.OpenFixed(a, width)
	return func(dst []byte, i int) []byte {
		if v.Null(i) {
			return append(dst, 0)
		}
		return append(append(dst, 1), raw[i*width:(i+1)*width]...)
	}, err
}

func float32Cells(a arrow.Array) (cells, error) {
	raw, v, err := kernel.OpenFixed(a, 4)
	return floatCells(v, func(i int) float64 {
		return float64(math.Float32frombits(binary.NativeEndian.Uint32(raw[i*4:])))
	}), err
}

func float64Cells(a arrow.Array) (cells, error) {
	raw, v, err := kernel.OpenFixed(a, 8)
	return floatCells(v, func(i int) float64 {
		return math.Float64frombits(binary.NativeEndian.Uint64(raw[i*8:]))
	}), err
}

func floatCells(v kernel.Validity, at func(int) float64) cells {
	return func(dst []byte, i int) []byte {
		if v.Null(i) {
			return append(dst, 0)
		}
		f := at(i)
		switch {
		case f == 0:
			f = 0 // -0 and 0 are one value
		case math.IsNaN(f):
			f = math.NaN()
		}
		return binary.BigEndian.AppendUint64(append(dst, 1), math.Float64bits(f))
	}
}

func boolCells(a arrow.Array) (cells, error) {
	v, err := kernel.OpenValidity(a)
	b, ok := a.(*array.Boolean)
	if err != nil || !ok {
		return nil, kernel.ErrCorrupt
	}
	return func(dst []byte, i int) []byte {
		switch {
		case v.Null(i):
			return append(dst, 0)
		case b.Value(i):
			return append(dst, 1, 1)
		}
		return append(dst, 1, 0)
	}, nil
}

func textCells[O kernel.Offset](a arrow.Array) (cells, error) {
	s, err := kernel.OpenStrings[O](a)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return func(dst []byte, i int) []byte {
		if s.Valid.Null(i) {
			return append(dst, 0)
		}
		b := s.At(i)
		dst = binary.BigEndian.AppendUint64(append(dst, 1), uint64(len(b)))
		return append(dst, b...)
	}, nil
}

// dictionaryCells encodes the values the codes stand for: codes differ from
// batch to batch.
func dictionaryCells(a arrow.Array) (cells, error) {
	d, ok := a.(*array.Dictionary)
	if !ok {
		return nil, kernel.ErrCorrupt
	}
	codes, err := kernel.Codes(d)
	if err != nil {
		return nil, err
	}
	var value cells
	if d.Dictionary().DataType().ID() == arrow.LARGE_STRING {
		value, err = textCells[int64](d.Dictionary())
	} else {
		value, err = textCells[int32](d.Dictionary())
	}
	return func(dst []byte, i int) []byte {
		if codes[i] < 0 {
			return append(dst, 0)
		}
		return value(dst, codes[i])
	}, err
}
