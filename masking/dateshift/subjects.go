package dateshift

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// chunk is how many subjects are hashed together.
const chunk = 512

const (
	ruleSubject = "the subject is null or has no canonical form"
	ruleDate    = "not a date, or out of range once shifted"
)

// subjects gives the shift of each row, a chunk at a time.
type subjects struct {
	n     int
	kind  identifier.Kind
	null  func(row int) bool
	value func(dst []byte, row int) []byte // appends, or shows where it lies

	from  int // first row of the chunk below
	data  []byte
	off   [chunk + 1]int32
	codes [chunk * sm3lanes.Size]byte
	days  [chunk]int32
	known [chunk]bool
}

func openSubjects(in arrow.Array, kind identifier.Kind) (*subjects, error) {
	s := &subjects{n: in.Len(), kind: kind, from: -chunk}
	var err error
	switch in.DataType().ID() {
	case arrow.STRING:
		err = openText[int32](s, in)
	case arrow.LARGE_STRING:
		err = openText[int64](s, in)
	case arrow.DICTIONARY:
		err = s.openDictionary(in)
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		err = s.openIntegers(in)
	default:
		err = fmt.Errorf("%s is neither text nor a whole number: %w", in.DataType(), kernel.ErrType)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func openText[O kernel.Offset](s *subjects, in arrow.Array) error {
	t, err := kernel.OpenStrings[O](in)
	if err != nil {
		return err
	}
	s.null = t.Valid.Null
	s.value = func(_ []byte, row int) []byte { return t.At(row) }
	return t.Check()
}

// openDictionary works on a checked copy.
func (s *subjects) openDictionary(in arrow.Array) error {
	checked, err := kernel.Copy(memory.DefaultAllocator, in)
	if err != nil {
		return err
	}
	d, ok := checked.(*array.Dictionary)
	if !ok {
		return kernel.ErrCorrupt
	}
	s.null = d.IsNull
	switch words := d.Dictionary().(type) {
	case *array.String:
		s.value = func(dst []byte, row int) []byte { return append(dst, words.Value(d.GetValueIndex(row))...) }
	case *array.LargeString:
		s.value = func(dst []byte, row int) []byte { return append(dst, words.Value(d.GetValueIndex(row))...) }
	default:
		return kernel.ErrType
	}
	return nil
}

func (s *subjects) openIntegers(in arrow.Array) error {
	t, ok := in.DataType().(arrow.FixedWidthDataType)
	if !ok {
		return kernel.ErrType
	}
	width, signed := t.Bytes(), arrow.IsSignedInteger(t.ID())
	raw, v, err := kernel.OpenFixed(in, width)
	if err != nil {
		return err
	}
	s.null = v.Null
	s.value = func(dst []byte, row int) []byte {
		var b [8]byte
		copy(b[:], raw[row*width:(row+1)*width])
		u := binary.LittleEndian.Uint64(b[:])
		if !signed {
			return strconv.AppendUint(dst, u, 10)
		}
		gap := 64 - 8*width
		return strconv.AppendInt(dst, int64(u<<gap)>>gap, 10)
	}
	return nil
}

// shift is the shift of a row; false if the row has no subject. Rows are asked
// for in ascending order.
func (s *subjects) shift(d draw, row int) (int32, bool) {
	if row >= s.from+chunk {
		s.fill(d, row)
	}
	return s.days[row-s.from], s.known[row-s.from]
}

// fill computes the chunk that begins at a row.
func (s *subjects) fill(d draw, from int) {
	s.from = from
	count := min(chunk, s.n-from)
	s.data = s.data[:0]
	var text [20]byte
	for i := range count {
		s.off[i] = int32(len(s.data))
		s.known[i] = false
		if s.null(from + i) {
			continue
		}
		s.data = append(s.data, 0) // counts the attempts
		out, err := identifier.AppendCanonical(s.data, s.kind, s.value(text[:0], from+i))
		if err != nil {
			s.data = s.data[:s.off[i]]
			continue
		}
		s.data, s.known[i] = out, true
	}
	s.off[count] = int32(len(s.data))
	d.key.MAC(s.codes[:count*sm3lanes.Size], s.data, s.off[:count+1])
	for i := range count {
		if s.known[i] {
			s.days[i] = d.of(s.codes[i*sm3lanes.Size:(i+1)*sm3lanes.Size], s.data[s.off[i]:s.off[i+1]])
		}
	}
}

// wipe clears what was copied of the subjects.
func (s *subjects) wipe() {
	clear(s.data[:cap(s.data)])
	clear(s.codes[:])
	clear(s.days[:])
}
