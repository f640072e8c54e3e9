package file

import (
	"encoding/binary"
	"errors"
)

// errThrift: the bytes are not what the Thrift compact protocol allows here.
var errThrift = errors.New("malformed header")

// Wire types of the Thrift compact protocol.
const (
	tStop, tTrue, tFalse, tByte, tI16, tI32, tI64 = 0, 1, 2, 3, 4, 5, 6
	tDouble, tBinary, tList, tSet, tMap, tStruct  = 7, 8, 9, 10, 11, 12
)

const (
	thriftDepth = 16
	// thriftElements bounds all list elements of one footer together.
	thriftElements = 1 << 20
)

// thriftReader walks compact Thrift without building anything. The library's
// decoder allocates by declared list sizes, so nothing reaches it that this walk
// has not passed: every declared length must be covered by the bytes there are.
type thriftReader struct {
	b        []byte
	pos      int
	elements int
}

func (t *thriftReader) byte() (byte, error) {
	if t.pos >= len(t.b) {
		return 0, errThrift
	}
	t.pos++
	return t.b[t.pos-1], nil
}

func (t *thriftReader) uvarint() (uint64, error) {
	v, n := binary.Uvarint(t.b[t.pos:])
	if n <= 0 {
		return 0, errThrift
	}
	t.pos += n
	return v, nil
}

// int reads a zigzag integer.
func (t *thriftReader) int() (int64, error) {
	v, err := t.uvarint()
	return int64(v>>1) ^ -int64(v&1), err
}

// fields calls visit for each field of the struct at the current position;
// visit must consume the value.
func (t *thriftReader) fields(visit func(id int64, kind byte) error) error {
	var id int64
	for {
		h, err := t.byte()
		if err != nil {
			return err
		}
		kind := h & 0xf
		if kind == tStop {
			return nil
		}
		if delta := int64(h >> 4); delta != 0 {
			id += delta
		} else if id, err = t.int(); err != nil {
			return err
		}
		if err := visit(id, kind); err != nil {
			return err
		}
	}
}

// list reads a list header. Each element takes at least a byte.
func (t *thriftReader) list() (n int, kind byte, err error) {
	h, err := t.byte()
	if err != nil {
		return 0, 0, err
	}
	n, kind = int(h>>4), h&0xf
	if n == 15 {
		v, err := t.uvarint()
		if err != nil || v > uint64(len(t.b)) {
			return 0, 0, errThrift
		}
		n = int(v)
	}
	t.elements += n
	if n > len(t.b)-t.pos || t.elements > thriftElements {
		return 0, 0, errThrift
	}
	return n, kind, nil
}

// skip passes over one value.
func (t *thriftReader) skip(kind byte, depth int) error {
	if depth > thriftDepth {
		return errThrift
	}
	switch kind {
	case tTrue, tFalse:
		return nil
	case tByte:
		return t.advance(1)
	case tI16, tI32, tI64:
		_, err := t.uvarint()
		return err
	case tDouble:
		return t.advance(8)
	case tBinary:
		n, err := t.uvarint()
		if err != nil || n > uint64(len(t.b)) {
			return errThrift
		}
		return t.advance(int(n))
	case tList, tSet:
		return t.skipList(depth)
	case tStruct:
		return t.fields(func(_ int64, k byte) error { return t.skip(k, depth+1) })
	}
	return errThrift // maps do not occur in Parquet
}

func (t *thriftReader) skipList(depth int) error {
	n, kind, err := t.list()
	if err != nil {
		return err
	}
	for range n {
		if kind == tTrue || kind == tFalse { // in a list a bool takes a byte
			err = t.advance(1)
		} else {
			err = t.skip(kind, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *thriftReader) advance(n int) error {
	if n < 0 || n > len(t.b)-t.pos {
		return errThrift
	}
	t.pos += n
	return nil
}
