package sm3lanes

import (
	"encoding"
	"hash"

	"github.com/emmansun/gmsm/sm3"
)

// engine is a way to compute a batch.
type engine uint8

const (
	library engine = iota // message by message
	eight                 // eight lanes, AVX2
	sixteen               // sixteen lanes, AVX-512
)

// rowByRow treats a batch message by message.
func rowByRow[O Offset](k *Key, dst, data []byte, offsets []O) {
	s := newSingle(k)
	for i := range offsets[1:] {
		s.digest(dst[i*Size:(i+1)*Size], data[offsets[i]:offsets[i+1]])
	}
}

// single computes one digest or code at a time through the library. It is not
// safe for concurrent use.
type single struct {
	key   *Key
	hash  hash.Hash
	state encoding.BinaryUnmarshaler
	sum   [Size]byte
}

func newSingle(k *Key) *single {
	s := &single{key: k, hash: sm3.New()}
	s.state, _ = s.hash.(encoding.BinaryUnmarshaler)
	return s
}

// digest writes the code of m, or its digest without a key, to dst.
func (s *single) digest(dst, m []byte) {
	if s.key == nil {
		s.hash.Reset()
		s.hash.Write(m)
		s.hash.Sum(dst[:0])
		return
	}
	s.resume(&s.key.inner)
	s.hash.Write(m)
	inner := s.hash.Sum(s.sum[:0])
	s.resume(&s.key.outer)
	s.hash.Write(inner)
	s.hash.Sum(dst[:0])
}

// resume puts the hash into a prepared state. The library accepts what it has
// saved itself: NewKey fails otherwise.
func (s *single) resume(c *chain) {
	s.hash.Reset()
	_ = s.state.UnmarshalBinary(c.saved)
}
