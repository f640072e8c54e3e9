package pram

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"

	"github.com/yumen-project/yumen/masking/kernel"
)

const ruleListed = "not one of the listed categories"

// none stands for a cell without category: null or malformed.
const none = -1

// Type keeps text, integers and booleans; a dictionary of text becomes text.
func (r *randomizer) Type(in arrow.DataType) (arrow.DataType, error) {
	switch t := in.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return in, nil
	case *arrow.DictionaryType:
		if id := t.ValueType.ID(); id == arrow.STRING || id == arrow.LARGE_STRING {
			return t.ValueType, nil
		}
	case *arrow.BooleanType:
		for i, c := range r.categories {
			if c != "true" && c != "false" {
				return nil, fmt.Errorf("category %d is neither true nor false: %w", i+1, kernel.ErrType)
			}
		}
		return in, nil
	}
	if !arrow.IsInteger(in.ID()) {
		return nil, fmt.Errorf("%s has no categories: %w", in, kernel.ErrType)
	}
	_, err := r.integers(in)
	return in, err
}

// integers gives the categories as the bits of an integer type.
func (r *randomizer) integers(t arrow.DataType) ([]uint64, error) {
	width := t.(arrow.FixedWidthDataType).BitWidth()
	out := make([]uint64, len(r.categories))
	for i, c := range r.categories {
		var u uint64
		var canonical string
		var err error
		if arrow.IsSignedInteger(t.ID()) {
			var v int64
			v, err = strconv.ParseInt(c, 10, width)
			u, canonical = uint64(v), strconv.FormatInt(v, 10)
			u &= ^uint64(0) >> (64 - width)
		} else {
			u, err = strconv.ParseUint(c, 10, width)
			canonical = strconv.FormatUint(u, 10)
		}
		if err != nil || canonical != c {
			return nil, fmt.Errorf("category %d is not of %s: %w", i+1, t, kernel.ErrType)
		}
		out[i] = u
	}
	return out, nil
}

func (r *randomizer) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	switch t := in.DataType().(type) {
	case *arrow.DictionaryType:
		return r.dictionary(env, in, t)
	case *arrow.StringType:
		return text[int32](r, env, in)
	case *arrow.LargeStringType:
		return text[int64](r, env, in)
	case *arrow.BooleanType:
		return r.booleans(env, in)
	}
	if !arrow.IsInteger(in.DataType().ID()) {
		return nil, kernel.ErrType
	}
	return r.numbers(env, in)
}

// change replaces each category in codes by what it becomes.
func (r *randomizer) change(env *kernel.Env, codes []int) {
	draws := r.stream.Rows(env.Row, len(codes))
	for i, c := range codes {
		if c != none {
			codes[i] = r.chances.to(c, draws.Below(i, r.chances.total(c)))
		}
	}
}

// code finds the category of every row that is not null and reports those that
// have none. of says none for an unlisted value.
func code(env *kernel.Env, valid kernel.Validity, n int, of func(i int) int) ([]int, error) {
	codes := make([]int, n)
	for i := range codes {
		codes[i] = none
		if valid.Null(i) {
			continue
		}
		if codes[i] = of(i); codes[i] == none {
			if err := env.Malformed(i, ruleListed); err != nil {
				return nil, err
			}
		}
	}
	return codes, nil
}

// byText finds the category of a text.
func (r *randomizer) byText() func(b []byte) int {
	at := make(map[string]int, len(r.categories))
	for i, c := range r.categories {
		at[c] = i
	}
	return func(b []byte) int {
		if c, ok := at[string(b)]; ok {
			return c
		}
		return none
	}
}

func text[O kernel.Offset](r *randomizer, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	find := r.byText()
	codes, err := code(env, s.Valid, s.N, func(i int) int { return find(s.At(i)) })
	if err != nil {
		return nil, err
	}
	return write[O](r, env, codes, s.Valid, in.DataType())
}

// write makes the text of what the categories become.
func write[O kernel.Offset](r *randomizer, env *kernel.Env, codes []int, valid kernel.Validity, t arrow.DataType) (arrow.Array, error) {
	r.change(env, codes)
	size := 0
	for _, c := range codes {
		if c != none {
			size += len(r.categories[c])
		}
	}
	w, err := kernel.NewWriter[O](env.Alloc, len(codes), size)
	if err != nil {
		return nil, err
	}
	pos := 0
	for i, c := range codes {
		if c != none {
			pos += copy(w.Data[pos:], r.categories[c])
		}
		w.Off[i+1] = O(pos)
	}
	return w.Finish(env, valid, t), nil
}

