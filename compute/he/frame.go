package he

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Every stored object begins with four letters, a version and the parameter ID.
const (
	frameSize    = 4 + 2 + 32
	codecVersion = 1
	kindLeaf     = "YHLF"
	kindPublic   = "YHPK"
	kindRelin    = "YHRK"
	kindOpening  = "YHOP"
)

func (p *Parameters) frame(kind string, size int) []byte {
	b := make([]byte, 0, size)
	b = append(b, kind...)
	b = binary.BigEndian.AppendUint16(b, codecVersion)
	return append(b, p.id[:]...)
}

// unframe checks the prefix and returns what follows it.
func (p *Parameters) unframe(kind string, b []byte) ([]byte, error) {
	if len(b) < frameSize || string(b[:4]) != kind {
		return nil, fmt.Errorf("%w: not an object of kind %s", ErrMalformed, kind)
	}
	if v := binary.BigEndian.Uint16(b[4:6]); v != codecVersion {
		return nil, fmt.Errorf("%w: version %d of kind %s, want %d", ErrMalformed, v, kind, codecVersion)
	}
	if !bytes.Equal(b[6:frameSize], p.id[:]) {
		return nil, fmt.Errorf("%w: kind %s of other parameters", ErrMismatch, kind)
	}
	return b[frameSize:], nil
}
