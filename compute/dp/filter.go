package dp

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/compute"
)

// filter keeps records by one field. A null matches nothing, as in compute.
type filter struct {
	field string
	op    compute.Op
	texts []string // sorted; one of the two
	nums  []int64  // sorted, in the field's last fraction digit
}

// decimalForm is what a number's literal looks like: no exponent, no fraction.
var decimalForm = regexp.MustCompile(`^-?[0-9]{1,38}(\.[0-9]{1,38})?$`)

// newFilter checks a filter whose form compute.Query.Validate has accepted.
// Errors wrap compute.ErrQuery and carry no literal.
func newFilter(in *arrow.Schema, where string, lit compute.Filter) (filter, error) {
	f := filter{field: lit.Field, op: lit.Op}
	values := lit.Values
	if lit.Op != compute.In {
		values = []string{lit.Value}
	}
	dt, err := find(in, where, lit.Field, asKey)
	if err == nil && (isText(dt) || dt.ID() == arrow.BOOL || dt.ID() == arrow.DICTIONARY) {
		if lit.Op != compute.Eq && lit.Op != compute.Ne && lit.Op != compute.In {
			return f, fmt.Errorf("%s: field %q: %w: text is compared by =, != and in", where, lit.Field, compute.ErrQuery)
		}
		f.texts = slices.Sorted(slices.Values(values))
		return f, nil
	}
	if dt, err = find(in, where, lit.Field, asValue); err != nil {
		return f, err
	}
	scale := 0
	if d, ok := dt.(*arrow.Decimal128Type); ok {
		scale = int(d.Scale)
	}
	for _, v := range values {
		n, ok := numberOf(v, scale)
		if !ok {
			return f, fmt.Errorf("%s: field %q: %w: a number with the field's fraction digits, within 63 bits, is needed", where, lit.Field, compute.ErrQuery)
		}
		f.nums = append(f.nums, n)
	}
	slices.Sort(f.nums)
	return f, nil
}

// numberOf reads a decimal exactly, in units of 10^-scale. The ends of int64 are
// refused: they stand for everything beyond.
func numberOf(text string, scale int) (int64, bool) {
	if !decimalForm.MatchString(text) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	r.Quo(r, scaled(big.NewInt(1), scale))
	n := r.Num()
	if !r.IsInt() || n.BitLen() > 62 {
		return 0, false
	}
	return n.Int64(), true
}

func (f *filter) keeps(c *column, i int, scratch *[]byte) bool {
	if c.null(i) {
		return false
	}
	if f.texts == nil {
		return f.keepsNum(c.num(i))
	}
	*scratch = c.appendText((*scratch)[:0], i)
	_, in := slices.BinarySearchFunc(f.texts, *scratch, func(have string, want []byte) int {
		return cmp.Compare(have, string(want))
	})
	return in != (f.op == compute.Ne)
}

func (f *filter) keepsNum(v int64) bool {
	switch w := f.nums[0]; f.op {
	case compute.Eq:
		return v == w
	case compute.Ne:
		return v != w
	case compute.Lt:
		return v < w
	case compute.Le:
		return v <= w
	case compute.Gt:
		return v > w
	case compute.Ge:
		return v >= w
	}
	_, in := slices.BinarySearch(f.nums, v)
	return in
}
