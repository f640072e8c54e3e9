package fpe

import (
	"encoding/binary"
	"math/bits"

	"github.com/emmansun/gmsm/sm4"
)

// words holds blocks of 16 bytes, word k of block j at [k][j].
type words [4][laneCount]uint32

// groupSize is how many blocks encryptWords treats at a time.
const groupSize = 64

// newSM4 is FF1 over SM4 with a key of 16 bytes; many blocks at a time by
// vector instructions where the processor has them.
func newSM4(key []byte) (*engine, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	e := newEngine(block)
	if hasWords() {
		e.keys = roundKeys(key)
	}
	return e, nil
}

// roundKeys expands an SM4 key (GB/T 32907, 7.3). No table is read, so that no
// address depends on the key.
func roundKeys(key []byte) *[32]uint32 {
	system := [4]uint32{0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc}
	var k [4]uint32
	for i := range k {
		k[i] = binary.BigEndian.Uint32(key[4*i:]) ^ system[i]
	}
	var rk [32]uint32
	for i := range rk {
		x := k[(i+1)%4] ^ k[(i+2)%4] ^ k[(i+3)%4]
		var b [4]byte
		for j := range b {
			fixed := byte((4*i + j) * 7)
			b[j] = sbox(byte(x>>(24-8*j)) ^ fixed)
		}
		y := binary.BigEndian.Uint32(b[:])
		k[i%4] ^= y ^ bits.RotateLeft32(y, 13) ^ bits.RotateLeft32(y, 23)
		rk[i] = k[i%4]
	}
	return &rk
}

// sbox is the S-box of SM4 by its algebra: an affine map, the inverse in
// GF(2^8), the same affine map.
func sbox(x byte) byte { return affine(inverse(affine(x))) }

func affine(x byte) byte {
	var y byte
	for i := range 8 {
		y |= byte(bits.OnesCount8(bits.RotateLeft8(0xa7, i)&x)&1) << i
	}
	return y ^ 0xd3
}

// inverse is x^254 modulo x^8+x^7+x^6+x^5+x^4+x^2+1; that of 0 is 0.
func inverse(x byte) byte {
	y := byte(1)
	for range 7 {
		x = times(x, x)
		y = times(y, x)
	}
	return y
}

func times(a, b byte) byte {
	var y byte
	for range 8 {
		y ^= a & -(b & 1)
		a = a<<1 ^ 0xf5&-(a>>7)
		b >>= 1
	}
	return y
}

// encipher writes the first n blocks of src, enciphered, to dst. buf is room
// for as many bytes.
func (e *engine) encipher(dst, src *words, n int, buf *[laneCount * blockSize]byte) {
	if e.keys != nil {
		encryptWords(e.keys, (*[4][laneCount]uint32)(dst), (*[4][laneCount]uint32)(src), (n+groupSize-1)/groupSize)
		return
	}
	for j := range n {
		b := buf[j*blockSize : j*blockSize+blockSize]
		binary.BigEndian.PutUint64(b, uint64(src[0][j])<<32|uint64(src[1][j]))
		binary.BigEndian.PutUint64(b[8:], uint64(src[2][j])<<32|uint64(src[3][j]))
	}
	e.blocks(buf[:n*blockSize])
	for j := range n {
		b := buf[j*blockSize : j*blockSize+blockSize]
		hi, lo := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		dst[0][j], dst[1][j] = uint32(hi>>32), uint32(hi)
		dst[2][j], dst[3][j] = uint32(lo>>32), uint32(lo)
	}
}
