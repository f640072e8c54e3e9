package pqwrite

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/bitutil"

	"github.com/yumen-project/yumen/masking/kernel"
)

// errTime: a time in seconds that milliseconds cannot count.
var errTime = errors.New("timestamp beyond what the file can hold")

// encoder appends the PLAIN form of the rows of a that are not null.
type encoder func(dst []byte, a arrow.Array) ([]byte, error)

// putter writes the stored form of one value.
type putter func(dst, src []byte) error

func nothing(dst []byte, _ arrow.Array) ([]byte, error) { return dst, nil }

func booleans(dst []byte, a arrow.Array) ([]byte, error) {
	v, err := kernel.OpenValidity(a)
	if err != nil {
		return dst, err
	}
	d := a.Data()
	bufs := d.Buffers()
	if len(bufs) != 2 || a.Len() > 0 && (bufs[1] == nil || bufs[1].Len()*8 < d.Offset()+a.Len()) {
		return dst, kernel.ErrCorrupt
	}
	start := len(dst)
	dst = append(dst, make([]byte, (a.Len()-v.Nulls(a.Len())+7)/8)...)
	out, at := dst[start:], 0
	for i := range a.Len() {
		if v.Null(i) {
			continue
		}
		if bitutil.BitIsSet(bufs[1].Bytes(), d.Offset()+i) {
			bitutil.SetBit(out, at)
		}
		at++
	}
	return dst, nil
}

// text writes the length of each value and its bytes.
func text[O kernel.Offset](dst []byte, a arrow.Array) ([]byte, error) {
	s, err := kernel.OpenStrings[O](a)
	if err != nil {
		return dst, err
	}
	if err := s.Check(); err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, s.Span()+4*s.N)
	pos := len(dst)
	out := dst[:cap(dst)]
	nulls := !s.Valid.None()
	for i := range s.N {
		if nulls && s.Valid.Null(i) {
			continue
		}
		v := s.At(i)
		binary.LittleEndian.PutUint32(out[pos:], uint32(len(v)))
		pos += 4
		pos += copy(out[pos:], v)
	}
	return out[:pos], nil
}

// fixed writes values of one width; a nil putter copies them.
func fixed(from, to int, put putter) encoder {
	return func(dst []byte, a arrow.Array) ([]byte, error) {
		src, v, err := kernel.OpenFixed(a, from)
		if err != nil {
			return dst, err
		}
		if put == nil && v.None() {
			return append(dst, src...), nil
		}
		n := a.Len()
		start := len(dst)
		dst = slices.Grow(dst, (n-v.Nulls(n))*to)
		dst = dst[:start+(n-v.Nulls(n))*to]
		out := dst[start:]
		for i := range n {
			if v.Null(i) {
				continue
			}
			if put == nil {
				copy(out[:to], src[i*from:(i+1)*from])
			} else if err := put(out[:to], src[i*from:(i+1)*from]); err != nil {
				return dst[:start], err
			}
			out = out[to:]
		}
		return dst, nil
	}
}

// same copies little-endian values as they are; Arrow's are native, and every
// platform built for is little-endian.
var same putter

func widen(dst, src []byte) error {
	clear(dst)
	copy(dst, src)
	return nil
}

func signed8(dst, src []byte) error {
	binary.LittleEndian.PutUint32(dst, uint32(int32(int8(src[0]))))
	return nil
}

func signed16(dst, src []byte) error {
	binary.LittleEndian.PutUint32(dst, uint32(int32(int16(binary.LittleEndian.Uint16(src)))))
	return nil
}

const millisPerDay = 86400000

// days stores milliseconds since 1970 as days.
func days(dst, src []byte) error {
	ms := int64(binary.LittleEndian.Uint64(src))
	day := ms / millisPerDay
	if ms%millisPerDay < 0 {
		day--
	}
	if day < math.MinInt32 || day > math.MaxInt32 {
		return errTime
	}
	binary.LittleEndian.PutUint32(dst, uint32(int32(day)))
	return nil
}

// millis stores seconds as milliseconds.
func millis(dst, src []byte) error {
	sec := int64(binary.LittleEndian.Uint64(src))
	if sec > math.MaxInt64/1000 || sec < math.MinInt64/1000 {
		return errTime
	}
	binary.LittleEndian.PutUint64(dst, uint64(sec*1000))
	return nil
}

// swap stores a decimal with its highest byte first.
func swap(dst, src []byte) error {
	binary.BigEndian.PutUint64(dst[8:], binary.LittleEndian.Uint64(src))
	binary.BigEndian.PutUint64(dst, binary.LittleEndian.Uint64(src[8:]))
	return nil
}
