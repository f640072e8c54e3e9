package kernel

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Fresh returns a new buffer of n bytes. The caller must write all n bytes;
// the padding behind them is zero already.
func Fresh(alloc memory.Allocator, n int) *memory.Buffer {
	b := memory.NewResizableBuffer(alloc)
	b.Resize(n)
	clear(b.Buf()[n:])
	return b
}

// Zeroed returns a new buffer of n zero bytes.
func Zeroed(alloc memory.Allocator, n int) *memory.Buffer {
	b := memory.NewResizableBuffer(alloc)
	b.Resize(n)
	clear(b.Buf())
	return b
}

// Build makes an array of n slots of the buffers, taking over the caller's
// references. A nil validity buffer goes with nulls == 0.
func Build(t arrow.DataType, n, nulls int, bufs ...*memory.Buffer) arrow.Array {
	data := array.NewData(t, n, bufs, nil, nulls, 0)
	for _, b := range bufs {
		if b != nil {
			b.Release()
		}
	}
	defer data.Release()
	return array.MakeFromData(data)
}

// Validity is the null bitmap of an array, seen from its first row.
// The zero value says that no row is null.
type Validity struct {
	bits []byte
	off  int
}

// OpenValidity reads the bitmap of in, checking that it is long enough.
func OpenValidity(in arrow.Array) (Validity, error) {
	d := in.Data()
	bufs := d.Buffers()
	if d.NullN() == 0 || len(bufs) == 0 || bufs[0] == nil {
		return Validity{}, nil
	}
	bits := bufs[0].Bytes()
	if len(bits)*8 < d.Offset()+d.Len() {
		return Validity{}, ErrCorrupt
	}
	return Validity{bits: bits, off: d.Offset()}, nil
}

// Null reports whether row i is null.
func (v Validity) Null(i int) bool {
	return v.bits != nil && bitutil.BitIsNotSet(v.bits, v.off+i)
}

// None reports that there is no bitmap: no row can be null.
func (v Validity) None() bool { return v.bits == nil }

// Nulls counts the nulls of the first n rows.
func (v Validity) Nulls(n int) int {
	if v.bits == nil {
		return 0
	}
	return n - bitutil.CountSetBits(v.bits, v.off, n)
}

// Validity copies the bitmap of n rows, clears the rows reported as malformed,
// and returns the buffer (nil when nothing is null) and the number of nulls.
func (e *Env) Validity(v Validity, n int) (*memory.Buffer, int) {
	if v.Nulls(n) == 0 && len(e.malformed) == 0 {
		return nil, 0
	}
	b := Zeroed(e.Alloc, int(bitutil.BytesForBits(int64(n))))
	bits := b.Bytes()
	if v.bits == nil {
		bitutil.SetBitsTo(bits, 0, int64(n), true)
	} else {
		bitutil.CopyBitmap(v.bits, v.off, n, bits, 0)
	}
	for _, row := range e.malformed {
		bitutil.ClearBit(bits, row)
	}
	if tail := n % 8; tail != 0 {
		bits[len(bits)-1] &= 1<<tail - 1
	}
	return b, n - bitutil.CountSetBits(bits, 0, n)
}
