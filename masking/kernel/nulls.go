package kernel

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// Nulls lists the rows that are null, in ascending order. In a dictionary, a
// row that points to a null value is null as well.
func Nulls(in arrow.Array) ([]int, error) {
	if in.DataType().ID() == arrow.NULL {
		return nullRows(in.Len(), func(int) bool { return true }), nil
	}
	v, err := OpenValidity(in)
	if err != nil {
		return nil, err
	}
	d, ok := in.(*array.Dictionary)
	if !ok || d.Dictionary().NullN() == 0 {
		if v.None() {
			return nil, nil
		}
		return nullRows(in.Len(), v.Null), nil
	}
	_, c, err := openDictionary(in, picker{all: true}, in.Len())
	if err != nil {
		return nil, err
	}
	return nullRows(in.Len(), func(i int) bool { return c.codes[i] < 0 }), nil
}

func nullRows(n int, null func(int) bool) []int {
	var rows []int
	for i := range n {
		if null(i) {
			rows = append(rows, i)
		}
	}
	return rows
}
