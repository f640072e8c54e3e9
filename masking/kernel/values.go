package kernel

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Offset is the offset type of text: int32 for strings, int64 for large ones.
type Offset interface{ int32 | int64 }

// Strings is a text array seen from its first row. Off has N+1 entries.
type Strings[O Offset] struct {
	N     int
	Off   []O
	Data  []byte
	Valid Validity
}

// OpenStrings reads the buffers of a string (int32) or large string (int64)
// array. Only the first and last offset are checked: call Check, or check each
// pair of offsets, before using those between.
func OpenStrings[O Offset](in arrow.Array) (Strings[O], error) {
	s := Strings[O]{N: in.Len()}
	v, err := OpenValidity(in)
	if err != nil {
		return s, err
	}
	s.Valid = v
	d := in.Data()
	bufs := d.Buffers()
	if len(bufs) != 3 {
		return s, ErrCorrupt
	}
	if s.N == 0 {
		s.Off = make([]O, 1)
		return s, nil
	}
	size := offsetSize[O]()
	if bufs[1] == nil || bufs[1].Len() < (d.Offset()+s.N+1)*size {
		return s, ErrCorrupt
	}
	s.Off = arrow.GetOffsets[O](d, 1)
	if bufs[2] != nil {
		s.Data = bufs[2].Bytes()
	}
	if s.Off[0] < 0 || s.Off[s.N] < s.Off[0] || int64(s.Off[s.N]) > int64(len(s.Data)) {
		return s, ErrCorrupt
	}
	return s, nil
}

// Check verifies that offsets never step back, so that At cannot fail.
func (s Strings[O]) Check() error {
	var sign O
	for i := range s.N {
		sign |= s.Off[i+1] - s.Off[i]
		sign |= s.Off[i+1]
	}
	if sign < 0 {
		return ErrCorrupt
	}
	return nil
}

// At gives the bytes of row i, aliasing the input.
func (s Strings[O]) At(i int) []byte { return s.Data[s.Off[i]:s.Off[i+1]] }

// Span is the number of data bytes between the first and the last offset.
func (s Strings[O]) Span() int { return int(s.Off[s.N] - s.Off[0]) }

// Writer holds the fresh buffers of a text array being built. The technique
// writes Data, and Off[i+1] for every row; Off[0] is zero already.
type Writer[O Offset] struct {
	Off  []O
	Data []byte

	off, data *memory.Buffer
}

// NewWriter makes room for n rows of at most size bytes together. It fails if
// such offsets do not fit the type.
func NewWriter[O Offset](alloc memory.Allocator, n, size int) (*Writer[O], error) {
	if size < 0 || (offsetSize[O]() == 4 && size > math.MaxInt32) {
		return nil, errTooLarge
	}
	w := &Writer[O]{
		off:  Fresh(alloc, (n+1)*offsetSize[O]()),
		data: Fresh(alloc, size),
	}
	w.Off = arrow.GetData[O](w.off.Bytes())
	w.Off[0] = 0
	w.Data = w.data.Bytes()
	return w, nil
}

// Release gives the buffers back when the array is not finished.
func (w *Writer[O]) Release() {
	w.off.Release()
	w.data.Release()
}

// Finish cuts Data to the last offset, zeroes what lies behind, and makes the
// array. The writer must not be used afterwards.
func (w *Writer[O]) Finish(env *Env, v Validity, t arrow.DataType) arrow.Array {
	n := len(w.Off) - 1
	used := int(w.Off[n])
	clear(w.data.Buf()[used:])
	w.data.Resize(used)
	valid, nulls := env.Validity(v, n)
	return Build(t, n, nulls, valid, w.off, w.data)
}

// OpenFixed gives the bytes of a column of width-byte values, aliasing the input.
func OpenFixed(in arrow.Array, width int) ([]byte, Validity, error) {
	v, err := OpenValidity(in)
	if err != nil {
		return nil, v, err
	}
	d := in.Data()
	bufs := d.Buffers()
	if len(bufs) != 2 {
		return nil, v, ErrCorrupt
	}
	if in.Len() == 0 {
		return nil, v, nil
	}
	if bufs[1] == nil || bufs[1].Len() < (d.Offset()+d.Len())*width {
		return nil, v, ErrCorrupt
	}
	return bufs[1].Bytes()[d.Offset()*width : (d.Offset()+d.Len())*width], v, nil
}

func offsetSize[O Offset]() int {
	var o O
	if _, ok := any(o).(int32); ok {
		return 4
	}
	return 8
}
