// Package draw gives the techniques that move or change values at random what
// they need: numbers drawn for a row under a key, and windows of rows.
//
// A row's draws depend on the key, the technique, the column and the row's
// number in the read, and on nothing else: the same read masked twice is
// masked alike, in whatever batches it comes, so that taking it out again and
// again averages nothing away. The draws are the SM4 counter keystream
// (GB/T 32907, GB/T 17964) under a key derived by HMAC-SM3: block number
// (attempt, row), 64 bits each, big endian.
//
// What is protected: nobody without the key can tell a draw from a coin's.
//
// What is not protected: a read in another order, or of other rows, draws
// afresh; whoever may choose the rows of a read can compare its answers. Who
// holds the key can undo a permutation.
package draw

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/bits"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// MinKey is the least length of a key in bytes.
const MinKey = 16

// Stream holds the draws of one column under one technique. It is immutable
// and safe for concurrent use.
type Stream struct{ block cipher.Block }

// New derives the stream of a technique and a column from a key of at least
// MinKey bytes. The key is not retained. Two columns under one key draw
// independently: equal permutations would carry whole records along.
func New(key []byte, technique, column string) (*Stream, error) {
	if len(key) < MinKey {
		return nil, errors.New("draw: a key of at least 16 bytes is needed")
	}
	mac := hmac.New(sm3.New, key)
	for _, s := range []string{"yumen masking draw 1", technique, column} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		mac.Write(n[:])
		mac.Write([]byte(s))
	}
	block, err := sm4.NewCipher(mac.Sum(nil)[:sm4.BlockSize])
	if err != nil {
		return nil, errors.New("draw: the key makes no cipher")
	}
	return &Stream{block: block}, nil
}

// String keeps the key out of logs, as do GoString, LogValue and MarshalJSON.
func (s *Stream) String() string { return "[key]" }

// GoString is String.
func (s *Stream) GoString() string { return s.String() }

// LogValue is String.
func (s *Stream) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON is String.
func (s *Stream) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }

// Rows holds the first draws of some rows that follow each other.
type Rows struct {
	s     *Stream
	first uint64
	words []byte
}

// Rows reads the draws of n rows, the first being number row of the read.
func (s *Stream) Rows(row int64, n int) *Rows {
	r := &Rows{s: s, first: uint64(row), words: make([]byte, n*sm4.BlockSize)}
	var iv [sm4.BlockSize]byte
	binary.BigEndian.PutUint64(iv[8:], r.first)
	cipher.NewCTR(s.block, iv[:]).XORKeyStream(r.words, r.words)
	return r
}

// Below gives the number in [0, n) drawn for row i, every one equally likely.
// A row has one draw: asking again gives the same bits. n must not be 0.
func (r *Rows) Below(i int, n uint64) uint64 {
	b := r.words[i*sm4.BlockSize : (i+1)*sm4.BlockSize]
	x, ok := below(binary.BigEndian.Uint64(b), n)
	if !ok {
		x, ok = below(binary.BigEndian.Uint64(b[8:]), n)
	}
	for attempt := uint64(1); !ok; attempt++ {
		x, ok = r.again(i, n, attempt)
	}
	return x
}

// again draws from a later block of the row.
func (r *Rows) again(i int, n, attempt uint64) (uint64, bool) {
	var in, out [sm4.BlockSize]byte
	binary.BigEndian.PutUint64(in[:], attempt)
	binary.BigEndian.PutUint64(in[8:], r.first+uint64(i))
	r.s.block.Encrypt(out[:], in[:])
	if x, ok := below(binary.BigEndian.Uint64(out[:]), n); ok {
		return x, true
	}
	return below(binary.BigEndian.Uint64(out[8:]), n)
}

// below scales a word to [0, n), or rejects it: Lemire, Fast Random Integer
// Generation in an Interval, 2019. Exact for every n.
func below(word, n uint64) (uint64, bool) {
	hi, lo := bits.Mul64(word, n)
	return hi, lo >= n || lo >= -n%n
}
