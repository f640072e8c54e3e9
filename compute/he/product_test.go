package he_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// relinKey builds what the ceremony builds, from the whole secret.
func (w *wholeSecret) relinKey(t testing.TB) *he.RelinKey {
	p := w.params
	rqp := p.RLWE().RingQP()
	s := rqp.NewPoly()
	for j, x := range w.s {
		for i, sub := range rqp.RingQ.SubRings {
			s.Q.Coeffs[i][j] = uint64(x+int64(sub.Modulus)) % sub.Modulus
		}
		for i, sub := range rqp.RingP.SubRings {
			s.P.Coeffs[i][j] = uint64(x+int64(sub.Modulus)) % sub.Modulus
		}
	}
	rqp.NTT(s, s)
	mont := rqp.NewPoly()
	rqp.MForm(s, mont)
	square := rqp.NewPoly()
	rqp.MulCoeffsMontgomery(s, mont, square)
	rqp.RingQ.MulScalarBigint(square.Q, rqp.RingP.Modulus(), square.Q)
	key := &he.RelinKey{}
	for d := range p.Q() {
		a, err := p.ExpandQP([32]byte{9}, string(rune('a'+d)))
		require.NoError(t, err)
		b, e := rqp.NewPoly(), rqp.NewPoly()
		for j := range w.s {
			for _, row := range append(append([][]uint64{}, e.Q.Coeffs...), e.P.Coeffs...) {
				row[j] = uint64(j % 7)
			}
		}
		rqp.NTT(e, e)
		rqp.MulCoeffsMontgomery(a, mont, b)
		rqp.Sub(e, b, b)
		sub := rqp.RingQ.SubRings[d]
		sub.Add(b.Q.Coeffs[d], square.Q.Coeffs[d], b.Q.Coeffs[d])
		key.Digits = append(key.Digits, he.RelinDigit{B: b, A: a})
	}
	return key
}

func TestDotProductAcrossProvidersOpens(t *testing.T) {
	p, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	secret, key := newWholeSecret(t, p, 3)
	relin := secret.relinKey(t)
	stored, err := relin.Bytes(p)
	require.NoError(t, err)
	relin, err = he.ParseRelinKey(p, stored)
	require.NoError(t, err)

	pair := [32]byte{5}
	product, err := he.NewProduct(p, pair, relin)
	require.NoError(t, err)
	other, err := he.NewProduct(p, pair, relin)
	require.NoError(t, err)
	want := new(big.Int)
	for batch := range uint32(3) {
		rows := []int{p.N(), p.N() - 1, 5}[batch]
		x, y := make([]int64, rows), make([]int64, rows)
		for i := range x {
			x[i], y[i] = int64(i*i%100003)-50000, 1<<30-int64(i)*300007
			want.Add(want, new(big.Int).Mul(big.NewInt(x[i]), big.NewInt(y[i])))
		}
		enc, err := he.NewEncryptor(p, key, rand.Reader)
		require.NoError(t, err)
		h := he.Header{Key: pair, Batch: batch, Rows: uint32(rows)}
		lx, err := enc.Encrypt(nil, h, x, 1<<40)
		require.NoError(t, err)
		ly, err := enc.EncryptReversed(nil, h, y, 1<<40)
		require.NoError(t, err)
		into := product
		if batch == 1 {
			into = other
		}
		require.NoError(t, into.Add(lx, ly))
	}
	require.NoError(t, product.Merge(other))
	const times = 122_070 // 3 batches a time: 3*10^9 rows
	require.NoError(t, product.Repeat(times))
	want.Mul(want, big.NewInt(times))
	sum, err := product.Sum()
	require.NoError(t, err)
	openings, err := he.Extract(p, []he.Term{{Sum: sum, Mask: p.DotMask()}})
	require.NoError(t, err)
	got, err := he.Decode(p, phases(p, openings, map[[32]byte]*wholeSecret{pair: secret}), nil)
	require.NoError(t, err)
	require.Equal(t, want.String(), got.String())
}
