package classify

import (
	"errors"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

var errType = errors.New("a batch has another type than the schema says")

// column is what is kept of one column.
type column struct {
	kind  Kind
	typ   arrow.DataType
	scan  *scanner
	nulls int64
	drawn []seen
}

func newColumn(t arrow.DataType, scan *scanner) *column {
	return &column{kind: kindOf(t), typ: t, scan: scan}
}

func kindOf(t arrow.DataType) Kind {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return KindText
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return KindInteger
	case arrow.FLOAT32, arrow.FLOAT64:
		return KindFloat
	case arrow.DECIMAL128:
		return KindDecimal
	case arrow.DATE32, arrow.DATE64:
		return KindDate
	case arrow.TIMESTAMP:
		return KindTimestamp
	case arrow.BOOL:
		return KindBool
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return KindBinary
	case arrow.NULL:
		return KindNull
	case arrow.DICTIONARY:
		if d, ok := t.(*arrow.DictionaryType); ok && d.ValueType.ID() != arrow.DICTIONARY {
			return kindOf(d.ValueType)
		}
	}
	return KindOther
}

// take looks at the cells of the rows drawn and puts them in their slots.
func (c *column) take(a arrow.Array, at, slot []int) error {
	if !arrow.TypeEqual(a.DataType(), c.typ) {
		return errType
	}
	if c.kind == KindNull {
		c.nulls += int64(a.Len())
	} else {
		c.nulls += int64(a.NullN())
	}
	for k, i := range at {
		out := seen{signs: sNull}
		if c.kind != KindNull && a.IsValid(i) {
			out = c.cell(a, i)
		}
		if slot[k] == len(c.drawn) {
			c.drawn = append(c.drawn, out)
		} else {
			c.drawn[slot[k]] = out
		}
	}
	return nil
}

// cell looks at one value.
func (c *column) cell(a arrow.Array, i int) seen {
	s := c.scan
	switch a := a.(type) {
	case *array.String:
		return s.lookString(a.Value(i))
	case *array.LargeString:
		return s.lookString(a.Value(i))
	case *array.StringView:
		return s.lookString(a.Value(i))
	case *array.Binary:
		return s.look(a.Value(i))
	case *array.LargeBinary:
		return s.look(a.Value(i))
	case *array.FixedSizeBinary:
		return s.look(a.Value(i))
	case *array.Dictionary:
		values := a.Dictionary()
		if at := a.GetValueIndex(i); values.IsValid(at) {
			return c.cell(values, at)
		}
		return seen{signs: sNull}
	case *array.Boolean:
		out := seen{signs: sBool}
		if a.Value(i) {
			out.hash = 1
		}
		return out
	}
	return c.number(a, i)
}

// number looks at a number as it would be written.
func (c *column) number(a arrow.Array, i int) seen {
	s := c.scan
	buf := s.raw[:0]
	switch a := a.(type) {
	case *array.Int8:
		buf = strconv.AppendInt(buf, int64(a.Value(i)), 10)
	case *array.Int16:
		buf = strconv.AppendInt(buf, int64(a.Value(i)), 10)
	case *array.Int32:
		buf = strconv.AppendInt(buf, int64(a.Value(i)), 10)
	case *array.Int64:
		buf = strconv.AppendInt(buf, a.Value(i), 10)
	case *array.Uint8:
		buf = strconv.AppendUint(buf, uint64(a.Value(i)), 10)
	case *array.Uint16:
		buf = strconv.AppendUint(buf, uint64(a.Value(i)), 10)
	case *array.Uint32:
		buf = strconv.AppendUint(buf, uint64(a.Value(i)), 10)
	case *array.Uint64:
		buf = strconv.AppendUint(buf, a.Value(i), 10)
	case *array.Float32:
		buf = strconv.AppendFloat(buf, float64(a.Value(i)), 'f', -1, 32)
	case *array.Float64:
		buf = strconv.AppendFloat(buf, a.Value(i), 'f', -1, 64)
	case *array.Decimal128:
		if t, ok := c.valueType().(*arrow.Decimal128Type); ok {
			return s.lookString(a.Value(i).ToString(t.Scale))
		}
	case *array.Date32:
		return seen{signs: sDate, hash: uint64(a.Value(i))}
	case *array.Date64:
		return seen{signs: sDate, hash: uint64(a.Value(i))}
	case *array.Timestamp:
		return seen{signs: sDate, hash: uint64(a.Value(i))}
	default:
		return seen{}
	}
	return s.look(buf)
}

func (c *column) valueType() arrow.DataType {
	if d, ok := c.typ.(*arrow.DictionaryType); ok {
		return d.ValueType
	}
	return c.typ
}
