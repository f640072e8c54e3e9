package deterministic

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"

	"github.com/yumen-project/yumen/masking/sm3lanes"
)

const (
	ivSize    = 16
	blockSize = 16
	// chunk is how many values, and chunkBytes about how many bytes, are
	// treated together.
	chunk      = 512
	chunkBytes = 1 << 18
)

// keys are the two keys and the associated data with its length before it.
type keys struct {
	mac    *sm3lanes.Key
	block  cipher.Block
	prefix []byte
}

func derive(key []byte, associated string) (*keys, error) {
	block, err := sm4.NewCipher(labelled(key, "cipher")[:16])
	if err != nil {
		return nil, err
	}
	mac, err := sm3lanes.NewKey(labelled(key, "iv"))
	if err != nil {
		return nil, err
	}
	prefix := binary.BigEndian.AppendUint64(nil, uint64(len(associated)))
	return &keys{mac: mac, block: block, prefix: append(prefix, associated...)}, nil
}

func labelled(key []byte, use string) []byte {
	h := hmac.New(sm3.New, key)
	h.Write([]byte("yumen masking deterministic 1: " + use))
	return h.Sum(nil)
}

// worker treats a chunk of values at a time: all codes in one call, all blocks
// of key stream in another. It holds values: wipe it in the end.
type worker struct {
	*keys
	data   []byte // associated data and value, one after the other
	off    []int32
	codes  []byte
	stream []byte // counters, then key stream
	sealed []byte // one value that is being decoded
}

func (w *worker) reset() {
	w.data, w.off, w.stream = w.data[:0], append(w.off[:0], 0), w.stream[:0]
}

// full reports that the chunk should be treated before more is added.
func (w *worker) full() bool { return len(w.off) > chunk || len(w.data) >= chunkBytes }

// add puts a value into the chunk.
func (w *worker) add(v []byte) {
	w.data = append(append(w.data, w.prefix...), v...)
	w.off = append(w.off, int32(len(w.data)))
}

// value is the value i of the chunk.
func (w *worker) value(i int) []byte { return w.data[int(w.off[i])+len(w.prefix) : w.off[i+1]] }

// iv is the synthetic initialisation vector of value i, after authenticate.
func (w *worker) iv(i int) []byte { return w.codes[i*sm3lanes.Size:][:ivSize] }

// authenticate computes the code of every value of the chunk.
func (w *worker) authenticate() {
	need := (len(w.off) - 1) * sm3lanes.Size
	if cap(w.codes) < need {
		w.codes = make([]byte, need)
	}
	w.codes = w.codes[:need]
	w.mac.MAC(w.codes, w.data, w.off)
}

// count appends the counter blocks of a value of n bytes to the stream: the
// vector as a number of 128 bits, and those that follow it.
func (w *worker) count(iv []byte, n int) {
	hi, lo := binary.BigEndian.Uint64(iv), binary.BigEndian.Uint64(iv[8:])
	for ; n > 0; n -= blockSize {
		w.stream = binary.BigEndian.AppendUint64(w.stream, hi)
		w.stream = binary.BigEndian.AppendUint64(w.stream, lo)
		if lo++; lo == 0 {
			hi++
		}
	}
}

// encipher makes key stream of the counters.
func (w *worker) encipher() {
	if many, ok := w.block.(interface{ NewECBEncrypter() cipher.BlockMode }); ok {
		many.NewECBEncrypter().CryptBlocks(w.stream, w.stream)
		return
	}
	for b := w.stream; len(b) >= blockSize; b = b[blockSize:] {
		w.block.Encrypt(b[:blockSize], b[:blockSize])
	}
}

// seal turns the values of the chunk into ciphertext, in place; iv gives their
// vectors.
func (w *worker) seal() {
	w.authenticate()
	for i := range len(w.off) - 1 {
		w.count(w.iv(i), len(w.value(i)))
	}
	w.encipher()
	w.mix()
}

// mix adds the key stream to the values, each of which begins with a block.
func (w *worker) mix() {
	stream := w.stream
	for i := range len(w.off) - 1 {
		v := w.value(i)
		subtle.XORBytes(v, v, stream)
		stream = stream[(len(v)+blockSize-1)/blockSize*blockSize:]
	}
}

// open turns ciphertexts, added with their counters, into values and computes
// what their vectors must be.
func (w *worker) open() {
	w.encipher()
	w.mix()
	w.authenticate()
}

// wipe clears every copy of a value.
func (w *worker) wipe() {
	for _, b := range [][]byte{w.data, w.codes, w.stream, w.sealed} {
		clear(b[:cap(b)])
	}
}
