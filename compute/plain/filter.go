package plain

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"github.com/yumen-project/yumen/compute"
)

// accept says which outcomes of a comparison keep a record.
type accept uint8

const (
	less accept = 1 << iota
	equal
	greater
)

// predicate is one filter, its literals parsed. It is immutable and shared by
// all runs of a plan.
type predicate struct {
	col    int
	keep   accept
	lit    literal
	in     bool
	ints   map[int64]struct{}
	nums   map[decimal128.Num]struct{}
	floats map[float64]struct{}
	texts  map[string]struct{}
}

// newPredicate parses the literals of filter number i (from 0) for its column.
func newPredicate(i int, f *compute.Filter, fd field, col int) (predicate, error) {
	p := predicate{col: col, in: f.Op == compute.In}
	if p.in {
		return p, p.parseSet(i, f, fd)
	}
	p.keep = map[compute.Op]accept{
		compute.Eq: equal, compute.Ne: less | greater,
		compute.Lt: less, compute.Le: less | equal,
		compute.Gt: greater, compute.Ge: greater | equal,
	}[f.Op]
	if fd.dt.ID() == arrow.BOOL && p.keep != equal && p.keep != less|greater {
		return p, fmt.Errorf("filter %d, field %q: %w: booleans have no order", i+1, fd.name, compute.ErrQuery)
	}
	var err error
	if p.lit, err = parseLiteral(fd.dt, f.Value); err != nil {
		return p, fmt.Errorf("filter %d, field %q: %w: %w", i+1, fd.name, compute.ErrQuery, err)
	}
	return p, nil
}

func (p *predicate) parseSet(i int, f *compute.Filter, fd field) error {
	p.ints = make(map[int64]struct{})
	p.nums = make(map[decimal128.Num]struct{})
	p.floats = make(map[float64]struct{})
	p.texts = make(map[string]struct{})
	for k, text := range f.Values {
		l, err := parseLiteral(fd.dt, text)
		if err != nil {
			return fmt.Errorf("filter %d, field %q, value %d: %w: %w", i+1, fd.name, k+1, compute.ErrQuery, err)
		}
		p.ints[l.i], p.nums[l.n], p.floats[l.f], p.texts[l.s] = struct{}{}, struct{}{}, struct{}{}, struct{}{}
	}
	return nil
}

// refine keeps those of sel that match, in place. Nulls never match.
func (p *predicate) refine(c *column, sel []int32) []int32 {
	switch {
	case c.kind == physInt && p.in:
		return refineSet(c, c.ints, p.ints, sel)
	case c.kind == physInt:
		return refineOrdered(c, c.ints, p.lit.i, p.keep, sel)
	case c.kind == physNum && p.in:
		return refineSet(c, c.nums, p.nums, sel)
	case c.kind == physNum:
		return p.refineNums(c, sel)
	case c.kind == physFloat && p.in:
		return refineSet(c, c.floats, p.floats, sel) // a NaN is in no map
	case c.kind == physFloat:
		return refineFloats(c, p.lit.f, p.keep, sel)
	case c.dict != nil && c.dict.n <= len(sel):
		return p.refineDict(c, sel)
	}
	return p.refineTexts(c, sel)
}

// refineOrdered compares without a branch on the data: c is 0, 1 or 2 for
// less, equal, greater, the bit position in keep.
func refineOrdered(col *column, vals []int64, lit int64, keep accept, sel []int32) []int32 {
	n := 0
	for _, i := range sel {
		v := vals[i]
		sel[n] = i
		hit := int(keep>>(1+bit(v > lit)-bit(v < lit))) & 1
		if col.nulls != nil && !col.valid(int(i)) {
			hit = 0
		}
		n += hit
	}
	return sel[:n]
}

func refineFloats(col *column, lit float64, keep accept, sel []int32) []int32 {
	n := 0
	for _, i := range sel {
		v := col.floats[i]
		sel[n] = i
		hit := int(keep>>(1+bit(v > lit)-bit(v < lit))) & 1
		if v != v || !col.valid(int(i)) { // a NaN compares with nothing
			hit = 0
		}
		n += hit
	}
	return sel[:n]
}

func (p *predicate) refineNums(col *column, sel []int32) []int32 {
	n := 0
	for _, i := range sel {
		if col.valid(int(i)) && p.keep>>(1+compareNums(col.nums[i], p.lit.n))&1 == 1 {
			sel[n] = i
			n++
		}
	}
	return sel[:n]
}

func compareNums(a, b decimal128.Num) int {
	if c := cmp.Compare(a.HighBits(), b.HighBits()); c != 0 {
		return c
	}
	return cmp.Compare(a.LowBits(), b.LowBits())
}

func refineSet[T comparable](col *column, vals []T, set map[T]struct{}, sel []int32) []int32 {
	n := 0
	for _, i := range sel {
		if _, in := set[vals[i]]; in && col.valid(int(i)) {
			sel[n] = i
			n++
		}
	}
	return sel[:n]
}

// matchText decides for one text.
func (p *predicate) matchText(b []byte, lit []byte) bool {
	if p.in {
		_, ok := p.texts[string(b)]
		return ok
	}
	return p.keep>>(1+bytes.Compare(b, lit))&1 == 1
}

func (p *predicate) refineTexts(col *column, sel []int32) []int32 {
	n, lit := 0, []byte(p.lit.s)
	for _, i := range sel {
		if b, ok := col.bytesAt(int(i)); ok && p.matchText(b, lit) {
			sel[n] = i
			n++
		}
	}
	return sel[:n]
}

// refineDict decides once per dictionary value.
func (p *predicate) refineDict(col *column, sel []int32) []int32 {
	n, lit := 0, []byte(p.lit.s)
	hits := make([]bool, col.dict.n)
	for k := range hits {
		hits[k] = p.matchText(col.dict.at(k), lit)
	}
	for _, i := range sel {
		if k := col.codes[i]; k >= 0 && hits[k] {
			sel[n] = i
			n++
		}
	}
	return sel[:n]
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