func (r *randomizer) dictionary(env *kernel.Env, in arrow.Array, t *arrow.DictionaryType) (arrow.Array, error) {
	d, ok := in.(*array.Dictionary)
	if !ok {
		return nil, kernel.ErrCorrupt
	}
	at, err := kernel.Codes(d)
	if err != nil {
		return nil, err
	}
	plain, err := expand(env, d, at)
	if err != nil {
		return nil, err
	}
	defer plain.Release()
	if t.ValueType.ID() == arrow.LARGE_STRING {
		return text[int64](r, env, plain)
	}
	return text[int32](r, env, plain)
}

// expand writes out the value of every row; at gives its place in the
// dictionary, negative for null.
func expand(env *kernel.Env, d *array.Dictionary, at []int) (arrow.Array, error) {
	present := slices.Clone(at)
	null := -1
	for i := range present {
		if present[i] < 0 {
			present[i], null = 0, i
		}
	}
	if null < 0 {
		return kernel.Take(env.Alloc, d.Dictionary(), present)
	}
	if d.Dictionary().Len() == 0 {
		return kernel.AllNull(env.Alloc, d.Dictionary().DataType(), len(at))
	}
	full, err := kernel.Take(env.Alloc, d.Dictionary(), present)
	if err != nil {
		return nil, err
	}
	defer full.Release()
	bits := kernel.Zeroed(env.Alloc, int(bitutil.BytesForBits(int64(len(at)))))
	nulls := 0
	for i, c := range at {
		bitutil.SetBitTo(bits.Bytes(), i, c >= 0)
		if c < 0 {
			nulls++
		}
	}
	bufs := full.Data().Buffers()
	bufs[1].Retain()
	bufs[2].Retain()
	return kernel.Build(full.DataType(), len(at), nulls, bits, bufs[1], bufs[2]), nil
}

func (r *randomizer) booleans(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	valid, err := kernel.OpenValidity(in)
	if err != nil {
		return nil, err
	}
	d := in.Data()
	bufs := d.Buffers()
	if len(bufs) != 2 || (d.Len() > 0 && (bufs[1] == nil || bufs[1].Len()*8 < d.Offset()+d.Len())) {
		return nil, kernel.ErrCorrupt
	}
	words := map[bool]int{false: slices.Index(r.categories, "false"), true: slices.Index(r.categories, "true")}
	codes, err := code(env, valid, in.Len(), func(i int) int {
		return words[bitutil.BitIsSet(bufs[1].Bytes(), d.Offset()+i)]
	})
	if err != nil {
		return nil, err
	}
	r.change(env, codes)
	out := kernel.Zeroed(env.Alloc, int(bitutil.BytesForBits(int64(in.Len()))))
	for i, c := range codes {
		if c != none && c == words[true] {
			bitutil.SetBit(out.Bytes(), i)
		}
	}
	bits, nulls := env.Validity(valid, in.Len())
	return kernel.Build(in.DataType(), in.Len(), nulls, bits, out), nil
}

func (r *randomizer) numbers(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	values, err := r.integers(in.DataType())
	if err != nil {
		return nil, err
	}
	width := in.DataType().(arrow.FixedWidthDataType).Bytes()
	raw, valid, err := kernel.OpenFixed(in, width)
	if err != nil {
		return nil, err
	}
	at := make(map[uint64]int, len(values))
	for i, v := range values {
		at[v] = i
	}
	codes, err := code(env, valid, in.Len(), func(i int) int {
		if c, ok := at[load(raw, width, i)]; ok {
			return c
		}
		return none
	})
	if err != nil {
		return nil, err
	}
	r.change(env, codes)
	out := kernel.Zeroed(env.Alloc, in.Len()*width)
	for i, c := range codes {
		if c != none {
			store(out.Bytes(), width, i, values[c])
		}
	}
	bits, nulls := env.Validity(valid, in.Len())
	return kernel.Build(in.DataType(), in.Len(), nulls, bits, out), nil
}

// load reads value i as an unsigned number of its width in bytes.
func load(raw []byte, width, i int) uint64 {
	switch width {
	case 1:
		return uint64(raw[i])
	case 2:
		return uint64(binary.NativeEndian.Uint16(raw[i*2:]))
	case 4:
		return uint64(binary.NativeEndian.Uint32(raw[i*4:]))
	}
	return binary.NativeEndian.Uint64(raw[i*8:])
}

func store(raw []byte, width, i int, v uint64) {
	switch width {
	case 1:
		raw[i] = byte(v)
	case 2:
		binary.NativeEndian.PutUint16(raw[i*2:], uint16(v))
	case 4:
		binary.NativeEndian.PutUint32(raw[i*4:], uint32(v))
	default:
		binary.NativeEndian.PutUint64(raw[i*8:], v)
	}
}
