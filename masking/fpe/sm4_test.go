package fpe

import (
	"encoding/binary"
	"testing"

	"github.com/emmansun/gmsm/sm4"
	"github.com/stretchr/testify/require"
)

// requireSM4 checks vectors, library blocks and single blocks against each other.
func requireSM4(t *testing.T, key []byte, n int, at func(i int) uint32) {
	t.Helper()
	block, err := sm4.NewCipher(key)
	require.NoError(t, err)
	e, err := newSM4(key)
	require.NoError(t, err)
	plain := newEngine(block)
	one := &engine{block: block}
	var src, a, b, c words
	for k := range src {
		for j := range src[k] {
			src[k][j] = at(4*j + k)
		}
	}
	var buf [laneCount * blockSize]byte
	e.encipher(&a, &src, n, &buf)
	plain.encipher(&b, &src, n, &buf)
	one.encipher(&c, &src, n, &buf)
	for k := range a {
		require.Equal(t, b[k][:n], a[k][:n])
		require.Equal(t, c[k][:n], a[k][:n])
	}
}

// GB/T 32907, example 1, through every form.
func TestSM4Example(t *testing.T) {
	key := []byte("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10")
	e, err := newSM4(key)
	require.NoError(t, err)
	var src, dst words
	var buf [laneCount * blockSize]byte
	for k := range src {
		for j := range src[k] {
			src[k][j] = binary.BigEndian.Uint32(key[4*k:])
		}
	}
	for _, n := range []int{1, 63, 64, 65, laneCount} {
		dst = words{}
		e.encipher(&dst, &src, n, &buf)
		for j := range n {
			require.Equal(t, []uint32{0x681edf34, 0xd206965e, 0x86b3e94f, 0x536e4246}, []uint32{dst[0][j], dst[1][j], dst[2][j], dst[3][j]})
		}
	}
	require.Equal(t, []byte{0xd6, 0x90, 0xe9, 0x48}, []byte{sbox(0), sbox(1), sbox(2), sbox(255)})
	rk := roundKeys(key)
	require.Equal(t, []uint32{0xf12186f9, 0x9124a012}, []uint32{rk[0], rk[31]})
}

func FuzzSM4(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint32(1), uint8(255))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), uint32(0), uint8(64))
	f.Fuzz(func(t *testing.T, key []byte, seed uint32, n uint8) {
		if len(key) != 16 {
			return
		}
		requireSM4(t, key, 1+int(n), func(i int) uint32 { return (seed + uint32(i)) * 2654435761 })
	})
}
