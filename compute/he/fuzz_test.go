package he_test

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

func FuzzParseLeaf(f *testing.F) {
	w := smallWorld(f, 1, false)
	f.Add(w.leaf(f, 1, []int64{1, 2, -3}).Bytes())
	f.Add([]byte("YHLF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		acc := he.NewAccumulator(w.params, w.key)
		l, err := he.ParseLeaf(w.params, b)
		if err != nil {
			return
		}
		require.Equal(t, b, l.Bytes())
		require.Equal(t, l.Header().Key != w.key, acc.Add(l) != nil)
		require.NoError(t, acc.Repeat(3))
		_, err = he.Extract(w.params, []he.Term{{Sum: acc.Sum(), Mask: w.params.AllMask()}})
		require.NoError(t, err)
	})
}

func FuzzReadVerifiedLeaf(f *testing.F) {
	w := smallWorld(f, 1, false)
	f.Add(w.leaf(f, 1, []int64{1, 2, -3}).Bytes(), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, times uint8) {
		l, err := he.ReadVerifiedLeaf(w.params, b)
		if err != nil {
			return
		}
		acc := he.NewAccumulator(w.params, l.Header().Key)
		for range times {
			require.NoError(t, acc.Add(l))
		}
		_, err = he.Extract(w.params, []he.Term{{Sum: acc.Sum(), Mask: w.params.AllMask()}})
		require.NoError(t, err)
	})
}

func FuzzParsePublicKey(f *testing.F) {
	w := smallWorld(f, 1, false)
	good, err := w.public.Bytes(w.params)
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := he.ParsePublicKey(w.params, b)
		if err != nil {
			return
		}
		back, err := k.Bytes(w.params)
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

func FuzzParseRelinKey(f *testing.F) {
	w := smallWorld(f, 1, true)
	good, err := w.secret.relinKey(f).Bytes(w.params)
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := he.ParseRelinKey(w.params, b)
		if err != nil {
			return
		}
		back, err := k.Bytes(w.params)
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

func FuzzParseOpening(f *testing.F) {
	w := smallWorld(f, 1, false)
	acc := he.NewAccumulator(w.params, w.key)
	openings, err := he.Extract(w.params, []he.Term{{Sum: acc.Sum(), Mask: w.params.AllMask()}})
	require.NoError(f, err)
	for _, o := range openings {
		good, err := o.Bytes(w.params)
		require.NoError(f, err)
		f.Add(good)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := he.ParseOpening(w.params, b)
		if err != nil {
			return
		}
		back, err := o.Bytes(w.params)
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

func FuzzDecode(f *testing.F) {
	w := smallWorld(f, 1, false)
	f.Add([]byte{}, int64(0))
	f.Add(make([]byte, 32), int64(1000))
	f.Fuzz(func(t *testing.T, b []byte, limit int64) {
		var in [][]uint64
		for len(b) >= 16 {
			in = append(in, []uint64{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])})
			b = b[16:]
		}
		bound := big.NewInt(limit)
		v, err := he.Decode(w.params, in, bound)
		if err == nil {
			require.Negative(t, v.CmpAbs(bound))
		}
	})
}
