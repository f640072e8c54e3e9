package kernel

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// coded is a dictionary array reduced to the values its rows use.
type coded struct {
	codes []int // per row: position in values, -1 for null
	first []int // per value: the first row that uses it
	vals  []int // per value: its position in the input dictionary
}

// openDictionary reads the codes of the rows picked. Nulls of the index and
// nulls of the dictionary both count as null.
func openDictionary(in arrow.Array, p picker, n int) (*array.Dictionary, coded, error) {
	var c coded
	d, ok := in.(*array.Dictionary)
	if !ok || d.Dictionary() == nil {
		return nil, c, ErrCorrupt
	}
	dict := d.Dictionary()
	if !isText(dict.DataType()) {
		return nil, c, ErrType
	}
	dv, err := OpenValidity(dict)
	if err != nil {
		return nil, c, err
	}
	w := indexWidth(d)
	raw, v, err := OpenFixed(in, w)
	if err != nil {
		return nil, c, err
	}
	limit := min(uint64(dict.Len()), indexLimit(d))
	seen := make([]int, dict.Len())
	c.codes = make([]int, n)
	for i := range n {
		r := p.row(i)
		if v.Null(r) {
			c.codes[i] = -1
			continue
		}
		x := readIndex(raw, w, r)
		if x >= limit {
			return nil, c, ErrCorrupt
		}
		if dv.Null(int(x)) {
			c.codes[i] = -1
			continue
		}
		if seen[x] == 0 {
			c.vals = append(c.vals, int(x))
			c.first = append(c.first, i)
			seen[x] = len(c.vals)
		}
		c.codes[i] = seen[x] - 1
	}
	return d, c, nil
}

// maskDictionary masks each value in use once, merges equal results in order
// of their first row, and writes new indices.
func maskDictionary(k Kernel, env *Env, in arrow.Array) (arrow.Array, error) {
	d, c, err := openDictionary(in, picker{all: true}, in.Len())
	if err != nil {
		return nil, err
	}
	used, err := Take(env.Alloc, d.Dictionary(), c.vals)
	if err != nil {
		return nil, err
	}
	defer used.Release()
	sub := &Env{Alloc: env.Alloc, Tolerate: env.Tolerate}
	masked, err := k.Mask(sub, used)
	if err != nil {
		var ve *ValueError
		if errors.As(err, &ve) && ve.Row < len(c.first) {
			return nil, &ValueError{Row: c.first[ve.Row], Rule: ve.Rule}
		}
		return nil, err
	}
	defer masked.Release()
	bad := make([]bool, len(c.vals))
	for _, b := range sub.malformed {
		bad[b] = true
	}
	for i, code := range c.codes {
		if code >= 0 && bad[code] {
			env.malformed = append(env.malformed, i)
		}
	}
	return encode(env, d, masked, c.codes)
}

func takeDictionary(env *Env, in arrow.Array, p picker, n int) (arrow.Array, error) {
	d, c, err := openDictionary(in, p, n)
	if err != nil {
		return nil, err
	}
	used, err := Take(env.Alloc, d.Dictionary(), c.vals)
	if err != nil {
		return nil, err
	}
	defer used.Release()
	return encode(env, d, used, c.codes)
}

// encode builds the output dictionary array: distinct values only, in order of
// the first row that uses them; rows whose value is null get a null index.
func encode(env *Env, in *array.Dictionary, vals arrow.Array, codes []int) (arrow.Array, error) {
	text, err := textAt(vals)
	if err != nil {
		return nil, err
	}
	byText := make(map[string]int, vals.Len())
	merged := make([]int, vals.Len())
	var distinct []int
	for i := range merged {
		if vals.IsNull(i) {
			merged[i] = -1
			continue
		}
		at, ok := byText[text(i)]
		if !ok {
			at = len(distinct)
			byText[text(i)] = at
			distinct = append(distinct, i)
		}
		merged[i] = at
	}
	dict, err := Take(env.Alloc, vals, distinct)
	if err != nil {
		return nil, err
	}
	defer dict.Release()
	return index(env, in, dict, merged, codes), nil
}

func index(env *Env, in *array.Dictionary, dict arrow.Array, merged, codes []int) arrow.Array {
	w, n := indexWidth(in), len(codes)
	out := Zeroed(env.Alloc, n*w)
	valid := Zeroed(env.Alloc, (n+7)/8)
	nulls := 0
	for i, code := range codes {
		if code < 0 || merged[code] < 0 {
			nulls++
			continue
		}
		valid.Bytes()[i/8] |= 1 << (i % 8)
		writeIndex(out.Bytes(), w, i, uint64(merged[code]))
	}
	if nulls == 0 {
		valid.Release()
		valid = nil
	}
	t := in.DataType().(*arrow.DictionaryType)
	idx := Build(t.IndexType, n, nulls, valid, out)
	defer idx.Release()
	typ := &arrow.DictionaryType{IndexType: t.IndexType, ValueType: dict.DataType()}
	return array.NewDictionaryArray(typ, idx, dict)
}

func textAt(a arrow.Array) (func(int) string, error) {
	switch a := a.(type) {
	case *array.String:
		return a.Value, nil
	case *array.LargeString:
		return a.Value, nil
	}
	return nil, ErrType
}

func indexWidth(d *array.Dictionary) int {
	t := d.DataType().(*arrow.DictionaryType)
	return t.IndexType.(arrow.FixedWidthDataType).Bytes()
}

// indexLimit bounds what readIndex may return: the negative half of a signed
// index type lies above it.
func indexLimit(d *array.Dictionary) uint64 {
	t := d.DataType().(*arrow.DictionaryType).IndexType
	bits := t.(arrow.FixedWidthDataType).BitWidth()
	if arrow.IsSignedInteger(t.ID()) {
		bits--
	}
	if bits == 64 {
		return math.MaxUint64
	}
	return 1 << bits
}

// readIndex reads index r as an unsigned number.
func readIndex(raw []byte, w, r int) uint64 {
	switch w {
	case 1:
		return uint64(raw[r])
	case 2:
		return uint64(binary.NativeEndian.Uint16(raw[r*2:]))
	case 4:
		return uint64(binary.NativeEndian.Uint32(raw[r*4:]))
	}
	return binary.NativeEndian.Uint64(raw[r*8:])
}

func writeIndex(raw []byte, w, r int, x uint64) {
	switch w {
	case 1:
		raw[r] = byte(x)
	case 2:
		binary.NativeEndian.PutUint16(raw[r*2:], uint16(x))
	case 4:
		binary.NativeEndian.PutUint32(raw[r*4:], uint32(x))
	default:
		binary.NativeEndian.PutUint64(raw[r*8:], x)
	}
}

// Codes gives, per row, the position of its value in d.Dictionary(), -1 for
// null: a null index, or a null value in the dictionary.
func Codes(d *array.Dictionary) ([]int, error) {
	_, c, err := openDictionary(d, picker{all: true}, d.Len())
	if err != nil {
		return nil, err
	}
	for i, code := range c.codes {
		if code >= 0 {
			c.codes[i] = c.vals[code]
		}
	}
	return c.codes, nil
}
