package he_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	tjsm3 "github.com/tjfoc/gmsm/sm3"
	tjsm4 "github.com/tjfoc/gmsm/sm4"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"

	"github.com/yumen-project/yumen/compute/he"
)

// Leaf hashes and lane names by another SM3.
func TestHashesBySecondImplementation(t *testing.T) {
	w := smallWorld(t, 1, false)
	leaf := w.leaf(t, 0, []int64{1})
	sum := leaf.Hash()
	require.Equal(t, tjsm3.Sm3Sum(append([]byte("yumen encrypted leaf 1"), leaf.Bytes()...)), sum[:])

	name := []byte("yumen encrypted lane 1")
	for _, s := range []string{"population", "2024-1", "income"} {
		name = append(binary.BigEndian.AppendUint32(name, uint32(len(s))), s...)
	}
	lane := he.LaneID("population", "2024-1", "income")
	require.Equal(t, tjsm3.Sm3Sum(name), lane[:])
}

// The expansion of a common random string by another SM3 and SM4, the counter
// written out.
func TestExpandBySecondImplementation(t *testing.T) {
	p, err := he.InsecureTestParameters(7, false)
	require.NoError(t, err)
	seed := [32]byte{1, 2, 3}
	poly, err := p.Expand(seed, "public key")
	require.NoError(t, err)
	id := p.ID()
	for i, q := range p.Q() {
		in := append([]byte("yumen he expand 1"), id[:]...)
		in = append(in, seed[:]...)
		in = append(binary.BigEndian.AppendUint32(in, 10), "public key"...)
		sum := tjsm3.Sm3Sum(binary.BigEndian.AppendUint64(in, q))
		block, err := tjsm4.NewCipher(sum[:16])
		require.NoError(t, err)
		counter, mask := sum[16:], uint64(1)<<[]int{53, 52}[i]-1
		var got []uint64
		for len(got) < p.N() {
			out := make([]byte, 16)
			block.Encrypt(out, counter)
			for _, x := range []uint64{binary.LittleEndian.Uint64(out), binary.LittleEndian.Uint64(out[8:])} {
				if x&mask < q && len(got) < p.N() {
					got = append(got, x&mask)
				}
			}
			for k := 15; k >= 0; k-- {
				counter[k]++
				if counter[k] != 0 {
					break
				}
			}
		}
		require.Equal(t, got, poly.Coeffs[i])
	}
}

// The library's own decryptor sees the phase that our arithmetic sees.
func TestPhaseByTheLibrarysDecryptor(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	w := newWorld(t, p, 6)
	values := []int64{5, -7, 1 << 34}
	limb, err := w.leaf(t, 0, values).Limb(0)
	require.NoError(t, err)
	rq := p.RingQ()
	ct := rlwe.NewCiphertext(p.RLWE(), 1, p.RLWE().MaxLevel())
	ct.IsNTT = true
	rq.NTT(limb.C0, ct.Value[0])
	rq.NTT(limb.C1, ct.Value[1])
	sk := rlwe.NewSecretKey(p.RLWE())
	sk.Value.Q.Copy(w.secret.poly)
	pt := rlwe.NewDecryptor(p.RLWE(), sk).DecryptNew(ct)
	rq.INTT(pt.Value, pt.Value)
	for j := range values {
		openings, err := he.Extract(p, []he.Term{{Sum: &he.Sum{Key: w.key, Limbs: []he.Ciphertext{limb, limb}}, Mask: p.CoefficientMask(j)}})
		require.NoError(t, err)
		ours := phases(p, openings, map[[32]byte]*wholeSecret{w.key: w.secret})
		for i := range p.Q() {
			require.Equal(t, pt.Value.Coeffs[i][j], ours[0][i])
		}
	}
}
