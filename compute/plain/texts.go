package plain

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"

	"github.com/yumen-project/yumen/compute"
)

// texts reads variable-width values straight from an array's buffers. Its
// offsets have been checked, so at cannot run outside.
type texts struct {
	n     int
	off32 []int32 // one of the two, n+1 long
	off64 []int64
	data  []byte

	nulls   []byte // validity bitmap or nil
	nullOff int
}

// at is value i; the bytes belong to the batch.
func (t *texts) at(i int) []byte {
	if t.off32 != nil {
		return t.data[t.off32[i]:t.off32[i+1]]
	}
	return t.data[t.off64[i]:t.off64[i+1]]
}

func (t *texts) isNull(i int) bool {
	return t.nulls != nil && bitutil.BitIsNotSet(t.nulls, t.nullOff+i)
}

// readTexts opens values lo to hi of a string or binary array, 32 or 64-bit.
func readTexts(arr arrow.Array, lo, hi int) (texts, error) {
	t := texts{n: hi - lo}
	if t.n == 0 {
		return t, nil
	}
	data := arr.Data()
	bufs := data.Buffers()
	if len(bufs) < 3 || bufs[1] == nil {
		return t, fmt.Errorf("%w: offsets are missing", compute.ErrData)
	}
	if bufs[2] != nil {
		t.data = bufs[2].Bytes()
	}
	if bm := arr.NullBitmapBytes(); len(bm) > 0 && arr.NullN() > 0 {
		t.nulls, t.nullOff = bm, data.Offset()+lo
		if len(bm)*8 < t.nullOff+t.n {
			return t, fmt.Errorf("%w: the validity bitmap is shorter than the batch", compute.ErrData)
		}
	}
	raw, first := bufs[1].Bytes(), data.Offset()+lo
	var ok bool
	switch arr.(type) {
	case *array.String, *array.Binary:
		t.off32, ok = offsets(arrow.GetData[int32](raw), first, t.n, len(t.data))
	case *array.LargeString, *array.LargeBinary:
		t.off64, ok = offsets(arrow.GetData[int64](raw), first, t.n, len(t.data))
	}
	if !ok {
		return t, fmt.Errorf("%w: offsets run backwards or outside", compute.ErrData)
	}
	return t, nil
}

// offsets cuts the n+1 offsets from first and checks that they rise within size.
func offsets[T int32 | int64](all []T, first, n, size int) ([]T, bool) {
	if first+n+1 > len(all) {
		return nil, false
	}
	offs := all[first : first+n+1]
	prev, ok := offs[0], offs[0] >= 0
	for _, o := range offs[1:] {
		ok = ok && o >= prev
		prev = o
	}
	return offs, ok && int64(prev) <= int64(size)
}
