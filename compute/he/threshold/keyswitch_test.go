package threshold_test

import (
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/mhe"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// secret adds up a key set's components, coefficient domain.
func (k *keySet) secret(t testing.TB) []int64 {
	t.Helper()
	s := make([]int64, k.params.N())
	for c := range k.seeds {
		sigma, err := threshold.SecretForTest(k.params, k.seeds[c])
		require.NoError(t, err)
		for j, x := range sigma {
			s[j] += int64(x)
		}
	}
	return s
}

func polyOf(r *ring.Ring, s []int64) ring.Poly {
	poly := r.NewPoly()
	for i, sub := range r.SubRings {
		for j, x := range s {
			poly.Coeffs[i][j] = uint64(x+int64(sub.Modulus)) % sub.Modulus
		}
	}
	return poly
}

// phase is c0 + c1*s in the coefficient domain.
func phase(p *he.Parameters, c he.Ciphertext, s []int64) ring.Poly {
	r := p.RingQ()
	key, out := polyOf(r, s), r.NewPoly()
	r.NTT(key, key)
	r.MForm(key, key)
	r.NTT(c.C1, out)
	r.MulCoeffsMontgomery(out, key, out)
	r.INTT(out, out)
	r.Add(out, c.C0, out)
	return out
}

// reading decodes one coefficient of every limb's phase.
func reading(t testing.TB, p *he.Parameters, phases []ring.Poly, j int) string {
	t.Helper()
	var residues [][]uint64
	for _, poly := range phases {
		var res []uint64
		for i := range p.Q() {
			res = append(res, poly.Coeffs[i][j])
		}
		residues = append(residues, res)
	}
	v, err := he.Decode(p, residues, nil)
	require.NoError(t, err)
	return v.String()
}

func TestKeySwitchAgreesWithOpening(t *testing.T) {
	p := addParams(t)
	r := mrand.New(mrand.NewPCG(1, 2))
	k, to := newKeySet(t, p, 3, 2, 5), newKeySet(t, p, 2, 2, 77)
	values := make([]int64, p.N())
	for j := range values {
		values[j] = r.Int64N(1<<41) - 1<<40
	}
	sum := k.encrypted(t, values)
	var switched, others []ring.Poly
	for _, c := range sum.Limbs {
		parts := map[int][]threshold.SwitchPart{}
		for _, h := range []int{2, 3} {
			var err error
			parts[h], err = k.shares[h].Switch(c, to.public)
			require.NoError(t, err)
			again, err := k.shares[h].Switch(c, to.public)
			require.NoError(t, err)
			require.Equal(t, parts[h], again)
		}
		out, err := threshold.CombineSwitch(p, k.sharing, c, parts)
		require.NoError(t, err)
		switched = append(switched, phase(p, out, to.secret(t)))
		others = append(others, phase(p, latticeSwitch(t, k, to, c), to.secret(t)))
		delete(parts, 2)
		_, err = threshold.CombineSwitch(p, k.sharing, c, parts)
		require.ErrorIs(t, err, threshold.ErrTooFew)
	}
	for _, j := range []int{0, 1, 77, p.N() - 1} {
		openings := extract(t, p, he.Term{Sum: sum, Mask: p.CoefficientMask(j)})
		opened, err := threshold.Combine(p, k.sharing, openings, answersOf(t, k, openings, 1, 3), nil)
		require.NoError(t, err)
		require.Equal(t, ints(values[j]), texts(opened))
		require.Equal(t, opened[0].String(), reading(t, p, switched, j))
		require.Equal(t, opened[0].String(), reading(t, p, others, j))
	}
}

// latticeSwitch is the lattice library's own collective switch of the same
// components, as a second opinion.
func latticeSwitch(t testing.TB, k, to *keySet, c he.Ciphertext) he.Ciphertext {
	t.Helper()
	params, rq := k.params.RLWE(), k.params.RingQ()
	protocol, err := mhe.NewPublicKeySwitchProtocol(params, ring.DiscreteGaussian{Sigma: 1 << 20, Bound: 6 << 20})
	require.NoError(t, err)
	pk := rlwe.NewPublicKey(params)
	rq.MForm(to.public.B, pk.Value[0].Q)
	rq.MForm(to.public.A, pk.Value[1].Q)
	in := rlwe.NewCiphertext(params, 1, params.MaxLevel())
	in.IsNTT = true
	rq.NTT(c.C0, in.Value[0])
	rq.NTT(c.C1, in.Value[1])
	total := protocol.AllocateShare(params.MaxLevel())
	for i, seed := range k.seeds {
		sigma, err := threshold.SecretForTest(k.params, seed)
		require.NoError(t, err)
		s := make([]int64, len(sigma))
		for j, x := range sigma {
			s[j] = int64(x)
		}
		sk := rlwe.NewSecretKey(params)
		sk.Value.Q = polyOf(rq, s)
		rq.NTT(sk.Value.Q, sk.Value.Q)
		rq.MForm(sk.Value.Q, sk.Value.Q)
		share := protocol.AllocateShare(params.MaxLevel())
		protocol.GenShare(sk, pk, in, &share)
		if i == 0 {
			total = share
			continue
		}
		require.NoError(t, protocol.AggregateShares(total, share, &total))
	}
	out := rlwe.NewCiphertext(params, 1, params.MaxLevel())
	protocol.KeySwitch(in, total, out)
	plain := he.Ciphertext{C0: rq.NewPoly(), C1: rq.NewPoly()}
	rq.INTT(out.Value[0], plain.C0)
	rq.INTT(out.Value[1], plain.C1)
	return plain
}
