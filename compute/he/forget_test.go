package he

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

// After a batch nothing is left in the encryptor that opens it.
func TestEncryptorForgetsABatch(t *testing.T) {
	p, err := InsecureTestParameters(6, false)
	require.NoError(t, err)
	a, err := p.Expand([32]byte{}, "a")
	require.NoError(t, err)
	b, err := p.Expand([32]byte{}, "b")
	require.NoError(t, err)
	e, err := NewEncryptor(p, &PublicKey{B: b, A: a}, rand.Reader)
	require.NoError(t, err)
	_, err = e.Encrypt(nil, Header{Rows: 64}, []int64{1, 2, 3}, 3)
	require.NoError(t, err)
	require.Nil(t, e.source.stream)
	require.Equal(t, [4096]byte{}, e.source.buf)
	for _, x := range e.small {
		require.Equal(t, make([]int8, p.N()), x)
	}
	require.Equal(t, make([]uint64, p.N()), e.rest)
	for _, row := range e.u.Coeffs {
		require.Equal(t, make([]uint64, p.N()), row)
	}
}
