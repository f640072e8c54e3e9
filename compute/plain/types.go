package plain

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/compute"
)

// phys is the form in which a column is worked on, whatever its Arrow type.
type phys uint8

const (
	physInt   phys = iota // int64: integers up to 64 bits signed, booleans, dates, timestamps
	physNum               // decimal128.Num: decimals and uint64
	physFloat             // float64: filters only
	physText              // bytes: strings, plain or dictionary-coded
	physBytes             // bytes that need not be UTF-8: subjects only
)

// role is what a query wants of a column.
type role uint8

const (
	roleFilter role = 1 << iota
	roleGroup
	roleSum
	roleSubject
)

// classify says how a type is worked on. ok is false for types no role accepts.
func classify(dt arrow.DataType) (p phys, ok bool) {
	switch dt.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32,
		arrow.BOOL, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return physInt, true
	case arrow.UINT64:
		return physNum, true
	case arrow.DECIMAL128:
		d, is := dt.(*arrow.Decimal128Type)
		return physNum, is && d.Precision >= 1 && d.Precision <= 38 && d.Scale >= 0 && d.Scale <= d.Precision
	case arrow.FLOAT64:
		return physFloat, true
	case arrow.STRING, arrow.LARGE_STRING:
		return physText, true
	case arrow.BINARY, arrow.LARGE_BINARY:
		return physBytes, true
	case arrow.DICTIONARY:
		d, is := dt.(*arrow.DictionaryType)
		if !is || !arrow.IsInteger(d.IndexType.ID()) {
			return 0, false
		}
		id := d.ValueType.ID()
		return physText, id == arrow.STRING || id == arrow.LARGE_STRING
	}
	return 0, false
}

// admit refuses a column that its role cannot use, and says why.
func admit(name string, dt arrow.DataType, r role) (phys, error) {
	p, ok := classify(dt)
	if !ok {
		return 0, fmt.Errorf("field %q: %w: type %s is not computed on", name, compute.ErrQuery, dt)
	}
	integer := arrow.IsInteger(dt.ID())
	switch {
	case r&roleSum != 0 && p == physFloat:
		return 0, fmt.Errorf("field %q: %w: a sum of floats depends on the order of records and is not exact; register the field as a decimal", name, compute.ErrQuery)
	case r&roleSum != 0 && !integer && p != physNum:
		return 0, fmt.Errorf("field %q: %w: sum and mean take integers and decimals, not %s", name, compute.ErrQuery, dt)
	case r&roleGroup != 0 && p == physFloat:
		return 0, fmt.Errorf("field %q: %w: floats make no group keys, equal figures may differ in their last bit", name, compute.ErrQuery)
	case r&roleSubject != 0 && !integer && p != physText && p != physBytes:
		return 0, fmt.Errorf("field %q: %w: a subject is a text or an integer, not %s", name, compute.ErrQuery, dt)
	case r&roleSubject == 0 && p == physBytes:
		return 0, fmt.Errorf("field %q: %w: binary fields serve as subject only", name, compute.ErrQuery)
	}
	return p, nil
}

// scaleOf is the number of fraction digits of a summed field.
func scaleOf(dt arrow.DataType) int {
	if d, ok := dt.(*arrow.Decimal128Type); ok {
		return int(d.Scale)
	}
	return 0
}
